"""Matrix products out of tiles: packing the weights, blocking the sum, running over rows.

Weights are repacked into *panels*, as wide as a tile and zero-padded, so that the micro-kernel
reads them straight through. The sum is cut into pieces of at most ``PIECE`` terms whose results
are added in memory: a long float32 sum would otherwise lose digits with its length, and a piece of
a panel stays in the nearest cache while all rows pass over it.
"""

import numpy as np

from nnlite.kernels.fast.activations import activate
from nnlite.kernels.fast.compiling import loop, loop_inlined
from nnlite.kernels.fast.elementary import ONE, ZERO
from nnlite.kernels.fast.machine import TILE
from nnlite.kernels.fast.tile import narrow_tile, wide_tile
from nnlite.kernels.fast.transpose import copy_vector, transpose

ROWS, WIDTH, LANES = TILE.rows, TILE.width, TILE.lanes
PIECE = 256  #: terms of a sum that are added up in registers

#: Floats of working memory for :func:`multiply`: zeros in place of a bias, then one tile.
SPARE = WIDTH + ROWS * WIDTH


@loop
def padded_width(n):
    """Return how many columns the panels of n columns hold: the last one may be narrow."""
    return -(-n // LANES) * LANES


@loop
def panel_width(columns):
    """Width of the panel in which ``columns`` columns are left."""
    return WIDTH if columns > LANES else LANES


@loop
def share(count, width, n, nt, t):
    """Begin and end of a thread's share of n, in units of ``width``, of which there are count."""
    return t * count // nt * width, min(n, (t + 1) * count // nt * width)


@loop
def even_piece(n, most):
    """Return the length of pieces, at most ``most`` long and about equal, of n terms."""
    return -(-n // -(-n // max(1, most))) if n > 0 else 1


@loop_inlined
def multiply(m, x, off, x0, sums, w, w0, ldw, n, y, out, y0, bias, slope, add, spare):
    """Compute m rows × n columns: ``y = act(bias + x w)``, added to y if ``add``.

    off, out : row offsets into x and y, the last one repeated up to a multiple of ROWS
    x0, y0 : added to all of them
    sums : (n0, s0, n1, s1, n2, s2), lengths and steps of the three loops of the sum
    w, w0, ldw : panels starting at w0 if ldw is 0; else a plain matrix with rows of ldw numbers,
        whose number of columns must then be a multiple of LANES
    bias : at least padded_width(n) numbers
    spare : SPARE numbers, the first WIDTH of them 0
    """
    n0, s0, n1, s1, n2, s2 = sums
    q2 = even_piece(n2, PIECE)
    q1 = even_piece(n1, PIECE // q2) if q2 >= n2 else 1
    q0 = even_piece(n0, PIECE // (q1 * q2)) if q1 >= n1 and q2 >= n2 else 1
    rest = np.empty(ROWS, np.int64)  # offsets of the rows in the spare tile
    for r in range(ROWS):
        rest[r] = r * WIDTH
    for p in range(0, n, WIDTH):
        columns = min(WIDTH, n - p)
        wide = columns > LANES
        width = WIDTH if wide else LANES
        ld = ldw if ldw > 0 else width
        panel = w0 + p if ldw > 0 else w0 + p * n0 * n1 * n2
        # Ragged columns: a tile would write beyond them, so it goes into the spare one first.
        ragged = columns < width
        target, table, t0 = (spare, rest, WIDTH) if ragged else (y, out, y0 + p)
        for i0 in range(0, max(1, n0), q0):
            for i1 in range(0, max(1, n1), q1):
                for i2 in range(0, max(1, n2), q2):
                    first = i0 + i1 + i2 == 0
                    last = i0 + q0 >= n0 and i1 + q1 >= n1 and i2 + q2 >= n2
                    start, b0 = (bias, p) if first else (spare, 0)
                    end = slope if last else ONE
                    more = add or not first
                    x1 = x0 + i0 * s0 + i1 * s1 + i2 * s2
                    w1 = panel + ((i0 * n1 + i1) * n2 + i2) * ld
                    c0, c1, c2 = min(q0, n0 - i0), min(q1, n1 - i1), min(q2, n2 - i2)
                    for r in range(0, m, ROWS):
                        row = 0 if ragged else r
                        now = ONE if ragged else end
                        if wide:
                            wide_tile(
                                x, off, r, x1, c0, s0, c1, s1, c2, s2, w, w1, ld,
                                target, table, row, t0, start, b0, more and not ragged, now,
                            )  # fmt: skip
                        else:
                            narrow_tile(
                                x, off, r, x1, c0, s0, c1, s1, c2, s2, w, w1, ld,
                                target, table, row, t0, start, b0, more and not ragged, now,
                            )  # fmt: skip
                        if ragged:
                            for i in range(min(ROWS, m - r)):
                                here = y0 + p + out[r + i]
                                for c in range(columns):
                                    v = spare[WIDTH + i * WIDTH + c]
                                    if more:
                                        v += y[here + c]
                                    y[here + c] = activate(v, end)


@loop
def copy(src, dst):
    for i in range(dst.size):
        dst[i] = src[i]


@loop
def pack_rows(w, w0, step, k, n, p, panels, k0, k1):
    """Copy rows k0..k1 of a (k, n) matrix, ``step`` apart, columns from p, into a panel."""
    columns = min(WIDTH, n - p)
    width = panel_width(columns)
    whole = columns // LANES * LANES
    for i in range(k0, k1):
        a, b = w0 + i * step + p, p * k + i * width
        for j in range(0, whole, LANES):
            copy_vector(w, a + j, panels, b + j)
        for j in range(whole, columns):
            panels[b + j] = w[a + j]
        for j in range(columns, width):
            panels[b + j] = ZERO


@loop
def pack_columns(w, w0, step, k, n, p, panels, p0, table):
    """Copy columns from p of a (k, n) matrix into a panel; a column is k numbers in a row.

    Columns are ``step`` apart in w. Row i goes to ``panels[p0 + table[i]]``; ``table`` holds
    multiples of the panel's width, k of them.
    """
    columns = min(WIDTH, n - p)
    for i in range(k):
        for j in range(columns, panel_width(columns)):
            panels[p0 + table[i] + j] = ZERO
    transpose(w, w0 + p * step, step, columns, k, panels, p0, table)


@loop
def fill_rows(table, m):
    """Repeat the last of m entries up to a multiple of ROWS."""
    for r in range(m, -(-m // ROWS) * ROWS):
        table[r] = table[m - 1]
