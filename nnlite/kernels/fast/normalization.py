"""Batch normalisation, compiled: twin of ``reference/normalization.py``.

Forward and backward each read their input twice: once for the sums, once for the result. Everything
between is one multiplication and one addition per number, since mean, variance, weight and bias
fold into a scale and a shift per channel.
"""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.checks import (
    check_activation_output,
    check_channels,
    check_dtypes,
    check_slope,
    check_statistics,
)
from nnlite.kernels.fast.activations import deactivate, factor
from nnlite.kernels.fast.arrays import all_float32, flat, like, matrix, rows
from nnlite.kernels.fast.channels import ROWS, affine_rows, column_sum
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.elementary import ZERO
from nnlite.kernels.fast.twins import twin

__all__ = ["batch_norm_backward", "batch_norm_forward"]

PILOT = 16  #: rows whose mean is a first guess of the channel's


@twin(reference.batch_norm_forward)
def batch_norm_forward(x: Any, weight: Any, bias: Any, eps: Any, slope: Any = None) -> Any:
    if not all_float32(x, weight, bias):
        return reference.batch_norm_forward(x, weight, bias, eps, slope)
    check_channels("batch_norm_forward", x, weight=weight, bias=bias)
    check_statistics("batch_norm_forward", x)
    check_slope("batch_norm_forward", slope)
    last = rows(x)
    y = np.empty(last.shape, np.float32)
    c = last.shape[-1]
    mean, var = np.empty(c, np.float32), np.empty(c, np.float32)
    nt = threads(x.size)
    _forward(
        matrix(last), matrix(y), flat(weight), flat(bias), float(eps),
        factor(slope), mean, var, np.empty((nt, 2, c)), nt,
    )  # fmt: skip
    return like(y, x), mean, var


@twin(reference.batch_norm_backward)
def batch_norm_backward(
    g: Any, x: Any, weight: Any, mean: Any, var: Any, eps: Any, y: Any = None, slope: Any = None
) -> Any:
    if not all_float32(g, x, weight, mean, var, y):
        return reference.batch_norm_backward(g, x, weight, mean, var, eps, y, slope)
    check_channels("batch_norm_backward", x, weight=weight, mean=mean, var=var)
    check_dtypes("batch_norm_backward", g=g, x=x)
    check_statistics("batch_norm_backward", x)
    check_activation_output("batch_norm_backward", g, y, slope)
    g_rows, x_rows = rows(g), rows(x)
    # Without an activation the slope is 1 and its side does not matter: x will do.
    y_rows = x_rows if slope is None else rows(y)
    dx = np.empty(x_rows.shape, np.float32)
    c = x_rows.shape[-1]
    dweight, dbias = np.empty(c, np.float32), np.empty(c, np.float32)
    nt = threads(x.size)
    _backward(
        matrix(g_rows), matrix(x_rows), matrix(y_rows), matrix(dx),
        factor(slope), flat(weight), flat(mean), flat(var), float(eps),
        dweight, dbias, np.empty((nt, 2, c)), nt,
    )  # fmt: skip
    return like(dx, x), dweight, dbias


@loop
def moments(x, shift, total):
    """Sum ``x - shift`` and its square over the rows of a matrix.

    The variance is the mean square minus the squared mean: a difference of large numbers unless the
    data are first moved close to zero.
    """
    m, c = x.shape
    first, second = np.empty(c, np.float32), np.empty(c, np.float32)
    total[:] = 0.0
    for r0 in range(0, m, ROWS):
        first[:] = ZERO
        second[:] = ZERO
        for r in range(r0, min(m, r0 + ROWS)):
            for k in range(c):
                d = x[r, k] - shift[k]
                first[k] += d
                second[k] += d * d
        for k in range(c):
            total[0, k] += first[k]
            total[1, k] += second[k]


