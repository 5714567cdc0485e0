"""Pooling, compiled: twins of ``reference/pooling.py``."""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.checks import check_pooling
from nnlite.kernels.fast.arrays import all_float32, channels_last, contiguous
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.twins import twin
from nnlite.kernels.geometry import Pair, Window

__all__ = ["avg_pool2d", "avg_pool2d_backward", "max_pool2d", "max_pool2d_backward"]


def pair(a: Any) -> Pair:
    """Two plain integers: to Numba a list or NumPy integers would be another type."""
    return int(a[0]), int(a[1])


@twin(reference.max_pool2d)
def max_pool2d(
    x: Any, kernel: Any, stride: Any = None, padding: Any = (0, 0), dilation: Any = (1, 1),
    ceil_mode: Any = False,
) -> Any:  # fmt: skip
    if not all_float32(x):
        return reference.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode)
    kernel, padding, dilation = pair(kernel), pair(padding), pair(dilation)
    stride = kernel if stride is None else pair(stride)
    size = check_pooling("max_pool2d", x, kernel, Window(stride, padding, dilation), ceil_mode)
    n, c, _, _ = x.shape
    y = np.empty((n, *size, c), np.float32)
    index = np.empty((n, *size, c), np.int64)
    _max_pool(channels_last(x), y, index, kernel, stride, padding, dilation, threads(x.size))
    return y.transpose(0, 3, 1, 2), index.transpose(0, 3, 1, 2)


@twin(reference.max_pool2d_backward)
def max_pool2d_backward(g: Any, index: Any, input_shape: Any) -> Any:
    n, c, h, w = input_shape
    fits = g.shape == index.shape and g.shape[:2] == (n, c) and index.dtype == np.int64
    if not fits or not all_float32(g):
        return reference.max_pool2d_backward(g, index, input_shape)
    if index.size and not (index.min() >= 0 and index.max() < h * w):
        raise ValueError(
            f"max_pool2d_backward: the index runs from {index.min()} to {index.max()}, outside "
            f"images of {h}×{w} pixels."
        )
    dx = np.zeros((n, h, w, c), np.float32)
    flat = (n, g.shape[2] * g.shape[3], c)  # no -1: there may be no images
    where = contiguous(index.transpose(0, 2, 3, 1)).reshape(flat)
    gradient = channels_last(g).reshape(flat)
    _max_pool_back(gradient, where, dx.reshape(n, h * w, c), threads(g.size))
    return dx.transpose(0, 3, 1, 2)


@twin(reference.avg_pool2d)
def avg_pool2d(
    x: Any, kernel: Any, stride: Any = None, padding: Any = (0, 0), count_include_pad: Any = True,
    ceil_mode: Any = False, divisor_override: Any = None,
) -> Any:  # fmt: skip
    if not all_float32(x):
        return reference.avg_pool2d(
            x, kernel, stride, padding, count_include_pad, ceil_mode, divisor_override
        )
    kernel, padding = pair(kernel), pair(padding)
    stride = kernel if stride is None else pair(stride)
    size = check_pooling("avg_pool2d", x, kernel, Window(stride, padding), ceil_mode)
    y = np.zeros((len(x), *size, x.shape[1]), np.float32)
    include, divisor = bool(count_include_pad), divisor_override or 0
    last = channels_last(x)
    _avg_pool(last, y, kernel, stride, padding, include, divisor, False, threads(x.size))
    return y.transpose(0, 3, 1, 2)


@twin(reference.avg_pool2d_backward)
def avg_pool2d_backward(
    g: Any, input_shape: Any, kernel: Any, stride: Any = None, padding: Any = (0, 0),
    count_include_pad: Any = True, ceil_mode: Any = False, divisor_override: Any = None,
) -> Any:  # fmt: skip
    kernel, padding = pair(kernel), pair(padding)
    stride = kernel if stride is None else pair(stride)
    n, c, h, w = input_shape
    x = np.broadcast_to(np.zeros((), g.dtype), (n, c, h, w))
    size = check_pooling("avg_pool2d_backward", x, kernel, Window(stride, padding), ceil_mode)
    if g.shape != (n, c, *size) or not all_float32(g):
        return reference.avg_pool2d_backward(
            g, input_shape, kernel, stride, padding, count_include_pad, ceil_mode, divisor_override
        )
    dx = np.zeros((n, h, w, c), np.float32)
    include, divisor = bool(count_include_pad), divisor_override or 0
    last = channels_last(g)
    _avg_pool(dx, last, kernel, stride, padding, include, divisor, True, threads(dx.size))
    return dx.transpose(0, 3, 1, 2)


