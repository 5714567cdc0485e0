"""What kernels refuse: shapes, dtypes and windows that do not fit, checked by both backends alike.

Lecture 08 meets these messages; a kernel calls its checks before it touches any memory.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.kernels.geometry import Pair, Window, output_size, reach

Arrays = Sequence[np.ndarray]


# ---- convolution and what all share ----------------------------------------------------------


def output_shape(shape: tuple[int, ...], kernel: Pair, window: Window, where: str) -> Pair:
    """(OH, OW) for images of ``shape`` (N, C, H, W), or an error that says why there is no output.

    Raises
    ------
    ValueError
        If a stride or dilation is not positive, a padding is negative, or the window, spread by
        its dilation, is larger than the padded image.
    """
    stride, padding, dilation = window.stride, window.padding, window.dilation
    if min(stride) < 1 or min(dilation) < 1 or min(padding) < 0 or min(kernel) < 1:
        raise ValueError(
            f"{where}: kernel size, stride and dilation must be at least 1 and padding at least 0, "
            f"got kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}."
        )
    size = tuple(
        output_size(n, k, s, p, d)
        for n, k, s, p, d in zip(shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    if min(size) < 1:
        rows, columns = reach(kernel, dilation)
        padded = tuple(n + 2 * p for n, p in zip(shape[2:], padding, strict=True))
        raise ValueError(
            f"{where}: a window of {rows}×{columns} pixels (kernel {kernel}, dilation "
            f"{dilation}) does not fit into an image of {padded[0]}×{padded[1]} (size "
            f"{tuple(shape[2:])}, padding {padding}); use a smaller kernel or more padding."
        )
    return size[0], size[1]


def check_conv(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], window: Window, where: str
) -> Pair:
    """Check a convolution of images (N, C, H, W) with filters (F, C/groups, kh, kw).

    Returns (OH, OW), the size of the output images.
    """
    if len(x_shape) != 4 or len(w_shape) != 4:
        raise ValueError(
            f"{where} takes images (N, C, H, W) and filters (F, C/groups, kh, kw), "
            f"got shapes {tuple(x_shape)} and {tuple(w_shape)}."
        )
    groups = window.groups
    channels, filters, per_group = x_shape[1], w_shape[0], w_shape[1]
    if groups < 1 or channels % groups or filters % groups:
        raise ValueError(
            f"{where}: groups must divide the {channels} channels of the images and the "
            f"{filters} filters, got groups={groups}."
        )
    if channels != per_group * groups:
        raise ValueError(
            f"{where}: images of shape {tuple(x_shape)} have {channels} channels, but filters of "
            f"shape {tuple(w_shape)} with groups={groups} read {per_group * groups}."
        )
    return output_shape(x_shape, (w_shape[2], w_shape[3]), window, where)


def check_conv_gradient(
    g_shape: tuple[int, ...],
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    window: Window,
    where: str,
) -> Pair:
    """Check that ``g`` has the shape of conv2d's output for these images and filters."""
    size = check_conv(x_shape, w_shape, window, where)
    expected = (x_shape[0], w_shape[0], *size)
    if tuple(g_shape) != expected:
        raise ValueError(
            f"{where}: conv2d takes {tuple(x_shape)} to {expected} with filters {tuple(w_shape)}, "
            f"{_describe(window)}; got an array of shape {tuple(g_shape)} in the output's place."
        )
    return size


def _describe(window: Window) -> str:
    return ", ".join(f"{name} {value}" for name, value in window._asdict().items())


def check_dtypes(where: str, **arrays: np.ndarray | None) -> None:
    """Refuse a mixture of real dtypes, which would be promoted silently.

    Complex arrays may meet real ones: that is how a complex step measures a derivative.

    Raises
    ------
    TypeError
        If an array is not of floating-point or complex dtype, or two real dtypes differ.
    """
    first = None
    for name, array in arrays.items():
        if array is None:
            continue
        kind = array.dtype.kind
        if kind == "c":
            continue
        if kind != "f":
            raise TypeError(
                f"{where} takes floating-point arrays, got {name} of dtype {array.dtype}; "
                f"convert it with {name}.astype('float32')."
            )
        if first is None:
            first = name, array.dtype
        elif array.dtype != first[1]:
            raise TypeError(
                f"{where}: {first[0]} is {first[1]} but {name} is {array.dtype}; "
                "convert one of them with .astype() so that both agree."
            )


def check_epilogue(where: str, features: int, bias: Any, slope: float | None) -> None:
    """Check the bias and the negative slope that follow a convolution or a product."""
    if bias is not None and bias.shape != (features,):
        raise ValueError(
            f"{where}: bias must have shape ({features},), one value for each output channel, "
            f"got {bias.shape}."
        )
    check_slope(where, slope)


def check_slope(where: str, slope: float | None) -> None:
    """Refuse a negative slope: the output would no longer tell on which side the input was."""
    if slope is not None and not slope >= 0:
        raise ValueError(f"{where}: the slope for negative values must be at least 0, got {slope}.")


# ---- normalization ---------------------------------------------------------------------------


def check_statistics(where: str, x: np.ndarray) -> None:
    """Refuse an empty batch: it has no mean."""
    if x.size == 0:
        raise ValueError(
            f"{where}: a batch of shape {x.shape} has no values, so no mean and no variance."
        )


def check_activation_output(
    where: str, g: np.ndarray, y: np.ndarray | None, slope: float | None
) -> None:
    """Check that a backward pass through an activation has the output it needs."""
    check_slope(where, slope)
    if slope is not None and (y is None or y.shape != g.shape):
        raise ValueError(
            f"{where}: with slope={slope} the output y is needed, of shape {g.shape}, "
            f"got {None if y is None else y.shape}."
        )


