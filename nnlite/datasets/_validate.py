"""Argument checks shared by the generators."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .._arguments import as_array


def count(name: str, value: Any, minimum: int = 1) -> int:
    """`value` as an int, at least `minimum`."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        n = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if n < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {n}")
    return n


def number(name: str, value: Any) -> float:
    """`value` as a finite float."""
    if isinstance(value, bool | np.bool_) or not isinstance(
        value, int | float | np.integer | np.floating
    ):
        raise TypeError(f"{name} must be a number, got {value!r}")
    x = float(value)
    if not math.isfinite(x):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return x


def scale(name: str, value: Any, *, zero: bool = True) -> float:
    """`value` as a finite float that is not negative (nor zero, unless `zero`)."""
    x = number(name, value)
    if x < 0 or (x == 0 and not zero):
        raise ValueError(
            f"{name} must be a {'non-negative' if zero else 'positive'} finite number "
            f"(a standard deviation or a length), got {value!r}"
        )
    return x


def points(name: str, value: np.typing.ArrayLike, dim: int) -> np.ndarray:
    """`value` as float64 points (..., dim), finite."""
    x = as_array(value, name, np.float64)
    if x.ndim == 0 or x.shape[-1] != dim:
        raise ValueError(f"{name} must have shape (..., {dim}), got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or infinity")
    return x


def symmetric(matrices: np.ndarray) -> bool:
    """Whether matrices (..., d, d) equal their transposes, to rounding at their own scale."""
    differ = np.abs(matrices - matrices.swapaxes(-1, -2)).max(axis=(-1, -2))
    return bool((differ <= 1e-8 * np.abs(matrices).max(axis=(-1, -2))).all())
