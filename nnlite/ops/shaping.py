"""Operations that move numbers without changing them: reshape, transpose, flip, roll, ...

Their gradients move ``g`` back the same way. Most NumPy functions of this kind are compositions of
the few that have a rule here, and need none of their own; :mod:`nnlite.ops.joining` goes on.
"""

import numpy as np

from nnlite.ops.axes import axes_of, axis_of, integer
from nnlite.ops.operation import Operation, define, implements, values_of

_reshape = Operation(
    lambda x, shape: np.reshape(x, shape),
    lambda g, _out, _x, shape: g.reshape(_x.shape),
    name="reshape",
    params=("shape",),
)


@implements(np.reshape)
def reshape(a, shape, order="C"):
    """The same numbers in another shape, read and written in C or Fortran order.

    "A" is Fortran order for an array that lies so in memory, else C order.
    """
    if order == "C":
        return _reshape(a, shape=shape)
    if not _in_fortran_order(a, order, "reshape", "CFA"):
        return _reshape(a, shape=shape)
    # in Fortran order the first axis runs fastest: reversed axes, read in C order
    backwards = shape[::-1] if isinstance(shape, tuple | list) else shape
    return np.transpose(_reshape(np.transpose(a), shape=backwards))


def _in_fortran_order(a, order, name, known):
    if order not in tuple(known):
        raise ValueError(f"np.{name}: order is one of {', '.join(known)}; got {order!r}.")
    return order == "F" or (order == "A" and np.isfortran(values_of(a)))


def _transpose_rule(g, _out, _x, axes=None):
    return np.transpose(g, None if axes is None else _inverse(axes, _x.ndim))


def _inverse(axes, ndim):
    return tuple(int(a) for a in np.argsort(axes_of(axes, ndim)))


transpose = define(np.transpose, _transpose_rule, params=("axes",))


def unbroadcast(g, shape: tuple[int, ...]):
    """Sum ``g`` over the axes along which an argument of shape ``shape`` was stretched.

    Broadcasting copies a number along an axis; each copy hands back its gradient, and the gradient
    of the number is their sum. This is the only place where the engine undoes broadcasting.
    """
    extra = g.ndim - len(shape)
    stretched = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
    )
    if stretched:
        g = np.sum(g, axis=stretched, keepdims=True)
    return g.reshape(shape)


broadcast_to = define(
    np.broadcast_to,
    lambda g, _out, _x, shape: unbroadcast(g, _x.shape),
    forward=lambda x, shape: np.broadcast_to(x, shape),
    params=("shape",),
)
flip = define(np.flip, lambda g, _out, _x, axis=None: np.flip(g, axis), params=("axis",))


def _roll_rule(g, _out, _x, shift, axis=None):
    back = tuple(-int(s) for s in shift) if np.ndim(shift) else -int(shift)  # True is 1
    return np.roll(g, back, axis)


roll = define(np.roll, _roll_rule, params=("shift", "axis"))


@implements(np.ravel)
def ravel(a, order="C"):
    """One axis, read in C or Fortran order ("K": as the numbers lie in memory)."""
    if order == "K":
        values = values_of(a)
        # axes by falling stride, each in its own direction: NumPy's order for "K"
        falling = np.argsort([-abs(s) for s in values.strides], kind="stable")
        return _reshape(np.transpose(a, tuple(int(i) for i in falling)), shape=(-1,))
    return reshape(a, (-1,), order)


@implements(np.expand_dims)
def expand_dims(a, axis):
    """New axes of length one."""
    n_new = len(axis) if isinstance(axis, tuple | list) else 1
    ndim = np.ndim(a) + n_new
    new = axes_of(axis, ndim)
    old = iter(np.shape(a))
    return _reshape(a, shape=tuple(1 if i in new else next(old) for i in range(ndim)))


@implements(np.squeeze)
def squeeze(a, axis=None):
    """Without axes of length one."""
    shape = np.shape(a)
    if isinstance(axis, list):
        raise TypeError(f"squeeze takes several axes as a tuple; got the list {axis}.")
    gone = axes_of(axis, len(shape)) if shape else axes_of(axis, 1)[:0]
    if axis is not None and any(shape[i] != 1 for i in gone):
        raise ValueError(f"squeeze: axis {axis} of shape {shape} does not have length one.")
    return _reshape(a, shape=tuple(n for i, n in enumerate(shape) if n != 1 or i not in gone))


