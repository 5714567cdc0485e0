r"""Modes found, high-quality share and the two KL divergences over modes: lecture 10.

The data are K round Gaussians in the plane, centre :math:`\mu_k`, standard deviation
:math:`\sigma` along each axis, weight :math:`w_k`. A sample is of *high quality* if it lies within
:math:`r\sigma` of a centre (r = 3), a mode is *found* if it has such a sample, and for the KL
divergences each sample counts for its nearest centre (Lin, Khetan, Fanti and Oh 2018, "PacGAN").

What a perfect sampler scores with n samples:

* share :math:`q=1-e^{-r^2/2}`, since the squared radius of a plane Gaussian is exponential;
* modes :math:`\sum_k(1-(1-qw_k)^n)`, by counting the missed ones;
* :math:`KL(\hat p\|w)=\frac{K-1}{2n}+\frac{S-1}{12n^2}` and
  :math:`KL(w\|\hat p)=\frac{K-1}{2n}+\frac{5S-6K+1}{12n^2}`,
  where :math:`S=\sum1/w_k`, up to terms in 1 / n³ (for the first: Miller 1955, Harris 1975; the
  second by the same expansion of the logarithm in :math:`\hat p_k/w_k-1`). Both have the law of
  :math:`\chi^2_{K-1}/2n` in the limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_array, as_number
from nnlite.gans.metrics._samples import Array, distance_blocks, sample
from nnlite.gans.metrics.measurement import Measurement

_STRAY = 4.0  # in sigma: farther than this from its centre is one sample in 3,000
_PER_MODE = 5  # expected samples from which on the counts of modes have their limiting law


@dataclass(frozen=True, eq=False)
class ModeCoverage:
    """How a sampler shares out its samples among the modes; ``print`` shows the whole of it.

    Attributes
    ----------
    modes : Measurement
        Modes with at least one sample of high quality.
    quality : Measurement
        Share of samples of high quality. Above the ceiling is no success: the modes are then
        narrower than those of the data.
    reverse_kl : Measurement
        KL(samples || data) over modes, in nats. With M equal modes found it is log(K / M).
    forward_kl : Measurement
        KL(data || samples) over modes, in nats; infinite as soon as a mode has no sample, and
        ``perfect`` is the mean where that has not happened.
    histogram : ndarray (K,)
        Samples nearest to each centre. A mode of probability 0.001 counts as found in 2,500
        samples; here one sees it.
    """

    modes: Measurement
    quality: Measurement
    reverse_kl: Measurement
    forward_kl: Measurement
    histogram: Array

    def __str__(self) -> str:
        parts = (self.modes, self.quality, self.reverse_kl, self.forward_kl)
        return "\n".join([*map(str, parts), f"samples per mode: {self.histogram}"])


def mode_coverage(
    samples: ArrayLike,
    centres: ArrayLike,
    sigma: float,
    *,
    weights: ArrayLike | None = None,
    within: float = 3.0,
) -> ModeCoverage:
    """How many modes a sampler finds, how exactly, and how evenly.

    Parameters
    ----------
    samples : array_like of shape (n, 2)
        At least 5 are expected in the smallest mode.
    centres : array_like of shape (K, 2)
        Means of the data's modes, farther apart than ``(within + 4) * sigma``: overlap would lift
        the ceiling of the share.
    sigma : float
        Standard deviation of a mode along each axis (not the variance).
    weights : array_like of shape (K,), optional
        Probabilities of the modes; equal by default.
    within : float
        Radius of high quality, in units of ``sigma``.

    Returns
    -------
    ModeCoverage

    Raises
    ------
    TypeError
        If an argument holds no numbers.
    ValueError
        If a shape is wrong, samples are not finite or too few, centres are too close, or weights
        are not a distribution.

    Examples
    --------
    >>> from nnlite.datasets import ring_mixture
    >>> ring = ring_mixture(8, sigma=0.01)
    >>> report = mode_coverage(ring.sample(2500, rng=0), ring.means, 0.01)
    >>> report.modes.value
    8.0
    """
    sigma = as_number(sigma, "mode_coverage: sigma", above=0)
    within = as_number(within, "mode_coverage: within", above=0)
    centres = _plane(sample(centres, "centres", 2, "one mode cannot be missed"), "centres")
    w = _distribution(weights, len(centres))
    _refuse_overlap(centres, sigma, within)
    needed = math.ceil(_PER_MODE / w.min() * (1 - 1e-12))
    why = f"with fewer, not even {_PER_MODE} are expected in the smallest mode"
    x = _plane(sample(samples, "samples", needed, why), "samples")

    nearest, d2 = _nearest(x, centres)
    good = d2 < (within * sigma) ** 2
    n, K = len(x), len(centres)
    histogram = np.bincount(nearest, minlength=K)
    found = np.unique(nearest[good]).size
    share = -math.expm1(-(within**2) / 2)
    p, S = histogram / n, float((1 / w).sum())
    first, spread = (K - 1) / (2 * n), math.sqrt((K - 1) / 2) / n
    reverse = Measurement(
        "reverse KL over modes", _kl(p, w), first + (S - 1) / (12 * n**2), spread, n
    )
    forward = Measurement(
        "forward KL over modes", _kl(w, p), first + (5 * S - 6 * K + 1) / (12 * n**2), spread, n
    )
    quality = Measurement(
        "high-quality share", float(good.mean()), share, math.sqrt(share * (1 - share) / n), n
    )
    modes = Measurement("modes found", float(found), *_occupied(share * w, n), n)
    return ModeCoverage(modes, quality, reverse, forward, histogram)


def _nearest(x: Array, centres: Array) -> tuple[Array, Array]:
    """Index of the nearest centre and squared distance to it, both (n,)."""
    nearest = np.empty(len(x), dtype=np.intp)
    for i, d2 in distance_blocks(x, centres):
        nearest[i : i + len(d2)] = d2.argmin(axis=1)
    # Again from the differences: modes are small against the distances between them.
    return nearest, ((x - centres[nearest]) ** 2).sum(axis=1)


def _occupied(p: Array, n: int) -> tuple[float, float]:
    """Mean and standard deviation of the number of cells hit, if n draws hit cell k with p_k."""
    missed = (1 - p) ** n
    both = np.maximum(1 - p[:, None] - p, 0.0) ** n  # (K, K): cells k and l missed together
    covariance = both - np.outer(missed, missed)
    np.fill_diagonal(covariance, missed * (1 - missed))
    return float((1 - missed).sum()), math.sqrt(max(float(covariance.sum()), 0.0))


def _kl(p: Array, q: Array) -> float:
    """The divergence KL(p || q) of two discrete laws, in nats."""
    inside = p > 0
    if (q[inside] == 0).any():
        return math.inf
    return float((p[inside] * np.log(p[inside] / q[inside])).sum())


def _plane(x: Array, name: str) -> Array:
    if x.shape[1] != 2:
        raise ValueError(
            f"mode_coverage: {name} must be points in the plane (n, 2), got shape {x.shape}; in "
            "more dimensions use frechet_distance or mmd."
        )
    return x


def _distribution(weights: ArrayLike | None, K: int) -> Array:
    w = np.full(K, 1 / K) if weights is None else as_array(weights, "weights", np.float64)
    if w.shape != (K,) or not (w > 0).all() or not abs(w.sum() - 1) < 1e-9:
        raise ValueError(
            f"mode_coverage: weights must be {K} positive numbers that sum to 1, one for each "
            f"centre, got {w}; divide by their sum."
        )
    return w


def _refuse_overlap(centres: Array, sigma: float, within: float) -> None:
    """Raise if samples of one mode would pass as good samples of another."""
    d2 = ((centres[:, None] - centres) ** 2).sum(axis=-1)
    np.fill_diagonal(d2, np.inf)
    closest = math.sqrt(d2.min())
    if closest < (within + _STRAY) * sigma:
        raise ValueError(
            f"mode_coverage: centres must be at least (within + {_STRAY:g}) sigma = "
            f"{(within + _STRAY) * sigma:.4g} apart, got two at a distance of {closest:.4g}; "
            "overlapping modes have no ceiling in closed form (and sigma is a standard deviation, "
            "not a variance)."
        )
