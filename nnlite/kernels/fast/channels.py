"""One value per channel, compiled: twins of ``reference/channels.py``.

With the channels last, an image batch is a matrix of pixels × channels: the inner loop runs over
channels, in vectors. Sums over pixels are taken in float32 over blocks of 64 rows and in float64
over the blocks, so they keep float32's digits at any batch size.
"""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.checks import check_channels, check_slope
from nnlite.kernels.fast.activations import activate, deactivate, factor
from nnlite.kernels.fast.arrays import all_float32, flat, like, matrix, rows
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.elementary import ZERO
from nnlite.kernels.fast.twins import twin

__all__ = ["channel_affine", "channel_sums", "leaky_relu_bias_grad"]

ROWS = 64  #: rows that are summed in float32


@twin(reference.channel_sums)
def channel_sums(x: Any) -> Any:
    if not all_float32(x):
        return reference.channel_sums(x)
    check_channels("channel_sums", x)
    c = x.shape[1]
    nt = threads(x.size)
    sums = np.empty(c, np.float32)
    _sums(matrix(rows(x)), sums, np.empty((nt, c)), nt)
    return sums


@twin(reference.channel_affine)
def channel_affine(x: Any, scale: Any, shift: Any, slope: Any = None) -> Any:
    if not all_float32(x, scale, shift):
        return reference.channel_affine(x, scale, shift, slope)
    check_channels("channel_affine", x, scale=scale, shift=shift)
    check_slope("channel_affine", slope)
    last = rows(x)
    y = np.empty(last.shape, np.float32)
    _affine(matrix(last), matrix(y), flat(scale), flat(shift), factor(slope), threads(x.size))
    return like(y, x)


@twin(reference.leaky_relu_bias_grad)
def leaky_relu_bias_grad(g: Any, y: Any, slope: Any = None) -> Any:
    if slope is None:
        return g, channel_sums(g)
    if not all_float32(g, y) or g.shape != y.shape:
        return reference.leaky_relu_bias_grad(g, y, slope)
    check_channels("leaky_relu_bias_grad", g)
    check_slope("leaky_relu_bias_grad", slope)
    g_rows, y_rows = rows(g), rows(y)
    out = np.empty(g_rows.shape, np.float32)
    c = g.shape[1]
    nt = threads(g.size)
    sums = np.empty(c, np.float32)
    _back(matrix(g_rows), matrix(y_rows), matrix(out), float(slope), sums, np.empty((nt, c)), nt)
    return like(out, g), sums


@loop
def column_sum(part, k):
    """Sum a column of partial sums, one row per thread."""
    total = 0.0
    for t in range(len(part)):
        total += part[t, k]
    return total


@loop
def sum_rows(x, total):
    """Sum the rows of a matrix into ``total``."""
    m, c = x.shape
    block = np.empty(c, np.float32)
    total[:] = 0.0
    for r0 in range(0, m, ROWS):
        block[:] = ZERO
        for r in range(r0, min(m, r0 + ROWS)):
            for k in range(c):
                block[k] += x[r, k]
        for k in range(c):
            total[k] += block[k]


@threaded
def _sums(x, sums, part, nt):
    m = len(x)
    if nt == 1:
        sum_rows(x, part[0])
    else:
        for t in prange(nt):
            sum_rows(x[t * m // nt : (t + 1) * m // nt], part[t])
    for k in range(sums.size):
        sums[k] = column_sum(part, k)


@loop
def affine_rows(x, y, scale, shift, slope):
    """Scale, shift and activate the rows of a matrix."""
    m, c = x.shape
    for r in range(m):
        row, out = x[r], y[r]
        for k in range(c):
            out[k] = activate(row[k] * scale[k] + shift[k], slope)


@threaded
def _affine(x, y, scale, shift, slope, nt):
    a = np.float32(slope)
    m = len(x)
    if nt == 1:
        affine_rows(x, y, scale, shift, a)
    else:
        for t in prange(nt):
            lo, hi = t * m // nt, (t + 1) * m // nt
            affine_rows(x[lo:hi], y[lo:hi], scale, shift, a)


@loop
def back_rows(g, y, out, slope, total):
    """Take the rows of g back through the activation, and sum them."""
    m, c = g.shape
    block = np.empty(c, np.float32)
    total[:] = 0.0
    for r0 in range(0, m, ROWS):
        block[:] = ZERO
        for r in range(r0, min(m, r0 + ROWS)):
            for k in range(c):
                v = deactivate(g[r, k], y[r, k], slope)
                out[r, k] = v
                block[k] += v
        for k in range(c):
            total[k] += block[k]


@threaded
def _back(g, y, out, slope, sums, part, nt):
    a = np.float32(slope)
    m = len(g)
    if nt == 1:
        back_rows(g, y, out, a, part[0])
    else:
        for t in prange(nt):
            lo, hi = t * m // nt, (t + 1) * m // nt
            back_rows(g[lo:hi], y[lo:hi], out[lo:hi], a, part[t])
    for k in range(sums.size):
        sums[k] = column_sum(part, k)
