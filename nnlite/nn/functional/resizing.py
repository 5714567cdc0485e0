"""Pooling, resizing and padding of images (lecture 08)."""

import math
from typing import Any

import numpy as np

from nnlite import ops
from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_floats, as_pair, as_tensor, check_images
from nnlite.ops import image


def max_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """Largest value of each window."""
    kernel = as_pair(kernel_size, "max_pool2d: kernel_size", 1)
    return image.max_pool2d(
        as_floats(x),
        kernel=kernel,
        stride=kernel if stride is None else as_pair(stride, "max_pool2d: stride", 1),
        padding=as_pair(padding, "max_pool2d: padding"),
    )


def avg_pool2d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Tensor:
    """Mean of each window; padding is zeros, which count in the mean unless told otherwise."""
    kernel = as_pair(kernel_size, "avg_pool2d: kernel_size", 1)
    return image.avg_pool2d(
        as_floats(x),
        kernel=kernel,
        stride=kernel if stride is None else as_pair(stride, "avg_pool2d: stride", 1),
        padding=as_pair(padding, "avg_pool2d: padding"),
        count_include_pad=count_include_pad,
    )


def adaptive_avg_pool2d(x: Any, output_size: Any) -> Tensor:
    """Mean of (rows, columns) tiles that cover the image, however large it is.

    Tile ``i`` of ``m`` goes from pixel ``floor(i n / m)`` to ``ceil((i + 1) n / m)`` of ``n``.
    """
    x = as_floats(x)
    check_images("adaptive_avg_pool2d", x)
    size = as_pair(output_size, "adaptive_avg_pool2d: output_size", 1)
    rows, columns = (_tile_means(n, m, x.dtype) for n, m in zip(x.shape[2:], size, strict=True))
    return rows @ x @ columns.T


def _tile_means(old: int, new: int, dtype: Any) -> np.ndarray:
    """(new, old): the weight of each pixel in the mean of each tile."""
    tile, pixel = np.arange(new)[:, np.newaxis], np.arange(old)
    inside = (pixel >= tile * old // new) & (pixel < -(-(tile + 1) * old // new))
    return (inside / inside.sum(axis=1, keepdims=True)).astype(dtype)


def pixel_shuffle(x: Any, upscale_factor: int) -> Tensor:
    """Groups of r^2 channels become r x r pixels: (N, C r^2, H, W) -> (N, C, H r, W r)."""
    return image.pixel_shuffle(as_tensor(x), r=upscale_factor)


def interpolate(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Resize images (N, C, H, W) to ``size``, or by ``scale_factor``.

    Parameters
    ----------
    mode : {"nearest", "bilinear"}
    align_corners : bool, optional
        For "bilinear": whether the centres of the corner pixels, instead of the corners of the
        image, stay where they are.
    """
    x = as_floats(x) if mode == "bilinear" else as_tensor(x)
    check_images("interpolate", x)
    if mode not in ("nearest", "bilinear"):
        raise ValueError(f"interpolate: mode must be 'nearest' or 'bilinear'; got {mode!r}.")
    if mode == "nearest" and align_corners is not None:
        raise ValueError("interpolate: align_corners is for mode='bilinear' only.")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate needs either size= or scale_factor=.")
    old = x.shape[2:]
    if size is not None:
        new = as_pair(size, "interpolate: size", 1)
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
    if mode == "bilinear":
        rows, columns = (
            _bilinear_weights(o, n, s, bool(align_corners), x.dtype)
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


def _bilinear_weights(
    old: int, new: int, scale: float, align_corners: bool, dtype: Any
) -> np.ndarray:
    """(new, old): how much each old pixel of a row counts for each new one."""
    if align_corners:
        position = np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    else:
        position = np.maximum((np.arange(new) + 0.5) / scale - 0.5, 0)
    low = np.minimum(position.astype(int), old - 1)
    high = np.minimum(low + 1, old - 1)
    share = position - low
    weights = np.zeros((new, old))
    np.add.at(weights, (np.arange(new), low), 1 - share)
    np.add.at(weights, (np.arange(new), high), share)
    return weights.astype(dtype)


def pad(x: Any, pad: Any, mode: str = "constant", value: float = 0.0) -> Tensor:
    """Add pixels around the last axes: ``pad`` is (left, right), (left, right, top, bottom), ...

    Parameters
    ----------
    mode : {"constant", "reflect", "replicate", "circular"}
    """
    x = as_tensor(x)
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
