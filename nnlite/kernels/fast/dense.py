"""Dense layers, compiled: twins of ``reference/dense.py``.

Every product is one kernel: a matrix is described by its data and the distance of its rows and of
its columns, so a transpose costs nothing. The second factor is packed into panels, which threads
share out, before rows of tiles are. A layer's backward pass is one call with the same two stages,
since for the layers of a lecture starting a kernel costs as much as its arithmetic.
"""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.fast.activations import activate, factor
from nnlite.kernels.fast.arrays import all_float32, contiguous, padded_bias, scratch
from nnlite.kernels.fast.channels import back_rows, column_sum, sum_rows
from nnlite.kernels.fast.compiling import INT0, INT1, loop, threaded, threads
from nnlite.kernels.fast.elementary import ONE, ZERO
from nnlite.kernels.fast.product import (
    LANES,
    PIECE,
    ROWS,
    SPARE,
    WIDTH,
    fill_rows,
    multiply,
    pack_columns,
    pack_rows,
    padded_width,
    panel_width,
    share,
)
from nnlite.kernels.fast.twins import twin
from nnlite.kernels.geometry import check_epilogue, check_slope
from nnlite.kernels.reference.dense import check_linear_backward, check_product

#: Up to this many rows or columns a product is done without tiles, which would be mostly empty.
THIN = 3
#: Panels of up to this many numbers are packed by every thread for itself: sooner than it could
#: fetch another's.
FEW = 16384
#: Up to this many weights, a backward pass is divided by rows only, if each thread has so many.
FEW_WEIGHTS, MANY_ROWS = 20000, 64

NO_VECTOR, NO_MATRIX = np.empty(0, np.float32), np.empty((0, 0), np.float32)


