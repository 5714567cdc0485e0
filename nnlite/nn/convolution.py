"""Convolution layers (lecture 08): images (N, C, H, W) in, images out."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite._arguments import as_choice, as_integer
from nnlite.nn import functional as F
from nnlite.nn import init
from nnlite.nn._checks import as_pair, check_device, check_flags
from nnlite.nn._inputs import as_tensor
from nnlite.nn.functional._convolution import (
    activated_conv2d,
    activated_conv_transpose2d,
    least_size,
    named_padding,
)
from nnlite.nn.module import Module
from nnlite.nn.parameter import Parameter
from nnlite.random import RNGLike, default_rng

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What both convolutions share: a weight, a bias and the window's geometry."""

    def _set_up(
        self,
        weight_shape: tuple[int, ...],
        bias: bool,
        dtype: DTypeLike | None,
        rng: RNGLike | None,
    ) -> None:
        self.weight = Parameter(np.zeros(weight_shape), dtype=dtype)
        self.bias = Parameter(np.zeros(self.out_channels), dtype=dtype) if bias else None
        self.reset_parameters(rng)

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: Any
    output_padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int]
    groups: int
    padding_mode: str = "zeros"

    def reset_parameters(self, rng: RNGLike | None = None) -> None:
        """Draw new initial values, uniform within 1/sqrt(weight.shape[1] * kh * kw)."""
        rng = default_rng(rng)
        fan_in = math.prod(self.weight.shape[1:])
        init.fan_in_uniform_(self.weight, fan_in, rng=rng)
        if self.bias is not None:
            init.fan_in_uniform_(self.bias, fan_in, rng=rng)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"]
        parts.append(f"stride={self.stride}")
        if self.padding != (0, 0):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0, 0):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class Conv2d(_Convolution):
    """Cross-correlation of images with ``out_channels`` filters.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int or (int, int)
        ``padding`` may also be "valid" or, with stride 1, "same".
    groups : int
        Channels and filters are split into groups that do not see each other.
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
    dtype : {"float32", "float64"}, optional
    rng : seed or Generator, optional
        For the initial values.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kh, kw)
    bias : Parameter, shape (out_channels,), or None
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        rng: RNGLike | None = None,
    ) -> None:
        super().__init__()
        in_channels, out_channels, groups = _channels("Conv2d", in_channels, out_channels, groups)
        check_flags("Conv2d", bias=bias)
        check_device("Conv2d", device)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = as_pair(kernel_size, "Conv2d: kernel_size", 1)
        self.stride = as_pair(stride, "Conv2d: stride", 1)
        self.dilation = as_pair(dilation, "Conv2d: dilation", 1)
        self.padding = (
            named_padding(padding, self.kernel_size, self.stride, self.dilation)
            if isinstance(padding, str)
            else as_pair(padding, "Conv2d: padding")
        )
        self.groups = groups
        self.padding_mode = as_choice(padding_mode, "Conv2d: padding_mode", _PADDING_MODES)
        self._set_up((out_channels, in_channels // groups, *self.kernel_size), bias, dtype, rng)

    def forward(self, input: Any) -> Any:
        """(N, in_channels, H, W) -> (N, out_channels, H', W')."""
        return self._forward(input)

    def _forward(self, input: Any, slope: float | None = None) -> Any:
        padding = self.padding
        if self.padding_mode != "zeros":
            (ph, pw), padding = padding, (0, 0)
            input = F.pad(input, (pw, pw, ph, ph), mode=self.padding_mode)
        return activated_conv2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
            slope,
        )


class ConvTranspose2d(_Convolution):
    """The adjoint of :class:`Conv2d`: each input pixel paints a filter, and overlaps add up.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, output_padding, dilation : int or (int, int)
        Of the convolution it is the adjoint of; ``output_padding`` chooses among the sizes that a
        stride maps to one.
    groups : int
    bias : bool
    dtype, rng
        As in :class:`Conv2d`.

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels / groups, kh, kw)
    bias : Parameter, shape (out_channels,), or None
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        output_padding: int | tuple[int, int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | tuple[int, int] = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        rng: RNGLike | None = None,
    ) -> None:
        super().__init__()
        channels = _channels("ConvTranspose2d", in_channels, out_channels, groups)
        in_channels, out_channels, groups = channels
        check_flags("ConvTranspose2d", bias=bias)
        check_device("ConvTranspose2d", device)
        self.padding_mode = as_choice(padding_mode, "ConvTranspose2d: padding_mode", ("zeros",))
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = as_pair(kernel_size, "ConvTranspose2d: kernel_size", 1)
        self.stride = as_pair(stride, "ConvTranspose2d: stride", 1)
        self.padding = as_pair(padding, "ConvTranspose2d: padding")
        self.output_padding = as_pair(output_padding, "ConvTranspose2d: output_padding")
        self.dilation = as_pair(dilation, "ConvTranspose2d: dilation", 1)
        self.groups = groups
        self._set_up((in_channels, out_channels // groups, *self.kernel_size), bias, dtype, rng)

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """(N, in_channels, H, W) -> (N, out_channels, H', W').

        Parameters
        ----------
        input : array_like
        output_size : sequence of int, optional
            (H', W'), or the whole shape, among the sizes that a stride maps to one; it takes the
            place of ``output_padding``.
        """
        if output_size is None:
            return self._forward(input)
        padding = self._padding_for(as_tensor(input), output_size)
        return self._forward(input, output_padding=padding)

    def _forward(
        self,
        input: Any,
        slope: float | None = None,
        output_padding: tuple[int, int] | None = None,
    ) -> Any:
        return activated_conv_transpose2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding if output_padding is None else output_padding,
            self.groups,
            self.dilation,
            slope,
        )

    def _padding_for(self, x: Any, output_size: Any) -> tuple[int, int]:
        """The output_padding that leads to ``output_size``."""
        size = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * 2
        wanted = as_pair(size[2:] if len(size) == 4 else size, "ConvTranspose2d: output_size", 1)
        least = least_size(x.shape[2:], self.kernel_size, self.stride, self.padding, self.dilation)
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if not all(a <= n <= b for a, n, b in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"ConvTranspose2d: images of {x.shape[2]}×{x.shape[3]} become {least[0]} to "
                f"{most[0]} rows and {least[1]} to {most[1]} columns; got output_size={wanted}."
            )
        return wanted[0] - least[0], wanted[1] - least[1]


def _channels(where: str, in_channels: Any, out_channels: Any, groups: Any) -> tuple[int, int, int]:
    """Numbers of channels and groups that fit each other."""
    in_channels = as_integer(in_channels, f"{where}: in_channels", 1)
    out_channels = as_integer(out_channels, f"{where}: out_channels", 1)
    groups = as_integer(groups, f"{where}: groups", 1)
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{where}: groups must divide both numbers of channels; got groups={groups}, "
            f"in_channels={in_channels}, out_channels={out_channels}."
        )
    return in_channels, out_channels, groups
