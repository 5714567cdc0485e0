"""Sizes of images and windows, and the checks that both backends share (lecture 08).

A window of ``k`` taps, ``d`` apart, on an axis of ``n`` pixels padded with ``p`` zeros on either
side and moved in steps of ``s`` gives ``floor((n + 2p - d(k-1) - 1)/s) + 1`` outputs. The
transposed convolution goes back: since ``s`` consecutive sizes share one output size, it has to be
told which of them to return, ``(n-1)s - 2p + d(k-1) + 1 + r`` with ``0 <= r < s``.
"""

from typing import NamedTuple

Pair = tuple[int, int]


class Window(NamedTuple):
    """How a window moves over an image: (height, width) pairs, and the number of groups."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


def output_size(n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """The number of positions of a window on an axis (0 or less if it does not fit)."""
    return (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1


def reach(kernel: tuple[int, ...], dilation: Pair) -> Pair:
    """Height and width of a window, spread by its dilation."""
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1
