"""Pooling of images (lecture 08)."""

from typing import Any

from nnlite.nn import functional as F
from nnlite.nn._checks import as_pair, check_flags
from nnlite.nn.functional._pooling import as_divisor, as_tiles
from nnlite.nn.module import Module


class MaxPool2d(Module):
    """Largest value of each window.

    Parameters
    ----------
    kernel_size, stride, padding : int or (int, int)
        ``stride`` is the kernel size by default; padding never wins.
    dilation : int or (int, int)
        Distance of a window's pixels.
    return_indices : bool
        Return also where each value was: a Tensor of positions ``h * W + w``.
    ceil_mode : bool
        Whether a last window may reach beyond the image and its padding.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        _check_pooling("MaxPool2d", kernel_size, stride, padding)
        as_pair(dilation, "MaxPool2d: dilation", 1)
        check_flags("MaxPool2d", return_indices=return_indices, ceil_mode=ceil_mode)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) -> (N, C, H', W')."""
        return F.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """Mean of each window.

    Parameters
    ----------
    kernel_size, stride, padding : int or (int, int)
        ``stride`` is the kernel size by default; padding is zeros.
    ceil_mode : bool
        Whether a last window may reach beyond the image and its padding.
    count_include_pad : bool
        Whether the padding counts in the denominator.
    divisor_override : int, optional
        Divide by this instead.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        _check_pooling("AvgPool2d", kernel_size, stride, padding)
        check_flags("AvgPool2d", ceil_mode=ceil_mode, count_include_pad=count_include_pad)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = as_divisor("AvgPool2d", divisor_override)

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) -> (N, C, H', W')."""
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


def _check_pooling(where: str, kernel_size: Any, stride: Any, padding: Any) -> None:
    as_pair(kernel_size, f"{where}: kernel_size", 1)
    as_pair(padding, f"{where}: padding")
    if stride is not None:
        as_pair(stride, f"{where}: stride", 1)


class AdaptiveAvgPool2d(Module):
    """Mean of tiles, as many as ``output_size`` says: 1 gives one number for each channel.

    Parameters
    ----------
    output_size : int or (int, int)
        None, in the place of a number, keeps the axis as it is.
    """

    def __init__(self, output_size: int | tuple[int | None, int | None] | None) -> None:
        super().__init__()
        as_tiles("AdaptiveAvgPool2d", output_size)
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) -> (N, C, rows, columns)."""
        return F.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
