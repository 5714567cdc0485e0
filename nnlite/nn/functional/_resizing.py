"""Resizing of images (lecture 08): which old pixels a new one is made of.

New pixel ``i`` of ``n`` has its centre at ``(i + 1/2) old / n - 1/2`` among the old ones. "nearest"
takes pixel ``floor(i old / n)``, as PyTorch does, "nearest-exact" that nearest to the centre.
"""

import math
from typing import Any

import numpy as np

from nnlite import ops
from nnlite._arguments import as_choice, as_number
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_pair, check_flags
from nnlite.nn._inputs import as_floats, as_tensor, check_images

_NEAREST = ("nearest", "nearest-exact")
_SMOOTH = ("bilinear", "bicubic")


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize images (N, C, H, W) to ``size``, or by ``scale_factor``.

    Parameters
    ----------
    mode : {"nearest", "nearest-exact", "bilinear", "bicubic"}
        "bicubic" is Keys's convolution (1981, eq. 4, with a = -3/4), which may overshoot.
    align_corners : bool, optional
        For the last two: whether the centres of the corner pixels, instead of the corners of the
        image, stay where they are.
    recompute_scale_factor : bool, optional
        With ``scale_factor``: place the pixels by the ratio of the sizes, which are whole numbers,
        instead of by the factor.
    antialias : bool
        Not offered; shrink by :func:`avg_pool2d` or :func:`adaptive_avg_pool2d`.
    """
    check_resizing("interpolate", mode, align_corners, recompute_scale_factor)
    nearest = mode in _NEAREST
    x = as_tensor(input) if nearest else as_floats(input)
    check_images("interpolate", x)
    if antialias:
        raise ValueError(
            "interpolate: antialias=True is not offered; shrink images by avg_pool2d or "
            "adaptive_avg_pool2d, whose pixels are means."
        )
    old = x.shape[2:]
    new, scale = _new_size(old, size, scale_factor)
    if min(old) < 1:
        raise ValueError(f"interpolate: there are no pixels in images of shape {x.shape}.")
    if recompute_scale_factor:
        scale = (None, None)
    if not nearest:
        weights = _linear_weights if mode == "bilinear" else _cubic_weights
        rows, columns = (
            weights(o, _centres(o, n, s, bool(align_corners), mode)).astype(x.dtype)
            for o, n, s in zip(old, new, scale, strict=True)
        )
        return rows @ x @ columns.T
    if all(n % o == 0 and s in (None, n // o) for n, o, s in zip(new, old, scale, strict=True)):
        n, c = x.shape[:2]
        (h, w), (a, b) = old, (new[0] // old[0], new[1] // old[1])
        # (N, C, H, 1, W, 1) -> (N, C, H, a, W, b): each pixel a block
        return ops.broadcast_to(x.reshape(n, c, h, 1, w, 1), (n, c, h, a, w, b)).reshape(n, c, *new)
    exact = mode == "nearest-exact"
    rows, columns = (_nearest(o, n, s, exact) for o, n, s in zip(old, new, scale, strict=True))
    return x[:, :, rows[:, np.newaxis], columns]


Scale = tuple[float | None, float | None]


def _new_size(old: Any, size: Any, scale_factor: Any) -> tuple[tuple[int, int], Scale]:
    """The new size, and the factors if they were given."""
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"interpolate needs either size= or scale_factor=; got size={size!r} and "
            f"scale_factor={scale_factor!r}."
        )
    if size is not None:
        return as_pair(size, "interpolate: size", 1), (None, None)
    scale = as_factors("interpolate", scale_factor)
    new = math.floor(old[0] * scale[0]), math.floor(old[1] * scale[1])
    if min(new) < 1:
        raise ValueError(f"interpolate: scale_factor {scale_factor} leaves nothing of {old}.")
    return new, scale


def as_factors(where: str, scale_factor: Any) -> tuple[float, float]:
    """Factors given as one positive number or as (vertical, horizontal)."""
    pair = isinstance(scale_factor, tuple | list) and len(scale_factor) == 2
    scale = tuple(scale_factor) if pair else (scale_factor,) * 2
    name = f"{where}: scale_factor (one for both axes or a pair)"
    vertical, horizontal = (float(as_number(s, name, above=0)) for s in scale)
    return vertical, horizontal


def check_resizing(
    where: str, mode: str, align_corners: bool | None, recompute_scale_factor: bool | None = None
) -> None:
    """Check how images are to be resized."""
    as_choice(mode, f"{where}: mode", (*_NEAREST, *_SMOOTH))
    check_flags(where, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)
    if mode in _NEAREST and align_corners is not None:
        raise ValueError(f"{where}: align_corners is for 'bilinear' and 'bicubic' only.")


def _nearest(old: int, new: int, scale: float | None, exact: bool) -> np.ndarray:
    """The old pixel that each new one copies, in whole numbers: a ratio would be rounded."""
    i = np.arange(new, dtype=np.int64)
    # an axis that stays or doubles does so evenly, whatever the factor
    if scale is None or (not exact and new in (old, 2 * old)):
        return (2 * i + 1) * old // (2 * new) if exact else i * old // new
    # PyTorch computes with a factor in single precision; so do we, to pick the same pixels
    step = np.float32(1 / scale)
    position = (i.astype(np.float32) + np.float32(0.5 if exact else 0)) * step
    return np.minimum(position.astype(np.int64), old - 1)


def _centres(old: int, new: int, scale: float | None, align_corners: bool, mode: str) -> np.ndarray:
    """Where the centres of the new pixels of a row lie among those of the old ones."""
    if align_corners:
        return np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    if scale is None or (mode == "bilinear" and old == new):
        scale = new / old  # a factor that leaves an axis as long as it was leaves it alone
    return (np.arange(new) + 0.5) / scale - 0.5


def _linear_weights(old: int, position: np.ndarray) -> np.ndarray:
    """(new, old): how much each old pixel of a row counts for each new one."""
    position = np.maximum(position, 0)
    low = np.minimum(position.astype(np.int64), old - 1)
    share = position - low
    weights = np.zeros((len(position), old))
    for pixel, weight in ((low, 1 - share), (np.minimum(low + 1, old - 1), share)):
        np.add.at(weights, (np.arange(len(position)), pixel), weight)
    return weights


def _cubic_weights(old: int, position: np.ndarray, a: float = -0.75) -> np.ndarray:
    """The same from four pixels; those outside the image are its border."""
    low = np.floor(position).astype(np.int64)
    weights = np.zeros((len(position), old))
    for shift in (-1, 0, 1, 2):
        d = abs(position - (low + shift))
        near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((d - 5) * d + 8) * d * a - 4 * a
        pixel = np.clip(low + shift, 0, old - 1)
        np.add.at(weights, (np.arange(len(position)), pixel), np.where(d <= 1, near, far))
    return weights
