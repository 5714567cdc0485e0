"""Operations that join, cut and repeat arrays: concatenate, stack, split, pad, tile, meshgrid.

Each part gets back its own stretch of the gradient, each copy adds its own.
"""

import math

import numpy as np

from nnlite.ops.axes import along, axis_of, integer
from nnlite.ops.operation import Operation, implements, values_of
from nnlite.ops.shaping import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_arrays,
    expand_dims,
    with_axes,
)


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


@implements(np.concatenate)
def concatenate(arrays, axis=0):
    """Join along an existing axis."""
    return _concatenate(*arrays, axis=axis)


@implements(np.stack)
def stack(arrays, axis=0):
    """Join along a new axis."""
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) > 1:
        raise ValueError(f"np.stack joins arrays of one shape; got {sorted(shapes)}.")
    return concatenate([expand_dims(a, axis) for a in arrays], axis)


@implements(np.vstack)
def vstack(tup):
    """Stack as rows."""
    return concatenate([atleast_2d(a) for a in tup], 0)


@implements(np.hstack)
def hstack(tup):
    """Stack side by side."""
    arrays = [atleast_1d(a) for a in tup]
    return concatenate(arrays, 0 if arrays[0].ndim == 1 else 1)


@implements(np.dstack)
def dstack(tup):
    """Stack along the third axis."""
    return concatenate([atleast_3d(a) for a in tup], 2)


@implements(np.column_stack)
def column_stack(tup):
    """Stack 1-D arrays as columns."""
    return concatenate([a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup], 1)


@implements(np.append)
def append(arr, values, axis=None):
    """Join two arrays, flattened if no axis is given."""
    return concatenate([arr, values], axis)


@implements(np.array_split)
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


@implements(np.split)
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


@implements(np.dsplit)
def dsplit(ary, indices_or_sections):
    """Pieces along the third axis."""
    with_axes(ary, 3, "dsplit")
    return split(ary, indices_or_sections, 2)


if hasattr(np, "unstack"):  # NumPy 2.1

    @implements(np.unstack)
    def unstack(x, axis=0):
        """The slices along an axis."""
        axis = axis_of(axis, x.ndim)
        return tuple(x[along(axis, i)] for i in range(x.shape[axis]))


@implements(np.vsplit)
def vsplit(ary, indices_or_sections):
    """Pieces along the first axis."""
    with_axes(ary, 2, "vsplit")
    return split(ary, indices_or_sections, 0)


@implements(np.hsplit)
def hsplit(ary, indices_or_sections):
    """Pieces along the second axis (the first of a 1-D array)."""
    with_axes(ary, 1, "hsplit")
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


_COPYING = ("edge", "reflect", "symmetric", "wrap")


@implements(np.pad)
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


@implements(np.tile)
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


@implements(np.repeat)
def repeat(a, repeats, axis=None):
    """Each entry repeated in place along an axis."""
    if axis is None or not np.ndim(a):
        axis_of(0 if axis is None else axis, np.ndim(a) or 1)  # a number counts as a vector of one
        a, axis = np.reshape(a, (-1,)), 0
    axis = axis_of(axis, a.ndim)
    positions = np.repeat(np.arange(a.shape[axis]), values_of(repeats))
    return a[along(axis, positions)]


@implements(np.meshgrid)
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


@implements(np.block)
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
