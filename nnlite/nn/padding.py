"""Frames around images (lecture 08)."""

import operator
from typing import Any

from nnlite._arguments import is_integer
from nnlite.nn import functional as F
from nnlite.nn.module import Module


class _Padding(Module):
    _mode = "constant"

    def __init__(self, padding: int | tuple[int, int, int, int]) -> None:
        super().__init__()
        widths = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * 4
        if len(widths) != 4 or not all(map(is_integer, widths)):
            raise ValueError(
                f"{type(self).__name__} takes one width, an integer, or (left, right, top, "
                f"bottom); got {padding!r}."
            )
        self.padding = tuple(map(operator.index, widths))

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) -> (N, C, top + H + bottom, left + W + right)."""
        return F.pad(input, self.padding, mode=self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(_Padding):
    """Zeros around images; ``padding`` is one width or (left, right, top, bottom)."""


class ReflectionPad2d(_Padding):
    """Images mirrored at their edges; ``padding`` is one width or (left, right, top, bottom)."""

    _mode = "reflect"


class ReplicationPad2d(_Padding):
    """Repeat the edge pixels of images; ``padding`` is one width or (left, right, top, bottom)."""

    _mode = "replicate"
