"""Where a GAN's samples and noise come from: rows of data, or functions that draw (lecture 09)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_array
from nnlite._estimator import in_range

Array = NDArray[Any]
Source = Callable[..., Array]  # called as draw(n, rng=rng)


def source_of_samples(X: Any, dtype: np.dtype[Any]) -> Source:
    """A function ``draw(n, rng=rng)`` of real samples (n, ...) in this dtype.

    Parameters
    ----------
    X : array_like of shape (n, ...), or callable
        Rows are drawn independently, with replacement: a minibatch is a sample of the empirical
        law. A function is called as ``X(n, rng=rng)`` and draws from the law itself.
    dtype : dtype

    Raises
    ------
    TypeError
        If X holds no real numbers.
    ValueError
        If X has no rows, fewer than two axes, or NaN; when called, if a function returns another
        number of samples, or NaN.
    """
    if callable(X):
        return _checked(X, "the samples", dtype)
    rows = as_array(X, "X")
    if rows.ndim < 2 or not rows.size:
        raise ValueError(
            f"X must hold at least one sample per row, (n, features, ...), got shape {rows.shape}; "
            "a column of numbers is X[:, None]."
        )
    if not np.isfinite(rows).all():
        raise ValueError(
            f"X must be finite, got {int((~np.isfinite(rows)).sum())} entries that are NaN or "
            "infinite; remove or fill them first."
        )
    rows = in_range(rows, dtype, "X")
    return lambda n, rng: rows.take(rng.integers(len(rows), size=n), axis=0)


def source_of_noise(latent: Any, dtype: np.dtype[Any]) -> Source:
    """A function ``draw(n, rng=rng)`` of noise: N(0, I), or what a function draws."""
    if callable(latent):
        return _checked(latent, "the noise", dtype)
    if dtype == np.float32:  # drawn at once in single precision: twice as fast
        return lambda n, rng: rng.standard_normal((n, latent), dtype=np.float32)
    return lambda n, rng: rng.standard_normal((n, latent)).astype(dtype, copy=False)


def _checked(function: Callable[..., Any], name: str, dtype: np.dtype[Any]) -> Source:
    def draw(n: int, rng: np.random.Generator) -> Array:
        drawn = as_array(function(n, rng=rng), f"what was drawn as {name}")
        if drawn.ndim < 2 or len(drawn) != n or not np.isfinite(drawn).all():
            raise ValueError(
                f"the function that draws {name} must return {n} finite samples, ({n}, features, "
                f"...), got shape {drawn.shape}; it is called as f({n}, rng=rng)."
            )
        return in_range(drawn, dtype, f"what was drawn as {name}")

    return draw
