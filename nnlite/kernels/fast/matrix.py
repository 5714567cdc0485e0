"""Products of matrices, shared out among threads.

A matrix is described by its data and the distances of its rows and of its columns, so a transpose
costs nothing. The second factor is packed into panels before tiles of the product are computed:
both are done in shares, one for each thread.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from nnlite.kernels.fast.arrays import scratch
from nnlite.kernels.fast.compiling import INT0, INT1, loop, threaded
from nnlite.kernels.fast.product import (
    LANES,
    ROWS,
    WIDTH,
    fill_rows,
    multiply,
    pack_columns,
    pack_rows,
    padded_width,
    panel_width,
    share,
)
from nnlite.kernels.fast.tile import Epilogue, Rows, Terms, Weights

#: Panels of up to this many numbers are packed by every thread for itself: sooner than it could
#: fetch another's.
FEW = 16384


class Matrix(NamedTuple):
    """A matrix in flat memory: number (i, j) is ``data[i * row_step + j * column_step]``."""

    data: np.ndarray
    rows: int
    columns: int
    row_step: int
    column_step: int


@loop
def matrix(a, transpose):
    """The Matrix that a contiguous array holds, or its transpose."""
    rows, columns = a.shape
    if transpose:
        return Matrix(a.reshape(-1), columns, rows, 1, columns)
    return Matrix(a.reshape(-1), rows, columns, columns, 1)


def panels_for(k: int, n: int, nt: int) -> np.ndarray:
    """Working memory for the panels of a (k, n) matrix and nt threads."""
    return scratch("panels", max(k * padded_width(n), nt * FEW))


@loop
def by_panels(m, n, nt):
    """Whether threads should divide the columns of an m × n product rather than its rows.

    A thread that keeps to some rows reads all panels, and one that keeps to some panels all rows:
    the larger factor is divided, unless that leaves the busiest with a tenth more to do.
    """
    tiles, panels = -(-m // ROWS), -(-n // WIDTH)
    apart, rows_apart = -(-panels // nt) * tiles, -(-tiles // nt) * panels
    return panels >= nt and apart <= (1.1 if m <= n else 0.9) * rows_apart


@loop
def pack_block(b, panels, p0, p1, k0, k1):
    """Pack rows k0..k1 and columns p0..p1 of a Matrix."""
    k, n = b.rows, b.columns
    table = np.empty(k1 - k0, np.int64)
    for p in range(p0, p1, WIDTH):
        if b.column_step == 1:
            pack_rows(b.data, 0, b.row_step, k, n, p, panels, k0, k1)
        else:
            for i in range(k1 - k0):
                table[i] = (k0 + i) * panel_width(n - p)
            pack_columns(b.data, k0, b.column_step, k1 - k0, n, p, panels, p * k, table)


@loop
def pack_share(b, panels, nt, t):
    """Pack a thread's share of a Matrix: some panels or, if there are too few, rows of all."""
    k, n = b.rows, b.columns
    count = -(-n // WIDTH)
    if count >= nt:
        p0, p1 = share(count, WIDTH, n, nt, t)
        pack_block(b, panels, p0, p1, INT0, k)
    else:
        k0, k1 = share(-(-k // LANES), LANES, k, nt, t)
        pack_block(b, panels, INT0, n, k0, k1)


@loop
def multiply_block(a, panels, bias, slope, y, r0, r1, p0, p1):
    """Compute rows r0..r1 and columns p0..p1 of ``y = act(a b + bias)``, with b in panels.

    a is a Matrix; the bias has zeros up to the width of the last tile.
    """
    m, n = r1 - r0, y.shape[1]
    if m <= 0 or p1 <= p0:
        return
    off = np.empty(m + ROWS, np.int64)
    out = np.empty(m + ROWS, np.int64)
    for r in range(m):
        off[r] = (r0 + r) * a.row_step
        out[r] = (r0 + r) * n
    fill_rows(off, m)
    fill_rows(out, m)
    multiply(
        m, p1 - p0, Rows(a.data, off, 0), Terms(1, 0, 1, 0, a.columns, a.column_step),
        Weights(panels, p0 * a.columns, 0), Rows(y.reshape(-1), out, p0),
        Epilogue(bias, p0, slope, False),
    )  # fmt: skip


@loop
def multiply_share(a, panels, bias, slope, y, nt, t):
    """Compute a thread's share of ``y = act(a b + bias)``, with a Matrix a and b in panels."""
    m, n = y.shape
    if by_panels(m, n, nt):
        p0, p1 = share(-(-n // WIDTH), WIDTH, n, nt, t)
        multiply_block(a, panels, bias, slope, y, INT0, m, p0, p1)
    else:
        r0, r1 = share(-(-m // ROWS), ROWS, m, nt, t)
        multiply_block(a, panels, bias, slope, y, r0, r1, INT0, n)


@threaded
def multiply_matrices(a, turn_a, b, turn_b, bias, slope, y, panels, nt):
    """Compute ``y = act(a b + bias)``; a and b are arrays, to be transposed if so told."""
    act = np.float32(slope)
    m, n = y.shape
    size = (b.shape[1] if turn_b else b.shape[0]) * padded_width(n)
    if nt == 1:
        pack_share(matrix(b, turn_b), panels, INT1, INT0)
        multiply_share(matrix(a, turn_a), panels, bias, act, y, INT1, INT0)
    elif size <= FEW or by_panels(m, n, nt):
        # A thread packs what it needs itself: all, into panels of its own, or the panels that
        # are its share of the product.
        few = size <= FEW
        for i in prange(nt):
            t = np.int64(i)
            own, parts, part = panels, nt, t
            if few:
                own, parts, part = panels[t * size : (t + 1) * size], INT1, INT0
            pack_share(matrix(b, turn_b), own, parts, part)
            multiply_share(matrix(a, turn_a), own, bias, act, y, nt, t)
    else:
        for t in prange(nt):
            pack_share(matrix(b, turn_b), panels, nt, np.int64(t))
        for t in prange(nt):
            multiply_share(matrix(a, turn_a), panels, bias, act, y, nt, np.int64(t))
