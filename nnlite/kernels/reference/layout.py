"""Kernels that move numbers without changing them (lecture 08).

Results of convolutions are indexed (N, C, H, W) but stored with the channels last; a linear layer
reads an image as one row in the order of the index. Flattening is where the two meet.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["flatten_images", "pixel_shuffle", "pixel_unshuffle", "unflatten_images"]


def flatten_images(x: np.ndarray) -> np.ndarray:
    """Images (N, C, H, W) as rows (N, C·H·W), whatever their order in memory."""
    if x.ndim != 4:
        raise ValueError(f"flatten_images takes images (N, C, H, W), got shape {x.shape}.")
    return x.reshape(len(x), x.shape[1] * x.shape[2] * x.shape[3])


def unflatten_images(x: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Rows (N, C·H·W) as images (N, C, H, W), stored channels last; ``shape`` (C, H, W)."""
    if x.ndim != 2 or x.shape[1] != shape[0] * shape[1] * shape[2]:
        raise ValueError(
            f"unflatten_images: rows of shape {x.shape} cannot become images of shape {shape} "
            f"with {shape[0] * shape[1] * shape[2]} values each."
        )
    images = x.reshape(len(x), *shape)
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def pixel_shuffle(x: np.ndarray, r: int) -> np.ndarray:
    """Turn groups of r² channels into r×r pixels: (N, C·r², H, W) -> (N, C, H·r, W·r).

    Channel ``c r² + i r + j`` becomes row offset i and column offset j (Shi et al. 2016, eq. 4).
    """
    if x.ndim != 4 or r < 1 or x.shape[1] % (r * r):
        raise ValueError(
            f"pixel_shuffle: an upscale factor of {r} needs images (N, C, H, W) with a multiple "
            f"of {r * r} channels, got shape {x.shape}."
        )
    n, c, h, w = x.shape
    channels = c // (r * r)  # by name instead of -1: there may be no images
    parts = x.reshape(n, channels, r, r, h, w)
    return _channels_last(parts.transpose(0, 4, 2, 5, 3, 1).reshape(n, h * r, w * r, channels))


def pixel_unshuffle(x: np.ndarray, r: int) -> np.ndarray:
    """Undo :func:`pixel_shuffle`, which is a permutation: its inverse is its adjoint."""
    if x.ndim != 4 or r < 1 or x.shape[2] % r or x.shape[3] % r:
        raise ValueError(
            f"pixel_unshuffle: a downscale factor of {r} needs images (N, C, H, W) with height and "
            f"width divisible by {r}, got shape {x.shape}."
        )
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // r, r, w // r, r)
    small = parts.transpose(0, 2, 4, 1, 3, 5).reshape(n, h // r, w // r, c * r * r)
    return _channels_last(small)


def _channels_last(y: np.ndarray) -> np.ndarray:
    """Index an array (N, H, W, C) as (N, C, H, W)."""
    return y.transpose(0, 3, 1, 2)


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    x = normal(n, c, size, size)
    yield flatten_images, (x,)
    yield unflatten_images, (x.reshape(n, -1), (c, size, size))
    yield pixel_shuffle, (normal(n, 4 * c, size // 2, size // 2), 2)
    yield pixel_unshuffle, (x, 2)
