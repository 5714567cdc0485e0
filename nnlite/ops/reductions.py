"""Reductions and scans: sum, mean, var, max, prod, cumsum, sort, median.

A reduction maps many numbers to one, so its gradient hands ``g`` back to each of them:
:func:`spread` puts the reduced axes back as axes of length one, and broadcasting does the rest.
"""

import math

import numpy as np

from nnlite.ops.axes import axes_of, axis_of, reduced_axes
from nnlite.ops.indexing import take_along_axis
from nnlite.ops.operation import TABLE, define, implements, values_of

_REDUCE = ("axis", "keepdims")


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
    return math.prod(shape[a] for a in reduced_axes(axis, len(shape)))


def rows_of(x, axis):
    """The reduced axes flattened into the last one: (kept..., n), and the order of the axes."""
    axes = reduced_axes(axis, x.ndim)
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    n = math.prod(x.shape[a] for a in axes)
    order = kept + axes
    return np.reshape(np.transpose(x, order), (*(x.shape[a] for a in kept), n)), order


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
    """The product of all others: out / x_i or, where that is no number, multiplied anew."""
    if np.all(values_of(out) != 0) and np.all(np.isfinite(x)):
        return restore(g * out, x.ndim, axis, keepdims) / x
    rows, order = rows_of(x, axis)
    others = np.reshape(_others(rows), [x.shape[a] for a in order])
    others = np.transpose(others, np.argsort(order))
    return restore(g, x.ndim, axis, keepdims) * others


def _others(rows):
    """For each entry of each row the product of all others in its row."""
    if isinstance(rows, np.ndarray):  # those before it times those after it
        ones = np.ones_like(rows[..., :1])
        before = np.cumprod(np.concatenate([ones, rows[..., :-1]], -1), -1)
        after = np.cumprod(np.concatenate([ones, rows[..., :0:-1]], -1), -1)[..., ::-1]
        return before * after
    # (kept..., n, n): row i holds all factors but the i-th, which is 1
    diagonal = np.eye(rows.shape[-1], dtype=bool)
    return np.prod(np.where(diagonal, 1, np.expand_dims(rows, -2)), axis=-1)


prod = define(np.prod, _prod_rule, params=_REDUCE)


def _deviation(x, axis):
    return x - np.mean(x, axis=axis, keepdims=True)


def _over(n, dof):
    """``n / dof``, NaN without degrees of freedom (of which NumPy warned in the forward pass)."""
    return n / dof if dof > 0 else math.nan


def _var_rule(g, _out, x, axis=None, ddof=0, keepdims=False):
    """The slope 2 (x_i - mean) / (n - ddof); what the mean contributes sums to zero."""
    scale = _over(2, _count(x.shape, axis) - ddof)
    return restore(g, x.ndim, axis, keepdims) * (scale * _deviation(x, axis))


def _std_rule(g, out, x, axis=None, ddof=0, keepdims=False):
    """(x_i - mean) / ((n - ddof) std), and 0 where all values are equal, as for a norm."""
    n = _count(x.shape, axis)
    flat = values_of(out) == 0
    if n:
        # The rounding of a mean gives equal values a std of some 1e-17: where it is so small
        # beside the first value, all are compared with that.
        axes, values = reduced_axes(axis, x.ndim), values_of(x)
        first = values[tuple(slice(1) if a in axes else slice(None) for a in range(x.ndim))]
        small = restore(values_of(out), x.ndim, axis, keepdims) <= 1e-6 * np.abs(first)
        if np.any(small):
            flat = flat | np.all(values == first, axis=axes or None, keepdims=keepdims)
    over_std = np.where(flat, 0, g / np.where(flat, 1, out))
    return restore(over_std, x.ndim, axis, keepdims) * (_over(1, n - ddof) * _deviation(x, axis))


_SPREAD = ("axis", "ddof", "keepdims")
var = define(np.var, _var_rule, params=_SPREAD)
std = define(np.std, _std_rule, params=_SPREAD)


