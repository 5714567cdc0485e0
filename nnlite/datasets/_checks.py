"""Checks of points and covariances that the generators share."""

from __future__ import annotations

import numpy as np

from nnlite._arguments import as_array


def points(value: np.typing.ArrayLike, name: str, dim: int) -> np.ndarray:
    """``value`` as float64 points (..., dim), finite."""
    x = as_array(value, name, np.float64)
    if x.ndim == 0 or x.shape[-1] != dim:
        raise ValueError(f"{name} must have shape (..., {dim}); got {x.shape}.")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return x


def symmetric(matrices: np.ndarray) -> bool:
    """Whether matrices (..., d, d) equal their transposes, to rounding at their own scale."""
    differ = np.abs(matrices - matrices.swapaxes(-1, -2)).max(axis=(-1, -2))
    return bool((differ <= 1e-8 * np.abs(matrices).max(axis=(-1, -2))).all())
