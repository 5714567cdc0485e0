"""Norms of vectors and matrices, np.linalg.norm and its relatives of NumPy 2.

At 0 a norm has no derivative but many subgradients; the rules give the shortest, 0.
"""

import numpy as np

from nnlite.ops.axes import axes_of
from nnlite.ops.decompositions import svdvals
from nnlite.ops.operation import Operation, implements, values_of
from nnlite.ops.reductions import rows_of


def _norm2_rule(g, out, x, axis):
    """The unit vector x / |x|, and 0 at x = 0, the subgradient of smallest length."""
    g, out = np.expand_dims(g, axis), np.expand_dims(out, axis)
    return g * np.where(out == 0, 0, x / np.where(out == 0, 1, out))


_norm2 = Operation(
    lambda x, axis: np.sqrt(np.sum(x * x, axis=axis)),
    _norm2_rule,
    name="norm",
    params=("axis",),
)


def _norm_p_rule(g, out, x, p, axis):
    """sign(x_i) (|x_i| / |x|_p)^(p-1), and 0 where x_i = 0: all of it at x = 0, as for a norm."""
    g, out = np.expand_dims(g, axis), np.expand_dims(out, axis)
    flat = (values_of(x) == 0) | (values_of(out) == 0)
    share = np.abs(x) / np.where(values_of(out) == 0, 1, out)
    return g * np.where(flat, 0, np.sign(x) * np.where(flat, 1, share) ** (p - 1))


_norm_p = Operation(
    lambda x, p, axis: np.linalg.norm(x, p, axis),
    _norm_p_rule,
    name="norm",
    params=("p", "axis"),
)


@implements(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """Vector norms of any order; matrix norms 'fro', 'nuc', 1, 2, inf and their negatives."""
    axes = _norm_axes(axis, x.ndim)
    if ord is None and (axis is None or len(axes) in (1, 2)):
        out = _norm2(x, axis=axes)
    elif len(axes) == 1:
        out = _vector_norm(x, ord, axes[0])
    elif len(axes) == 2:
        out = _matrix_norm(np.moveaxis(x, axes, (-2, -1)), ord)
    else:
        raise ValueError(
            f"norm: order {ord!r} needs one axis or two; got an array of shape {x.shape}, "
            f"axis={axis}."
        )
    return np.expand_dims(out, axes) if keepdims else out


def _norm_axes(axis, ndim):
    if isinstance(axis, list):
        raise TypeError(f"norm takes several axes as a tuple; got the list {axis}.")
    return axes_of(axis, ndim)


def _vector_norm(x, ord, axis):
    if isinstance(ord, str):
        raise ValueError(f"norm: {ord!r} is an order for matrices; a vector's is a number.")
    if ord == 2:
        return _norm2(x, axis=(axis,))
    size = np.abs(x)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis)
    if ord == 0:
        return np.sum(np.sign(size), axis=axis)
    if ord == 1:
        return np.sum(size, axis=axis)
    return _norm_p(x, p=ord, axis=axis)


def _matrix_norm(x, ord):
    if ord in ("fro", "f"):
        return _norm2(x, axis=(-2, -1))
    if ord == "nuc":
        return np.sum(svdvals(x), axis=-1)
    if isinstance(ord, str) or ord not in (1, -1, 2, -2, np.inf, -np.inf):
        raise ValueError(f"norm: unknown matrix norm {ord!r}; there are 'fro', 'nuc', 1, 2, inf.")
    extreme = np.min if ord < 0 else np.max
    if ord in (2, -2):
        return extreme(svdvals(x), axis=-1)
    return extreme(np.sum(np.abs(x), axis=-2 if ord in (1, -1) else -1), axis=-1)


@implements(np.linalg.vector_norm)
def vector_norm(x, axis=None, keepdims=False, ord=2):
    """Norm of the flattened array, or along axes taken together."""
    axes = _norm_axes(axis, x.ndim)
    out = _vector_norm(rows_of(x, axes)[0], ord, -1)
    return np.expand_dims(out, axes) if keepdims else out


@implements(np.linalg.matrix_norm)
def matrix_norm(x, keepdims=False, ord="fro"):
    """Norm of the matrices in the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)
