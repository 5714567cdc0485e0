"""How a denoising autoencoder spoils its input: masking and additive Gaussian noise (lecture 06).

A corruption is a function ``corrupt(x, rng) -> x_tilde`` on arrays; anything of that form can be
given to :class:`nnlite.autoencoders.Autoencoder`. The two of the lecture are made here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Corruption = Callable[[NDArray[Any], np.random.Generator], NDArray[Any]]


@dataclass(frozen=True)
class Masking:
    """Set each entry to ``fill`` with probability ``v``, independently of all others.

    Parameters
    ----------
    v : float
        Probability in [0, 1].
    fill : float
        What a masked entry becomes.

    Raises
    ------
    ValueError
        If v is not a probability.

    References
    ----------
    Vincent, Larochelle, Bengio & Manzagol (2008), section 2.3.
    """

    v: float
    fill: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.v <= 1:
            raise ValueError(
                f"masking: v is the probability of masking, between 0 and 1; got {self.v!r}."
            )

    def __call__(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A spoiled copy of ``x``, same shape and dtype."""
        kept = rng.random(x.shape, dtype=np.float32) >= self.v
        return np.where(kept, x, np.asarray(self.fill, x.dtype))


@dataclass(frozen=True)
class GaussianNoise:
    """Add independent Gaussian noise of standard deviation ``sigma`` to each entry.

    Raises
    ------
    ValueError
        If sigma is negative or not finite.
    """

    sigma: float

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < np.inf:
            raise ValueError(
                f"gaussian noise: sigma is a standard deviation, at least 0; got {self.sigma!r}."
            )

    def __call__(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A spoiled copy of ``x``, same shape and dtype."""
        dtype = np.float32 if x.dtype == np.float32 else np.float64
        return x + dtype(self.sigma) * rng.standard_normal(x.shape, dtype=dtype)
