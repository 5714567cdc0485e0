"""Pooling of images (lecture 08)."""

from typing import Any

import numpy as np

from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_pair, check_flags, is_integer
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
    check_divisor("avg_pool2d", divisor_override)
    kernel = as_pair(kernel_size, "avg_pool2d: kernel_size", 1)
    return pooling.avg_pool2d(
        x,
        kernel=kernel,
        stride=kernel if stride is None else as_pair(stride, "avg_pool2d: stride", 1),
        padding=as_pair(padding, "avg_pool2d: padding"),
        count_include_pad=bool(count_include_pad),
        ceil_mode=bool(ceil_mode),
        divisor_override=divisor_override,
    )


def check_divisor(where: str, divisor: Any) -> None:
    """Refuse a divisor that is no positive integer (None: the size of the window)."""
    if divisor is not None and (not is_integer(divisor) or divisor < 1):
        raise ValueError(f"{where}: divisor_override must be at least 1; got {divisor!r}.")


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
    given = [m for m in (rows, columns) if m is not None]
    if not all(is_integer(m) and m >= 1 for m in given):
        raise ValueError(
            f"{where}: output_size must be an integer of at least 1 or a pair of them, where None "
            f"keeps an axis; got {output_size!r}."
        )
    return rows, columns


def _tile_means(old: int, new: int, dtype: Any) -> np.ndarray:
    """(new, old): the weight of each pixel in the mean of each tile."""
    tile, pixel = np.arange(new)[:, np.newaxis], np.arange(old)
    inside = (pixel >= tile * old // new) & (pixel < -(-(tile + 1) * old // new))
    return (inside / inside.sum(axis=1, keepdims=True)).astype(dtype)