# ---- one value per channel -------------------------------------------------------------------


def check_channels(where: str, x: np.ndarray, **vectors: np.ndarray) -> None:
    """Check that ``x`` is (N, C) or (N, C, H, W) and that every vector has shape (C,)."""
    if x.ndim not in (2, 3, 4):
        raise ValueError(f"{where} takes (N, C) or (N, C, H, W), got shape {x.shape}.")
    for name, v in vectors.items():
        if v.shape != (x.shape[1],):
            raise ValueError(
                f"{where}: {name} must have shape ({x.shape[1]},), one value for each channel of "
                f"{x.shape}, got {v.shape}."
            )


# ---- linear layers ---------------------------------------------------------------------------


def check_linear_backward(g: np.ndarray, y: np.ndarray, x: np.ndarray, w: np.ndarray) -> None:
    """Check that gradient and value of an output belong to this input and weight."""
    check_product("linear_backward", x, w, (1, 1), "x (B, K) and w (O, K)")
    if not g.shape == y.shape == (len(x), len(w)):
        raise ValueError(
            f"linear_backward: g and y must have the output's shape {(len(x), len(w))}, got "
            f"{g.shape} and {y.shape}."
        )


def check_product(
    where: str, a: np.ndarray, b: np.ndarray, axes: tuple[int, int], takes: str
) -> None:
    """Check that two matrices agree in the axes that the product sums over."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[axes[0]] != b.shape[axes[1]]:
        raise ValueError(f"{where} takes {takes}, got shapes {a.shape} and {b.shape}.")


# ---- losses ----------------------------------------------------------------------------------


def as_probabilities(z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Check classes and shapes, and return targets as an (N, K) array of probabilities."""
    if z.ndim != 2:
        raise ValueError(f"softmax_cross_entropy takes logits of shape (N, K), got {z.shape}.")
    if target.dtype.kind not in "iu":
        check_same_shape("softmax_cross_entropy", z, target)
        return target
    if target.shape != z.shape[:1]:
        raise ValueError(
            f"softmax_cross_entropy: {z.shape[0]} rows of logits need classes of shape "
            f"({z.shape[0]},), got {target.shape}."
        )
    if target.size and not (target.min() >= 0 and target.max() < z.shape[1]):
        raise ValueError(
            f"softmax_cross_entropy: classes must lie in 0..{z.shape[1] - 1} for {z.shape[1]} "
            f"logits, got values from {target.min()} to {target.max()}."
        )
    one_hot = np.zeros_like(z)
    one_hot[np.arange(len(z)), target] = 1
    return one_hot


def check_same_shape(where: str, a: np.ndarray, b: np.ndarray) -> None:
    """Refuse shapes that would broadcast: (N, 1) against (N,) would become (N, N)."""
    if a.shape != b.shape:
        raise ValueError(
            f"{where}: prediction and target must have one shape, got {a.shape} and {b.shape}; "
            "reshape one of them."
        )


# ---- pooling ---------------------------------------------------------------------------------


def check_pooling(
    where: str, x: np.ndarray, kernel: Pair, window: Window, ceil_mode: bool = False
) -> Pair:
    """Check a pooling window and return the size of the output images."""
    if x.ndim != 4 or 0 in x.shape[2:]:
        raise ValueError(
            f"{where} takes images (N, C, H, W) of at least one pixel, got shape {x.shape}."
        )
    stride, padding, dilation, _ = window
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(
            f"{where}: padding {padding} is more than half of the kernel {kernel}, so some windows "
            "would see nothing of the image."
        )
    size = _rounded_up(x.shape, kernel, window) if ceil_mode and min(stride) > 0 else (0, 0)
    if min(size) < 1:  # rounded down, or there are none at all and this says why
        size = output_shape(x.shape, kernel, window, where)
    if dilation != (1, 1):
        for n, o, s, p, d in zip(x.shape[2:], size, stride, padding, dilation, strict=True):
            first = np.arange(o) * s - p
            first = np.where(first < 0, first % d, first)  # of a window's pixels, the first inside
            if first.max() >= n:
                raise ValueError(
                    f"{where}: with dilation {dilation} and padding {padding} some windows would "
                    f"see nothing of an image of {x.shape[2]}×{x.shape[3]} pixels."
                )
    return size


def _rounded_up(shape: tuple[int, ...], kernel: Pair, window: Window) -> Pair:
    """The number of windows if the last may reach beyond the padding."""
    size = []
    for n, k, s, p, d in zip(shape[2:], kernel, *window[:3], strict=True):
        most = output_size(n + s - 1, k, s, p, d)
        # a last window that begins in the padding, or beyond, would see nothing of the image
        size.append(most if (most - 1) * s < n + p else most - 1)
    return size[0], size[1]


# ---- optimiser steps -------------------------------------------------------------------------


def check_lengths(where: str, params: Arrays, **others: Arrays | None) -> None:
    """Check that every list has one array for each parameter."""
    for name, arrays in others.items():
        if arrays is not None and len(arrays) != len(params):
            raise ValueError(
                f"{where}: {name} must hold one array for each of {len(params)} parameters, "
                f"got {len(arrays)}."
            )


def check_arrays(where: str, params: Arrays, **others: Arrays | None) -> None:
    """Check that every list has an array like each parameter."""
    check_lengths(where, params, **others)
    for name, arrays in others.items():
        for i, (a, p) in enumerate(zip(arrays or (), params, strict=False)):
            if a.shape != p.shape or a.dtype != p.dtype:
                raise ValueError(
                    f"{where}: {name}[{i}] must be of shape {p.shape} and dtype {p.dtype} like the "
                    f"parameter, got shape {a.shape} and dtype {a.dtype}."
                )
