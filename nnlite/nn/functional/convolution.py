"""Convolution and its adjoint (lecture 08)."""

from typing import Any

import numpy as np

from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_input, as_pair, as_tensor, check_images
from nnlite.ops import image


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    slope: float | None = None,
) -> Tensor:
    """Convolve images (N, C, H, W) with filters (F, C/groups, kh, kw).

    ``padding`` may be "same" (odd reach, stride 1) or "valid". ``slope`` fuses a LeakyReLU behind
    it.
    """
    weight = as_tensor(weight)
    x = as_input(input, weight.dtype, "conv2d")
    check_images("conv2d", x)
    dilation = as_pair(dilation, "conv2d: dilation", 1)
    stride = as_pair(stride, "conv2d: stride", 1)
    if isinstance(padding, str):
        padding = named_padding(padding, weight.shape[2:], stride, dilation)
    return image.conv2d(
        x,
        weight,
        bias,
        stride=stride,
        padding=as_pair(padding, "conv2d: padding"),
        dilation=dilation,
        groups=groups,
        slope=slope,
    )


def named_padding(
    name: str, kernel: tuple[int, ...], stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[int, int]:
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
    slope: float | None = None,
) -> Tensor:
    """The adjoint of :func:`conv2d`: images (N, C, H, W), ``weight`` (C, F/groups, kh, kw).

    The result has (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1 rows.
    """
    weight = as_tensor(weight)
    x: Any = as_input(input, weight.dtype, "conv_transpose2d")
    check_images("conv_transpose2d", x)
    if weight.ndim != 4:
        raise ValueError(
            f"conv_transpose2d: the weight must be (C, F/groups, kh, kw); got shape {weight.shape}."
        )
    if x.shape[1] != weight.shape[0]:
        raise ValueError(
            f"conv_transpose2d: images of shape {x.shape} have {x.shape[1]} channels, the weight "
            f"of shape {weight.shape} takes {weight.shape[0]}."
        )
    if groups < 1 or x.shape[1] % groups:
        raise ValueError(
            f"conv_transpose2d: groups must divide the {x.shape[1]} channels of the images; "
            f"got groups={groups}."
        )
    filters = weight.shape[1] * groups
    bias = None if bias is None else as_tensor(bias)
    if bias is not None and bias.shape != (filters,):
        raise ValueError(
            f"conv_transpose2d: bias must have shape ({filters},), one value for each output "
            f"channel; got {bias.shape}."
        )
    stride = as_pair(stride, "conv_transpose2d: stride", 1)
    padding = as_pair(padding, "conv_transpose2d: padding")
    dilation = as_pair(dilation, "conv_transpose2d: dilation", 1)
    extra = as_pair(output_padding, "conv_transpose2d: output_padding")
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(
            f"conv_transpose2d: output_padding must be smaller than stride or dilation; "
            f"got {extra}, stride {stride}, dilation {dilation}."
        )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(
            x.shape[2:], stride, padding, dilation, weight.shape[2:], extra, strict=True
        )
    )
    if min(size) < 1:
        raise ValueError(
            f"conv_transpose2d: images of {x.shape[2]}×{x.shape[3]} would become "
            f"{size[0]}×{size[1]} "
            f"with a kernel of {weight.shape[2]}×{weight.shape[3]}, stride {stride}, padding "
            f"{padding}, dilation {dilation}; use less padding or a larger kernel."
        )
    # From a stride on, output_padding shows pixels that the next image rows would have reached:
    # with zeros there, they are the adjoint of a convolution again.
    beyond = tuple(e // s for e, s in zip(extra, stride, strict=True))
    if any(beyond):
        x = np.pad(x, ((0, 0), (0, 0), (0, beyond[0]), (0, beyond[1])))
    return image.conv2d_input_grad(
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
