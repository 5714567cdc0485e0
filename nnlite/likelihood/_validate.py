"""Checks that the distributions share: what comes in is finite and of the right shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.ops import values_of


def parameter(name: str, value: Any, *, positive: bool = False) -> Any:
    """`value` (number, array or Tensor) if it is finite, and positive where that is asked."""
    array = np.asarray(values_of(value))
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be a real number or array, got dtype {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {_first(array, ~np.isfinite(array))}")
    if positive and not (array > 0).all():
        raise ValueError(
            f"{name} must be positive, got {_first(array, ~(array > 0))}; in maximum_likelihood "
            f"start it as positive(...), which searches over its logarithm"
        )
    return value if hasattr(value, "__record_operation__") else _number_or_array(array)


def observations(x: Any, name: str = "x") -> Any:
    """Points at which a density is asked for: any shape, finite; a Tensor stays a Tensor."""
    if np.ma.is_masked(x):
        raise ValueError(f"{name} has masked entries; remove or impute these samples first")
    array = np.asarray(values_of(x))
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds {_first(array, ~np.isfinite(array))} at position "
            f"{_position(~np.isfinite(array))}: a density is defined at finite points only"
        )
    return x if array is not x and hasattr(x, "__record_operation__") else _as_float(array)


def samples(x: Any, name: str = "x") -> np.ndarray:
    """Data of a one-dimensional distribution: (n,), finite, float64, n >= 1."""
    array = np.asarray(observations(x, name))
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be a vector of samples, got shape {array.shape}; if all its entries are "
            f"samples of one distribution pass {name}.ravel()"
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty: a fit needs data")
    return array.astype(np.float64)


def rows(X: Any, name: str = "X") -> np.ndarray:
    """Data of a distribution in d dimensions: (n, d), finite, float64, n >= 1."""
    array = np.asarray(observations(X, name))
    if array.ndim != 2:
        hint = f"; one feature is {name}.reshape(-1, 1)" if array.ndim == 1 else ""
        raise ValueError(
            f"{name} must have two axes (samples, features), got shape {array.shape}{hint}"
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty, shape {array.shape}: a fit needs data")
    return array.astype(np.float64)


def features(X: Any, d: int, name: str = "X") -> Any:
    """Points at which a density in d dimensions is asked for: (..., d)."""
    X = observations(X, name)
    if X.ndim == 0 or X.shape[-1] != d:
        raise ValueError(
            f"the last axis of {name} must be the {d} features of this distribution, got shape "
            f"{X.shape}"
        )
    return X


def count(name: str, value: Any, minimum: int) -> int:
    """`value` as an int of at least `minimum`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return int(value)


def _as_float(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _number_or_array(array: np.ndarray) -> Any:
    return float(array) if array.ndim == 0 else _as_float(array)


def _position(bad: np.ndarray) -> Any:
    index = tuple(int(i) for i in np.argwhere(bad)[0]) if bad.ndim else ()
    return index[0] if len(index) == 1 else index


def _first(array: np.ndarray, bad: np.ndarray) -> float:
    return float(array[bad].ravel()[0]) if array.ndim else float(array)
