"""Pooling: the largest value, or the mean, of each window (lecture 08)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlite.kernels.checks import check_pooling
from nnlite.kernels.geometry import Pair, Window, reach
from nnlite.kernels.reference.convolution import windows

__all__ = ["avg_pool2d", "avg_pool2d_backward", "max_pool2d", "max_pool2d_backward"]


def max_pool2d(
    x: np.ndarray,
    kernel: Pair,
    stride: Pair | None = None,
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The largest value in each window, and where it was.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel : (int, int)
        Height and width of the window.
    stride : (int, int), optional
        Its step; the kernel size if not given.
    padding : (int, int)
        Pixels of minus infinity added on every side, at most half the kernel.
    dilation : (int, int)
        Distance of a window's pixels.
    ceil_mode : bool
        Whether a last window may reach beyond the padding, if it begins inside the image.

    Returns
    -------
    y : ndarray, shape (N, C, OH, OW)
    index : ndarray of int64, shape (N, C, OH, OW)
        Position ``h * W + w`` of the first largest value; NaN counts as largest.
    """
    stride = kernel if stride is None else stride
    window = Window(stride, padding, dilation)
    size = check_pooling("max_pool2d", x, kernel, window, ceil_mode)
    (ph, pw), (h, w) = padding, x.shape[2:]
    seen = _padded_windows(x, size, kernel, window, -np.inf)
    flat = seen.reshape(*seen.shape[:4], kernel[0] * kernel[1])
    best = flat.argmax(axis=-1)
    y = np.take_along_axis(flat, best[..., np.newaxis], axis=-1)[..., 0]
    oh, ow = np.indices(y.shape[2:])
    rows = oh * stride[0] - ph + best // kernel[1] * dilation[0]
    columns = ow * stride[1] - pw + best % kernel[1] * dilation[1]
    # A window of nothing but -inf may have found its maximum in the padding: move it inside.
    index = np.clip(rows, 0, h - 1) * w + np.clip(columns, 0, w - 1)
    return y, index.astype(np.int64, copy=False)  # NumPy's default has 32 bits in a browser


def max_pool2d_backward(
    g: np.ndarray, index: np.ndarray, input_shape: tuple[int, ...]
) -> np.ndarray:
    """Send each value of ``g`` back to the pixel that was largest; overlaps add up.

    Parameters
    ----------
    g : ndarray, shape (N, C, OH, OW)
    index : ndarray of int64, shape (N, C, OH, OW)
        As :func:`max_pool2d` returned it.
    input_shape : (int, int, int, int)
        (N, C, H, W) of the result.
    """
    if g.shape != index.shape or g.shape[:2] != tuple(input_shape[:2]):
        raise ValueError(
            f"max_pool2d_backward: gradient {g.shape}, index {index.shape} and input "
            f"{tuple(input_shape)} do not belong together."
        )
    n, c, h, w = input_shape
    dx = np.zeros((n * c, h * w), g.dtype)
    image = np.arange(n * c).reshape(-1, 1)
    flat = (n * c, index.shape[2] * index.shape[3])  # no -1: there may be no images
    np.add.at(dx, (image, index.reshape(flat)), g.reshape(flat))
    return dx.reshape(n, c, h, w)


def avg_pool2d(
    x: np.ndarray,
    kernel: Pair,
    stride: Pair | None = None,
    padding: Pair = (0, 0),
    count_include_pad: bool = True,
    ceil_mode: bool = False,
    divisor_override: int | None = None,
) -> np.ndarray:
    """The mean of each window.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel, stride, padding, ceil_mode
        As in :func:`max_pool2d`, but the padding is zeros.
    count_include_pad : bool
        Whether the padding counts in the denominator (what lies beyond it never does).
    divisor_override : int, optional
        Divide by this instead.
    """
    window = Window(kernel if stride is None else stride, padding)
    size = check_pooling("avg_pool2d", x, kernel, window, ceil_mode)
    counts = _counts(x.shape, size, kernel, window, count_include_pad, divisor_override)
    total = _padded_windows(x, size, kernel, window, 0).sum(axis=(-2, -1))
    return total / counts.astype(x.dtype)


def avg_pool2d_backward(
    g: np.ndarray,
    input_shape: tuple[int, ...],
    kernel: Pair,
    stride: Pair | None = None,
    padding: Pair = (0, 0),
    count_include_pad: bool = True,
    ceil_mode: bool = False,
    divisor_override: int | None = None,
) -> np.ndarray:
    """Spread each value of ``g`` evenly over its window: the adjoint of :func:`avg_pool2d`."""
    stride = kernel if stride is None else stride
    window = Window(stride, padding)
    n, c, h, w = input_shape
    x = np.broadcast_to(np.zeros((), g.dtype), (n, c, h, w))
    size = check_pooling("avg_pool2d_backward", x, kernel, window, ceil_mode)
    if g.shape != (n, c, *size):
        raise ValueError(
            f"avg_pool2d_backward: avg_pool2d takes {tuple(input_shape)} to {(n, c, *size)}, "
            f"got a gradient of shape {g.shape}."
        )
    counts = _counts(x.shape, size, kernel, window, count_include_pad, divisor_override)
    share = g / counts.astype(g.dtype)
    (ph, pw), (bottom, right) = padding, _beyond(x.shape, size, kernel, window)
    dx = np.zeros((n, c, ph + h + bottom, pw + w + right), g.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows = slice(i, i + (size[0] - 1) * stride[0] + 1, stride[0])
            columns = slice(j, j + (size[1] - 1) * stride[1] + 1, stride[1])
            dx[:, :, rows, columns] += share
    return np.ascontiguousarray(dx[:, :, ph : ph + h, pw : pw + w])


def _beyond(shape: tuple[int, ...], size: Pair, kernel: Pair, window: Window) -> Pair:
    """How far the padding at the bottom and on the right must go for the last windows."""
    far = [
        max(p, (o - 1) * s - p + k - n)
        for n, o, k, s, p in zip(
            shape[2:], size, reach(kernel, window.dilation), *window[:2], strict=True
        )
    ]
    return far[0], far[1]


def _padded_windows(
    x: np.ndarray, size: Pair, kernel: Pair, window: Window, fill: float
) -> np.ndarray:
    """View padded images (N, C, H, W) as windows (N, C, OH, OW, kh, kw)."""
    (ph, pw), (bottom, right) = window.padding, _beyond(x.shape, size, kernel, window)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, bottom), (pw, right)), constant_values=fill)
    return windows(padded, kernel, window._replace(padding=(0, 0)))[:, :, : size[0], : size[1]]


def _counts(
    shape: tuple[int, ...],
    size: Pair,
    kernel: Pair,
    window: Window,
    count_include_pad: bool,
    divisor_override: int | None,
) -> np.ndarray:
    """What each window divides by, (OH, OW)."""
    if divisor_override is not None:
        return np.full(size, divisor_override)
    per_axis = []
    for n, o, k, s, p in zip(shape[2:], size, kernel, *window[:2], strict=True):
        start = np.arange(o) * s - p
        margin = p if count_include_pad else 0
        per_axis.append(np.minimum(start + k, n + margin) - np.maximum(start, -margin))
    return np.outer(*per_axis)


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    x, g = normal(n, c, size, size), normal(n, c, size // 2, size // 2)
    _, index = max_pool2d(x, (2, 2))
    yield max_pool2d, (x, (3, 3), (2, 2), (1, 1))
    yield max_pool2d_backward, (g, index, x.shape)
    yield avg_pool2d, (x, (3, 3), (2, 2), (1, 1))
    yield avg_pool2d_backward, (g, x.shape, (2, 2))
