r"""Distributions of one variable whose maximum-likelihood fit is a formula: lecture 07.

Each has ``log_prob``, ``sample`` and ``fit``. Parameters and data may be numbers, arrays or
Tensors, so that a log-density can be differentiated in both: a regression writes
``Gaussian(prediction, sigma).log_prob(y)``. ``fit`` replaces the parameters by those that maximise
the likelihood of the data and returns the distribution itself.
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_integer
from nnlite.likelihood import _checks
from nnlite.likelihood.errors import UnboundedLikelihoodError
from nnlite.ops import sigmoid, softplus, values_of
from nnlite.random import RNGLike, default_rng

LOG_2 = math.log(2.0)
LOG_2PI = math.log(2 * math.pi)
_EVEN = 0.5  # the p of a Bernoulli variable that was given none


class Gaussian:
    r"""Normal distribution with mean ``mu`` and standard deviation ``sigma``.

    .. math:: \log p(x)=-\tfrac12\log 2\pi-\log\sigma-\frac{(x-\mu)^2}{2\sigma^2}

    Parameters
    ----------
    mu, sigma : float, array_like or Tensor
        Any shapes that broadcast; ``sigma`` is positive.

    Examples
    --------
    >>> Gaussian().fit([1.0, 3.0, 5.0, 7.0])
    Gaussian(mu=4.0, sigma=2.23607)
    """

    def __init__(self, mu: Any = 0.0, sigma: Any = 1.0) -> None:
        self.mu = _checks.parameter(mu, "mu")
        self.sigma = _checks.parameter(sigma, "sigma", positive=True)

    @np.errstate(over="ignore")  # -inf is what a float can say of a density below all floats
    def log_prob(self, x: Any) -> Any:
        """Log-density, in nats, at each point of ``x``."""
        z = (_checks.points(x, mu=self.mu, sigma=self.sigma) - self.mu) / self.sigma
        return -0.5 * z * z - np.log(self.sigma) - 0.5 * LOG_2PI

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, shape (n,) for scalar parameters."""
        mu, sigma = values_of(self.mu), values_of(self.sigma)
        return mu + sigma * default_rng(rng).standard_normal(_size(n, mu, sigma))

    def fit(self, x: ArrayLike) -> Self:
        """Set ``mu`` to the mean of the samples and ``sigma`` to their standard deviation.

        The divisor under the square root is n, not n - 1: that is where the likelihood is highest
        (Gauss 1809; Fisher 1922), and it makes sigma**2 too small by the factor (n - 1)/n on
        average.

        Raises
        ------
        UnboundedLikelihoodError
            If all samples are equal, in particular if there is only one.
        """
        x = _spread_out(x, "sigma")
        with np.errstate(over="ignore", invalid="ignore"):
            from_first = x - x[0]  # exact where all are close to each other and far from 0
            mu, sigma = float(x[0] + from_first.mean()), float(from_first.std())
        if not (math.isfinite(mu) and 0 < sigma < math.inf):
            raise ValueError(
                f"the squares of x leave the range of float64 (sigma is {sigma}); rescale x."
            )
        self.mu, self.sigma = mu, sigma
        return self

    def __repr__(self) -> str:
        return _text(self, "mu", "sigma")


