"""Convolution and its adjoint (lecture 08)."""

from typing import Any

import numpy as np

from nnlite._arguments import as_integer
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_pair
from nnlite.nn._inputs import (
    as_floats,
    as_input,
    channels_last_hint,
    check_images,
    checked_bias,
)
from nnlite.ops import convolution

Pair = tuple[int, int]


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve images (N, C, H, W) with filters (F, C/groups, kh, kw).

    ``padding`` may be "same" (odd reach, stride 1) or "valid".
    """
    return activated_conv2d(input, weight, bias, stride, padding, dilation, groups, None)


def activated_conv2d(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    slope: float | None,
) -> Tensor:
    """:func:`conv2d`, then LeakyReLU with this slope (0: ReLU; None: nothing), in one pass."""
    groups = as_integer(groups, "conv2d: groups", 1)
    x, weight = _images_and_filters("conv2d", input, weight, groups, axis=1)
    dilation = as_pair(dilation, "conv2d: dilation", 1)
    stride = as_pair(stride, "conv2d: stride", 1)
    if isinstance(padding, str):
        padding = named_padding(padding, weight.shape[2:], stride, dilation)
    if bias is not None:
        bias = checked_bias("conv2d", bias, weight.shape[:1], weight)
    return convolution.conv2d(
        x,
        weight,
        bias,
        stride=stride,
        padding=as_pair(padding, "conv2d: padding"),
        dilation=dilation,
        groups=groups,
        slope=slope,
    )


def _images_and_filters(
    where: str, input: Any, weight: Any, groups: int, axis: int
) -> tuple[Any, Any]:
    """Images and filters of one dtype; ``axis`` of the filters counts input channels."""
    weight = as_floats(weight, f"{where}: weight")
    size = weight.shape
    if len(size) != 4:
        wanted = "(F, C/groups, kh, kw)" if axis else "(C, F/groups, kh, kw)"
        raise ValueError(f"{where}: the weight must be {wanted}; got shape {size}.")
    channels = size[axis] * (groups if axis else 1)
    x = as_input(input, weight.dtype, where)
    check_images(where, x, channels)
    if x.shape[1] != channels:
        raise ValueError(
            f"{where}: images of shape {x.shape} have {x.shape[1]} channels, the weight of shape "
            f"{weight.shape}{f' with groups={groups}' if groups != 1 else ''} takes {channels}."
            f"{channels_last_hint(x.shape, channels)}"
        )
    return x, weight


def named_padding(name: str, kernel: tuple[int, ...], stride: Pair, dilation: Pair) -> Pair:
    """The padding called "valid" (none) or "same" (the image keeps its size)."""
    if name == "valid":
        return 0, 0
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if name != "same" or stride != (1, 1) or any(t % 2 for t in total):
        raise ValueError(
            "conv2d: padding is a number, a pair, 'valid', or 'same' with stride 1 and a kernel of "
            f"odd size; got padding={name!r}, kernel {tuple(kernel)}, stride {stride}, "
            f"dilation {dilation}."
        )
    return total[0] // 2, total[1] // 2


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The adjoint of :func:`conv2d`: images (N, C, H, W), ``weight`` (C, F/groups, kh, kw).

    The result has (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1 rows.
    """
    return activated_conv_transpose2d(
        input, weight, bias, stride, padding, output_padding, groups, dilation, None
    )


def activated_conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
    slope: float | None,
) -> Tensor:
    """:func:`conv_transpose2d`, then LeakyReLU with this slope (None: nothing), in one pass."""
    groups = as_integer(groups, "conv_transpose2d: groups", 1)
    x, weight = _images_and_filters("conv_transpose2d", input, weight, groups, axis=0)
    if x.shape[1] % groups:
        raise ValueError(
            f"conv_transpose2d: groups must divide the {x.shape[1]} channels of the images; "
            f"got groups={groups}."
        )
    filters = weight.shape[1] * groups
    if bias is not None:
        bias = checked_bias("conv_transpose2d", bias, (filters,), weight)
    stride = as_pair(stride, "conv_transpose2d: stride", 1)
    padding = as_pair(padding, "conv_transpose2d: padding")
    dilation = as_pair(dilation, "conv_transpose2d: dilation", 1)
    extra = as_pair(output_padding, "conv_transpose2d: output_padding")
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(
            f"conv_transpose2d: output_padding must be smaller than stride or dilation; "
            f"got {extra}, stride {stride}, dilation {dilation}."
        )
    least = least_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    size = least[0] + extra[0], least[1] + extra[1]
    if min(size) < 1:
        raise ValueError(
            f"conv_transpose2d: images of {x.shape[2]}×{x.shape[3]} would become "
            f"{size[0]}×{size[1]} with a kernel of {weight.shape[2]}×{weight.shape[3]}, stride "
            f"{stride}, padding {padding}, dilation {dilation}; use less padding or a larger "
            "kernel."
        )
    # From a stride on, output_padding shows pixels that the next image rows would have reached:
    # with zeros there, they are the adjoint of a convolution again.
    beyond = tuple(e // s for e, s in zip(extra, stride, strict=True))
    if any(beyond):
        x = np.pad(x, ((0, 0), (0, 0), (0, beyond[0]), (0, beyond[1])))
    return convolution.conv2d_input_grad(
        x,
        weight,
        bias,
        input_shape=(x.shape[0], filters, *size),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        slope=slope,
    )


def least_size(old: Any, kernel: Any, stride: Pair, padding: Pair, dilation: Pair) -> Pair:
    """Rows and columns of a transposed convolution without output_padding."""
    size = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1
        for n, k, s, p, d in zip(old, kernel, stride, padding, dilation, strict=True)
    ]
    return size[0], size[1]
