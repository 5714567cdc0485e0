r"""Mixtures of Gaussians by expectation maximisation: lecture 07.

The likelihood of a mixture is unbounded: put one component on a sample and let it shrink (Kiefer
and Wolfowitz 1956; Day 1969). With a floor under the eigenvalues of every covariance the maximum
exists (Hathaway 1985), and because clipping eigenvalues is the exact maximisation under that
constraint, EM still never lowers the likelihood (Dempster, Laird and Rubin 1977).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_integer, as_number
from nnlite._estimator import Estimator
from nnlite.errors import ConvergenceWarning
from nnlite.likelihood import _checks
from nnlite.likelihood.errors import CollapseWarning, UnboundedLikelihoodError
from nnlite.likelihood.multivariate import (
    ROUNDING,
    MultivariateGaussian,
    centre,
    refuse_underflow,
)
from nnlite.ops import logsumexp
from nnlite.random import RNGLike, default_rng


@dataclass
class _Run:
    """One EM run; ``path`` is the mean log-likelihood per sample after each step."""

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    path: list[float]
    converged: bool
    collapsed: list[int]


class GaussianMixture(Estimator):
    r"""Mixture of ``n_components`` Gaussians, fitted by EM from several starts.

    .. math:: p(x)=\sum_k\pi_k\,\mathcal N(x;\mu_k,\Sigma_k)

    Parameters
    ----------
    n_components : int
    n_init : int
        Starts: each puts the means on samples drawn far from each other (k-means++) and takes the
        covariance of all data for every component.
    max_iter : int
        EM steps of one start.
    tol : float
        A start has converged when a step raises the mean log-likelihood per sample by less.
    covariance_floor : float
        Smallest eigenvalue a covariance may have when every feature is scaled to variance 1.
        Unlike scikit-learn's ``reg_covar`` it is a bound, not added to every covariance.
    rng : int, Generator or None
        Draws the starts.

    Attributes
    ----------
    weights_ : ndarray (K,)
    means_ : ndarray (K, d)
    covariances_ : ndarray (K, d, d)
    log_likelihood_path_ : ndarray
        Mean log-likelihood per sample at the start and after each step of the chosen run.
    converged_ : bool
    n_iter_ : int

    Notes
    -----
    Its namesake :class:`nnlite.datasets.GaussianMixture` is a mixture whose parameters are given;
    this one finds them. The density is computed by each in its own way, so that they can check each
    other.

    The best run without a component on the floor is chosen, even where a collapsed one has a higher
    likelihood: that is the spurious kind of maximum.
    """

    _estimator_type = "density_estimator"

    def __init__(
        self,
        n_components: int = 2,
        *,
        n_init: int = 5,
        max_iter: int = 1000,
        tol: float = 1e-8,
        covariance_floor: float = 1e-6,
        rng: RNGLike | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.covariance_floor = covariance_floor
        self.rng = rng

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit to the rows of ``X``, (n, d); ``y`` is ignored.

        Raises
        ------
        TypeError
            If a constructor argument is of another kind.
        ValueError
            If ``X`` is not (n, d) and finite, has fewer different rows than components, or a
            constructor argument is out of range.
        UnboundedLikelihoodError
            If a feature is constant.

        Warns
        -----
        CollapseWarning
            If in every run a component fell onto the covariance floor.
        ConvergenceWarning
            If the chosen run stopped at ``max_iter``.
        """
        given, X = X, self._training_rows(X)
        K, n_init = self._check_parameters()
        different = len(np.unique(X, axis=0))
        if different < K:
            raise ValueError(
                f"{K} components need as many different samples, X has {different} "
                f"(n_samples={len(X)})."
            )
        mean, scale = _standard(X)
        Z, rng = (X - mean) / scale, default_rng(self.rng)
        runs = [self._run(Z, _spread_means(Z, K, rng)) for _ in range(n_init)]
        sound = [run for run in runs if not run.collapsed]
        best = max(sound or runs, key=lambda run: run.path[-1])
        if best.collapsed:
            warnings.warn(
                f"GaussianMixture: in all {n_init} starts a component shrank onto the covariance "
                f"floor (component {best.collapsed[0]} of the best, weight "
                f"{best.weights[best.collapsed[0]]:.3g}): its likelihood is an artefact of a few "
                "close samples. Use fewer components, more samples or a higher covariance_floor.",
                CollapseWarning,
                stacklevel=2,
            )
        if not best.converged:
            warnings.warn(
                f"GaussianMixture: EM stopped after max_iter={self.max_iter} steps, rising by "
                f"{best.path[-1] - best.path[-2]:.1e} > tol={self.tol:.1e} a step.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.weights_ = best.weights
        self.means_ = mean + scale * best.means
        self.covariances_ = best.covariances * np.outer(scale, scale)
        self.log_likelihood_path_ = np.array(best.path) - np.log(scale).sum()
        self.converged_, self.n_iter_ = best.converged, len(best.path) - 1
        self._learned_from(given, X.shape[1])
        return self

    def log_prob(self, X: Any) -> Any:
        """Log-density, in nats, of each row: (..., d) -> (...); ``X`` may be a Tensor."""
        self._check_fitted()
        return logsumexp(_log_joint(X, self.weights_, self.means_, self.covariances_), axis=0)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Log-density, in nats, of each row of ``X``: (n, d) -> (n,)."""
        return self.log_prob(self._like_fitted(X))

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Mean log-density of the rows of ``X``; ``y`` is ignored."""
        return float(np.mean(self.score_samples(X)))

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Probability of each component given each row, (n, K): the E step."""
        X = self._like_fitted(X)
        r, _ = _posterior(X, self.weights_, self.means_, self.covariances_)
        if not np.isfinite(r).all():
            i = int(np.argmax(~np.isfinite(r).all(axis=0)))
            raise ValueError(
                f"row {i} of X lies so far from every component that its density is 0 in float64: "
                "no component can be told from another there."
            )
        return r.T

    def predict(self, X: ArrayLike) -> np.ndarray:
        """The most probable component of each row, (n,), integers from 0 (``np.intp``)."""
        return np.argmax(self.predict_proba(X), axis=1)

    def fit_predict(self, X: ArrayLike, y: object = None) -> np.ndarray:
        """``fit(X)``, then the most probable component of each row; ``y`` is ignored."""
        return self.fit(X).predict(X)

    def aic(self, X: ArrayLike) -> float:
        """Akaike's (1973) criterion on the rows of ``X``, 2 p - 2 log L with p parameters.

        Lower is better; meant for the data of the fit.
        """
        log_p = self.score_samples(X)
        return 2 * self._n_parameters() - 2 * float(np.sum(log_p))

    def bic(self, X: ArrayLike) -> float:
        """Schwarz's (1978) criterion on the n rows of ``X``, p log n - 2 log L with p parameters.

        Lower is better; meant for the data of the fit.
        """
        log_p = self.score_samples(X)
        return self._n_parameters() * float(np.log(len(log_p))) - 2 * float(np.sum(log_p))

    def _n_parameters(self) -> int:
        """Free parameters: weights that sum to 1, means, symmetric covariances."""
        K, d = self.means_.shape
        return K - 1 + K * d + K * d * (d + 1) // 2

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, shape (n, d)."""
        self._check_fitted()
        rng, n = default_rng(rng), as_integer(n, "n", 0)
        which = rng.choice(len(self.weights_), size=n, p=self.weights_)
        z = rng.standard_normal((n, self.means_.shape[1], 1))
        L = _checks.cholesky(self.covariances_, "a covariance")
        return self.means_[which] + (L[which] @ z)[..., 0]

    def _check_parameters(self) -> tuple[int, int]:
        """The numbers of components and of starts; all parameters are looked at."""
        K = as_integer(self.n_components, "n_components", 1)
        n_init = as_integer(self.n_init, "n_init", 1)
        as_integer(self.max_iter, "max_iter", 1)
        as_number(self.tol, "tol", 0)
        if not 0 < as_number(self.covariance_floor, "covariance_floor", 0) < 1:
            raise ValueError(
                f"covariance_floor must lie between 0 and 1; got {self.covariance_floor}: "
                "without a floor the likelihood of a mixture is unbounded."
            )
        return K, n_init

    def _run(self, X: np.ndarray, means: np.ndarray) -> _Run:
        """EM on standardised data, from the given means."""
        K, floor = len(means), self.covariance_floor
        weights = np.full(K, 1 / K)
        covariances = np.repeat(_floored(np.cov(X.T, bias=True), floor)[0][None], K, axis=0)
        r, value = _posterior(X, weights, means, covariances)
        path, converged = [value], False
        collapsed: list[int] = []
        for _ in range(self.max_iter):
            weights, means, covariances, collapsed = _maximisation(X, r, floor)
            r, value = _posterior(X, weights, means, covariances)
            path.append(value)
            if path[-1] - path[-2] < self.tol:
                converged = True
                break
        return _Run(weights, means, covariances, path, converged, collapsed)


def _standard(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature, which must vary by more than rounding."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, centred = centre(X)
        variance = (centred**2).mean(axis=0)
    if not np.isfinite(variance).all():
        raise ValueError("the squares of X overflow float64; rescale X.")
    refuse_underflow(X, variance)
    scale = np.sqrt(variance)
    flat = scale <= ROUNDING * np.abs(X).max(axis=0)
    if flat.any():
        raise UnboundedLikelihoodError(
            f"feature {int(np.argmax(flat))} has the same value, up to rounding, in all samples "
            f"(n_samples={len(X)}): the likelihood grows without bound as its variance goes to 0. "
            "Drop it."
        )
    return mean, scale


def _log_joint(X: Any, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> Any:
    """The logarithms of pi_k N(x; mu_k, Sigma_k), shape (K, n)."""
    return np.stack(
        [
            MultivariateGaussian(mu, Sigma).log_prob(X) + np.log(pi)
            for pi, mu, Sigma in zip(weights, means, covariances, strict=True)
        ]
    )


def _posterior(
    X: np.ndarray, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray
) -> tuple[np.ndarray, float]:
    """E step: responsibilities (K, n), and the mean log-likelihood on the way."""
    joint = _log_joint(X, weights, means, covariances)
    log_p = logsumexp(joint, axis=0)
    with np.errstate(invalid="ignore"):  # -inf - -inf: no density anywhere near
        return np.exp(joint - log_p), float(log_p.mean())


def _maximisation(
    X: np.ndarray, r: np.ndarray, floor: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
    """M step: weighted shares, means and covariances; which covariances met the floor."""
    mass = np.maximum(r.sum(axis=1), np.finfo(np.float64).tiny)  # an empty component keeps a weight
    means = r @ X / mass[:, None]
    covariances, collapsed = [], []
    for k in range(len(r)):
        centred = X - means[k]
        Sigma, met = _floored((r[k][:, None] * centred).T @ centred / mass[k], floor)
        covariances.append(Sigma)
        if met:
            collapsed.append(k)
    return mass / mass.sum(), means, np.array(covariances), collapsed


def _floored(S: np.ndarray, floor: float) -> tuple[np.ndarray, bool]:
    """The maximiser of -log|Sigma| - tr(Sigma^-1 S) among Sigma >= floor: clipped eigenvalues."""
    w, V = np.linalg.eigh(np.atleast_2d(S))
    if w[0] >= floor:
        return np.atleast_2d(S), False
    return (V * np.maximum(w, floor)) @ V.T, True


def _spread_means(X: np.ndarray, K: int, rng: np.random.Generator) -> np.ndarray:
    """K samples, each the likelier to be drawn the further it lies from those drawn before.

    The probability is proportional to the squared distance: k-means++, Arthur and Vassilvitskii
    (2007).
    """
    chosen = [int(rng.integers(len(X)))]
    distance = np.full(len(X), np.inf)
    while len(chosen) < K:
        distance = np.minimum(distance, np.sum((X - X[chosen[-1]]) ** 2, axis=1))
        chosen.append(int(rng.choice(len(X), p=distance / distance.sum())))
    return X[chosen].copy()