class Laplace:
    r"""Double exponential distribution with median ``mu`` and mean absolute deviation ``b``.

    .. math:: \log p(x)=-\log 2b-\frac{|x-\mu|}{b}

    Parameters
    ----------
    mu, b : float, array_like or Tensor
        Any shapes that broadcast; ``b`` is positive.
    """

    def __init__(self, mu: Any = 0.0, b: Any = 1.0) -> None:
        self.mu = _checks.parameter(mu, "mu")
        self.b = _checks.parameter(b, "b", positive=True)

    @np.errstate(over="ignore")  # -inf is what a float can say of a density below all floats
    def log_prob(self, x: Any) -> Any:
        """Log-density, in nats, at each point of ``x``."""
        distance = np.abs(_checks.points(x, mu=self.mu, b=self.b) - self.mu)
        return -distance / self.b - np.log(self.b) - LOG_2

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, shape (n,) for scalar parameters."""
        mu, b = values_of(self.mu), values_of(self.b)
        return default_rng(rng).laplace(mu, b, _size(n, mu, b))

    def fit(self, x: ArrayLike) -> Self:
        """Set ``mu`` to the median of the samples and ``b`` to their mean distance from it.

        For even n every point between the two middle samples maximises the likelihood; the midpoint
        is taken.

        Raises
        ------
        UnboundedLikelihoodError
            If all samples are equal, in particular if there is only one.
        """
        x = _spread_out(x, "b")
        self.mu = float(np.median(x))
        self.b = float(np.mean(np.abs(x - self.mu)))
        return self

    def __repr__(self) -> str:
        return _text(self, "mu", "b")


class Bernoulli:
    r"""A coin: 1 with probability ``p``, 0 with probability 1 - p.

    .. math:: \log P(x)=x\log p+(1-x)\log(1-p)=xa-\log(1+e^a),\qquad p=\frac1{1+e^{-a}}

    Parameters
    ----------
    p : float, array_like or Tensor
        Probability in [0, 1].
    logits : float, array_like or Tensor, optional
        The number a above instead of ``p``; exact where p would round to 0 or 1, and the safe
        choice for gradients.
    """

    def __init__(self, p: Any = _EVEN, *, logits: Any = None) -> None:
        if logits is not None and p is not _EVEN:
            raise ValueError("a coin has either p or logits; got both.")
        self.logits: Any = None if logits is None else _checks.parameter(logits, "logits")
        self.p = _checks.parameter(p if logits is None else sigmoid(self.logits), "p")
        values = np.asarray(values_of(self.p))
        if (values < 0).any() or (values > 1).any():
            raise ValueError(
                f"p is a probability, from 0 to 1; got {float(values.min())} to "
                f"{float(values.max())}. Did you mean logits=?"
            )

    def log_prob(self, x: Any) -> Any:
        """Log-probability, in nats, of each entry of ``x``; -inf for those that are not 0 or 1."""
        if getattr(x, "requires_grad", False):
            raise TypeError("a Bernoulli variable is 0 or 1: no gradient in x; pass x.detach().")
        one = (x := values_of(_checks.points(x, p=self.p))) == 1
        if self.logits is not None:
            # log p = -softplus(-a) and log(1 - p) = -softplus(a): no difference of large numbers
            out = -softplus(np.where(one, -self.logits, self.logits))
        else:
            # Each logarithm sees only its own samples, so that no other one's slope is infinite.
            with np.errstate(divide="ignore"):  # log 0 = -inf is the answer where p is 0 or 1
                out = np.log(np.where(one, self.p, 1.0)) + np.log1p(-np.where(one, 0.0, self.p))
        return np.where((x == 0) | (x == 1), out, -np.inf)

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, 0.0 or 1.0, shape (n,) for a scalar ``p``."""
        p = values_of(self.p)
        return (default_rng(rng).random(_size(n, p)) < p).astype(np.float64)

    def fit(self, x: ArrayLike) -> Self:
        """Set ``p`` to the share of ones among the samples.

        Raises
        ------
        ValueError
            If a sample is neither 0 nor 1.
        """
        x = _checks.samples(x)
        outside = (x != 0) & (x != 1)
        if outside.any():
            raise ValueError(
                f"a Bernoulli variable is 0 or 1; {int(outside.sum())} samples are not, the first "
                f"is x[{int(np.argmax(outside))}] = {x[outside][0]}. Round or threshold first."
            )
        self.p, self.logits = float(x.mean()), None
        return self

    def __repr__(self) -> str:
        return _text(self, "p")


def _spread_out(x: ArrayLike, scale: str) -> np.ndarray:
    """The samples, if they are not all equal: else the likelihood has no maximum."""
    x = _checks.samples(x)
    with np.errstate(over="ignore"):
        if not math.isfinite(float(np.sum(np.abs(x)))):
            raise ValueError("the values of x are so large that their sum overflows; rescale x.")
    if x.min() == x.max():
        what = "one sample" if x.size == 1 else f"all {x.size} samples are equal"
        raise UnboundedLikelihoodError(
            f"{what} ({x[0]}): the likelihood grows without bound as {scale} -> 0, so there is no "
            f"maximum. Collect different samples, or fix {scale}."
        )
    return x


def _size(n: int, *parameters: Any) -> tuple[int, ...]:
    """Shape of ``n`` draws for each entry of the parameters."""
    return (as_integer(n, "n", 0), *np.broadcast_shapes(*(np.shape(p) for p in parameters)))


def _text(distribution: Any, *names: str) -> str:
    """``Gaussian(mu=4.0, sigma=2.23607)``; arrays are shown by their shape."""
    shown = []
    for name in names:
        value = np.asarray(values_of(getattr(distribution, name)))
        text = repr(float(f"{value.item():.6g}")) if value.ndim == 0 else f"array {value.shape}"
        shown.append(f"{name}={text}")
    return f"{type(distribution).__name__}({', '.join(shown)})"
