"""The backward pass of a dense layer: back through the activation, then two products.

It is one call, since for the layers of a lecture starting a kernel costs as much as its arithmetic.
Threads meet once, between packing and multiplying (:func:`back`); or, for few weights and many
rows, each does all for its rows, and sums are added at the end (:func:`back_by_rows`).
"""

import numpy as np
from numba import prange

from nnlite.kernels.fast.channels import back_rows, column_sum, sum_rows
from nnlite.kernels.fast.compiling import INT0, INT1, loop, threaded
from nnlite.kernels.fast.elementary import ONE, ZERO
from nnlite.kernels.fast.matrix import (
    matrix,
    multiply_block,
    multiply_share,
    pack_share,
)
from nnlite.kernels.fast.product import WIDTH, padded_width
from nnlite.kernels.fast.thin import THIN, combine_rows, dot_rows, weighted_sums

#: Up to this many weights, a backward pass is divided by rows only, if each thread has so many.
FEW_WEIGHTS, MANY_ROWS = 20000, 64


def pays_by_rows(m: int, n: int, k: int, nt: int) -> bool:
    """Whether each thread should do all of the backward pass for its rows."""
    return min(n, k) <= THIN or (1 < nt <= m // MANY_ROWS and n * k <= FEW_WEIGHTS)


@loop
def activation_share(g, y, active, slope, gz, part, lo, hi):
    """Take rows lo..hi of g back through the activation, and sum them."""
    if active:
        back_rows(g[lo:hi], y[lo:hi], gz[lo:hi], slope, part)
    else:
        sum_rows(g[lo:hi], part)


@loop
def back_share(g, y, x, w, active, slope, gz, dx, dw, part, panels, nt, t):
    """Take a thread's rows of g back through the activation, and pack its panels of w and x."""
    (m, n), k = g.shape, x.shape[1]
    activation_share(g, y, active, slope, gz, part[t], t * m // nt, (t + 1) * m // nt)
    if dx.size > 0:
        pack_share(matrix(w, False), panels, nt, t)
    if dw.size > 0:
        pack_share(matrix(x, False), panels[n * padded_width(k) :], nt, t)


@loop
def product_share(gz, dx, dw, zeros, panels, nt, t):
    """Compute a thread's share of ``dx = gz w`` and of ``dw = gz^T x``, with w and x in panels."""
    if dx.size > 0:
        multiply_share(matrix(gz, False), panels, zeros, ONE, dx, nt, t)
    if dw.size > 0:
        n, k = dw.shape
        x_panels = panels[n * padded_width(k) :]
        multiply_share(matrix(gz, True), x_panels, zeros, ONE, dw, nt, t)


@threaded
def back(g, y, x, w, active, slope, behind, dx, dw, db, panels, nt):
    act = np.float32(slope)
    gz = behind[: g.size].reshape(g.shape) if active else g
    part = np.empty((nt, g.shape[1]))
    zeros = np.zeros(x.shape[1] + WIDTH, np.float32)
    if nt == 1:
        back_share(g, y, x, w, active, act, gz, dx, dw, part, panels, nt, INT0)
        product_share(gz, dx, dw, zeros, panels, nt, INT0)
    else:
        for t in prange(nt):
            back_share(g, y, x, w, active, act, gz, dx, dw, part, panels, nt, np.int64(t))
        for t in prange(nt):
            product_share(gz, dx, dw, zeros, panels, nt, np.int64(t))
    for i in range(db.size):
        db[i] = column_sum(part, i)


@loop
def rows_share(g, y, x, w, active, slope, gz, dx, db_part, dw_part, zeros, panels, nt, t):
    """Do a thread's rows of the backward pass, for few weights; only sums are left for later."""
    (m, n), k = g.shape, x.shape[1]
    lo, hi = t * m // nt, (t + 1) * m // nt
    size = max(n, -(-m // nt)) * padded_width(k)
    own = panels[t * size : (t + 1) * size]
    activation_share(g, y, active, slope, gz, db_part[t], lo, hi)
    if dx.size > 0:
        if n <= THIN:
            combine_rows(gz[lo:hi], w, dx[lo:hi])
        elif k <= THIN:
            dot_rows(gz[lo:hi], np.ascontiguousarray(w.T), zeros, ONE, dx[lo:hi])
        else:
            pack_share(matrix(w, False), own, INT1, INT0)
            multiply_block(matrix(gz, False), own, zeros, ONE, dx, lo, hi, INT0, k)
    if dw_part.size > 0:
        rows, part = x[lo:hi], dw_part[t]
        if n <= THIN:
            weighted_sums(gz[lo:hi], rows, part)
        elif k <= THIN:
            weighted_sums(rows, gz[lo:hi], part)
        else:
            pack_share(matrix(rows, False), own, INT1, INT0)
            multiply_block(matrix(gz[lo:hi], True), own, zeros, ONE, part, INT0, n, INT0, k)


@loop
def add_parts(part, total, lo, hi):
    """Sum matrices, one per thread: rows lo..hi."""
    n = total.shape[1]
    for i in range(lo, hi):
        total[i, :] = ZERO
        for t in range(len(part)):
            for j in range(n):
                total[i, j] += part[t, i, j]


@threaded
def back_by_rows(g, y, x, w, active, slope, behind, dx, dw, db, panels, nt):
    n, k = w.shape
    act = np.float32(slope)
    gz = behind[: g.size].reshape(g.shape) if active else g
    turned = k <= THIN < n  # a part of dw is computed as its transpose
    db_part = np.empty((nt, n))
    parts = nt if dw.size > 0 else 0
    dw_part = np.empty((parts, k, n) if turned else (parts, n, k), np.float32)
    zeros = np.zeros(k + WIDTH, np.float32)
    if nt == 1:
        rows_share(g, y, x, w, active, act, gz, dx, db_part, dw_part, zeros, panels, nt, INT0)
    else:
        for i in prange(nt):
            t = np.int64(i)
            rows_share(g, y, x, w, active, act, gz, dx, db_part, dw_part, zeros, panels, nt, t)
    for i in range(db.size):
        db[i] = column_sum(db_part, i)
    if dw.size > 0:
        if turned:
            for i in range(n):
                for j in range(k):
                    dw[i, j] = column_sum(dw_part[:, j], i)
        elif nt == 1 or n <= THIN:
            add_parts(dw_part, dw, INT0, n)
        else:
            for t in prange(nt):
                add_parts(dw_part, dw, np.int64(t) * n // nt, np.int64(t + 1) * n // nt)
