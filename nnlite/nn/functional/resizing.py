"""Pooling, resizing and padding of images (lecture 08)."""

import math
from typing import Any

import numpy as np

from nnlite import kernels, ops
from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_floats, as_pair, as_tensor, check_images
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
    kernel = as_pair(kernel_size, "avg_pool2d: kernel_size", 1)
    if divisor_override is not None and divisor_override < 1:
        raise ValueError(
            f"avg_pool2d: divisor_override must be at least 1; got {divisor_override}."
        )
    return image.avg_pool2d(
        as_floats(input),
        kernel=kernel,
        stride=kernel if stride is None else as_pair(stride, "avg_pool2d: stride", 1),
        padding=as_pair(padding, "avg_pool2d: padding"),
        count_include_pad=count_include_pad,
        ceil_mode=ceil_mode,
        divisor_override=divisor_override,
    )


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """Mean of (rows, columns) tiles that cover the image, however large it is.

    Tile ``i`` of ``m`` goes from pixel ``floor(i n / m)`` to ``ceil((i + 1) n / m)`` of ``n``.
    """
    x = as_floats(input)
    check_images("adaptive_avg_pool2d", x)
    size = as_pair(output_size, "adaptive_avg_pool2d: output_size", 1)
    rows, columns = (_tile_means(n, m, x.dtype) for n, m in zip(x.shape[2:], size, strict=True))
    return rows @ x @ columns.T


def _tile_means(old: int, new: int, dtype: Any) -> np.ndarray:
    """(new, old): the weight of each pixel in the mean of each tile."""
    tile, pixel = np.arange(new)[:, np.newaxis], np.arange(old)
    inside = (pixel >= tile * old // new) & (pixel < -(-(tile + 1) * old // new))
    return (inside / inside.sum(axis=1, keepdims=True)).astype(dtype)


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """Groups of r^2 channels become r x r pixels: (N, C r^2, H, W) -> (N, C, H r, W r)."""
    return image.pixel_shuffle(as_tensor(input), r=upscale_factor)


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Resize images (N, C, H, W) to ``size``, or by ``scale_factor``.

    Parameters
    ----------
    mode : {"nearest", "bilinear", "bicubic"}
        "bicubic" is Keys's convolution (1981, eq. 4, with a = -3/4), which may overshoot.
    align_corners : bool, optional
        For the last two: whether the centres of the corner pixels, instead of the corners of the
        image, stay where they are.
    """
    x = as_tensor(input) if mode == "nearest" else as_floats(input)
    check_images("interpolate", x)
    check_resizing("interpolate", mode, align_corners)
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate needs either size= or scale_factor=.")
    old = x.shape[2:]
    if size is not None:
        new: tuple[int, ...] = as_pair(size, "interpolate: size", 1)
        scale = tuple(n / o for n, o in zip(new, old, strict=True))
    else:
        scale = tuple(scale_factor) if np.ndim(scale_factor) else (scale_factor,) * 2
        if len(scale) != 2 or not all(0 < s < math.inf for s in scale):
            raise ValueError(
                f"interpolate: scale_factor is a positive number or a pair; got {scale_factor!r}."
            )
        new = tuple(math.floor(o * s) for o, s in zip(old, scale, strict=True))
        if min(new) < 1:
            raise ValueError(f"interpolate: scale_factor {scale_factor} leaves nothing of {old}.")
    if mode != "nearest":
        if mode == "bilinear":  # a factor that leaves an axis as long as it was leaves it alone
            scale = tuple(1.0 if o == n else s for o, n, s in zip(old, new, scale, strict=True))
        weights = _linear_weights if mode == "bilinear" else _cubic_weights
        rows, columns = (
            weights(o, _positions(o, n, s, bool(align_corners))).astype(x.dtype)
            for o, n, s in zip(old, new, scale, strict=True)
        )
        return rows @ x @ columns.T
    if all(n % o == 0 and s == n // o for n, o, s in zip(new, old, scale, strict=True)):
        n, c = x.shape[:2]
        (h, w), (a, b) = old, (new[0] // old[0], new[1] // old[1])
        # (N, C, H, 1, W, 1) -> (N, C, H, a, W, b): each pixel a block
        blocks = ops.broadcast_to(x.reshape(n, c, h, 1, w, 1), (n, c, h, a, w, b))
        return blocks.reshape(n, c, *new)
    picks = [
        np.minimum((np.arange(n) / s).astype(int), o - 1)
        for o, n, s in zip(old, new, scale, strict=True)
    ]
    return x[:, :, picks[0][:, np.newaxis], picks[1]]


def check_resizing(where: str, mode: str, align_corners: bool | None) -> None:
    """Check how images are to be resized."""
    if mode not in ("nearest", "bilinear", "bicubic"):
        raise ValueError(f"{where}: mode must be 'nearest', 'bilinear' or 'bicubic'; got {mode!r}.")
    if mode == "nearest" and align_corners is not None:
        raise ValueError(f"{where}: align_corners is for 'bilinear' and 'bicubic' only.")


def _positions(old: int, new: int, scale: float, align_corners: bool) -> np.ndarray:
    """Where the centres of the new pixels of a row lie among those of the old ones."""
    if align_corners:
        return np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    return (np.arange(new) + 0.5) / scale - 0.5


def _linear_weights(old: int, position: np.ndarray) -> np.ndarray:
    """(new, old): how much each old pixel of a row counts for each new one."""
    position = np.maximum(position, 0)
    low = np.minimum(position.astype(int), old - 1)
    share = position - low
    weights = np.zeros((len(position), old))
    for pixel, weight in ((low, 1 - share), (np.minimum(low + 1, old - 1), share)):
        np.add.at(weights, (np.arange(len(position)), pixel), weight)
    return weights


def _cubic_weights(old: int, position: np.ndarray, a: float = -0.75) -> np.ndarray:
    """The same from four pixels; those outside the image are its border."""
    low = np.floor(position).astype(int)
    weights = np.zeros((len(position), old))
    for shift in (-1, 0, 1, 2):
        d = abs(position - (low + shift))
        near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((d - 5) * d + 8) * d * a - 4 * a
        pixel = np.clip(low + shift, 0, old - 1)
        np.add.at(weights, (np.arange(len(position)), pixel), np.where(d <= 1, near, far))
    return weights


def pad(input: Any, pad: Any, mode: str = "constant", value: float = 0.0) -> Tensor:
    """Add pixels around the last axes: ``pad`` is (left, right), (left, right, top, bottom), ...

    Parameters
    ----------
    mode : {"constant", "reflect", "replicate", "circular"}
    """
    x = as_tensor(input)
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    widths = [int(p) for p in pad]
    if mode not in modes or len(widths) % 2 or len(widths) > 2 * x.ndim or min(widths) < 0:
        raise ValueError(
            f"pad takes pairs of non-negative widths, last axis first, and a mode out of "
            f"{', '.join(modes)}; got {tuple(widths)} and mode={mode!r} for shape {x.shape}."
        )
    pairs = list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    if mode == "reflect":
        for (a, b), n in zip(pairs, x.shape, strict=True):
            if max(a, b) >= max(n, 1):
                raise ValueError(
                    f"pad: reflection by {max(a, b)} needs more than {max(a, b)} pixels along the "
                    f"axis; shape {x.shape} has {n}."
                )
    return ops.pad(x, pairs, mode=modes[mode], constant_values=value)
