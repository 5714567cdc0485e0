r"""The best discriminator between two known densities, and what it is worth: lectures 09 and 10.

For real density p and generated density q (Goodfellow et al. 2014, Proposition 1 and Theorem 1)

.. math:: D^*=\frac p{p+q}=\sigma(\log p-\log q),\qquad
   V(D^*)=E_p\log D^*+E_q\log(1-D^*)=-\log4+2\,JSD(p,q),

and any other discriminator falls short of that by exactly
:math:`2E_m KL(\mathrm{Bern}\,D^*\|\mathrm{Bern}\,D)` with m = (p + q) / 2.

Everything is computed from log-densities: ``p / (p + q)`` is 0 / 0 from some 39 standard deviations
on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite._arguments import as_array, as_integer, as_number

Array = NDArray[Any]
LogDensity = Callable[[Array], ArrayLike]

_MASS = 1e-6  # how far the integral of a density may be from 1


@dataclass(frozen=True, eq=False)
class TwoDensities:
    """Two densities on a grid; make one with :meth:`on_a_line` or :meth:`on_a_plane`.

    Attributes
    ----------
    x : ndarray of shape (N,) or (N, 2)
        The points of the grid.
    log_p, log_q : ndarray of shape (N,)
        Log-densities of the real and of the generated law; -inf where there is none.
    cell : float
        Length or area that belongs to a point.

    Raises
    ------
    ValueError
        If shapes differ, a log-density is NaN or +inf, or its integral is not 1.
    """

    x: Array
    log_p: Array
    log_q: Array
    cell: float

    def __post_init__(self) -> None:
        for name, log_density in (("log_p", self.log_p), ("log_q", self.log_q)):
            if log_density.shape != self.x.shape[:1]:
                raise ValueError(
                    f"TwoDensities: {name} must have one value for each of the {len(self.x)} "
                    f"points of the grid, got shape {log_density.shape}."
                )
            if not (log_density < np.inf).all():  # NaN is not either
                raise ValueError(f"TwoDensities: {name} must be finite or -inf, got NaN or +inf.")
            mass = float(np.exp(log_density).sum() * self.cell)
            if not abs(mass - 1) < _MASS:
                raise ValueError(
                    f"TwoDensities: {name} must be a log-density whose integral over the grid is "
                    f"1, got {mass:.8g}; take a wider or a finer grid, or normalise it."
                )

    @classmethod
    def on_a_line(
        cls, log_p: LogDensity, log_q: LogDensity, lower: float, upper: float, n: int = 8001
    ) -> TwoDensities:
        """Two laws of one variable, on ``n`` equally spaced points from ``lower`` to ``upper``.

        Sums over such a grid are exact to rounding for smooth densities that vanish at its ends:
        15 standard deviations on either side, at 5 points or more per standard deviation.

        Parameters
        ----------
        log_p, log_q : callable
            From points (n,) to log-densities (n,), as ``nnlite.likelihood.Gaussian(2).log_prob``.
        lower, upper : float
        n : int
        """
        x, cell = _axis(lower, upper, n)
        return cls(x, _evaluate(log_p, x), _evaluate(log_q, x), cell)

    @classmethod
    def on_a_plane(
        cls,
        log_p: LogDensity,
        log_q: LogDensity,
        lower: float | Sequence[float],
        upper: float | Sequence[float],
        n: int = 201,
    ) -> TwoDensities:
        """Two laws in the plane, on ``n`` by ``n`` points.

        Parameters
        ----------
        log_p, log_q : callable
            From points (N, 2) to log-densities (N,), as ``ring_mixture().log_density``.
        lower, upper : float or pair of floats
            Ends of both axes, or of each.
        n : int
        """
        ends = zip(_pair(lower, "lower"), _pair(upper, "upper"), strict=True)
        (u, du), (v, dv) = (_axis(a, b, n) for a, b in ends)
        x = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)  # (n * n, 2)
        return cls(x, _evaluate(log_p, x), _evaluate(log_q, x), du * dv)

    @property
    def optimal_logit(self) -> Array:
        """The logit log p - log q of the best discriminator, (N,); 0 where there is no density."""
        nowhere = np.isneginf(self.log_p) & np.isneginf(self.log_q)
        return np.where(nowhere, 0.0, self.log_p) - np.where(nowhere, 0.0, self.log_q)

    def optimal_discriminator(self, real: float = 1.0, fake: float = 0.0) -> Array:
        r"""The best discriminator :math:`(\alpha p+\beta q)/(p+q)`, (N,).

        Parameters
        ----------
        real, fake : float
            Targets alpha and beta, or the means of random ones. 0.9 and 0 are one-sided label
            smoothing (Salimans et al. 2016). Cross-entropy and squared error have the same optimum.
        """
        alpha = as_number(real, "optimal_discriminator: real")
        beta = as_number(fake, "optimal_discriminator: fake")
        return beta + (alpha - beta) * _sigmoid(self.optimal_logit)

    def value(self, logit: ArrayLike | None = None) -> float:
        """V(D) = E_p log D + E_q log(1 - D), in nats, of the discriminator with this logit.

        Parameters
        ----------
        logit : array_like of shape (N,), optional
            At the points of the grid; by default that of the best discriminator.

        Raises
        ------
        ValueError
            If the shape is another, or an entry is NaN.
        """
        a = self.optimal_logit if logit is None else self._logit(logit)
        return self._mean(self.log_p, -_softplus(-a)) + self._mean(self.log_q, -_softplus(a))

    def gap(self, logit: ArrayLike) -> float:
        """How far V(D) is below its maximum: the honest distance of a learned discriminator.

        It weighs errors by the data; where neither law has any, nothing constrains D. Computed as
        2 E_m KL(Bern D* || Bern D), which is never negative.
        """
        a, best = self._logit(logit), self.optimal_logit
        up = _softplus(-a) - _softplus(-best)  # log D* - log D
        down = _softplus(a) - _softplus(best)  # log (1 - D*) - log (1 - D)
        return self._mean(self.log_p, up) + self._mean(self.log_q, down)

    @property
    def jsd(self) -> float:
        """Jensen-Shannon divergence in nats: from 0 for equal laws to log 2 for disjoint ones."""
        log_m = np.logaddexp(self.log_p, self.log_q) - np.log(2)
        return (self._kl(self.log_p, log_m) + self._kl(self.log_q, log_m)) / 2

    @property
    def kl(self) -> float:
        """KL(p || q), which maximum likelihood minimises; infinite if q misses a part of p."""
        return self._kl(self.log_p, self.log_q)

    @property
    def reverse_kl(self) -> float:
        """KL(q || p), which forgives missed modes; infinite if q strays from the support of p."""
        return self._kl(self.log_q, self.log_p)

    @property
    def total_variation(self) -> float:
        """Half the integral of |p - q|; the best discriminator is right with (1 + TV) / 2."""
        return float(np.abs(np.exp(self.log_p) - np.exp(self.log_q)).sum() * self.cell / 2)

    @property
    def overlap(self) -> float:
        r"""The integral of pq / (p + q): from 1/2 for equal laws to 0 for disjoint ones.

        It is the share of the saturating generator's gradient between two Gaussians of equal
        variance: :math:`\frac{d}{d\delta}2\,JSD=\delta h`, with the non-saturating one
        :math:`\delta(1-h)` (lecture 09).
        """
        return self._mean(self.log_p, np.exp(-_softplus(self.optimal_logit)))

    def best_response(self, logit: ArrayLike | None = None) -> Array:
        """Where a generator goes that may choose any law, while the discriminator stands still.

        Both generator losses are averages over its samples of something that falls with D. The best
        law therefore puts everything on the point where D is largest: mode collapse is the right
        answer to a frozen discriminator.

        Parameters
        ----------
        logit : array_like of shape (N,), optional
            At the points of the grid; by default that of the best discriminator.

        Returns
        -------
        ndarray of shape () or (2,)
            The point of the grid.

        Raises
        ------
        ValueError
            If D is largest at an edge of the grid: it rises on, and there is no best response.
        """
        a = self.optimal_logit if logit is None else self._logit(logit)
        best = self.x[int(np.argmax(a))]
        if ((best == self.x.min(axis=0)) | (best == self.x.max(axis=0))).any():
            raise ValueError(
                f"best_response: the discriminator must have its maximum inside the grid, got it "
                f"at the edge, {best}; either it rises for ever (as between Gaussians, unless the "
                "generated one is the wider), or the grid is too small."
            )
        return best

    def _logit(self, logit: ArrayLike) -> Array:
        a = as_array(logit, "logit", np.float64)
        if a.shape != self.log_p.shape or np.isnan(a).any():
            raise ValueError(
                f"logit must be numbers of shape {self.log_p.shape}, one for each point of the "
                f"grid, got shape {a.shape} with {int(np.isnan(a).sum())} NaN; evaluate the "
                "discriminator at x."
            )
        return a

    def _mean(self, log_density: Array, f: Array) -> float:
        """Expectation of ``f`` under a density, counting only where that has some."""
        inside = ~np.isneginf(log_density)
        return float((np.exp(log_density[inside]) * f[inside]).sum() * self.cell)

    def _kl(self, log_a: Array, log_b: Array) -> float:
        inside = ~np.isneginf(log_a)
        ratio = np.full_like(log_a, 0.0)
        ratio[inside] = log_a[inside] - log_b[inside]
        return self._mean(log_a, ratio)


def best_response_between_gaussians(mu: ArrayLike, sigma: float, nu: ArrayLike, s: float) -> Array:
    r"""Where D* between round Gaussians is largest.

    For data :math:`N(\mu,\sigma^2I)`
    and fakes :math:`N(\nu,s^2I)` that is at

    .. math:: x^*=\frac{\mu/\sigma^2-\nu/s^2}{1/\sigma^2-1/s^2}

    It is not the centre of the data: seen from :math:`\nu` it lies beyond it by the factor
    :math:`1/(1-\sigma^2/s^2)`.

    Parameters
    ----------
    mu, nu : array_like of shape (d,), or float
    sigma, s : float
        Standard deviations, s the larger.

    Returns
    -------
    ndarray of the shape of mu

    Raises
    ------
    ValueError
        If s is not larger than sigma: then D* has no maximum, and the best response runs away.
    """
    sigma = as_number(sigma, "best_response_between_gaussians: sigma", above=0)
    s = as_number(s, "best_response_between_gaussians: s", above=0)
    if not s > sigma:
        raise ValueError(
            f"best_response_between_gaussians: s must be larger than sigma = {sigma:g}, got "
            f"{s:g}; between equally wide Gaussians the logit is linear, and with narrower fakes "
            "convex, so that the best response runs off to infinity."
        )
    a, b = 1 / sigma**2, 1 / s**2
    return (a * as_array(mu, "mu", np.float64) - b * as_array(nu, "nu", np.float64)) / (a - b)


def _sigmoid(a: Array) -> Array:
    return np.exp(-_softplus(-a))


def _softplus(a: Array) -> Array:
    return np.logaddexp(0.0, a)


def _axis(lower: float, upper: float, n: int) -> tuple[Array, float]:
    """Points (n,) and their distance."""
    lower = as_number(lower, "TwoDensities: lower")
    upper = as_number(upper, "TwoDensities: upper", above=lower)
    n = as_integer(n, "TwoDensities: n", 2)
    x = np.linspace(lower, upper, n)
    return x, (upper - lower) / (n - 1)


def _pair(ends: float | Sequence[float], name: str) -> tuple[float, float]:
    both = as_array(ends, f"TwoDensities: {name}", np.float64)
    if both.shape not in ((), (2,)):
        raise ValueError(
            f"TwoDensities: {name} must be a number or one for each axis, got shape {both.shape}."
        )
    u, v = (float(end) for end in np.broadcast_to(both, 2))
    return u, v


def _evaluate(log_density: LogDensity, x: Array) -> Array:
    if not callable(log_density):
        raise TypeError(
            f"TwoDensities: a log-density must be a function of points, got "
            f"{type(log_density).__name__}; pass the method itself, as Gaussian(0, 1).log_prob."
        )
    return as_array(log_density(x), "the log-density", np.float64)
