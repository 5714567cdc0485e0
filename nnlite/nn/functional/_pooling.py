"""Pooling of images (lecture 08)."""

import operator
from typing import Any

import numpy as np

from nnlite._arguments import as_integer, is_integer, wrong_kind, wrong_value
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_pair, check_flags
from nnlite.nn._inputs import as_floats, check_images
from nnlite.ops import pooling


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest value of each window; with ``return_indices`` also its position ``h * W + w``."""
    x = as_floats(input)
    check_images("max_pool2d", x)
    check_flags("max_pool2d", ceil_mode=ceil_mode, return_indices=return_indices)
    kernel = as_pair(kernel_size, "max_pool2d: kernel_size", 1)
    window: dict[str, Any] = {
        "kernel": kernel,
        "stride": kernel if stride is None else as_pair(stride, "max_pool2d: stride", 1),
        "padding": as_pair(padding, "max_pool2d: padding"),
        "dilation": as_pair(dilation, "max_pool2d: dilation", 1),
        "ceil_mode": ceil_mode,
    }
    if not return_indices:
        return pooling.max_pool2d(x, **window)
    index = pooling.largest_positions(x.data, **window)
    return pooling.pick_pixels(x, index=index), Tensor(index)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Mean of each window; padding is zeros, which count in the mean unless told otherwise."""
    x = as_floats(input)
    check_images("avg_pool2d", x)
    check_flags("avg_pool2d", ceil_mode=ceil_mode, count_include_pad=count_include_pad)
    divisor = as_divisor("avg_pool2d", divisor_override)
    kernel = as_pair(kernel_size, "avg_pool2d: kernel_size", 1)
    return pooling.avg_pool2d(
        x,
        kernel=kernel,
        stride=kernel if stride is None else as_pair(stride, "avg_pool2d: stride", 1),
        padding=as_pair(padding, "avg_pool2d: padding"),
        count_include_pad=bool(count_include_pad),
        ceil_mode=bool(ceil_mode),
        divisor_override=divisor,
    )


def as_divisor(where: str, divisor: Any) -> int | None:
    """What sums are divided by; None is the size of the window."""
    return None if divisor is None else as_integer(divisor, f"{where}: divisor_override", 1)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """Mean of (rows, columns) tiles that cover the image, however large it is.

    Tile ``i`` of ``m`` goes from pixel ``floor(i n / m)`` to ``ceil((i + 1) n / m)`` of ``n``.
    None leaves an axis as it is.
    """
    x = as_floats(input)
    check_images("adaptive_avg_pool2d", x)
    wanted = as_tiles("adaptive_avg_pool2d", output_size)
    if min(x.shape[2:]) < 1:
        raise ValueError(f"adaptive_avg_pool2d: no pixels in images of shape {x.shape}.")
    size = [n if m is None else m for n, m in zip(x.shape[2:], wanted, strict=True)]
    rows, columns = (_tile_means(n, m, x.dtype) for n, m in zip(x.shape[2:], size, strict=True))
    return rows @ x @ columns.T


def as_tiles(where: str, output_size: Any) -> tuple[int | None, int | None]:
    """Numbers of rows and columns, of which None leaves an axis as it is."""
    pair = isinstance(output_size, tuple | list) and len(output_size) == 2
    rows, columns = output_size if pair else (output_size, output_size)
    wanted = "an integer of at least 1 or a pair of them, where None keeps an axis"
    if not all(m is None or is_integer(m) for m in (rows, columns)):
        raise wrong_kind(output_size, f"{where}: output_size", wanted)
    rows, columns = (None if m is None else operator.index(m) for m in (rows, columns))
    if not all(m is None or m >= 1 for m in (rows, columns)):
        raise wrong_value(output_size, f"{where}: output_size", wanted)
    return rows, columns


def _tile_means(old: int, new: int, dtype: Any) -> np.ndarray:
    """(new, old): the weight of each pixel in the mean of each tile."""
    tile, pixel = np.arange(new)[:, np.newaxis], np.arange(old)
    inside = (pixel >= tile * old // new) & (pixel < -(-(tile + 1) * old // new))
    return (inside / inside.sum(axis=1, keepdims=True)).astype(dtype)
