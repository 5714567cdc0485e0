"""Arrays as the compiled kernels take them: float32, contiguous, channels last.

Compiled loops walk flat memory. These functions bring any array into that form, without a copy
where it has the form already: networks run channels last from the first convolution on, since
every kernel returns what it would like to be given. Anything that is not float32 goes to the NumPy
kernels, which take every dtype.
"""

import threading
from math import isfinite

import numpy as np
from numba import prange

from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.machine import TILE
from nnlite.kernels.fast.transpose import transpose

FLOAT32 = np.dtype(np.float32)
WIDTH = TILE.width


def all_float32(*arrays: np.ndarray | None) -> bool:
    """Whether the compiled kernels can take these arrays."""
    for a in arrays:  # noqa: SIM110  (all() with a generator takes twice as long)
        if a is not None and a.dtype != FLOAT32:
            return False
    return True


def finite(w: np.ndarray) -> bool:
    """Whether all weights are finite; one pass, with an infinite sum counted as not.

    What lies outside an image is zeros to a kernel that gathers, and does not exist for one that
    paints. The two agree as long as weights times zero are zero.
    """
    return isfinite(np.add.reduce(w, axis=None))


def contiguous(a: np.ndarray) -> np.ndarray:
    """The array in C order, writable and aligned: itself if it is that, else a copy.

    Read-only arrays are copied too: to Numba they are another type, which would be compiled again.
    """
    return a if a.flags.carray else np.array(a, order="C")


def flat(a: np.ndarray) -> np.ndarray:
    """The values of :func:`contiguous` in one row."""
    return contiguous(a).reshape(-1)


def channels_last(x: np.ndarray) -> np.ndarray:
    """Images (N, C, H, W) as a contiguous array (N, H, W, C); a view if stored so."""
    last = x.transpose(0, 2, 3, 1)
    if last.flags.carray:
        return last
    n, c, h, w = x.shape
    out = np.empty((n, h, w, c), FLOAT32)
    transpose_each(flat(x), out.reshape(-1), n, c, h * w, threads(x.size))
    return out


def channels_first(x: np.ndarray) -> np.ndarray:
    """Images (N, C, H, W) as a contiguous array of that shape, in the order of the index."""
    if x.flags.carray:
        return x
    last = x.transpose(0, 2, 3, 1)
    if not last.flags.carray:
        return np.array(x, order="C")
    n, c, h, w = x.shape
    out = np.empty((n, c, h, w), FLOAT32)
    transpose_each(last.reshape(-1), out.reshape(-1), n, h * w, c, threads(x.size))
    return out


def rows(x: np.ndarray) -> np.ndarray:
    """(N, C) or images (N, C, H, W) as a contiguous array with the channels last."""
    if x.ndim == 4:
        return channels_last(x)
    if x.ndim == 3:
        return channels_last(x[:, :, :, np.newaxis])
    return contiguous(x)


def matrix(last: np.ndarray) -> np.ndarray:
    """View a channels-last array as a matrix, one row per pixel."""
    return last if last.ndim == 2 else last.reshape(-1, last.shape[-1])


def like(last: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A channels-last result indexed as ``x`` is: undo :func:`rows`."""
    if x.ndim == 2:
        return last
    images = last.transpose(0, 3, 1, 2)
    return images if x.ndim == 4 else images[..., 0]


@loop
def transpose_all(src, dst, n, r, c):
    """Transpose a stack of n matrices, each (r, c) -> (c, r)."""
    table = np.arange(c) * r
    for k in range(n):
        transpose(src, k * r * c, c, r, c, dst, k * r * c, table)


@threaded
def transpose_each(src, dst, n, r, c, nt):
    """Transpose a stack of n matrices, each (r, c) -> (c, r)."""
    size = r * c
    if nt == 1:
        transpose_all(src, dst, n, r, c)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            transpose_all(src[lo * size :], dst[lo * size :], hi - lo, r, c)


class _Scratch(threading.local):
    """Working memory of one Python thread, kept between calls: fresh pages are slow to get."""

    def __init__(self) -> None:
        self.buffers: dict[str, np.ndarray] = {}


_scratch = _Scratch()


def scratch(purpose: str, size: int) -> np.ndarray:
    """Working memory of at least ``size`` floats with arbitrary content.

    Valid until the next call with this purpose from the same Python thread.
    """
    buffer = _scratch.buffers.get(purpose)
    if buffer is None or buffer.size < size:
        buffer = _scratch.buffers[purpose] = np.empty(max(size, 1), FLOAT32)
    return buffer


def padded_bias(bias: np.ndarray | None, n: int) -> np.ndarray:
    """The bias of n channels, or zeros, with zeros up to the width of the last tile."""
    if bias is not None and n % WIDTH == 0:
        return contiguous(bias)
    padded = np.zeros(n + WIDTH, FLOAT32)
    if bias is not None:
        padded[:n] = bias
    return padded
