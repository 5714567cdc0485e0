r"""Distributions of one variable whose maximum-likelihood fit is no formula: lecture 07.

Setting the partial derivatives to zero leaves an equation with a digamma function (Gamma), a
weighted mean whose weights depend on the answer (Student), or a sum of hyperbolic tangents
(logistic). Each is solved by the iteration that suits it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from nnlite.errors import ConvergenceWarning
from nnlite.likelihood import _checks
from nnlite.likelihood.errors import UnboundedLikelihoodError
from nnlite.likelihood.families import LOG_2PI, _size, _spread_out, _text
from nnlite.likelihood.maximum import maximum_likelihood
from nnlite.likelihood.parameters import positive
from nnlite.ops import softplus, values_of
from nnlite.ops.special import digamma, gammaln, polygamma
from nnlite.random import RNGLike, default_rng

_LARGE = 15.0  # from here on the asymptotic series are exact to rounding
_FAR = 1e8  # 1 + w^2 is w^2 to rounding


class Gamma:
    r"""Gamma distribution on x > 0 with shape ``k`` and scale ``theta``; mean k theta.

    .. math:: \log p(x)=(k-1)\log x-\frac x\theta-k\log\theta-\log\Gamma(k)

    computed so that it keeps its digits for large k too.

    Parameters
    ----------
    k, theta : float, array_like or Tensor
        Any shapes that broadcast, both positive.

    Notes
    -----
    The scale is NumPy's (``rng.gamma(k, theta)``); PyTorch's ``rate`` is 1 / theta. Points at or
    below 0 have log-density -inf.
    """

    def __init__(self, k: Any = 1.0, theta: Any = 1.0) -> None:
        self.k = _checks.parameter(k, "k", positive=True)
        self.theta = _checks.parameter(theta, "theta", positive=True)

    @np.errstate(over="ignore")  # -inf is what a float can say of a density below all floats
    def log_prob(self, x: Any) -> Any:
        """Log-density, in nats, at each point of ``x``."""
        k, theta = self.k, self.theta
        x = _checks.points(x, k=k, theta=theta)
        inside = values_of(x) > 0
        t = np.where(inside, x, 1.0)  # keeps log and its gradient finite outside the support
        out = _by_size(
            k, lambda k: _gamma_plain(t, k, theta), lambda k: _gamma_stirling(t, k, theta)
        )
        return out if np.all(inside) else np.where(inside, out, -np.inf)

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, shape (n,) for scalar parameters."""
        k, theta = values_of(self.k), values_of(self.theta)
        return default_rng(rng).gamma(k, theta, _size(n, k, theta))

    def fit(self, x: ArrayLike) -> Self:
        r"""Solve :math:`\log k-\psi(k)=\log\bar x-\overline{\log x}`; then theta is mean / k.

        The equation is solved by Minka's (2002) Newton iteration in 1/k, which needs three or four
        steps. The shape is overestimated in small samples (Cox and Snell 1968).

        Raises
        ------
        ValueError
            If a sample is not positive (shapes below 0.01 produce zeros by underflow).
        UnboundedLikelihoodError
            If all samples are equal to rounding: then k grows without bound.
        """
        x = _checks.samples(x)
        if (x <= 0).any():
            i = int(np.argmax(x <= 0))
            raise ValueError(
                f"a Gamma variable is positive; {int((x <= 0).sum())} samples are not, the first "
                f"is x[{i}] = {x[i]}. Shift or drop them, or model the zeros on their own."
            )
        with np.errstate(over="ignore"):
            mean = float(x.mean())
        if not math.isfinite(mean):
            raise ValueError("the values of x are so large that their sum overflows; rescale x.")
        c = math.log(mean) - float(np.log(x).mean())
        if c < 0.1:  # two nearly equal numbers: take the deviations from the mean instead
            d = (x - mean) / mean
            c = float(_minus_log1p(d).mean() - _minus_log1p(d.mean()))
        if x.min() == x.max() or c <= 0:
            raise UnboundedLikelihoodError(
                f"all {x.size} samples equal {x[0]} to rounding: the likelihood grows without "
                "bound as k -> infinity. Collect different samples."
            )
        k = (3 - c + math.sqrt((c - 3) ** 2 + 24 * c)) / (12 * c)
        for _ in range(50):
            value, slope = _log_minus_digamma(k)
            k, old = 1 / (1 / k + (value - c) / (k * k * slope)), k
            if abs(k - old) <= 1e-14 * k:
                break
        self.k, self.theta = k, mean / k
        return self

    def __repr__(self) -> str:
        return _text(self, "k", "theta")


