"""What an autoencoder accepts as samples: rows or images, finite, of one shape."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite._arguments import as_array
from nnlite._estimator import in_range


def as_samples(X: ArrayLike, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Samples of shape (n, ...) in this dtype, at least one, finite.

    Raises
    ------
    TypeError
        If they hold no real numbers, or are sparse.
    ValueError
        If the shape is another, an entry is masked, NaN, infinite or too large for the dtype.
    """
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        raise ValueError(f"Complex data not supported: {name} must hold real numbers.")
    X = as_array(X, name)
    if X.ndim < 2:
        raise ValueError(
            f"{name} must hold at least one sample per row, shape (n, features); got "
            f"{X.shape}. Reshape your data: a single sample x is X = x[None]."
        )
    if not X.size:
        raise ValueError(
            f"{name} must hold at least one sample per row, shape (n, features); got "
            f"{X.shape}: {X.shape[0]} sample(s), {int(np.prod(X.shape[1:]))} feature(s) "
            f"(shape={X.shape}) while a minimum of 1 is required."
        )
    if not np.isfinite(X).all():
        raise ValueError(f"{name} contains NaN or infinity; remove or fill those values first.")
    return in_range(X, dtype, name)


def check_shape(X: NDArray[Any], name: str, shape: tuple[int, ...], owner: str) -> None:
    """Refuse samples of another shape than an estimator called ``owner`` was trained on."""
    if X.shape[1:] != shape:
        raise ValueError(
            f"{name} has {int(np.prod(X.shape[1:]))} features, but {owner} is expecting "
            f"{int(np.prod(shape))} features as input: the samples are of shape {X.shape[1:]}; "
            f"this autoencoder was trained on {shape}."
        )


def check_probabilities(X: NDArray[Any], name: str) -> None:
    """Refuse features that are no probabilities of bits, as cross-entropy takes them."""
    if not (X.min() >= 0 and X.max() <= 1):
        raise ValueError(
            f"cross-entropy takes features as probabilities in [0, 1]; {name} ranges from "
            f"{X.min():.3g} to {X.max():.3g}. Rescale, or use loss='squared_error'."
        )


def as_codes(Z: ArrayLike, dtype: np.dtype[Any], n_components: int | None) -> NDArray[Any]:
    """Codes of shape (n, n_components) in this dtype; None accepts any length of the code.

    Raises
    ------
    TypeError
        If they hold no real numbers, or are sparse.
    ValueError
        If the shape is another, or an entry is NaN, infinite or too large for the dtype.
    """
    Z = as_array(Z, "Z")
    if Z.ndim != 2 or not len(Z) or not np.isfinite(Z).all():
        raise ValueError(
            "codes must be a finite array of numbers, shape (n, n_components); got shape "
            f"{Z.shape}, dtype {Z.dtype}."
        )
    Z = in_range(Z, dtype, "Z")
    if n_components not in (None, Z.shape[1]):
        raise ValueError(
            f"Z has {Z.shape[1]} columns, but the code of this autoencoder has {n_components}."
        )
    return Z
