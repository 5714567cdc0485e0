"""Dropout (Srivastava et al. 2014)."""

from typing import Any

import numpy as np

from nnlite._arguments import as_number
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import check_flags
from nnlite.nn._inputs import as_floats
from nnlite.random import RNGLike, default_rng


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    rng: RNGLike | None = None,
) -> Tensor:
    """Set entries to 0 with probability ``p``, divide the others by 1 - p (Srivastava 2014)."""
    return _drop("dropout", as_floats(input), p, training, lambda shape: shape, rng)


def dropout2d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    rng: RNGLike | None = None,
) -> Tensor:
    """Drop whole channels of images (N, C, H, W)."""
    x = as_floats(input)
    if x.ndim != 4:
        raise ValueError(f"dropout2d takes images (N, C, H, W); got shape {x.shape}.")
    return _drop("dropout2d", x, p, training, lambda shape: (*shape[:2], 1, 1), rng)


def _drop(
    where: str, x: Tensor, p: float, training: bool, mask_shape: Any, rng: RNGLike | None
) -> Tensor:
    p = as_number(p, f"{where}: p", 0, 1)
    check_flags(where, training=training)
    if not training or p == 0:
        return x
    kept = default_rng(rng).random(mask_shape(x.shape), dtype=np.float32) >= p
    return x * (kept / x.dtype.type(max(1 - p, 1e-30))).astype(x.dtype)
