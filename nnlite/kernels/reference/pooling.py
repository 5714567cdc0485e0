"""Pooling: the largest value, or the mean, of each window (lecture 08)."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnlite.kernels.geometry import Pair, Window, output_shape


def max_pool2d(
    x: np.ndarray, kernel: Pair, stride: Pair | None = None, padding: Pair = (0, 0)
) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value in each window, and where it was.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel : (int, int)
        Height and width of the window.
    stride : (int, int), optional
        Its step; the kernel size if not given.
    padding : (int, int)
        Pixels of minus infinity added on every side, at most half the kernel.

    Returns
    -------
    y : ndarray, shape (N, C, OH, OW)
    index : ndarray of int64, shape (N, C, OH, OW)
        Position ``h * W + w`` of the first largest value; NaN counts as largest.
    """
    stride = kernel if stride is None else stride
    check_pooling("max_pool2d", x, kernel, stride, padding)
    (ph, pw), (h, w) = padding, x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
    windows = _windows(padded, kernel, stride)  # (N, C, OH, OW, kh, kw)
    flat = windows.reshape(*windows.shape[:4], kernel[0] * kernel[1])
    best = flat.argmax(axis=-1)
    y = np.take_along_axis(flat, best[..., np.newaxis], axis=-1)[..., 0]
    oh, ow = np.indices(y.shape[2:])
    rows = oh * stride[0] - ph + best // kernel[1]
    columns = ow * stride[1] - pw + best % kernel[1]
    # A window of nothing but -inf may have found its maximum in the padding: move it inside.
    return y, np.clip(rows, 0, h - 1) * w + np.clip(columns, 0, w - 1)


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
            f"{tuple(input_shape)} do not belong together"
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
) -> np.ndarray:
    """Return the mean of each window.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel, stride, padding : (int, int)
        As in :func:`max_pool2d`, but the padding is zeros.
    count_include_pad : bool
        Whether the padding counts in the denominator.
    """
    stride = kernel if stride is None else stride
    size = check_pooling("avg_pool2d", x, kernel, stride, padding)
    (ph, pw) = padding
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    total = _windows(padded, kernel, stride).sum(axis=(-2, -1))
    return total / _counts(x.shape, size, kernel, stride, padding, count_include_pad, x.dtype)


def avg_pool2d_backward(
    g: np.ndarray,
    input_shape: tuple[int, ...],
    kernel: Pair,
    stride: Pair | None = None,
    padding: Pair = (0, 0),
    count_include_pad: bool = True,
) -> np.ndarray:
    """Spread each value of ``g`` evenly over its window: the adjoint of :func:`avg_pool2d`."""
    stride = kernel if stride is None else stride
    n, c, h, w = input_shape
    x = np.broadcast_to(np.zeros((), g.dtype), (n, c, h, w))
    size = check_pooling("avg_pool2d_backward", x, kernel, stride, padding)
    if g.shape != (n, c, *size):
        raise ValueError(
            f"avg_pool2d_backward: avg_pool2d takes {tuple(input_shape)} to {(n, c, *size)}, "
            f"got a gradient of shape {g.shape}"
        )
    share = g / _counts(x.shape, size, kernel, stride, padding, count_include_pad, g.dtype)
    (ph, pw) = padding
    dx = np.zeros((n, c, h + 2 * ph, w + 2 * pw), g.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows = slice(i, i + (size[0] - 1) * stride[0] + 1, stride[0])
            columns = slice(j, j + (size[1] - 1) * stride[1] + 1, stride[1])
            dx[:, :, rows, columns] += share
    return np.ascontiguousarray(dx[:, :, ph : ph + h, pw : pw + w])


def check_pooling(where: str, x: np.ndarray, kernel: Pair, stride: Pair, padding: Pair) -> Pair:
    """Check a pooling window and return the size of the output images."""
    if x.ndim != 4:
        raise ValueError(f"{where} takes images (N, C, H, W), got shape {x.shape}")
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(
            f"{where}: padding {padding} is more than half of the kernel {kernel}, so some windows "
            "would see nothing of the image"
        )
    return output_shape(x.shape, kernel, Window(stride, padding), where)


def _windows(x: np.ndarray, kernel: Pair, stride: Pair) -> np.ndarray:
    """View (N, C, H, W) as windows (N, C, OH, OW, kh, kw), no copy."""
    return sliding_window_view(x, kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]


def _counts(
    shape: tuple[int, ...],
    size: Pair,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    dtype: np.dtype,
) -> np.ndarray:
    """Return how many pixels each window divides by, (OH, OW)."""
    if count_include_pad:
        return np.full(size, kernel[0] * kernel[1], dtype)
    per_axis = []
    for n, o, k, s, p in zip(shape[2:], size, kernel, stride, padding, strict=True):
        start = np.arange(o) * s - p
        per_axis.append(np.minimum(start + k, n) - np.maximum(start, 0))
    return np.outer(*per_axis).astype(dtype)
