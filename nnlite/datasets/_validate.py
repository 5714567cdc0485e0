"""Argument checks shared by the generators."""

from __future__ import annotations

import math
import operator

import numpy as np


def count(name: str, value: int, minimum: int = 1) -> int:
    """`value` as an int, at least `minimum`."""
    try:
        n = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if n < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {n}")
    return n


def scale(name: str, value: float, *, zero: bool = True) -> float:
    """`value` as a finite float that is not negative (nor zero, unless `zero`)."""
    x = float(value)
    if not math.isfinite(x) or x < 0 or (x == 0 and not zero):
        raise ValueError(
            f"{name} must be a {'non-negative' if zero else 'positive'} finite number "
            f"(a standard deviation or a length), got {value!r}"
        )
    return x


def points(name: str, value: np.typing.ArrayLike, dim: int) -> np.ndarray:
    """`value` as float64 points (..., dim), finite."""
    x = np.asarray(value, dtype=np.float64)
    if x.ndim == 0 or x.shape[-1] != dim:
        raise ValueError(f"{name} must have shape (..., {dim}), got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or infinity")
    return x
