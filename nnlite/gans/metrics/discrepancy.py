r"""Maximum mean discrepancy, unbiased, with its exact variance: lecture 10.

With the kernel :math:`k(x,y)=e^{-|x-y|^2/2\ell^2}` (Gretton et al. 2012)

.. math:: MMD^2=E\,k(x,x')+E\,k(y,y')-2\,E\,k(x,y),

0 exactly if both laws are equal. Averages over pairs of *distinct* samples estimate it without
bias. If the laws are equal, the variance of that estimate is exactly

.. math:: \kappa\left[\frac2{m(m-1)}+\frac2{n(n-1)}+\frac4{mn}\right],\qquad
   \kappa=E\,k^2-2\,E\,k(x,x')k(x,x'')+(E\,k)^2 .
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_array, as_integer, as_number
from nnlite.gans.metrics._pairs import LEAST, pair_moments
from nnlite.gans.metrics._samples import Array, distance_blocks, same_features, sample
from nnlite.gans.metrics.measurement import Measurement

_WHY = "the variance is an average over four distinct samples"
_MEDIAN = 1000  # samples that are enough for a scale


def mmd(generated: ArrayLike, real: ArrayLike, scale: float | None = None) -> Measurement:
    """Squared maximum mean discrepancy of two samples: without bias, so it can be negative.

    Parameters
    ----------
    generated, real : array_like of shapes (m, d) and (n, d)
        At least four samples each.
    scale : float, optional
        Width ell of the kernel: differences much finer or much coarser are not seen. By default
        the median distance between (the first 1,000) real samples.

    Returns
    -------
    Measurement
        ``perfect`` is 0: more than half of the values of a perfect sampler are negative, with few
        large positive ones. ``spread`` is the exact standard deviation with the kernel's moments
        estimated, without bias, from ``real``.

    Raises
    ------
    TypeError
        If one holds no numbers.
    ValueError
        If the features differ, samples are too few or not finite, or all real ones are equal.
    """
    x, y = sample(generated, "generated", LEAST, _WHY), sample(real, "real", LEAST, _WHY)
    same_features(generated=x, real=y)
    ell = _median(y) if scale is None else as_number(scale, "mmd: scale", above=0)

    def kernel(d2: Array) -> Array:
        return np.exp(-d2 / (2 * ell**2))

    m, n = len(x), len(y)
    own, other = pair_moments(y, kernel), pair_moments(x, kernel)
    cross = sum(float(kernel(d2).sum()) for _, d2 in distance_blocks(x, y)) / (m * n)
    kappa = own.square - 2 * own.chain + own.mean_squared
    variance = max(kappa, 0.0) * (2 / (m * (m - 1)) + 2 / (n * (n - 1)) + 4 / (m * n))
    value = own.mean + other.mean - 2 * cross
    return Measurement(f"MMD² at scale {ell:.3g}", value, 0.0, math.sqrt(variance), m)


def mmd_of_gaussians(
    difference: ArrayLike, sigma1: float, sigma2: float, scale: float, d: int | None = None
) -> float:
    r"""Squared MMD between two round Gaussians, exactly.

    .. math:: T(2\sigma_1^2,0)+T(2\sigma_2^2,0)-2T(\sigma_1^2+\sigma_2^2,\delta),\quad
       T(v,\delta)=\left(\frac{\ell^2}{\ell^2+v}\right)^{d/2}e^{-|\delta|^2/2(\ell^2+v)}

    Parameters
    ----------
    difference : float or array_like of shape (d,)
        Of the means; a number is one dimension, or with ``d`` the distance between the means.
    sigma1, sigma2 : float
        Standard deviations along each axis.
    scale : float
        Width of the kernel.
    d : int, optional
        Dimension, if ``difference`` is a distance.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number, a standard deviation is negative or the scale not positive.
    """
    delta = as_array(difference, "difference", np.float64)
    if delta.ndim > 1 or not np.isfinite(delta).all() or (d is not None and delta.ndim):
        raise ValueError(
            f"mmd_of_gaussians: difference must be a finite vector (d,), or a number beside d, got "
            f"shape {delta.shape} with d = {d}."
        )
    ell2 = as_number(scale, "mmd_of_gaussians: scale", above=0) ** 2
    v1 = as_number(sigma1, "mmd_of_gaussians: sigma1", 0) ** 2
    v2 = as_number(sigma2, "mmd_of_gaussians: sigma2", 0) ** 2
    size = delta.size if d is None else as_integer(d, "mmd_of_gaussians: d", 1)
    far = float((delta**2).sum())

    def overlap(v: float, squared: float) -> float:
        return (ell2 / (ell2 + v)) ** (size / 2) * math.exp(-squared / (2 * (ell2 + v)))

    return overlap(2 * v1, 0) + overlap(2 * v2, 0) - 2 * overlap(v1 + v2, far)


def _median(y: Array) -> float:
    few = y[:_MEDIAN]
    d2 = np.concatenate([block for _, block in distance_blocks(few, few)])
    ell = math.sqrt(float(np.median(d2[np.triu_indices(len(few), 1)])))
    if ell == 0:
        raise ValueError(
            "mmd: real must hold different samples, got at least half of all distances equal to 0; "
            "name a scale."
        )
    return ell