@implements(np.swapaxes)
def swapaxes(a, axis1, axis2):
    """Two axes exchanged."""
    i, j = axis_of(axis1, np.ndim(a)), axis_of(axis2, np.ndim(a))
    axes = list(range(np.ndim(a)))
    axes[i], axes[j] = axes[j], axes[i]
    return np.transpose(a, tuple(axes))


@implements(np.moveaxis)
def moveaxis(a, source, destination):
    """Axes moved to other places, the others keep their order."""
    ndim = np.ndim(a)
    source, target = axes_of(source, ndim), axes_of(destination, ndim)
    if len(source) != len(target):
        raise ValueError(f"moveaxis: {len(source)} axes cannot go to {len(target)} places.")
    order = [i for i in range(ndim) if i not in source]
    for d, s in sorted(zip(target, source, strict=True)):
        order.insert(d, s)
    return np.transpose(a, tuple(order))


@implements(np.rollaxis)
def rollaxis(a, axis, start=0):
    """An axis moved backwards until it lies at ``start``."""
    axis = axis_of(axis, a.ndim)
    start = integer(start, "a place among axes")
    start = axis_of(start, a.ndim + (start >= 0))  # also behind the last one
    return moveaxis(a, axis, start - 1 if axis < start else start)


if hasattr(np, "matrix_transpose"):

    @implements(np.matrix_transpose)
    def matrix_transpose(x):
        """The last two axes exchanged."""
        return swapaxes(x, -1, -2)


def _at_least(n: int, place):
    def f(*arrays):
        out = [a if np.ndim(a) >= n else np.reshape(a, place(np.shape(a))) for a in arrays]
        return out[0] if len(out) == 1 else tuple(out)

    return f


atleast_1d = implements(np.atleast_1d)(_at_least(1, lambda s: (1,)))
atleast_2d = implements(np.atleast_2d)(_at_least(2, lambda s: (1,) * (2 - len(s)) + s))
atleast_3d = implements(np.atleast_3d)(
    _at_least(3, lambda s: (1, *(s or (1,)), 1) if len(s) < 2 else (*s, 1))
)


def with_axes(ary, n, name):
    """Raise unless an array has ``n`` axes or more."""
    if ary.ndim < n:
        raise ValueError(f"np.{name} takes arrays of {n} axes or more; got shape {ary.shape}.")


@implements(np.rot90)
def rot90(m, k=1, axes=(0, 1)):
    """Rotated by 90 degrees ``k`` times, from the first towards the second axis."""
    plane = axes_of(axes, m.ndim)
    if axes is None or len(plane) != 2:
        kind = TypeError if axes is None else ValueError
        raise kind(f"rot90 turns in the plane of two axes; got axes={axes!r}.")
    first, second = plane
    for _ in range(integer(k, "a number of turns") % 4):
        m = np.flip(swapaxes(m, first, second), first)
    return m


@implements(np.fliplr)
def fliplr(m):
    """Mirrored along the second axis."""
    with_axes(m, 2, "fliplr")
    return np.flip(m, 1)


@implements(np.flipud)
def flipud(m):
    """Mirrored along the first axis."""
    with_axes(m, 1, "flipud")
    return np.flip(m, 0)


@implements(np.tril)
def tril(m, k=0):
    """The lower triangle, zeros above it."""
    return np.where(_triangle(m, k), m, 0)


@implements(np.triu)
def triu(m, k=0):
    """The upper triangle, zeros below it."""
    return np.where(_triangle(m, k - 1), 0, m)


def _triangle(m, k):
    """True below the ``k``-th diagonal; a vector stands for as many equal rows, as in NumPy."""
    rows, columns = m.shape[-2:] if m.ndim > 1 else (m.shape[-1], m.shape[-1])
    return np.tri(rows, columns, k, dtype=bool)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args):
    """All arrays stretched to their common shape."""
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(np.broadcast_to(a, shape) for a in args)
