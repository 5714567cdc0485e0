"""Autoencoders (lectures 03 to 06): networks that reproduce their input through a code.

``linear``, ``deep``, ``tied``, ``denoising`` and ``convolutional`` build them; all are
:class:`Autoencoder`, with scikit-learn's interface. What the best of them can do is known without
training: :func:`optimal_linear_autoencoder`, :func:`gaussian_denoiser`, :func:`masking_denoiser`,
:func:`off_distribution_error`, :func:`entropy_floor`.
"""

from nnlite.autoencoders.builders import (
    TiedDecoder,
    convolutional,
    deep,
    denoising,
    linear,
    tied,
)
from nnlite.autoencoders.closed_forms import (
    AffineMap,
    bernoulli_entropy,
    entropy_floor,
    gaussian_denoiser,
    masking_denoiser,
    off_distribution_error,
    optimal_linear_autoencoder,
)
from nnlite.autoencoders.corruption import GaussianNoise, Masking
from nnlite.autoencoders.model import Autoencoder
from nnlite.errors import NotFittedError

__all__ = [
    "AffineMap",
    "Autoencoder",
    "GaussianNoise",
    "Masking",
    "NotFittedError",
    "TiedDecoder",
    "bernoulli_entropy",
    "convolutional",
    "deep",
    "denoising",
    "entropy_floor",
    "gaussian_denoiser",
    "linear",
    "masking_denoiser",
    "off_distribution_error",
    "optimal_linear_autoencoder",
    "tied",
]
