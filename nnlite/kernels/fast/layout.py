"""Moving numbers about, compiled: twins of ``reference/layout.py``."""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.fast.arrays import all_float32, channels_first, channels_last
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.twins import twin

__all__ = ["flatten_images", "pixel_shuffle", "pixel_unshuffle", "unflatten_images"]


@twin(reference.flatten_images)
def flatten_images(x: Any) -> Any:
    if x.ndim != 4 or not all_float32(x):
        return reference.flatten_images(x)
    return reference.flatten_images(channels_first(x))


@twin(reference.unflatten_images)
def unflatten_images(x: Any, shape: Any) -> Any:
    if x.ndim != 2 or x.shape[1] != shape[0] * shape[1] * shape[2] or not all_float32(x):
        return reference.unflatten_images(x, shape)
    return channels_last(x.reshape(len(x), *shape)).transpose(0, 3, 1, 2)


@twin(reference.pixel_shuffle)
def pixel_shuffle(x: Any, r: Any) -> Any:
    if x.ndim != 4 or r < 1 or x.shape[1] % (r * r) or not all_float32(x):
        return reference.pixel_shuffle(x, r)
    n, c, h, w = x.shape
    c //= r * r
    y = np.empty((n, h * r, w * r, c), np.float32)
    packed = channels_last(x).reshape(n * h, w, c, r, r)
    _shuffle(packed, y.reshape(n * h, r, w, r, c), False, threads(x.size))
    return y.transpose(0, 3, 1, 2)


@twin(reference.pixel_unshuffle)
def pixel_unshuffle(x: Any, r: Any) -> Any:
    if x.ndim != 4 or r < 1 or x.shape[2] % r or x.shape[3] % r or not all_float32(x):
        return reference.pixel_unshuffle(x, r)
    n, c, h, w = x.shape
    h, w = h // r, w // r
    y = np.empty((n, h, w, c * r * r), np.float32)
    image = channels_last(x).reshape(n * h, r, w, r, c)
    _shuffle(y.reshape(n * h, w, c, r, r), image, True, threads(x.size))
    return y.transpose(0, 3, 1, 2)


@loop
def shuffle_rows(packed, image, undo):
    """Copy between rows of packed pixels (H, W, C, r, r) and rows of pixels (H, r, W, r, C)."""
    h, w, c, r, _ = packed.shape
    for u in range(h):
        for v in range(w):
            square = packed[u, v]
            for i in range(r):
                pixels = image[u, i, v]
                for j in range(r):
                    for k in range(c):
                        if undo:
                            square[k, i, j] = pixels[j, k]
                        else:
                            pixels[j, k] = square[k, i, j]


@threaded
def _shuffle(packed, image, undo, nt):
    n = len(packed)
    if nt == 1:
        shuffle_rows(packed, image, undo)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            shuffle_rows(packed[lo:hi], image[lo:hi], undo)
