"""Sizes of images and windows, and the checks that both backends share (lecture 08).

A window of ``k`` taps, ``d`` apart, on an axis of ``n`` pixels padded with ``p`` zeros on either
side and moved in steps of ``s`` gives ``floor((n + 2p - d(k-1) - 1)/s) + 1`` outputs. The
transposed convolution goes back: since ``s`` consecutive sizes share one output size, it has to be
told which of them to return, ``(n-1)s - 2p + d(k-1) + 1 + r`` with ``0 <= r < s``.
"""

from typing import Any, NamedTuple

import numpy as np

Pair = tuple[int, int]


class Window(NamedTuple):
    """How a window moves over an image: (height, width) pairs, and the number of groups."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


def output_size(n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return the number of positions of a window on an axis (0 or less if it does not fit)."""
    return (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1


def reach(kernel: tuple[int, ...], dilation: Pair) -> Pair:
    """Return height and width of a window, spread by its dilation."""
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def output_shape(shape: tuple[int, ...], kernel: Pair, window: Window, where: str) -> Pair:
    """Return (OH, OW) for images of ``shape`` (N, C, H, W), or say why there is no output.

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
            f"got kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}"
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
            f"{tuple(shape[2:])}, padding {padding}); use a smaller kernel or more padding"
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
            f"got shapes {tuple(x_shape)} and {tuple(w_shape)}"
        )
    groups = window.groups
    channels, filters, per_group = x_shape[1], w_shape[0], w_shape[1]
    if groups < 1 or channels % groups or filters % groups:
        raise ValueError(
            f"{where}: groups must divide the {channels} channels of the images and the "
            f"{filters} filters, got groups={groups}"
        )
    if channels != per_group * groups:
        raise ValueError(
            f"{where}: images of shape {tuple(x_shape)} have {channels} channels, but filters of "
            f"shape {tuple(w_shape)} with groups={groups} read {per_group * groups}"
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
            f"{_describe(window)}; got an array of shape {tuple(g_shape)} in the output's place"
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
                f"convert it with {name}.astype('float32')"
            )
        if first is None:
            first = name, array.dtype
        elif array.dtype != first[1]:
            raise TypeError(
                f"{where}: {first[0]} is {first[1]} but {name} is {array.dtype}; "
                "convert one of them with .astype() so that both agree"
            )


def check_epilogue(where: str, features: int, bias: Any, slope: float | None) -> None:
    """Check the bias and the negative slope that follow a convolution or a product."""
    if bias is not None and bias.shape != (features,):
        raise ValueError(
            f"{where}: bias must have shape ({features},), one value for each output channel, "
            f"got {bias.shape}"
        )
    check_slope(where, slope)


def check_slope(where: str, slope: float | None) -> None:
    """Refuse a negative slope: the output would no longer tell on which side the input was."""
    if slope is not None and not slope >= 0:
        raise ValueError(f"{where}: the slope for negative values must be at least 0, got {slope}")
