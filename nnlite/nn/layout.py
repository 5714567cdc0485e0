"""Rearrangement of axes: images as rows and back, channels as pixels (lecture 08)."""

import math
import operator
from typing import Any

from nnlite._arguments import as_integer, is_integer
from nnlite.nn import functional as F
from nnlite.nn._checks import as_axis
from nnlite.nn._inputs import as_tensor
from nnlite.nn.module import Module
from nnlite.ops import layout


class Flatten(Module):
    """Axes ``start_dim`` to ``end_dim`` joined into one: (N, C, H, W) -> (N, C H W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = as_integer(start_dim, "Flatten: start_dim")
        self.end_dim = as_integer(end_dim, "Flatten: end_dim")

    def forward(self, input: Any) -> Any:
        """Entries are read in the order of the index."""
        x = as_tensor(input)
        start = as_axis(self.start_dim, x.ndim, "Flatten: start_dim")
        end = as_axis(self.end_dim, x.ndim, "Flatten: end_dim")
        if start > end:
            raise ValueError(
                f"Flatten: start_dim={self.start_dim} lies behind end_dim={self.end_dim} for shape "
                f"{x.shape}."
            )
        if (x.ndim, start, end) == (4, 1, 3):
            return layout.flatten_images(x)
        joined = math.prod(x.shape[start : end + 1])
        return x.reshape(*x.shape[:start], joined, *x.shape[end + 1 :])

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis split into several: ``nn.Unflatten(1, (128, 7, 7))`` makes images of rows."""

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        super().__init__()
        self.dim = as_integer(dim, "Unflatten: dim")
        if not isinstance(unflattened_size, tuple | list) or not _are_lengths(unflattened_size):
            raise ValueError(
                "Unflatten: unflattened_size is a tuple of integers, of which one may be -1; "
                f"got {unflattened_size!r}."
            )
        self.unflattened_size = tuple(map(operator.index, unflattened_size))

    def forward(self, input: Any) -> Any:
        """Entries are read in the order of the index."""
        x = as_tensor(input)
        dim = as_axis(self.dim, x.ndim, "Unflatten: dim")
        size = self.unflattened_size
        known = math.prod(n for n in size if n != -1)
        if x.shape[dim] % max(known, 1) if -1 in size else known != x.shape[dim]:
            raise ValueError(
                f"Unflatten: {size} has {known} entries, axis {self.dim} of shape "
                f"{x.shape} has {x.shape[dim]}."
            )
        if (x.ndim, dim, len(size)) == (2, 1, 3) and -1 not in size:
            return layout.unflatten_images(x, shape=size)
        return x.reshape(*x.shape[:dim], *size, *x.shape[dim + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def _are_lengths(size: Any) -> bool:
    """Lengths of axes, of which at most one (-1) is left open."""
    open_ends = [n for n in size if is_integer(n) and n == -1]
    return (
        len(size) > 0
        and len(open_ends) <= 1
        and all(is_integer(n) and (n >= 0 or n == -1) for n in size)
    )


class PixelShuffle(Module):
    """Groups of r^2 channels become r x r pixels: (N, C r^2, H, W) -> (N, C, H r, W r)."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = as_integer(upscale_factor, "PixelShuffle: upscale_factor", 1)

    def forward(self, input: Any) -> Any:
        """(N, C r^2, H, W) -> (N, C, H r, W r)."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"
