"""Checks that the distributions share: what comes in is finite and of the right shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite import _estimator
from nnlite._arguments import as_array
from nnlite.engine import Tensor
from nnlite.ops import values_of


def parameter(value: Any, name: str, *, positive: bool = False) -> Any:
    """``value`` (number, array or Tensor) if it is finite, and positive where that is asked."""
    if np.asarray(values_of(value)).dtype.kind not in "fiu":
        raise ValueError(f"{name} must be a real number or array of them; got {value!r}.")
    array = as_array(values_of(value), name)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; got {_first(array, ~np.isfinite(array))}.")
    if positive and not (array > 0).all():
        raise ValueError(
            f"{name} must be positive; got {_first(array, ~(array > 0))}; in maximum_likelihood "
            "start it as positive(...), which searches over its logarithm."
        )
    return value if isinstance(value, Tensor) else _number_or_array(array)


def observations(x: Any, name: str = "x") -> Any:
    """Points at which a density is asked for: any shape, finite; a Tensor stays a Tensor."""
    array = as_array(values_of(x), name)
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds {_first(array, ~np.isfinite(array))} at position "
            f"{_position(~np.isfinite(array))}: a density is defined at finite points only."
        )
    return x if isinstance(x, Tensor) else _as_float(array)


def points(x: Any, **parameters: Any) -> Any:
    """``x`` as :func:`observations`, unless it and a parameter are column and row by accident.

    A column (n, 1) against n numbers in a row makes n x n densities, each sample under the
    parameters of every other one; their sum looks like a likelihood and is none.
    """
    x = observations(x)
    refuse_pairs(x=x, **parameters)
    return x


def refuse_pairs(**operands: Any) -> None:
    """Raise if broadcasting would pair all n entries of a column with all n of a vector."""
    shapes = [(name, np.shape(value)) for name, value in operands.items()]
    vectors = {shape[0]: name for name, shape in shapes if len(shape) == 1 and shape[0] > 1}
    for name, shape in shapes:
        if len(shape) > 1 and shape[-1] == 1 and shape[-2] in vectors:
            n, vector = shape[-2], vectors[shape[-2]]
            raise ValueError(
                f"{name} of shape {shape} and {vector} of shape ({n},) would make {n} x {n} "
                f"densities, one for every pair. For one density per sample pass {name}.ravel() "
                f"(in a regression: a weight vector of shape (d,), not (d, 1)); if all pairs are "
                f"meant, {vector}[None, :]."
            )


def samples(x: Any, name: str = "x") -> np.ndarray:
    """Data of a one-dimensional distribution: (n,), finite, float64, n >= 1."""
    array = as_array(observations(x, name), name)
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be a vector of samples; got shape {array.shape}; if all its entries are "
            f"samples of one distribution pass {name}.ravel()."
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty: a fit needs data.")
    return array.astype(np.float64)


def rows(X: Any, name: str = "X") -> np.ndarray:
    """Data of a distribution in d dimensions: (n, d), finite, float64, n >= 1."""
    return _estimator.rows(observations(X, name), name)


def features(X: Any, d: int, name: str = "X") -> Any:
    """Points at which a density in d dimensions is asked for: (..., d)."""
    X = observations(X, name)
    if X.ndim == 0 or X.shape[-1] != d:
        raise ValueError(
            f"the last axis of {name} must be the {d} features of this distribution; got shape "
            f"{X.shape}."
        )
    return X


def cholesky(Sigma: Any, what: str) -> Any:
    """The lower factor of a covariance (array or Tensor), or LinAlgError if it is indefinite.

    NumPy raises by itself where the processor reports an invalid operation; in a browser it
    returns NaN instead.
    """
    L = np.linalg.cholesky(Sigma)
    if not np.isfinite(values_of(L)).all():
        raise np.linalg.LinAlgError(f"{what} is not positive definite.")
    return L


def _as_float(array: np.ndarray) -> np.ndarray:
    # Densities are float64; of short floats the squares would already have lost their digits.
    double = array.dtype.kind == "f" and array.dtype.itemsize >= 8
    return array if double else array.astype(np.float64)


def _number_or_array(array: np.ndarray) -> Any:
    return float(array) if array.ndim == 0 else _as_float(array)


def _position(bad: np.ndarray) -> Any:
    index = tuple(int(i) for i in np.argwhere(bad)[0]) if bad.ndim else ()
    return index[0] if len(index) == 1 else index


def _first(array: np.ndarray, bad: np.ndarray) -> float:
    return float(array[bad].ravel()[0]) if array.ndim else float(array)