@twin(reference.linear)
def linear(x: Any, w: Any, bias: Any = None, slope: Any = None) -> Any:
    if not all_float32(x, w, bias):
        return reference.linear(x, w, bias, slope)
    check_product("linear", x, w, (1, 1), "x (B, K) and w (O, K)")
    (m, k), n = x.shape, len(w)
    check_epilogue("linear", n, bias, slope)
    y = np.empty((m, n), np.float32)
    bias = padded_bias(bias, n)
    x, w, nt = contiguous(x), contiguous(w), threads(m * n * (1 + k // 8))
    if n <= THIN:
        _dots(x, w, bias, factor(slope), y, nt)
    else:
        _multiply(x, k, 1, w, 1, k, k, bias, factor(slope), y, _panels(k, n, nt), nt)
    return y


@twin(reference.matmul_nn)
def matmul_nn(a: Any, b: Any) -> Any:
    if not all_float32(a, b):
        return reference.matmul_nn(a, b)
    check_product("matmul_nn", a, b, (1, 0), "a (M, K) and b (K, N)")
    return _product(a, a.shape[1], 1, b, len(a), len(b))


@twin(reference.matmul_tn)
def matmul_tn(a: Any, b: Any) -> Any:
    if not all_float32(a, b):
        return reference.matmul_tn(a, b)
    check_product("matmul_tn", a, b, (0, 0), "a (K, M) and b (K, N)")
    return _product(a, 1, a.shape[1], b, a.shape[1], len(a))


def _product(a: np.ndarray, a_row: int, a_column: int, b: np.ndarray, m: int, k: int) -> np.ndarray:
    """Return the (m, k) matrix that ``a`` holds, with these distances, times ``b``."""
    n = b.shape[1]
    y = np.empty((m, n), np.float32)
    a, b, nt = contiguous(a), contiguous(b), threads(m * n * (1 + k // 8))
    _multiply(a, a_row, a_column, b, n, 1, k, padded_bias(None, n), 1.0, y, _panels(k, n, nt), nt)
    return y


@twin(reference.linear_backward)
def linear_backward(
    g: Any, y: Any, x: Any, w: Any, slope: Any = None, wanted: Any = (0, 1, 2)
) -> Any:
    if not all_float32(g, y, x, w):
        return reference.linear_backward(g, y, x, w, slope, wanted)
    check_linear_backward(g, y, x, w)
    check_slope("linear_backward", slope)
    (m, n), k = g.shape, x.shape[1]
    g, x, w = contiguous(g), contiguous(x), contiguous(w)
    active, behind = slope is not None, NO_VECTOR
    if active:
        y, behind = contiguous(y), scratch("gradient", m * n)
    else:
        y = g  # not read; of another layout it would be another type, and compiled again
    dx = np.empty((m, k), np.float32) if 0 in wanted else None
    dw = np.empty((n, k), np.float32) if 1 in wanted else None
    db = np.empty(n, np.float32) if 2 in wanted else None
    nt = threads(m * n * (1 + k // 8))
    wanted_or_empty = (
        NO_MATRIX if dx is None else dx,
        NO_MATRIX if dw is None else dw,
        NO_VECTOR if db is None else db,
    )
    by_rows = min(n, k) <= THIN or (1 < nt <= m // MANY_ROWS and n * k <= FEW_WEIGHTS)
    size = nt * max(n, -(-m // nt)) if by_rows else n + m
    (_back_by_rows if by_rows else _back)(
        g, y, x, w, active, factor(slope), behind, *wanted_or_empty,
        scratch("panels", size * padded_width(k)), nt,
    )  # fmt: skip
    return dx, dw, db


def _panels(k: int, n: int, nt: int) -> np.ndarray:
    return scratch("panels", max(k * padded_width(n), nt * FEW))


# ---- thin products -----------------------------------------------------------------------------


@loop
def dot(a, b):
    total = ZERO
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@loop
def dot_rows(x, w, bias, slope, y):
    """Compute ``act(x w^T + bias)`` for few outputs: each is one inner product."""
    for r in range(len(x)):
        for j in range(len(w)):
            total = bias[j]
            for k in range(0, x.shape[1], PIECE):
                total += dot(x[r, k : k + PIECE], w[j, k : k + PIECE])
            y[r, j] = activate(total, slope)


@threaded
def _dots(x, w, bias, slope, y, nt):
    m = len(x)
    a = np.float32(slope)
    if nt == 1:
        dot_rows(x, w, bias, a, y)
    else:
        for t in prange(nt):
            lo, hi = t * m // nt, (t + 1) * m // nt
            dot_rows(x[lo:hi], w, bias, a, y[lo:hi])


@loop
def weighted_sums(a, b, y):
    """Compute ``a^T b`` for few columns of a: sums of the rows of b, weighted."""
    m, n = b.shape
    block = np.empty(n, np.float32)
    for i in range(a.shape[1]):
        y[i, :] = ZERO
        for k0 in range(0, m, PIECE):
            block[:] = ZERO
            for k in range(k0, min(m, k0 + PIECE)):
                weight = a[k, i]
                for j in range(n):
                    block[j] += weight * b[k, j]
            for j in range(n):
                y[i, j] += block[j]


@loop
def combine_rows(a, b, y):
    """Compute ``a b`` for few rows of b: each row of y is a combination of them."""
    m, n = y.shape
    for r in range(m):
        y[r, :] = ZERO
        for i in range(len(b)):
            weight = a[r, i]
            for j in range(n):
                y[r, j] += weight * b[i, j]


# ---- products in tiles -------------------------------------------------------------------------


@loop
def by_panels(m, n, nt):
    """Tell whether threads should divide the columns of an m × n product rather than its rows.

    A thread that keeps to some rows reads all panels, and one that keeps to some panels all rows:
    the larger factor is divided, unless that leaves the busiest with a tenth more to do.
    """
    tiles, panels = -(-m // ROWS), -(-n // WIDTH)
    apart, rows_apart = -(-panels // nt) * tiles, -(-tiles // nt) * panels
    return panels >= nt and apart <= (1.1 if m <= n else 0.9) * rows_apart


@loop
def multiply_block(a, a_row, a_column, k, panels, bias, slope, y, r0, r1, p0, p1):
    """Compute rows r0..r1 and columns p0..p1 of ``y = act(a b + bias)``, with b in panels.

    Matrices are flat, but for y; the bias has zeros up to the width of the last tile.
    """
    m, n = r1 - r0, y.shape[1]
    if m <= 0 or p1 <= p0:
        return
    off = np.empty(m + ROWS, np.int64)
    out = np.empty(m + ROWS, np.int64)
    spare = np.zeros(SPARE, np.float32)
    for r in range(m):
        off[r] = (r0 + r) * a_row
        out[r] = (r0 + r) * n
    fill_rows(off, m)
    fill_rows(out, m)
    multiply(
        m, a, off, 0, (1, 0, 1, 0, k, a_column), panels, p0 * k, 0, p1 - p0, y.reshape(-1), out, p0,
        bias[p0:], slope, False, spare,
    )  # fmt: skip


@loop
def pack_block(b, b_row, b_column, k, n, panels, p0, p1, k0, k1):
    """Pack rows k0..k1 and columns p0..p1 of b, a flat (k, n) matrix."""
    table = np.empty(k1 - k0, np.int64)
    for p in range(p0, p1, WIDTH):
        if b_column == 1:
            pack_rows(b, 0, b_row, k, n, p, panels, k0, k1)
        else:
            for i in range(k1 - k0):
                table[i] = (k0 + i) * panel_width(n - p)
            pack_columns(b, k0, b_column, k1 - k0, n, p, panels, p * k, table)


@loop
def pack_share(b, b_row, b_column, k, n, panels, nt, t):
    """Pack a thread's share of b: some panels or, if there are too few, rows of all."""
    count = -(-n // WIDTH)
    if count >= nt:
        p0, p1 = share(count, WIDTH, n, nt, t)
        pack_block(b, b_row, b_column, k, n, panels, p0, p1, INT0, k)
    else:
        k0, k1 = share(-(-k // LANES), LANES, k, nt, t)
        pack_block(b, b_row, b_column, k, n, panels, INT0, n, k0, k1)


@loop
def multiply_share(a, a_row, a_column, k, panels, bias, slope, y, nt, t):
    """Compute a thread's share of ``y = act(a b + bias)``."""
    m, n = y.shape
    if by_panels(m, n, nt):
        p0, p1 = share(-(-n // WIDTH), WIDTH, n, nt, t)
        multiply_block(a, a_row, a_column, k, panels, bias, slope, y, INT0, m, p0, p1)
    else:
        r0, r1 = share(-(-m // ROWS), ROWS, m, nt, t)
        multiply_block(a, a_row, a_column, k, panels, bias, slope, y, r0, r1, INT0, n)


@threaded
def _multiply(a, a_row, a_column, b, b_row, b_column, k, bias, slope, y, panels, nt):
    """Compute ``y = act(a b + bias)`` from matrices and the distances of their rows and columns."""
    a, b, act = a.reshape(-1), b.reshape(-1), np.float32(slope)
    m, n = y.shape
    size = k * padded_width(n)
    if nt == 1:
        pack_share(b, b_row, b_column, k, n, panels, INT1, INT0)
        multiply_share(a, a_row, a_column, k, panels, bias, act, y, INT1, INT0)
    elif size <= FEW or by_panels(m, n, nt):
        # A thread packs what it needs itself: all, into panels of its own, or the panels that
        # are its share of the product.
        few = size <= FEW
        for i in prange(nt):
            t = np.int64(i)
            own, parts, part = panels, nt, t
            if few:
                own, parts, part = panels[t * size : (t + 1) * size], INT1, INT0
            pack_share(b, b_row, b_column, k, n, own, parts, part)
            multiply_share(a, a_row, a_column, k, own, bias, act, y, nt, t)
    else:
        for t in prange(nt):
            pack_share(b, b_row, b_column, k, n, panels, nt, np.int64(t))
        for t in prange(nt):
            multiply_share(a, a_row, a_column, k, panels, bias, act, y, nt, np.int64(t))


# ---- the backward pass of a layer --------------------------------------------------------------


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
        pack_share(w.reshape(-1), k, INT1, n, k, panels, nt, t)
    if dw.size > 0:
        pack_share(x.reshape(-1), k, INT1, m, k, panels[n * padded_width(k) :], nt, t)


@loop
def product_share(gz, dx, dw, zeros, panels, nt, t):
    """Compute a thread's share of ``dx = gz w`` and of ``dw = gz^T x``, with w and x in panels."""
    m, n = gz.shape
    flat = gz.reshape(-1)
    if dx.size > 0:
        multiply_share(flat, n, INT1, n, panels, zeros, ONE, dx, nt, t)
    if dw.size > 0:
        x_panels = panels[n * padded_width(dw.shape[1]) :]
        multiply_share(flat, INT1, n, m, x_panels, zeros, ONE, dw, nt, t)


@threaded
def _back(g, y, x, w, active, slope, behind, dx, dw, db, panels, nt):
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
            pack_share(w.reshape(-1), k, INT1, n, k, own, INT1, INT0)
            multiply_block(gz.reshape(-1), n, INT1, n, own, zeros, ONE, dx, lo, hi, INT0, k)
    if dw_part.size > 0:
        rows, part = x[lo:hi], dw_part[t]
        if n <= THIN:
            weighted_sums(gz[lo:hi], rows, part)
        elif k <= THIN:
            weighted_sums(rows, gz[lo:hi], part)
        else:
            pack_share(rows.reshape(-1), k, INT1, hi - lo, k, own, INT1, INT0)
            own_gz = gz[lo:hi].reshape(-1)
            multiply_block(own_gz, INT1, n, hi - lo, own, zeros, ONE, part, INT0, n, INT0, k)


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
def _back_by_rows(g, y, x, w, active, slope, behind, dx, dw, db, panels, nt):
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