@implements(np.ptp)
def ptp(a, axis=None, keepdims=False):
    """Largest minus smallest value."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@implements(np.average)
def average(a, axis=None, weights=None, keepdims=False):
    """Mean, weighted if weights are given (of the shape of ``a``, or of its axes ``axis``)."""
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(a):
        weights = _weights_along(weights, np.shape(a), axis)
    total = np.sum(weights * np.ones_like(a), axis=axis, keepdims=keepdims)
    if np.any(values_of(total) == 0):
        raise ZeroDivisionError(
            "np.average: weights sum to zero, so they cannot be normalised; did np.sum mean more?"
        )
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total


def _weights_along(weights, shape, axis):
    """Weights of the axes ``axis`` of an array, ready to be broadcast against it."""
    if axis is None:
        raise TypeError(
            f"np.average: weights of shape {np.shape(weights)} for an array of shape {shape} need "
            "axis=, the axes that they lie along."
        )
    axes = axes_of(axis, len(shape))
    if np.shape(weights) != tuple(shape[a] for a in axes):
        raise ValueError(
            f"np.average: weights of shape {np.shape(weights)} fit neither the array "
            f"{shape} nor its axis {axis}."
        )
    ordered = np.transpose(weights, np.argsort(axes))
    return np.reshape(ordered, [n if i in axes else 1 for i, n in enumerate(shape)])


def _cumsum_rule(g, _out, _x, axis=None):
    """x_i enters every sum from the i-th on: cumulate ``g`` from the end."""
    if axis is None:
        return np.flip(np.cumsum(np.flip(g))).reshape(_x.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


cumsum = define(np.cumsum, _cumsum_rule, params=("axis",))


if hasattr(np, "cumulative_sum"):  # NumPy 2.1

    @implements(np.cumulative_sum)
    def cumulative_sum(x, axis=None, include_initial=False):
        """Running sum, with a zero in front if asked."""
        return _scan(np.cumsum, x, axis, 0 if include_initial else None)

    @implements(np.cumulative_prod)
    def cumulative_prod(x, axis=None, include_initial=False):
        """Running product, with a one in front if asked."""
        return _scan(np.cumprod, x, axis, 1 if include_initial else None)


def _scan(function, x, axis, initial):
    if axis is None and np.ndim(x) != 1:
        raise ValueError(f"a running sum or product of shape {np.shape(x)} needs axis=.")
    axis = axis_of(0 if axis is None else axis, x.ndim or 1)
    x = x if x.ndim else np.reshape(x, (1,))  # a number counts as a vector of one
    out = function(x, axis=axis)
    if initial is None:
        return out
    first = np.full([1 if i == axis else n for i, n in enumerate(x.shape)], initial, x.dtype)
    return np.concatenate([first, out], axis)


@implements(np.cumprod)
def cumprod(a, axis=None):
    """Running product, by a product over the lower triangle (n x n numbers along the axis)."""
    if axis is None or not a.ndim:
        axis_of(0 if axis is None else axis, a.ndim or 1)  # a number counts as a vector of one
        a, axis = np.reshape(a, (-1,)), 0
    axis = axis_of(axis, a.ndim)
    rows = np.expand_dims(np.swapaxes(a, axis, -1), -2)  # (..., 1, n)
    lower = np.tri(rows.shape[-1], dtype=bool)
    return np.swapaxes(np.prod(np.where(lower, rows, 1), axis=-1), axis, -1)


@implements(np.sort)
def sort(a, axis=-1, kind=None, stable=None):
    """Sorted copy: a permutation, so the gradient is permuted back. Equal values keep order."""
    if axis is None:
        a, axis = np.reshape(a, (-1,)), 0
    if kind is None and stable is None:
        kind = "stable"
    order = np.argsort(values_of(a), axis_of(axis, a.ndim), kind=kind, stable=stable)
    return take_along_axis(a, order, axis)


@implements(np.median)
def median(a, axis=None, keepdims=False):
    """Middle value, or the mean of the two middle ones; NaN where there is a NaN."""
    rows = rows_of(a, axes_of(axis, a.ndim))[0]
    n = rows.shape[-1]
    rows = sort(rows)
    middle = np.mean(rows[..., (n - 1) // 2 if n else 0 : n // 2 + 1], axis=-1)
    if n and np.any(lost := np.isnan(values_of(rows)[..., -1])):  # NaN is sorted to the end
        middle = np.where(lost, np.nan, middle)
    return restore(middle, a.ndim, axis, False) if keepdims else middle


# ---- the same without NaN ----------------------------------------------------------------------


@implements(np.nansum)
def nansum(a, axis=None, keepdims=False):
    """Sum of the values that are not NaN."""
    return np.sum(np.where(np.isnan(a), 0, a), axis=axis, keepdims=keepdims)


@implements(np.nanprod)
def nanprod(a, axis=None, keepdims=False):
    """Product of the values that are not NaN."""
    return np.prod(np.where(np.isnan(a), 1, a), axis=axis, keepdims=keepdims)


@implements(np.nanmean)
def nanmean(a, axis=None, keepdims=False):
    """Mean of the values that are not NaN; NaN, with NumPy's warning, where there are none."""
    n = np.sum(~np.isnan(a), axis=axis, keepdims=keepdims, dtype=a.dtype)
    if np.any(n == 0):
        np.nanmean(values_of(a), axis, keepdims=keepdims)  # warns, or raises as told
    total = nansum(a, axis, keepdims)
    return np.where(n == 0, np.nan, total / np.where(n == 0, 1, n))
