"""Operations that move numbers without changing them: reshape, transpose, concatenate, pad, ...

Their gradients move ``g`` back the same way. Most NumPy functions of this kind are compositions of
the few that have a rule here, and need none of their own.
"""

import math

import numpy as np

from nnlite.ops.axes import along, axes_of, axis_of, integer
from nnlite.ops.operation import Operation, define, operation, values_of

_reshape = Operation(
    lambda x, shape: np.reshape(x, shape),
    lambda g, _out, _x, shape: g.reshape(_x.shape),
    name="reshape",
    params=("shape",),
)


@operation(np.reshape)
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
    back = tuple(-s for s in shift) if isinstance(shift, tuple | list) else -shift
    return np.roll(g, back, axis)


roll = define(np.roll, _roll_rule, params=("shift", "axis"))


def _concatenate_rule(i, g, _out, *_arrays, axis=0):
    """The i-th array's own stretch of ``g``."""
    if axis is None:
        start = sum(math.prod(np.shape(a)) for a in _arrays[:i])
        return g[start : start + math.prod(np.shape(_arrays[i]))].reshape(_arrays[i].shape)
    axis = axis_of(axis, g.ndim)
    start = sum(np.shape(a)[axis] for a in _arrays[:i])
    return g[along(axis, slice(start, start + _arrays[i].shape[axis]))]


_concatenate = Operation(
    lambda *arrays, axis=0: np.concatenate(arrays, axis),
    _concatenate_rule,
    name="concatenate",
    params=("axis",),
    variadic=True,
)


@operation(np.concatenate)
def concatenate(arrays, axis=0):
    """Join along an existing axis."""
    return _concatenate(*arrays, axis=axis)


@operation(np.stack)
def stack(arrays, axis=0):
    """Join along a new axis."""
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) > 1:
        raise ValueError(f"np.stack joins arrays of one shape; got {sorted(shapes)}.")
    return concatenate([expand_dims(a, axis) for a in arrays], axis)


@operation(np.vstack)
def vstack(tup):
    """Stack as rows."""
    return concatenate([atleast_2d(a) for a in tup], 0)


@operation(np.hstack)
def hstack(tup):
    """Stack side by side."""
    arrays = [atleast_1d(a) for a in tup]
    return concatenate(arrays, 0 if arrays[0].ndim == 1 else 1)


@operation(np.dstack)
def dstack(tup):
    """Stack along the third axis."""
    return concatenate([atleast_3d(a) for a in tup], 2)


@operation(np.column_stack)
def column_stack(tup):
    """Stack 1-D arrays as columns."""
    return concatenate([a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup], 1)


@operation(np.append)
def append(arr, values, axis=None):
    """Join two arrays, flattened if no axis is given."""
    return concatenate([arr, values], axis)


@operation(np.ravel)
def ravel(a, order="C"):
    """One axis, read in C or Fortran order ("K": as the numbers lie in memory)."""
    if order == "K":
        values = values_of(a)
        # axes by falling stride, each in its own direction: NumPy's order for "K"
        falling = np.argsort([-abs(s) for s in values.strides], kind="stable")
        return _reshape(np.transpose(a, tuple(int(i) for i in falling)), shape=(-1,))
    return reshape(a, (-1,), order)


@operation(np.expand_dims)
def expand_dims(a, axis):
    """New axes of length one."""
    n_new = len(axis) if isinstance(axis, tuple | list) else 1
    ndim = np.ndim(a) + n_new
    new = axes_of(axis, ndim)
    old = iter(np.shape(a))
    return _reshape(a, shape=tuple(1 if i in new else next(old) for i in range(ndim)))


@operation(np.squeeze)
def squeeze(a, axis=None):
    """Without axes of length one."""
    shape = np.shape(a)
    if isinstance(axis, list):
        raise TypeError(f"squeeze takes several axes as a tuple; got the list {axis}.")
    gone = axes_of(axis, len(shape)) if shape else axes_of(axis, 1)[:0]
    if axis is not None and any(shape[i] != 1 for i in gone):
        raise ValueError(f"squeeze: axis {axis} of shape {shape} does not have length one.")
    return _reshape(a, shape=tuple(n for i, n in enumerate(shape) if n != 1 or i not in gone))


@operation(np.swapaxes)
def swapaxes(a, axis1, axis2):
    """Two axes exchanged."""
    i, j = axis_of(axis1, np.ndim(a)), axis_of(axis2, np.ndim(a))
    axes = list(range(np.ndim(a)))
    axes[i], axes[j] = axes[j], axes[i]
    return np.transpose(a, tuple(axes))