@threaded
def _forward(x, y, weight, bias, eps, slope, mean, var, part, nt):
    m, c = x.shape
    a = np.float32(slope)
    pilot = min(m, PILOT)
    shift = np.zeros(c, np.float32)
    for r in range(pilot):
        for k in range(c):
            shift[k] += x[r, k]
    for k in range(c):
        shift[k] /= np.float32(pilot)
        if not np.isfinite(shift[k]):  # infinity minus itself would hide that the mean is infinite
            shift[k] = ZERO
    if nt == 1:
        moments(x, shift, part[0])
    else:
        for t in prange(nt):
            moments(x[t * m // nt : (t + 1) * m // nt], shift, part[t])
    scale = np.empty(c, np.float32)
    offset = np.empty(c, np.float32)
    for k in range(c):
        first = column_sum(part[:, 0], k) / m
        second = column_sum(part[:, 1], k) / m
        v = second - first * first
        v = 0.0 if v < 0.0 else v  # rounding; NaN stays
        mu = shift[k] + first
        mean[k] = mu
        var[k] = v
        s = weight[k] / np.sqrt(v + eps)
        scale[k] = s
        offset[k] = bias[k] - mu * s
    if nt == 1:
        affine_rows(x, y, scale, offset, a)
    else:
        for t in prange(nt):
            lo, hi = t * m // nt, (t + 1) * m // nt
            affine_rows(x[lo:hi], y[lo:hi], scale, offset, a)


@loop
def cross_moments(g, x, y, slope, shift, total):
    """Sum g and ``g (x - shift)`` over the rows, with g in front of the activation."""
    m, c = g.shape
    first, second = np.empty(c, np.float32), np.empty(c, np.float32)
    total[:] = 0.0
    for r0 in range(0, m, ROWS):
        first[:] = ZERO
        second[:] = ZERO
        for r in range(r0, min(m, r0 + ROWS)):
            g_row, x_row, y_row = g[r], x[r], y[r]
            for k in range(c):
                v = deactivate(g_row[k], y_row[k], slope)
                first[k] += v
                second[k] += v * (x_row[k] - shift[k])
        for k in range(c):
            total[0, k] += first[k]
            total[1, k] += second[k]


@loop
def combine(g, x, y, slope, mean, a, b, d, dx):
    """Write ``dx = a g + b (x - mean) + d``, with g in front of the activation."""
    m, c = g.shape
    for r in range(m):
        g_row, x_row, y_row, out = g[r], x[r], y[r], dx[r]
        for k in range(c):
            v = deactivate(g_row[k], y_row[k], slope)
            out[k] = a[k] * v + b[k] * (x_row[k] - mean[k]) + d[k]


@threaded
def _backward(g, x, y, dx, slope, weight, mean, var, eps, dweight, dbias, part, nt):
    m, c = x.shape
    f = np.float32(slope)
    if nt == 1:
        cross_moments(g, x, y, f, mean, part[0])
    else:
        for t in prange(nt):
            lo, hi = t * m // nt, (t + 1) * m // nt
            cross_moments(g[lo:hi], x[lo:hi], y[lo:hi], f, mean, part[t])
    # dx = s (g - mean(g) - x_hat mean(g x_hat)),
    # where x_hat = (x - mean) r, s = weight r, r = 1/sqrt(var + eps)
    a = np.empty(c, np.float32)
    b = np.empty(c, np.float32)
    d = np.empty(c, np.float32)
    for k in range(c):
        r = 1.0 / np.sqrt(var[k] + eps)
        sum_g = column_sum(part[:, 0], k)
        sum_gx = column_sum(part[:, 1], k) * r
        dbias[k] = sum_g
        dweight[k] = sum_gx
        s = weight[k] * r
        a[k] = s
        b[k] = -s * r * sum_gx / m
        d[k] = -s * sum_g / m
    if nt == 1:
        combine(g, x, y, f, mean, a, b, d, dx)
    else:
        for t in prange(nt):
            lo, hi = t * m // nt, (t + 1) * m // nt
            combine(g[lo:hi], x[lo:hi], y[lo:hi], f, mean, a, b, d, dx[lo:hi])