def _minus_log1p(d: Any) -> Any:
    """The difference d - log(1 + d) of an array, by its Taylor series where both terms agree."""
    series = sum((-1) ** i * d**i / i for i in range(9, 1, -1))
    return np.where(np.abs(d) < 0.01, series, d - np.log1p(d))


def _by_size(k: Any, small: Callable[[Any], Any], large: Callable[[Any], Any]) -> Any:
    """``small(k)`` or, for entries from ``_LARGE`` on, ``large(k)``; each sees only its own."""
    at = values_of(k) >= _LARGE
    if np.all(at):
        return large(k)
    if not np.any(at):
        return small(k)
    return np.where(at, large(np.where(at, k, _LARGE)), small(np.where(at, 1.0, k)))


def _gamma_plain(t: Any, k: Any, theta: Any) -> Any:
    """Log-density of Gamma as it is defined."""
    return (k - 1) * np.log(t) - t / theta - k * np.log(theta) - gammaln(k)


def _gamma_stirling(t: Any, k: Any, theta: Any) -> Any:
    """The same after Stirling's terms have cancelled those of the density.

    What is left of the difference of large numbers is k (r - 1 - log r) with r = x / (k theta).
    """
    y = t / theta
    r, d = y / k, (y - k) / k
    near = np.abs(values_of(d)) < 0.5
    lost = (values_of(r) < np.finfo(np.float64).tiny) | (values_of(r) == np.inf)
    # k (r - 1 - log r) from whichever of d, y and the logarithms has the digits. Its slope in k is
    # -log r, which k times (r - 1) would bury for large r; y - k does not.
    d, inside = np.where(near, d, 0.0), np.where(near | lost, k, y)
    outside = np.where(lost, r - 1 - (np.log(t) - np.log(theta) - np.log(k)), 0.0)
    excess = k * (d - np.log1p(d)) + ((inside - k) - k * np.log(inside / k)) + k * outside
    return 0.5 * np.log(k) - 0.5 * LOG_2PI - np.log(t) - _stirling_rest(k) - excess


def _stirling_rest(k: Any) -> Any:
    r"""What Stirling's formula leaves of :math:`\log\Gamma(k)`, for large k.

    :math:`\log\Gamma(k)-(k-\tfrac12)\log k+k-\tfrac12\log2\pi` (Abramowitz & Stegun 6.1.41).
    """
    q = 1 / k
    return q * _polynomial(q * q, (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188))


def _half_step(a: Any) -> Any:
    r""":math:`\log\Gamma(a+\tfrac12)-\log\Gamma(a)-\tfrac12\log a`.

    The two agree in most of their digits for large a; there its asymptotic series is taken (the
    difference of 6.1.41 of Abramowitz & Stegun at a + 1/2 and at a).
    """
    return _by_size(a, lambda a: gammaln(a + 0.5) - gammaln(a) - 0.5 * np.log(a), _half_step_series)


def _half_step_series(a: Any) -> Any:
    q = 1 / a
    return q * _polynomial(q * q, (-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432))


def _polynomial(t: Any, coefficients: tuple[float, ...]) -> Any:
    """Coefficients from the constant on, by Horner's rule."""
    out = 0.0
    for c in reversed(coefficients):
        out = out * t + c
    return out


