"""Products of matrices of which one is thin: up to THIN rows or columns.

Tiles would be mostly empty here, so these are plain loops. Sums are cut into pieces as those of
tiles are, and for the same reason: the digits of a long float32 sum.
"""

import numpy as np
from numba import prange

from nnlite.kernels.fast.activations import activate
from nnlite.kernels.fast.compiling import loop, threaded
from nnlite.kernels.fast.elementary import ZERO
from nnlite.kernels.fast.product import PIECE

#: Up to this many rows or columns a product is done without tiles.
THIN = 3


@loop
def dot(a, b):
    """The inner product of two vectors."""
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
def dots(x, w, bias, slope, y, nt):
    """Compute ``act(x w^T + bias)`` for few outputs, the rows of x shared out."""
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
