"""Convolution and its two gradients in NumPy: the text of lecture 08.

``T(x, w, g) = <conv2d(x, w), g>`` is linear in each of its three arguments. Its three partial
gradients are three convolutions, and there is no fourth:

    dT/dg = conv2d(x, w)    dT/dx = conv2d_input_grad(g, w)    dT/dw = conv2d_weight_grad(x, g)

So the derivative of any one of them, to any order, is written with the other two. The second is
the *transposed convolution* of generators; it is the adjoint, not the inverse, of the first.

All arrays are indexed (N, C, H, W); results are stored with the channels last, which is the order
in which ``tensordot`` delivers them and the fast kernels compute.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnlite.kernels.checks import check_conv, check_conv_gradient, check_dtypes, check_epilogue
from nnlite.kernels.geometry import Pair, Window, reach
from nnlite.kernels.reference.activations import leaky_relu

__all__ = ["conv2d", "conv2d_input_grad", "conv2d_weight_grad"]


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
    bias: np.ndarray | None = None,
    slope: float | None = None,
) -> np.ndarray:
    """Cross-correlate images with filters, then add a bias and activate.

    ``y[n, f, oh, ow] = sum_{c,i,j} x[n, c, oh s - p + i d, ow s - p + j d] w[f, c, i, j]``, with
    zeros outside the image. Deep learning calls this convolution; signal processing flips the
    filter.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images, any strides.
    w : ndarray, shape (F, C / groups, kh, kw)
        Filters, of the dtype of ``x``.
    stride, padding, dilation : (int, int)
        Step of the window, zeros added on every side, distance of its taps; (height, width).
    groups : int
        Channels and filters are split into this many groups which do not see each other.
    bias : ndarray, shape (F,), optional
        Added to the result.
    slope : float, optional
        Leaky ReLU's slope for negative values, applied after the bias (0: ReLU); None for no
        activation.

    Returns
    -------
    ndarray, shape (N, F, OH, OW)
        A view of a buffer with the channels last.

    Raises
    ------
    ValueError
        If shapes do not fit together or the window does not fit into the image.
    TypeError
        If dtypes differ or are not floating point.
    """
    window = Window(stride, padding, dilation, groups)
    check_conv(x.shape, w.shape, window, "conv2d")
    check_dtypes("conv2d", x=x, w=w, bias=bias)
    check_epilogue("conv2d", len(w), bias, slope)
    # For each group: (N, C, OH, OW, kh, kw) · (F, C, kh, kw) -> (N, OH, OW, F)
    parts = [
        np.tensordot(windows(xg, w.shape[2:], window), wg, axes=([1, 4, 5], [1, 2, 3]))
        for xg, wg in zip(_split(x, groups, 1), _split(w, groups, 0), strict=True)
    ]
    return _epilogue(_join(parts), bias, slope)


def conv2d_input_grad(
    g: np.ndarray,
    w: np.ndarray,
    input_shape: tuple[int, ...],
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
    bias: np.ndarray | None = None,
    slope: float | None = None,
) -> np.ndarray:
    """The adjoint of :func:`conv2d` in its images: the transposed convolution.

    Every value of ``g`` paints its filter, times the value, onto the image where conv2d's window
    stood; where windows overlap, the paint adds up.

    Parameters
    ----------
    g : ndarray, shape (N, F, OH, OW)
        Gradient of conv2d's output; the *input* of a transposed convolution.
    w : ndarray, shape (F, C / groups, kh, kw)
        conv2d's filters; the layout of a transposed convolution's weight.
    input_shape : (int, int, int, int)
        (N, C, H, W) of the result. It must be told: with a stride, several sizes lead to one (OH,
        OW).
    stride, padding, dilation, groups
        As in conv2d.
    bias : ndarray, shape (C,), optional
        Added to the result.
    slope : float, optional
        Leaky ReLU's slope for negative values, applied after the bias; None for no activation.

    Returns
    -------
    ndarray, shape ``input_shape``
    """
    window = Window(stride, padding, dilation, groups)
    size = check_conv_gradient(g.shape, input_shape, w.shape, window, "conv2d_input_grad")
    check_dtypes("conv2d_input_grad", g=g, w=w, bias=bias)
    check_epilogue("conv2d_input_grad", input_shape[1], bias, slope)
    n, _, h, wd = input_shape
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    parts = []
    for gg, wg in zip(_split(g, groups, 1), _split(w, groups, 0), strict=True):
        # (N, F, OH, OW) · (F, C, kh, kw) -> (N, OH, OW, C, kh, kw): what each window paints
        paint = np.tensordot(gg, wg, axes=([1], [0]))
        image = np.zeros((n, h + 2 * ph, wd + 2 * pw, wg.shape[1]), paint.dtype)
        for i in range(w.shape[2]):
            for j in range(w.shape[3]):
                rows = slice(i * dh, i * dh + (size[0] - 1) * sh + 1, sh)
                columns = slice(j * dw, j * dw + (size[1] - 1) * sw + 1, sw)
                image[:, rows, columns] += paint[..., i, j]
        parts.append(image[:, ph : ph + h, pw : pw + wd])
    return _epilogue(_join(parts), bias, slope)


def conv2d_weight_grad(
    x: np.ndarray,
    g: np.ndarray,
    weight_shape: tuple[int, ...],
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> np.ndarray:
    """The adjoint of :func:`conv2d` in its filters.

    Each tap of a filter sees a shifted copy of the image; its gradient is the inner product of that
    copy with ``g``.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        conv2d's images.
    g : ndarray, shape (N, F, OH, OW)
        Gradient of conv2d's output.
    weight_shape : (int, int, int, int)
        (F, C / groups, kh, kw) of the result.
    stride, padding, dilation, groups
        As in conv2d.

    Returns
    -------
    ndarray, shape ``weight_shape``
    """
    window = Window(stride, padding, dilation, groups)
    check_conv_gradient(g.shape, x.shape, weight_shape, window, "conv2d_weight_grad")
    check_dtypes("conv2d_weight_grad", x=x, g=g)
    # For each group: (N, F, OH, OW) · (N, C, OH, OW, kh, kw) -> (F, C, kh, kw)
    parts = [
        np.tensordot(gg, windows(xg, weight_shape[2:], window), axes=([0, 2, 3], [0, 2, 3]))
        for xg, gg in zip(_split(x, groups, 1), _split(g, groups, 1), strict=True)
    ]
    return np.concatenate(parts) if groups > 1 else parts[0]


def windows(x: np.ndarray, kernel: tuple[int, ...], window: Window) -> np.ndarray:
    """View images as the windows a filter sees: (N, C, H, W) -> (N, C, OH, OW, kh, kw), no copy."""
    (ph, pw), (sh, sw), (dh, dw) = window.padding, window.stride, window.dilation
    if ph or pw:
        x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    spread = sliding_window_view(x, reach(kernel, window.dilation), axis=(2, 3))
    return spread[:, :, ::sh, ::sw, ::dh, ::dw]


def _split(a: np.ndarray, groups: int, axis: int) -> list[np.ndarray]:
    return np.split(a, groups, axis=axis) if groups > 1 else [a]


def _join(parts: list[np.ndarray]) -> np.ndarray:
    """Put the groups' channels together again: (N, H, W, C) -> a view (N, C, H, W)."""
    y = np.concatenate(parts, axis=-1) if len(parts) > 1 else np.ascontiguousarray(parts[0])
    return y.transpose(0, 3, 1, 2)


def _epilogue(y: np.ndarray, bias: np.ndarray | None, slope: float | None) -> np.ndarray:
    """Add the bias and activate."""
    if bias is not None:
        y = y + bias[:, np.newaxis, np.newaxis]
    return y if slope is None else leaky_relu(y, slope)


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    x, w, bias = normal(n, c, size, size), normal(2 * c, c, 3, 3), normal(2 * c)
    y, thin = normal(n, 2 * c, size // 2, size // 2), normal(2 * c, 1, 3, 3)
    window = ((2, 2), (1, 1), (1, 1))
    yield conv2d, (x, w, *window, 1, bias, 0.2)
    yield conv2d, (x, w[:1])
    yield conv2d_input_grad, (y, w, x.shape, *window)
    yield conv2d_input_grad, (y, thin, (n, 1, size, size), *window)
    yield conv2d_weight_grad, (x, y, w.shape, *window)
