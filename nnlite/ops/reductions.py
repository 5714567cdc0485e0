"""Reductions and scans: sum, mean, var, max, prod, cumsum, logsumexp, sort.

A reduction maps many numbers to one, so its gradient hands ``g`` back to each of them:
:func:`spread` puts the reduced axes back as axes of length one, and broadcasting does the rest.
"""

import math

import numpy as np

from nnlite.ops.indexing import take_along_axis
from nnlite.ops.operation import define, operation

_REDUCE = ("axis", "keepdims")


def axes_of(axis, ndim: int) -> tuple[int, ...]:
    """The reduced axes as non-negative numbers; None means all."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple | list) else (axis,)))


def restore(g, ndim: int, axis, keepdims: bool):
    """``g`` with the reduced axes back as axes of length one."""
    if keepdims or not ndim:
        return g
    lost = axes_of(axis, ndim)
    kept = iter(g.shape)
    return g.reshape([1 if i in lost else next(kept) for i in range(ndim)])


def spread(g, shape, axis, keepdims: bool):
    """``g`` handed back to every number that was reduced."""
    return np.broadcast_to(restore(g, len(shape), axis, keepdims), shape)


def _count(shape, axis) -> int:
    return math.prod(shape[a] for a in axes_of(axis, len(shape)))


sum = define(
    np.sum,
    lambda g, _out, _x, axis=None, keepdims=False: spread(g, _x.shape, axis, keepdims),
    params=_REDUCE,
)
mean = define(
    np.mean,
    lambda g, _out, _x, axis=None, keepdims=False: spread(
        g / _count(_x.shape, axis), _x.shape, axis, keepdims
    ),
    params=_REDUCE,
)


def _extremum_rule(g, out, x, axis=None, keepdims=False):
    """The gradient goes to the extreme values, in equal shares where several tie."""
    hit = x == restore(out, x.ndim, axis, keepdims)
    return restore(g, x.ndim, axis, keepdims) * (
        hit / np.sum(hit, axis=axis, keepdims=True, dtype=x.dtype)
    ).astype(x.dtype)


max = define(np.max, _extremum_rule, params=_REDUCE)
min = define(np.min, _extremum_rule, params=_REDUCE)


def _prod_rule(g, out, x, axis=None, keepdims=False):
    """D prod / d x_i is the product of all others: out / x_i, or found anew where some x is 0."""
    if np.all(x != 0):
        return restore(g * out, x.ndim, axis, keepdims) / x
    axes = axes_of(axis, x.ndim)
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    # (kept..., n): the reduced axes flattened into the last one
    rows = np.transpose(x, kept + axes).reshape([*(x.shape[a] for a in kept), -1])
    n = rows.shape[-1]
    # (kept..., n, n): row i holds all factors but the i-th, which is 1
    others = np.prod(np.where(np.eye(n, dtype=bool), 1, np.expand_dims(rows, -2)), axis=-1)
    back = np.argsort(kept + axes)
    others = np.transpose(others.reshape([x.shape[a] for a in kept + axes]), tuple(back))
    return restore(g, x.ndim, axis, keepdims) * others


prod = define(np.prod, _prod_rule, params=_REDUCE)


@operation(np.var)
def var(x, axis=None, ddof=0, keepdims=False):
    """Mean squared deviation from the mean; the sum is divided by ``n - ddof``."""
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    return np.sum(deviation * deviation, axis=axis, keepdims=keepdims) / (
        _count(x.shape, axis) - ddof
    )


@operation(np.std)
def std(x, axis=None, ddof=0, keepdims=False):
    """Square root of :func:`var`; not differentiable where all values are equal."""
    return np.sqrt(var(x, axis=axis, ddof=ddof, keepdims=keepdims))


@operation(np.ptp)
def ptp(x, axis=None, keepdims=False):
    """Largest minus smallest value."""
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


@operation(np.average)
def average(a, axis=None, weights=None, keepdims=False):
    """Mean, weighted if weights are given (of the shape of ``a``, or 1-D along ``axis``)."""
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(a):
        if not isinstance(axis, int) or np.shape(weights) != (a.shape[axis],):
            raise ValueError(
                f"np.average: weights of shape {np.shape(weights)} fit neither the array "
                f"{np.shape(a)} nor its axis {axis}."
            )
        weights = np.reshape(weights, [-1 if i == axis % a.ndim else 1 for i in range(a.ndim)])
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / np.sum(
        weights * np.ones_like(a), axis=axis, keepdims=keepdims
    )


def _cumsum_rule(g, _out, _x, axis=None):
    """x_i enters every sum from the i-th on: cumulate ``g`` from the end."""
    if axis is None:
        return np.flip(np.cumsum(np.flip(g))).reshape(_x.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


cumsum = define(np.cumsum, _cumsum_rule, params=("axis",))


@operation(np.cumprod)
def cumprod(a, axis=None):
    """Running product, by a product over the lower triangle (n x n numbers along the axis)."""
    if axis is None:
        a, axis = a.reshape(-1), 0
    rows = np.expand_dims(np.swapaxes(a, axis, -1), -2)  # (..., 1, n)
    lower = np.tri(rows.shape[-1], dtype=bool)
    return np.swapaxes(np.prod(np.where(lower, rows, 1), axis=-1), axis, -1)


@operation(np.diff)
def diff(a, n=1, axis=-1):
    """Differences of neighbours along an axis, ``n`` times."""
    axis = axis % a.ndim
    for _ in range(n):
        before = (slice(None),) * axis
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


@operation(np.sort)
def sort(a, axis=-1):
    """Sorted copy: a permutation, so the gradient is permuted back."""
    if axis is None:
        a, axis = a.reshape(-1), 0
    return take_along_axis(a, a.argsort(axis=axis), axis)


@operation(np.median)
def median(a, axis=None, keepdims=False):
    """Middle value, or the mean of the two middle ones."""
    axes = axes_of(axis, a.ndim)
    kept = tuple(i for i in range(a.ndim) if i not in axes)
    rows = sort(np.transpose(a, kept + axes).reshape([*(a.shape[i] for i in kept), -1]))
    n = rows.shape[-1]
    middle = (rows[..., (n - 1) // 2] + rows[..., n // 2]) / 2
    return restore(middle, a.ndim, axis, False) if keepdims else middle