def _log_minus_digamma(k: float) -> tuple[float, float]:
    """The function log k - psi(k) and its derivative, by its asymptotic series for large k.

    There both terms agree in most of their digits, and their difference would lose them.
    """
    if k < 15:
        return math.log(k) - float(digamma(k)), 1 / k - float(polygamma(k, n=1))
    q, coefficients = 1 / k, (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)  # A. & S. 6.3.18
    value = q * (0.5 + q * _polynomial(q * q, coefficients))
    falls = tuple(2 * i * c for i, c in enumerate(coefficients, start=1))
    slope = -q * q * (0.5 + q * _polynomial(q * q, falls))
    return value, slope


class StudentT:
    r"""Student's t: ``nu`` degrees of freedom, location ``mu``, scale ``sigma``; nu = 1 is Cauchy.

    .. math:: \log p(x)=\log\Gamma(\tfrac{\nu+1}2)-\log\Gamma(\tfrac\nu2)-\tfrac12\log\nu\pi
              -\log\sigma-\tfrac{\nu+1}2\log\Big(1+\frac{(x-\mu)^2}{\nu\sigma^2}\Big)

    Parameters
    ----------
    nu, mu, sigma : float, array_like or Tensor
        Any shapes that broadcast; ``nu`` and ``sigma`` are positive. ``sigma`` is a scale, not the
        standard deviation (which is sigma sqrt(nu / (nu - 2)) for nu > 2 and does not exist below).
    """

    def __init__(self, nu: Any = 4.0, mu: Any = 0.0, sigma: Any = 1.0) -> None:
        self.nu = _checks.parameter(nu, "nu", positive=True)
        self.mu = _checks.parameter(mu, "mu")
        self.sigma = _checks.parameter(sigma, "sigma", positive=True)

    @np.errstate(over="ignore")  # -inf is what a float can say of a density below all floats
    def log_prob(self, x: Any) -> Any:
        """Log-density, in nats, at each point of ``x``."""
        nu, sigma = self.nu, self.sigma
        x = _checks.points(x, nu=nu, mu=self.mu, sigma=sigma)
        d = x - self.mu
        # The square of a far point, or its distance in units of sigma, overflows long before its
        # logarithm does.
        far = np.abs(values_of(d) / values_of(sigma)) > _FAR * np.sqrt(values_of(nu))
        near = (np.where(far, 0.0, d) if far.any() else d) / sigma / np.sqrt(nu)
        tail = np.log1p(near * near)
        if far.any():
            log_z = np.log(np.abs(np.where(far, d, 1.0))) - np.log(sigma)
            tail = np.where(far, 2 * log_z - np.log(nu), tail)
        return _half_step(nu / 2) - 0.5 * LOG_2PI - np.log(sigma) - (nu + 1) / 2 * tail

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, shape (n,) for scalar parameters."""
        nu, mu, sigma = (values_of(p) for p in (self.nu, self.mu, self.sigma))
        return mu + sigma * default_rng(rng).standard_t(nu, _size(n, nu, mu, sigma))

    def fit(self, x: ArrayLike, *, tol: float = 1e-13, max_iter: int = 10_000) -> Self:
        r"""Set ``mu`` and ``sigma`` to their maximum for the present ``nu``, which stays as it is.

        EM with the weights :math:`w=(\nu+1)/(\nu+z^2)`: a far sample counts less. Dividing by
        :math:`\sum w` instead of n has the same fixed point and gets there sooner (Kent, Tyler and
        Vardi 1994). For nu >= 1 there is only one maximum (Copas 1975); for smaller nu the one
        found from median and median deviation. To fit ``nu`` too use :func:`maximum_likelihood`.

        Raises
        ------
        UnboundedLikelihoodError
            If a share of nu / (nu + 1) or more of the samples coincide: then sigma -> 0.
        """
        x = _spread_out(x, "sigma")
        nu = float(self.nu)
        _, ties = np.unique(x, return_counts=True)
        if ties.max() >= x.size * nu / (nu + 1):
            raise UnboundedLikelihoodError(
                f"{ties.max()} of {x.size} samples coincide, a share of at least nu / (nu + 1) = "
                f"{nu / (nu + 1):.3g}: the likelihood has no maximum with sigma > 0. Use a larger "
                "nu or data with fewer ties."
            )
        # The median, because one far sample must not make zeros of all others.
        distance = np.abs(x - np.median(x))
        unit = float(np.median(distance)) or float(np.mean(distance))
        z = (x - float(np.median(x))) / unit
        mu, sigma = 0.0, 1.0
        for _ in range(max_iter):
            # No squares of z: that of a far sample may overflow, its share of sigma does not.
            root = math.sqrt(nu + 1) / np.hypot(math.sqrt(nu), (z - mu) / sigma)
            w = root * root
            new_mu = float(np.sum(w * z) / np.sum(w))
            share = root * (z - new_mu)
            most = float(np.abs(share).max())
            new_sigma = most * math.sqrt(float(np.sum((share / most) ** 2) / np.sum(w)))
            change = abs(new_mu - mu) + abs(new_sigma - sigma)
            mu, sigma = new_mu, new_sigma
            if change <= tol * sigma:
                break
        else:
            warnings.warn(
                f"StudentT.fit stopped after {max_iter} steps with a relative change of "
                f"{change / sigma:.1e} > tol={tol:.1e}.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.mu, self.sigma = float(np.median(x)) + unit * mu, unit * sigma
        return self

    def __repr__(self) -> str:
        return _text(self, "nu", "mu", "sigma")


class Logistic:
    r"""Logistic distribution with mean ``mu`` and scale ``s``; standard deviation pi s / sqrt(3).

    .. math:: \log p(x)=-z-\log s-2\log(1+e^{-z}),\qquad z=\frac{x-\mu}s

    Parameters
    ----------
    mu, s : float, array_like or Tensor
        Any shapes that broadcast; ``s`` is positive.
    """

    def __init__(self, mu: Any = 0.0, s: Any = 1.0) -> None:
        self.mu = _checks.parameter(mu, "mu")
        self.s = _checks.parameter(s, "s", positive=True)

    @np.errstate(over="ignore")  # -inf is what a float can say of a density below all floats
    def log_prob(self, x: Any) -> Any:
        """Log-density, in nats, at each point of ``x``."""
        z = (_checks.points(x, mu=self.mu, s=self.s) - self.mu) / self.s
        return -softplus(z) - softplus(-z) - np.log(self.s)  # z is the difference of the two

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, shape (n,) for scalar parameters."""
        mu, s = values_of(self.mu), values_of(self.s)
        return default_rng(rng).logistic(mu, s, _size(n, mu, s))

    def fit(self, x: ArrayLike) -> Self:
        """Maximise by Newton's method in (mu / s, 1 / s), where the log-likelihood is concave.

        Raises
        ------
        UnboundedLikelihoodError
            If all samples are equal, in particular if there is only one.
        """
        x = _spread_out(x, "s")
        centre = float(np.median(x))
        unit = float(np.mean(np.abs(x - centre)))
        found = maximum_likelihood(
            _logistic_concave, {"nu": 0.0, "tau": positive(1.4)}, (x - centre) / unit
        ).params
        self.mu = centre + unit * found["nu"] / found["tau"]
        self.s = unit / found["tau"]
        return self

    def __repr__(self) -> str:
        return _text(self, "mu", "s")


def _logistic_concave(x: Any, nu: Any, tau: Any) -> Any:
    """The logistic log-density with nu = mu / s and tau = 1 / s."""
    z = tau * x - nu
    return np.log(tau) - softplus(z) - softplus(-z)
