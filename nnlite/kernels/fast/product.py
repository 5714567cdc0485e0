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
from nnlite.kernels.fast.tile import Epilogue, Rows, Terms, Weights, narrow_tile, wide_tile
from nnlite.kernels.fast.transpose import copy_vector, transpose

ROWS, WIDTH, LANES = TILE.rows, TILE.width, TILE.lanes
PIECE = 256  #: terms of a sum that are added up in registers

#: Floats of working memory for :func:`multiply`: zeros in place of a bias, then one tile.
SPARE = WIDTH + ROWS * WIDTH


@loop
def padded_width(n):
    """How many columns the panels of n columns hold: the last one may be narrow."""
    return -(-n // LANES) * LANES


@loop
def panel_width(columns):
    """The width of the panel in which ``columns`` columns are left."""
    return WIDTH if columns > LANES else LANES


@loop
def share(count, width, n, nt, t):
    """Begin and end of a thread's share of n, in units of ``width``: ``count`` of them."""
    return t * count // nt * width, min(n, (t + 1) * count // nt * width)


@loop
def even_piece(n, most):
    """The length of pieces, at most ``most`` long and about equal, of n terms."""
    return -(-n // -(-n // max(1, most))) if n > 0 else 1


@loop
def piece_lengths(n0, n1, n2):
    """How often each loop of a sum runs in a piece: the inner ones whole where they fit."""
    q2 = even_piece(n2, PIECE)
    q1 = even_piece(n1, PIECE // q2) if q2 >= n2 else 1
    q0 = even_piece(n0, PIECE // (q1 * q2)) if q1 >= n1 and q2 >= n2 else 1
    return q0, q1, q2


@loop
def move_ragged(spare, rows, columns, y, r, p, add, slope):
    """Move the spare tile's first rows and columns to row r, column p of y, and activate them."""
    for i in range(rows):
        to = y.begin + p + y.offsets[r + i]
        for c in range(columns):
            v = spare[WIDTH + i * WIDTH + c]
            if add:
                v += y.data[to + c]
            y.data[to + c] = activate(v, slope)


@loop_inlined
def multiply(m, n, x, terms, w, y, end):
    """Compute m rows × n columns of ``y = act(bias + x w)``, added to y if ``end.add``.

    x, y : Rows, the last offset repeated up to a multiple of ROWS
    terms : Terms
    w : Weights, in panels if their step is 0; else n must be a multiple of LANES
    end : Epilogue, with a bias of at least padded_width(n) numbers
    """
    n0, s0, n1, s1, n2, s2 = terms
    q0, q1, q2 = piece_lengths(n0, n1, n2)
    spare = np.zeros(SPARE, np.float32)
    aside = np.arange(ROWS) * WIDTH  # offsets of the rows of the spare tile
    for p in range(0, n, WIDTH):
        columns = min(WIDTH, n - p)
        width = panel_width(columns)
        step = w.step if w.step > 0 else width
        panel = w.begin + (p if w.step > 0 else p * n0 * n1 * n2)
        ragged = columns < width  # a tile would write beyond them: it goes into the spare one first
        for i0 in range(0, max(1, n0), q0):
            for i1 in range(0, max(1, n1), q1):
                for i2 in range(0, max(1, n2), q2):
                    first = i0 + i1 + i2 == 0
                    last = i0 + q0 >= n0 and i1 + q1 >= n1 and i2 + q2 >= n2
                    add, slope = end.add or not first, end.slope if last else ONE
                    bias, b0 = (end.bias, end.begin + p) if first else (spare, 0)
                    rows = Rows(x.data, x.offsets, x.begin + i0 * s0 + i1 * s1 + i2 * s2)
                    piece = Terms(min(q0, n0 - i0), s0, min(q1, n1 - i1), s1, min(q2, n2 - i2), s2)
                    weights = Weights(w.data, panel + ((i0 * n1 + i1) * n2 + i2) * step, step)
                    if ragged:
                        target, then = Rows(spare, aside, WIDTH), Epilogue(bias, b0, ONE, False)
                    else:
                        target = Rows(y.data, y.offsets, y.begin + p)
                        then = Epilogue(bias, b0, slope, add)
                    for r in range(0, m, ROWS):
                        q = 0 if ragged else r
                        if width == WIDTH:
                            wide_tile(rows, r, piece, weights, target, q, then)
                        else:
                            narrow_tile(rows, r, piece, weights, target, q, then)
                        if ragged:
                            move_ragged(spare, min(ROWS, m - r), columns, y, r, p, add, slope)


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