@loop
def take_larger(pixel, position, best, index):
    """Let a pixel's channels replace those in ``best`` that are smaller; the first NaN wins."""
    for k in range(best.size):
        a, b = pixel[k], best[k]
        if a > b or (a != a and b == b):
            best[k] = a
            index[k] = position


@loop
def first_inside(start, step):
    """The first of start, start + step, ... that is not negative."""
    return start if start >= 0 else start % step


@loop
def max_pool_images(x, y, index, kernel, stride, padding, dilation):
    """Pool images (N, H, W, C)."""
    _, h, w, _ = x.shape
    for n in range(len(x)):
        for u in range(y.shape[1]):
            top = u * stride[0] - padding[0]
            for v in range(y.shape[2]):
                left = v * stride[1] - padding[1]
                i0, j0 = first_inside(top, dilation[0]), first_inside(left, dilation[1])
                best, where = y[n, u, v], index[n, u, v]
                best[:] = x[n, i0, j0]
                where[:] = i0 * w + j0
                for i in range(i0, min(top + kernel[0] * dilation[0], h), dilation[0]):
                    for j in range(j0, min(left + kernel[1] * dilation[1], w), dilation[1]):
                        take_larger(x[n, i, j], i * w + j, best, where)


@threaded
def _max_pool(x, y, index, kernel, stride, padding, dilation, nt):
    n = len(x)
    if nt == 1:
        max_pool_images(x, y, index, kernel, stride, padding, dilation)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            max_pool_images(x[lo:hi], y[lo:hi], index[lo:hi], kernel, stride, padding, dilation)


@loop
def max_pool_back(g, index, dx):
    """Send gradients (N, outputs, C) to the pixels (N, pixels, C) that won."""
    for n in range(len(g)):
        image = dx[n]
        for r in range(g.shape[1]):
            row, where = g[n, r], index[n, r]
            for k in range(row.size):
                image[where[k], k] += row[k]


@threaded
def _max_pool_back(g, index, dx, nt):
    n = len(g)
    if nt == 1:
        max_pool_back(g, index, dx)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            max_pool_back(g[lo:hi], index[lo:hi], dx[lo:hi])


@loop
def add_scaled(src, scale, dst):
    for k in range(dst.size):
        dst[k] += src[k] * scale


@loop
def avg_pool_images(x, y, kernel, stride, padding, include_pad, divisor, back):
    """Average the windows of images (N, H, W, C) into y, or spread y back over them."""
    _, h, w, _ = x.shape
    for n in range(len(x)):
        for u in range(y.shape[1]):
            top = u * stride[0] - padding[0]
            i0, i1 = max(top, 0), min(top + kernel[0], h)
            for v in range(y.shape[2]):
                left = v * stride[1] - padding[1]
                j0, j1 = max(left, 0), min(left + kernel[1], w)
                count = divisor
                if include_pad and divisor == 0:  # the padding counts, what lies beyond does not
                    below, right = min(top + kernel[0], h + padding[0]), left + kernel[1]
                    count = (below - top) * (min(right, w + padding[1]) - left)
                elif divisor == 0:
                    count = (i1 - i0) * (j1 - j0)
                share = np.float32(1.0 / count)
                for i in range(i0, i1):
                    for j in range(j0, j1):
                        if back:
                            add_scaled(y[n, u, v], share, x[n, i, j])
                        else:
                            add_scaled(x[n, i, j], share, y[n, u, v])


@threaded
def _avg_pool(x, y, kernel, stride, padding, include_pad, divisor, back, nt):
    n = len(x)
    if nt == 1:
        avg_pool_images(x, y, kernel, stride, padding, include_pad, divisor, back)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            avg_pool_images(x[lo:hi], y[lo:hi], kernel, stride, padding, include_pad, divisor, back)
