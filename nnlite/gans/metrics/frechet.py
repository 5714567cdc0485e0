r"""Fréchet distance between Gaussians, and its floor in finite samples: lectures 10 and 12.

.. math:: |\mu_1-\mu_2|^2+\mathrm{tr}\,\Sigma_1+\mathrm{tr}\,\Sigma_2
   -2\,\mathrm{tr}(\Sigma_1^{1/2}\Sigma_2\Sigma_1^{1/2})^{1/2}

is the squared Wasserstein distance of two Gaussians (Dowson and Landau 1982). For other laws it
compares no more than means and covariances. Heusel et al. (2017) take it between features of
images.

Two samples of the *same* law are not at distance 0. To second order in the errors of means and
covariances, in the basis where :math:`\Sigma=\mathrm{diag}\,\lambda`,

.. math:: FD\approx\sum_i\Delta\mu_i^2+\tfrac12\sum_{ij}\frac{\Delta\Sigma_{ij}^2}
   {\lambda_i+\lambda_j},

whose mean and variance for Gaussian data follow from those of the two errors. The floor grows like
d²/n: distances of different n cannot be compared (Chong and Forsyth 2020).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_array
from nnlite.gans.metrics._samples import Array, enough, same_features, sample
from nnlite.gans.metrics.measurement import Measurement


def frechet_distance(generated: ArrayLike, real: ArrayLike) -> Measurement:
    """Fréchet distance between the Gaussians fitted to two samples, with its floor.

    Parameters
    ----------
    generated, real : array_like of shapes (m, d) and (n, d)
        Samples, or features of them (for images ``pca.transform(x)`` or the last layer of a
        classifier); more samples than features in both. Constant features do no harm.

    Returns
    -------
    Measurement
        ``perfect`` and ``spread`` are those of two samples of a Gaussian with the covariance of
        ``real``. They hold for d much smaller than m and n, to a relative error of order d/n.

    Raises
    ------
    TypeError
        If one holds no numbers.
    ValueError
        If the features differ, or samples are too few or not finite.

    Notes
    -----
    Covariances divide by n - 1. A set of copies of the training data scores like a perfect sampler;
    :func:`neighbour_test` sees them.
    """
    x, y = sample(generated, "generated"), sample(real, "real")
    same_features(generated=x, real=y)
    for name, z in (("generated", x), ("real", y)):
        enough(z, name, z.shape[1] + 1, f"with as few as the {z.shape[1]} features {_WHY}")
    S = _covariance(y)
    value = frechet_distance_of_gaussians(x.mean(axis=0), _covariance(x), y.mean(axis=0), S)
    mean, variance = _null_moments(np.linalg.eigvalsh(S).clip(0), len(x), len(y))
    return Measurement("Fréchet distance", value, mean, math.sqrt(variance), len(x))


_WHY = "their covariance is singular, whatever the law is"


def frechet_distance_of_gaussians(
    mean1: ArrayLike, covariance1: ArrayLike, mean2: ArrayLike, covariance2: ArrayLike
) -> float:
    """Squared Wasserstein distance of two Gaussians.

    Parameters
    ----------
    mean1, mean2 : array_like of shape (d,)
    covariance1, covariance2 : array_like of shape (d, d)
        They may be singular; that costs half of the digits.

    Raises
    ------
    TypeError
        If one holds no numbers.
    ValueError
        If shapes differ, or a covariance is not symmetric, finite and without negative variance.
    """
    mu1, mu2 = as_array(mean1, "mean1", np.float64), as_array(mean2, "mean2", np.float64)
    S1, S2 = _checked(covariance1, "covariance1"), _checked(covariance2, "covariance2")
    if not (mu1.shape == mu2.shape == (len(S1),) == (len(S2),)):
        raise ValueError(
            f"frechet_distance_of_gaussians: means must be (d,) and covariances (d, d), got "
            f"{mu1.shape}, {S1.shape}, {mu2.shape} and {S2.shape}."
        )
    w, U = np.linalg.eigh(S1)
    root = (U * np.sqrt(w.clip(0))) @ U.T
    # A product S1 S2 is not symmetric, and its root turns complex by rounding; this one stays real.
    cross = np.sqrt(np.linalg.eigvalsh(root @ S2 @ root).clip(0)).sum()
    distance = ((mu1 - mu2) ** 2).sum() + np.trace(S1) + np.trace(S2) - 2 * cross
    return max(float(distance), 0.0)


def _null_moments(lam: Array, m: int, n: int) -> tuple[float, float]:
    """Mean and variance of the distance of two samples of N(0, diag(lam))."""
    of_means, of_covariances = 1 / m + 1 / n, 1 / (m - 1) + 1 / (n - 1)
    total = np.add.outer(lam, lam)
    pair = np.divide(np.outer(lam, lam), total, out=np.zeros_like(total), where=total > 0)
    squares = float((lam**2).sum())
    mean = of_means * lam.sum() + of_covariances / 2 * (pair.sum() + lam.sum() / 2)
    variance = 2 * of_means**2 * squares + of_covariances**2 * ((pair**2).sum() + squares / 4)
    return float(mean), float(variance)


def _covariance(x: Array) -> Array:
    centred = x - x.mean(axis=0)
    return centred.T @ centred / (len(x) - 1)


def _checked(covariance: ArrayLike, name: str) -> Array:
    S = as_array(covariance, name, np.float64)
    if S.ndim != 2 or S.shape[0] != S.shape[1] or not S.size:
        raise ValueError(f"{name} must be a square matrix (d, d), got shape {S.shape}.")
    if not np.isfinite(S).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity; clean the data first.")
    scale = np.abs(S).max()
    if not np.allclose(S, S.T, rtol=1e-6, atol=1e-8 * scale):
        raise ValueError(f"{name} must be symmetric, got {S}.")
    smallest = float(np.linalg.eigvalsh(S)[0])
    if smallest < -1e-6 * scale:
        raise ValueError(
            f"{name} must be without negative variances, got the eigenvalue {smallest:.3g}; a "
            "covariance is that of data."
        )
    return (S + S.T) / 2
