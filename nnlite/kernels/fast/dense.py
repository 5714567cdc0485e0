"""Dense layers, compiled: twins of ``reference/dense.py``.

All three products are one kernel: a matrix is described by its data and the distance of its rows
and of its columns, so a transpose costs nothing.
"""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.fast.activations import activate, factor
from nnlite.kernels.fast.arrays import (
    all_float32,
    contiguous,
    flat,
    padded_bias,
    scratch,
)
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.elementary import ZERO
from nnlite.kernels.fast.product import (
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
)
from nnlite.kernels.fast.twins import twin
from nnlite.kernels.geometry import check_epilogue
from nnlite.kernels.reference.dense import check_product

#: Up to this many rows or columns a product is done without tiles, which would be mostly empty.
THIN = 3
COLUMNS = 1024  #: columns of a thin product that are worked on at a time


@twin(reference.linear)
def linear(x: Any, w: Any, bias: Any = None, slope: Any = None) -> Any:
    if not all_float32(x, w, bias):
        return reference.linear(x, w, bias, slope)
    check_product("linear", x, w, (1, 1), "x (B, K) and w (O, K)")
    check_epilogue("linear", len(w), bias, slope)
    k = x.shape[1]
    if len(w) <= THIN:
        y = np.empty((len(x), len(w)), np.float32)
        _dots(
            contiguous(x),
            contiguous(w),
            padded_bias(bias, len(w)),
            factor(slope),
            y,
            threads(x.size),
        )
        return y
    return _product(x, k, 1, w, 1, k, (len(x), k, len(w)), bias, slope)


@twin(reference.matmul_nn)
def matmul_nn(a: Any, b: Any) -> Any:
    if not all_float32(a, b):
        return reference.matmul_nn(a, b)
    check_product("matmul_nn", a, b, (1, 0), "a (M, K) and b (K, N)")
    (m, k), n = a.shape, b.shape[1]
    return _product(a, k, 1, b, n, 1, (m, k, n))


@twin(reference.matmul_tn)
def matmul_tn(a: Any, b: Any) -> Any:
    if not all_float32(a, b):
        return reference.matmul_tn(a, b)
    check_product("matmul_tn", a, b, (0, 0), "a (K, M) and b (K, N)")
    (k, m), n = a.shape, b.shape[1]
    if m <= THIN:
        y = np.empty((m, n), np.float32)
        _weighted_sums(contiguous(a), contiguous(b), y, threads(b.size))
        return y
    if cost(n, m) < 0.9 * cost(m, n):  # the transpose fills the tiles better
        return np.ascontiguousarray(_product(b, 1, n, a, m, 1, (n, k, m)).T)
    return _product(a, 1, m, b, n, 1, (m, k, n))


def cost(m: int, n: int) -> int:
    """Return the size of the tiles that cover m rows and n columns."""
    return -(-m // ROWS) * ROWS * padded_width(n)


def _product(
    a: np.ndarray,
    a_row: int,
    a_column: int,
    b: np.ndarray,
    b_row: int,
    b_column: int,
    sizes: tuple[int, int, int],
    bias: np.ndarray | None = None,
    slope: float | None = None,
) -> np.ndarray:
    """Return ``act(a b + bias)``, sizes (m, k, n), from matrices and their row and column steps."""
    m, k, n = sizes
    y = np.empty((m, n), np.float32)
    nt = threads(m * n * k // 8)
    a, b, out, bias, act = flat(a), flat(b), y.reshape(-1), padded_bias(bias, n), factor(slope)
    panels = scratch("panels", k * padded_width(n))
    if nt == 1:
        pack_range(b, b_row, b_column, k, n, panels, 0, -(-n // WIDTH))
        multiply_range(a, a_row, a_column, k, panels, n, out, bias, act, 0, m, 0, n)
    else:
        _multiply(a, a_row, a_column, b, b_row, b_column, m, k, n, out, bias, act, panels, nt)
    return y


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
def weighted_sum(a, b, y, lo, hi):
    """Compute columns lo..hi of ``a^T b`` for few columns of a: sums of the rows of b, weighted."""
    block = np.empty(hi - lo, np.float32)
    for i in range(a.shape[1]):
        total = y[i, lo:hi]
        total[:] = ZERO
        for k0 in range(0, len(a), PIECE):
            block[:] = ZERO
            for k in range(k0, min(len(a), k0 + PIECE)):
                row, weight = b[k, lo:hi], a[k, i]
                for j in range(block.size):
                    block[j] += weight * row[j]
            for j in range(block.size):
                total[j] += block[j]


@threaded
def _weighted_sums(a, b, y, nt):
    n = b.shape[1]
    if nt == 1:
        for lo in range(0, n, COLUMNS):
            weighted_sum(a, b, y, lo, min(n, lo + COLUMNS))
    else:
        count = -(-n // COLUMNS)
        for t in prange(count):
            weighted_sum(a, b, y, t * COLUMNS, min(n, (t + 1) * COLUMNS))


@loop
def multiply_range(a, a_row, a_column, k, panels, n, y, bias, slope, r0, r1, p0, p1):
    """Compute rows r0..r1 and columns p0..p1 (p0 the beginning of a panel) of the product."""
    m = r1 - r0
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
        m, a, off, 0, (1, 0, 1, 0, k, a_column), panels, p0 * k, 0, p1 - p0, y, out, p0, bias[p0:],
        np.float32(slope), False, spare,
    )  # fmt: skip


@loop
def pack_range(b, b_row, b_column, k, n, panels, lo, hi):
    """Pack panels number lo..hi of b."""
    table = np.empty(k, np.int64)
    for p in range(lo * WIDTH, min(n, hi * WIDTH), WIDTH):
        if b_column == 1:
            pack_rows(b, 0, b_row, k, n, p, panels, 0, k)
        else:
            for i in range(k):
                table[i] = i * panel_width(n - p)
            pack_columns(b, 0, b_column, k, n, p, panels, p * k, table)


@threaded
def _multiply(a, a_row, a_column, b, b_row, b_column, m, k, n, y, bias, slope, panels, nt):
    count = -(-n // WIDTH)
    for t in prange(nt):
        pack_range(b, b_row, b_column, k, n, panels, t * count // nt, (t + 1) * count // nt)
    # Threads share out the rows, or the panels if there are more of those.
    by_rows = m >= n
    for t in prange(nt):
        r0, r1, p0, p1 = 0, m, 0, n
        if by_rows:
            r0, r1 = t * m // nt, (t + 1) * m // nt
        else:
            p0, p1 = t * count // nt * WIDTH, min(n, (t + 1) * count // nt * WIDTH)
        multiply_range(a, a_row, a_column, k, panels, n, y, bias, slope, r0, r1, p0, p1)
