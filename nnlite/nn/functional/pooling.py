"""Pooling, padding and rearrangement of images (lecture 08)."""

from typing import Any

import numpy as np

from nnlite import kernels, ops
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_pair, check_choice, check_flags, check_sizes, is_integer, refusal
from nnlite.nn._inputs import as_floats, as_tensor, check_images
from nnlite.ops import image


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
        return image.max_pool2d(x, **window)
    _, index = kernels.max_pool2d(x.data, **window)
    return image.pick_pixels(x, index=index), Tensor(index)


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
    return image.avg_pool2d(
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


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """Groups of r^2 channels become r x r pixels: (N, C r^2, H, W) -> (N, C, H r, W r)."""
    x = as_tensor(input)
    check_images("pixel_shuffle", x)
    check_sizes("pixel_shuffle", upscale_factor=upscale_factor)
    return image.pixel_shuffle(x, r=upscale_factor)


_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Add pixels around the last axes: ``pad`` is (left, right), (left, right, top, bottom), ...

    Parameters
    ----------
    pad : tuple of int
        A negative width takes pixels away.
    mode : {"constant", "reflect", "replicate", "circular"}
    value : float, optional
        What a constant frame consists of, 0 by default.
    """
    x = as_tensor(input)
    check_choice("pad", "mode", mode, tuple(_MODES))
    if value is not None and mode != "constant":
        raise ValueError(f"pad: mode={mode!r} takes its pixels from the image, and no value.")
    if value is not None:
        _check_value(value, x.dtype)
    pairs = _widths(pad, x.shape)
    widened = [(max(a, 0), max(b, 0)) for a, b in pairs]
    if widened == pairs:
        return _framed(x, pairs, mode, value)
    # a frame that repeats the other end repeats what is left there; a mirror sees the whole image
    if mode in ("constant", "circular"):
        return _framed(_cropped(x, pairs), widened, mode, value)
    return _cropped(_framed(x, widened, mode, value), pairs)


def _check_value(value: Any, dtype: np.dtype[Any]) -> None:
    """Refuse what is no number, and what an array of integers would cut."""
    kinds = int | float | np.integer | np.floating
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise refusal("pad", "value", "a number", value)
    if dtype.kind in "iu" and not (
        float(value).is_integer() and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    ):
        raise ValueError(f"pad: an image of {dtype} cannot hold value={value!r}; convert it first.")


def _cropped(x: Tensor, pairs: list[tuple[int, int]]) -> Tensor:
    """Take away the pixels of negative widths."""
    cut = [slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape, strict=True)]
    return x[tuple(cut)]


def _framed(x: Tensor, pairs: list[tuple[int, int]], mode: str, value: float | None) -> Tensor:
    """Add the pixels of widths that are not negative."""
    if mode == "constant":
        return ops.pad(x, pairs, mode="constant", constant_values=0.0 if value is None else value)
    for (a, b), n in zip(pairs, x.shape, strict=True):
        least = {"reflect": max(a, b) + 1, "circular": max(a, b), "replicate": 1}[mode]
        if (a or b) and n < least:
            raise ValueError(
                f"pad: mode={mode!r} by {max(a, b)} needs more than {least - 1} pixels along the "
                f"axis; shape {x.shape} has {n}."
            )
    return ops.pad(x, pairs, mode=_MODES[mode])


def _widths(pad: Any, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The widths before and after each axis of an array of ``shape``, first axis first."""
    widths = list(pad) if isinstance(pad, tuple | list) else [pad]
    if not all(is_integer(p) for p in widths) or len(widths) % 2 or len(widths) > 2 * len(shape):
        raise ValueError(
            f"pad takes pairs of integers, last axis first, at most one for each axis; "
            f"got {pad!r} for shape {shape}."
        )
    pairs = [(int(a), int(b)) for a, b in zip(widths[::2], widths[1::2], strict=True)][::-1]
    pairs = [(0, 0)] * (len(shape) - len(pairs)) + pairs
    for (a, b), n in zip(pairs, shape, strict=True):
        if n + min(a, 0) + min(b, 0) < 0:
            raise ValueError(f"pad: {a} and {b} take away more than the {n} pixels of an axis.")
    return pairs
