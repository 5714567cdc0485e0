"""How a denoising autoencoder spoils its input: masking and additive Gaussian noise (lecture 06).

A corruption is a function ``corrupt(x, rng) -> x_tilde`` on arrays; anything of that form can be
given to :class:`nnlite.autoencoders.Autoencoder`. The two of the lecture are made here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite._arguments import as_array, as_number
from nnlite.random import RNGLike, default_rng

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
    TypeError
        If v or fill is no number.
    ValueError
        If v is not a probability, or fill not finite.

    References
    ----------
    Vincent, Larochelle, Bengio & Manzagol (2008), section 2.3.
    """

    v: float
    fill: float = 0.0

    def __post_init__(self) -> None:
        as_number(self.v, "Masking: v", 0, 1)
        as_number(self.fill, "Masking: fill")

    def __call__(self, x: ArrayLike, rng: RNGLike | None = None) -> NDArray[Any]:
        """A spoiled copy of ``x``: same shape, and same dtype if that is a floating one."""
        x = _floating(x)
        # float32 is enough for a coin, and twice as fast
        kept = default_rng(rng).random(x.shape, dtype=np.float32) >= self.v
        return np.where(kept, x, x.dtype.type(self.fill))


@dataclass(frozen=True)
class GaussianNoise:
    """Add independent Gaussian noise of standard deviation ``sigma`` to each entry.

    Raises
    ------
    TypeError
        If sigma is no number.
    ValueError
        If sigma is negative or not finite.
    """

    sigma: float

    def __post_init__(self) -> None:
        as_number(self.sigma, "GaussianNoise: sigma", 0)

    def __call__(self, x: ArrayLike, rng: RNGLike | None = None) -> NDArray[Any]:
        """A spoiled copy of ``x``: same shape, and same dtype if that is a floating one."""
        x = _floating(x)
        drawn = np.float32 if x.dtype == np.float32 else np.float64
        noise = default_rng(rng).standard_normal(x.shape, dtype=drawn)
        return x + x.dtype.type(self.sigma) * noise.astype(x.dtype, copy=False)


def _floating(x: ArrayLike) -> NDArray[Any]:
    """``x`` as an array of floats: whole numbers could not hold what is added to them."""
    x = as_array(x, "x")
    return x if x.dtype.kind == "f" else x.astype(np.float64)