@operation(np.moveaxis)
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


@operation(np.rollaxis)
def rollaxis(a, axis, start=0):
    """An axis moved backwards until it lies at ``start``."""
    axis = axis_of(axis, a.ndim)
    start = integer(start, "a place among axes")
    start = axis_of(start, a.ndim + (start >= 0))  # also behind the last one
    return moveaxis(a, axis, start - 1 if axis < start else start)


if hasattr(np, "matrix_transpose"):

    @operation(np.matrix_transpose)
    def matrix_transpose(x):
        """The last two axes exchanged."""
        return swapaxes(x, -1, -2)


def _at_least(n: int, place):
    def f(*arrays):
        out = [a if np.ndim(a) >= n else np.reshape(a, place(np.shape(a))) for a in arrays]
        return out[0] if len(out) == 1 else tuple(out)

    return f


atleast_1d = operation(np.atleast_1d)(_at_least(1, lambda s: (1,)))
atleast_2d = operation(np.atleast_2d)(_at_least(2, lambda s: (1,) * (2 - len(s)) + s))
atleast_3d = operation(np.atleast_3d)(
    _at_least(3, lambda s: (1, *(s or (1,)), 1) if len(s) < 2 else (*s, 1))
)


@operation(np.array_split)
def array_split(ary, indices_or_sections, axis=0):
    """Pieces along an axis, as equal as they can be."""
    axis = axis_of(axis, ary.ndim)
    n = ary.shape[axis]
    try:
        cuts = list(indices_or_sections)
    except TypeError:  # a number of pieces
        parts = integer(indices_or_sections, "a number of pieces")
        if parts <= 0:
            raise ValueError(f"an array is split into one piece or more; got {parts}.") from None
        sizes = [n // parts + (i < n % parts) for i in range(parts)]
        cuts = [int(c) for c in np.cumsum(sizes)[:-1]]
    ends = zip([0, *cuts], [*cuts, n], strict=True)
    return [ary[along(axis, slice(a, b))] for a, b in ends]


@operation(np.split)
def split(ary, indices_or_sections, axis=0):
    """Equal pieces, or pieces cut at the given indices."""
    parts = indices_or_sections
    if np.ndim(parts) == 0:
        n = ary.shape[axis_of(axis, ary.ndim)]
        if integer(parts, "a number of pieces") > 0 and n % parts:
            raise ValueError(
                f"split: axis {axis} of length {n} does not divide into {parts} equal parts. Use "
                "np.array_split for unequal ones."
            )
    return array_split(ary, parts, axis)


def _with_axes(ary, n, name):
    if ary.ndim < n:
        raise ValueError(f"np.{name} takes arrays of {n} axes or more; got shape {ary.shape}.")


@operation(np.dsplit)
def dsplit(ary, indices_or_sections):
    """Pieces along the third axis."""
    _with_axes(ary, 3, "dsplit")
    return split(ary, indices_or_sections, 2)


if hasattr(np, "unstack"):  # NumPy 2.1

    @operation(np.unstack)
    def unstack(x, axis=0):
        """The slices along an axis."""
        axis = axis_of(axis, x.ndim)
        return tuple(x[along(axis, i)] for i in range(x.shape[axis]))


@operation(np.vsplit)
def vsplit(ary, indices_or_sections):
    """Pieces along the first axis."""
    _with_axes(ary, 2, "vsplit")
    return split(ary, indices_or_sections, 0)


@operation(np.hsplit)
def hsplit(ary, indices_or_sections):
    """Pieces along the second axis (the first of a 1-D array)."""
    _with_axes(ary, 1, "hsplit")
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


_COPYING = ("edge", "reflect", "symmetric", "wrap")


@operation(np.pad)
def pad(array, pad_width, mode="constant", constant_values=0):
    """Numbers added around the edges: a constant, or copies (see ``_COPYING``)."""
    if mode != "constant" and mode not in _COPYING:
        raise ValueError(
            f"np.pad of a Tensor knows the modes constant, {', '.join(_COPYING)}; got {mode!r}. "
            "Join the other ones with np.concatenate."
        )
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu":
        raise TypeError(f"np.pad: pad_width holds integers; got {pad_width!r}.")
    widths = np.broadcast_to(widths, (array.ndim, 2))
    if mode == "constant":
        return _pad_constant(
            array,
            widths=tuple((int(a), int(b)) for a, b in widths),
            value=constant_values,
        )
    for axis, (a, b) in enumerate(widths):
        if a or b:  # copies: pad the row of positions, then pick by it
            positions = np.pad(np.arange(array.shape[axis]), (a, b), mode=mode)
            array = array[along(axis, positions)]
    return array


def _inside(widths, shape):
    return tuple(slice(a, a + n) for (a, _b), n in zip(widths, shape, strict=True))


_pad_constant = Operation(
    lambda x, widths, value=0: np.pad(x, widths, constant_values=value),
    lambda g, _out, _x, widths, value=0: g[_inside(widths, _x.shape)],
    name="pad",
    params=("widths", "value"),
)


@operation(np.tile)
def tile(A, reps):
    """The array repeated along each axis."""
    reps = reps if isinstance(reps, tuple | list) else (reps,)
    ndim = max(np.ndim(A), len(reps))
    shape = (1,) * (ndim - np.ndim(A)) + tuple(np.shape(A))
    reps = (1,) * (ndim - len(reps)) + tuple(reps)
    # (1, n) for each axis, broadcast to (r, n), then the pairs joined: copies need no rule of their
    # own
    pairs = np.reshape(A, tuple(k for n in shape for k in (1, n)))
    copies = np.broadcast_to(
        pairs, tuple(k for n, r in zip(shape, reps, strict=True) for k in (r, n))
    )
    return np.reshape(copies, tuple(n * r for n, r in zip(shape, reps, strict=True)))


@operation(np.repeat)
def repeat(a, repeats, axis=None):
    """Each entry repeated in place along an axis."""
    if axis is None or not np.ndim(a):
        axis_of(0 if axis is None else axis, np.ndim(a) or 1)  # a number counts as a vector of one
        a, axis = np.reshape(a, (-1,)), 0
    axis = axis_of(axis, a.ndim)
    positions = np.repeat(np.arange(a.shape[axis]), values_of(repeats))
    return a[along(axis, positions)]


@operation(np.rot90)
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


@operation(np.fliplr)
def fliplr(m):
    """Mirrored along the second axis."""
    _with_axes(m, 2, "fliplr")
    return np.flip(m, 1)


@operation(np.flipud)
def flipud(m):
    """Mirrored along the first axis."""
    _with_axes(m, 1, "flipud")
    return np.flip(m, 0)


@operation(np.tril)
def tril(m, k=0):
    """The lower triangle, zeros above it."""
    return np.where(_triangle(m, k), m, 0)


@operation(np.triu)
def triu(m, k=0):
    """The upper triangle, zeros below it."""
    return np.where(_triangle(m, k - 1), 0, m)


def _triangle(m, k):
    """True below the ``k``-th diagonal; a vector stands for as many equal rows, as in NumPy."""
    rows, columns = m.shape[-2:] if m.ndim > 1 else (m.shape[-1], m.shape[-1])
    return np.tri(rows, columns, k, dtype=bool)


@operation(np.meshgrid)
def meshgrid(*xi, sparse=False, indexing="xy"):
    """Coordinate arrays of a grid from the coordinates along its axes."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is 'xy' or 'ij'; got {indexing!r}.")
    n = len(xi)
    # the i-th vector lies along the i-th axis; for "xy" the first two axes change places
    place = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    grids = [
        np.reshape(x, [-1 if j == place[i] else 1 for j in range(n)]) for i, x in enumerate(xi)
    ]
    return tuple(grids) if sparse else broadcast_arrays(*grids)


@operation(np.block)
def block(arrays):
    """Blocks joined: the innermost lists along the last axis, those around one before."""
    depth, inner = 0, arrays
    while isinstance(inner, list):
        depth, inner = depth + 1, inner[0]
    ndim = max(depth, *(np.ndim(a) for a in _leaves(arrays)))

    def join(part, level):
        if not isinstance(part, list):
            return np.reshape(part, (1,) * (ndim - np.ndim(part)) + tuple(np.shape(part)))
        return concatenate([join(p, level + 1) for p in part], ndim - depth + level)

    return join(arrays, 0)


def _leaves(part):
    return [leaf for p in part for leaf in _leaves(p)] if isinstance(part, list) else [part]


@operation(np.broadcast_arrays)
def broadcast_arrays(*args):
    """All arrays stretched to their common shape."""
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(np.broadcast_to(a, shape) for a in args)
