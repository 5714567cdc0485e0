"""Convolutions with few output channels, compiled: the layers that end in an image.

One or three output channels would fill one or three lanes of sixteen. Here the *taps* fill them: a
product of every source pixel with the whole filter gives the patch of (taps × channels) that this
pixel paints, and the patches are added up where they overlap. That is the transposed convolution
as lecture 08 defines it. A convolution of stride 1 can be painted too: output u receives tap i from
pixel u - p + i·d, so pixel h paints tap i on output h + p - i·d, which is a filter turned round.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import prange

from nnlite.kernels.fast.activations import activate, factor
from nnlite.kernels.fast.arrays import channels_last, padded_bias, scratch
from nnlite.kernels.fast.compiling import loop, threaded
from nnlite.kernels.fast.elementary import ONE
from nnlite.kernels.fast.gather import MOST_ROWS
from nnlite.kernels.fast.product import (
    ROWS,
    WIDTH,
    fill_rows,
    multiply,
    pack_rows,
    padded_width,
)
from nnlite.kernels.fast.tile import Epilogue, Rows, Terms, Weights
from nnlite.kernels.geometry import Window


class Brush(NamedTuple):
    """Where source pixel (u, v) paints tap (i, j): at (u, v)·step + begin + (i, j)·tap."""

    step: tuple[int, int]
    begin: tuple[int, int]
    tap: tuple[int, int]
    kernel: tuple[int, int]


def pays(channels: int, taps: int) -> bool:
    """Whether painting at least halves the lanes in use, compared with gathering."""
    return 2 * padded_width(channels * taps) <= padded_width(channels) * taps


def paint_transposed(
    g: np.ndarray, w: np.ndarray, shape: tuple[int, ...], window: Window, bias: Any, slope: Any,
    nt: int,
) -> np.ndarray:  # fmt: skip
    """The transposed convolution of g (N, F, OH, OW) with filters (F, C, kh, kw)."""
    f, c, kh, kw = w.shape
    patch = w.transpose(0, 2, 3, 1).reshape(f, kh * kw * c)
    begin = -window.padding[0], -window.padding[1]
    brush = Brush(window.stride, begin, window.dilation, (kh, kw))
    return _paint(g, patch, brush, shape, bias, slope, nt)


def paint_conv(
    x: np.ndarray, w: np.ndarray, shape: tuple[int, ...], window: Window, bias: Any, slope: Any,
    nt: int,
) -> np.ndarray:  # fmt: skip
    """The convolution of stride 1 of x (N, C, H, W) with filters (F, C, kh, kw)."""
    f, c, kh, kw = w.shape
    patch = w[:, :, ::-1, ::-1].transpose(1, 2, 3, 0).reshape(c, kh * kw * f)
    (dh, dw), (ph, pw) = window.dilation, window.padding
    begin = ph - dh * (kh - 1), pw - dw * (kw - 1)
    return _paint(x, patch, Brush((1, 1), begin, (dh, dw), (kh, kw)), shape, bias, slope, nt)


def _paint(
    x: np.ndarray, patch: np.ndarray, brush: Brush, shape: tuple[int, ...], bias: Any, slope: Any,
    nt: int,
) -> np.ndarray:  # fmt: skip
    n, channels, height, width = shape
    y = np.empty((n, height, width, channels), np.float32)
    last = channels_last(x)
    _, hx, wx, c = last.shape
    q = patch.shape[1]
    band = max(1, min(hx, MOST_ROWS // max(wx, 1)))
    size = band * wx * q
    panels, patches = scratch("weights", c * padded_width(q)), scratch("patches", size * nt)
    pack_all(np.ascontiguousarray(patch), panels)
    arguments = (
        last.reshape(-1), y, (n, hx, wx, c), *brush, padded_bias(bias, channels),
        padded_bias(None, q), factor(slope), band, panels, patches,
    )  # fmt: skip
    if nt == 1:
        paint_range(*arguments, 0, n)
    else:
        _paint_images(*arguments, size, nt)
    return y.transpose(0, 3, 1, 2)


@loop
def pack_all(matrix, panels):
    """Pack a (k, n) matrix."""
    k, n = matrix.shape
    for p in range(0, n, WIDTH):
        pack_rows(matrix.reshape(-1), 0, n, k, n, p, panels, 0, k)


@loop
def inside(n, step, begin, size):
    """The range of u with 0 <= u·step + begin < size, u < n."""
    lo = max(0, -(begin // step)) if begin < 0 else 0
    hi = min(n, (size - begin + step - 1) // step)
    return lo, max(lo, hi)


@loop
def add_patches(patches, rows, u0, wx, step, begin, tap, kernel, image):
    """Add the patches of source rows u0..u0+rows to an image (H, W, C)."""
    height, width, c = image.shape
    q = kernel[0] * kernel[1] * c
    for u in range(rows):
        for i in range(kernel[0]):
            h = (u0 + u) * step[0] + begin[0] + i * tap[0]
            if h < 0 or h >= height:
                continue
            line = image[h]
            for j in range(kernel[1]):
                left = begin[1] + j * tap[1]
                lo, hi = inside(wx, step[1], left, width)
                src = patches[(u * wx + lo) * q + (i * kernel[1] + j) * c :]
                dst = line[lo * step[1] + left :] if hi > lo else line
                for v in range(hi - lo):
                    for k in range(c):
                        dst[v * step[1], k] += src[v * q + k]


@loop
def paint_range(
    x, y, shape, step, begin, tap, kernel, bias, zeros, slope, band, panels, patches, lo, hi
):  # fmt: skip
    """Paint images lo..hi."""
    _, hx, wx, c = shape
    channels = y.shape[3]
    q = kernel[0] * kernel[1] * channels
    off = np.empty(band * wx + ROWS, np.int64)
    out = np.empty(band * wx + ROWS, np.int64)
    for n in range(lo, hi):
        image = y[n]
        for h in range(image.shape[0]):
            line = image[h]
            for v in range(line.shape[0]):
                for k in range(channels):
                    line[v, k] = bias[k]
        for u0 in range(0, hx, band):
            rows = min(band, hx - u0)
            m = rows * wx
            for r in range(m):
                off[r] = r * c
                out[r] = r * q
            fill_rows(off, m)
            fill_rows(out, m)
            multiply(
                m, q, Rows(x, off, (n * hx + u0) * wx * c), Terms(1, 0, 1, 0, c, 1),
                Weights(panels, 0, 0), Rows(patches, out, 0), Epilogue(zeros, 0, ONE, False),
            )  # fmt: skip
            add_patches(patches, rows, u0, wx, step, begin, tap, kernel, image)
        if slope != 1.0:
            act = np.float32(slope)
            for h in range(image.shape[0]):
                line = image[h]
                for v in range(line.shape[0]):
                    for k in range(channels):
                        line[v, k] = activate(line[v, k], act)


@threaded
def _paint_images(
    x, y, shape, step, begin, tap, kernel, bias, zeros, slope, band, panels, patches, size, nt
):  # fmt: skip
    n = shape[0]
    for t in prange(nt):
        paint_range(
            x, y, shape, step, begin, tap, kernel, bias, zeros, slope, band, panels,
            patches[t * size :], t * n // nt, (t + 1) * n // nt,
        )  # fmt: skip
