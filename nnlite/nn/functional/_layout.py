"""Rearrangement of images (lecture 08)."""

from typing import Any

from nnlite._arguments import as_integer
from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_tensor, check_images
from nnlite.ops import layout


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """Groups of r^2 channels become r x r pixels: (N, C r^2, H, W) -> (N, C, H r, W r)."""
    x = as_tensor(input)
    check_images("pixel_shuffle", x)
    upscale_factor = as_integer(upscale_factor, "pixel_shuffle: upscale_factor", 1)
    return layout.pixel_shuffle(x, r=upscale_factor)
