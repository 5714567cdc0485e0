"""Reductions and scans: sum, mean, var, max, prod, cumsum, logsumexp, sort.

A reduction maps many numbers to one, so its gradient hands ``g`` back to each of them:
:func:`spread` puts the reduced axes back as axes of length one, and broadcasting does the rest.
"""

import math

import numpy as np

from nnlite.ops.indexing import take_along_axis
from nnlite.ops.operation import TABLE, define, operation

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
TABLE[np.amax], TABLE[np.amin] = max, min


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


def _deviation(x, axis):
    return x - np.mean(x, axis=axis, keepdims=True)


def _var_rule(g, _out, x, axis=None, ddof=0, keepdims=False):
    """D var / d x_i = 2 (x_i - mean) / (n - ddof); what the mean contributes sums to zero."""
    scale = 2 / (_count(x.shape, axis) - ddof)
    return restore(g, x.ndim, axis, keepdims) * (scale * _deviation(x, axis))


def _std_rule(g, out, x, axis=None, ddof=0, keepdims=False):
    """(x_i - mean) / ((n - ddof) std), and 0 where all values are equal, as for a norm."""
    over_std = np.where(out == 0, 0, g / np.where(out == 0, 1, out))
    scale = 1 / (_count(x.shape, axis) - ddof)
    return restore(over_std, x.ndim, axis, keepdims) * (scale * _deviation(x, axis))


_SPREAD = ("axis", "ddof", "keepdims")
var = define(np.var, _var_rule, params=_SPREAD)
std = define(np.std, _std_rule, params=_SPREAD)


@operation(np.ptp)
def ptp(a, axis=None, keepdims=False):
    """Largest minus smallest value."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


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


if hasattr(np, "cumulative_sum"):  # NumPy 2.1

    @operation(np.cumulative_sum)
    def cumulative_sum(x, axis=None, include_initial=False):
        """Running sum, with a zero in front if asked."""
        return _scan(np.cumsum, x, axis, 0 if include_initial else None)

    @operation(np.cumulative_prod)
    def cumulative_prod(x, axis=None, include_initial=False):
        """Running product, with a one in front if asked."""
        return _scan(np.cumprod, x, axis, 1 if include_initial else None)


def _scan(function, x, axis, initial):
    if axis is None and x.ndim != 1:
        raise ValueError(f"a running sum or product of shape {x.shape} needs axis=.")
    axis = 0 if axis is None else axis % x.ndim
    out = function(x, axis=axis)
    if initial is None:
        return out
    first = np.full([1 if i == axis else n for i, n in enumerate(x.shape)], initial, x.dtype)
    return np.concatenate([first, out], axis)


@operation(np.cumprod)
def cumprod(a, axis=None):
    """Running product, by a product over the lower triangle (n x n numbers along the axis)."""
    if axis is None:
        a, axis = np.reshape(a, (-1,)), 0
    rows = np.expand_dims(np.swapaxes(a, axis, -1), -2)  # (..., 1, n)
    lower = np.tri(rows.shape[-1], dtype=bool)
    return np.swapaxes(np.prod(np.where(lower, rows, 1), axis=-1), axis, -1)


@operation(np.diff)
def diff(a, n=1, axis=-1, prepend=None, append=None):
    """Differences of neighbours along an axis, ``n`` times; first other arrays may be joined."""
    axis = axis % a.ndim
    row = [1 if i == axis else k for i, k in enumerate(a.shape)]  # what a single number stands for
    parts = [e for e in (prepend, a, append) if e is not None]
    if len(parts) > 1:
        a = np.concatenate([e if np.ndim(e) else np.broadcast_to(e, row) for e in parts], axis)
    for _ in range(n):
        before = (slice(None),) * axis
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


@operation(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Integral along an axis by the trapezoidal rule, at points ``x`` or with spacing ``dx``."""
    axis = axis % np.ndim(y)
    before = (slice(None),) * axis
    means = (y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]) / 2
    if x is None:
        return np.sum(means * dx, axis=axis)
    if np.ndim(x) == 1:
        x = np.reshape(x, [-1 if i == axis else 1 for i in range(np.ndim(y))])
    return np.sum(means * np.diff(x, axis=axis), axis=axis)


@operation(np.sort)
def sort(a, axis=-1, kind=None, stable=None):
    """Sorted copy: a permutation, so the gradient is permuted back. Equal values keep order."""
    if axis is None:
        a, axis = np.reshape(a, (-1,)), 0
    return take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis)


@operation(np.median)
def median(a, axis=None, keepdims=False):
    """Middle value, or the mean of the two middle ones."""
    axes = axes_of(axis, a.ndim)
    kept = tuple(i for i in range(a.ndim) if i not in axes)
    rows = sort(np.transpose(a, kept + axes).reshape([*(a.shape[i] for i in kept), -1]))
    n = rows.shape[-1]
    middle = (rows[..., (n - 1) // 2] + rows[..., n // 2]) / 2
    return restore(middle, a.ndim, axis, False) if keepdims else middle
