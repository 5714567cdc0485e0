"""Indexing: ``t[index]`` with everything NumPy takes, and the functions made of it.

Picking entries is linear, and so is its transpose, adding them back: two operations, each one the
other's derivative. An entry picked twice gets both gradients.
"""

import numpy as np

from nnlite.ops.axes import along, axis_of, lying_along
from nnlite.ops.operation import Operation, implements, values_of


def index_values(index):
    """An index in which Tensors are replaced by their arrays, and arrays by copies of their own.

    The graph keeps the index for the way back: what the caller does to it later must not matter.
    """
    if isinstance(index, tuple):
        return tuple([index_values(i) for i in index])
    if isinstance(index, list):
        return [index_values(i) for i in index]
    index = values_of(index)
    return index.copy() if isinstance(index, np.ndarray) else index


def _selects_once(index) -> bool:
    """True if no entry can be picked twice: slices, numbers, masks, no arrays of integers."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        i is None
        or isinstance(i, slice | int | np.integer | type(...))
        or (isinstance(i, np.ndarray) and i.dtype == bool)
        for i in parts
    )


def _scatter(g, index, shape):
    """Zeros of the given shape with ``g`` added at ``index``."""
    out = np.zeros(shape, g.dtype)
    if _selects_once(index):
        out[index] = g
    else:
        np.add.at(out, index, g)
    return out


_getitem: Operation = Operation(
    lambda x, index: x[index],
    lambda g, _out, _x, index: scatter(g, index=index, shape=_x.shape),
    name="getitem",
    params=("index",),
)
#: The transpose of indexing: zeros of ``shape`` with ``g`` added at ``index``.
scatter: Operation = Operation(
    _scatter,
    lambda h, _out, _g, index, shape: _getitem(h, index=index),
    name="scatter",
    params=("index", "shape"),
)


def getitem(x, index):
    """``x[index]``."""
    index = index_values(index)
    if isinstance(index, np.ndarray) and index.dtype.kind not in "iub":
        raise IndexError(
            f"an index array must hold integers or booleans; got dtype {index.dtype}. "
            "Use index.astype(int)."
        )
    return _getitem(x, index=index)


@implements(np.take)
def take(a, indices, axis=None, mode="raise"):
    """Entries at integer positions along an axis (of the flattened array if axis is None).

    Positions beyond the ends raise IndexError; with mode="wrap" they are counted on from the other
    end, with "clip" they mean the nearest end. True and False count as 1 and 0.
    """
    indices = np.asarray(index_values(indices))
    if indices.size and indices.dtype.kind not in "iub":
        raise TypeError(f"np.take: indices are integers; got dtype {indices.dtype}.")
    indices = indices.astype(np.int64)
    if axis is None or not np.ndim(a):
        axis_of(0 if axis is None else axis, np.ndim(a) or 1)  # a number counts as a vector of one
        a, axis = np.reshape(a, (-1,)), 0
    axis = axis_of(axis, a.ndim)
    n = a.shape[axis]
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"np.take: mode is 'raise', 'wrap' or 'clip'; got {mode!r}.")
    if mode != "raise":
        if not n and indices.size:
            raise IndexError("np.take: there is nothing to take from an axis of length 0.")
        indices = indices % max(n, 1) if mode == "wrap" else np.clip(indices, 0, n - 1)
    return getitem(a, along(axis, indices))


@implements(np.take_along_axis)
def take_along_axis(arr, indices, axis=-1):
    """One-dimensional picks along an axis, matched to all other axes."""
    indices = np.asarray(index_values(indices))
    if indices.dtype.kind not in "iu":
        raise IndexError(
            f"np.take_along_axis: indices must be integers; got dtype {indices.dtype}."
        )
    if axis is None:
        if indices.ndim != 1:
            raise ValueError(
                "np.take_along_axis without an axis takes indices (n,) of the flattened array; got "
                f"shape {indices.shape}."
            )
        arr, axis = np.reshape(arr, (-1,)), 0
    axis = axis_of(axis, arr.ndim)
    if indices.ndim != arr.ndim:
        raise ValueError(
            f"np.take_along_axis: indices of shape {indices.shape} need as many axes as the array "
            f"of shape {arr.shape}."
        )
    # all other axes are matched entry by entry, or broadcast
    grid = [np.arange(n).reshape(lying_along(i, arr.ndim)) for i, n in enumerate(arr.shape)]
    grid[axis] = indices
    return getitem(arr, tuple(grid))


@implements(np.diagonal)
def diagonal(a, offset=0, axis1=0, axis2=1):
    """Entries with ``j - i = offset`` of two axes, as a new last axis."""
    if a.ndim < 2:
        raise ValueError(f"a diagonal needs two axes; got an array of shape {a.shape}.")
    axis1, axis2 = axis_of(axis1, a.ndim), axis_of(axis2, a.ndim)
    if axis1 == axis2:
        raise ValueError(f"a diagonal needs two different axes; got axis {axis1} twice.")
    rest = [i for i in range(a.ndim) if i not in (axis1, axis2)]
    moved = np.transpose(a, (*rest, axis1, axis2))
    rows = max(0, min(moved.shape[-2] + min(offset, 0), moved.shape[-1] - max(offset, 0)))
    i = np.arange(rows)
    return getitem(moved, (..., i - min(offset, 0), i + max(offset, 0)))


@implements(np.trace)
def trace(a, offset=0, axis1=0, axis2=1):
    """Sum along a diagonal."""
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1)


@implements(np.diag)
def diag(v, k=0):
    """The diagonal of a matrix, or the matrix with a given diagonal."""
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"diag takes a vector or a matrix; got an array of shape {v.shape}.")
    n = v.shape[0] + abs(k)
    i = np.arange(v.shape[0])
    return scatter(v, index=(i + max(0, -k), i + max(0, k)), shape=(n, n))


@implements(np.diagflat)
def diagflat(v, k=0):
    """The matrix with the flattened input as its diagonal."""
    return diag(np.reshape(v, (-1,)), k)


@implements(np.bincount)
def bincount(x, weights=None, minlength=0):
    """How often each number from 0 on occurs in ``x``, or the sum of the weights where it does."""
    x = np.asarray(values_of(x))
    if x.dtype == bool:
        x = x.astype(np.int64)  # 0 and 1; as an index it would be a mask
    counts = np.bincount(x, minlength=minlength)
    if weights is None:
        return counts
    weights = weights if hasattr(weights, "dtype") else np.asarray(weights)
    if weights.shape != x.shape:
        raise ValueError(
            f"np.bincount: weights of shape {weights.shape} for numbers of shape {x.shape}."
        )
    if weights.dtype.name not in ("float32", "float64"):
        weights = weights.astype(np.float64)  # sums of bytes need more than a byte
    return scatter(weights, index=index_values(x), shape=counts.shape)


@implements(np.compress)
def compress(condition, a, axis=None):
    """Entries where a 1-D condition holds."""
    if np.ndim(condition) != 1:
        raise ValueError(f"compress: the condition has one axis; got shape {np.shape(condition)}.")
    return take(a, np.flatnonzero(condition), axis)


@implements(np.extract)
def extract(condition, arr):
    """Entries of the flattened array where the condition holds."""
    return take(arr, np.flatnonzero(condition))
