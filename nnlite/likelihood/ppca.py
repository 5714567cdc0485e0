r"""Probabilistic PCA: the bridge from lecture 02 to lecture 07 (Tipping and Bishop 1999).

Data are a linear picture of a few hidden standard normals plus equal noise in all directions,
:math:`x=Wz+\mu+\varepsilon` with :math:`\varepsilon\sim\mathcal N(0,\sigma^2I)`, so
:math:`x\sim\mathcal N(\mu,WW^\top+\sigma^2I)`. The likelihood has a maximum in closed form: the
leading eigenvectors of the covariance, and for the noise the mean of all other eigenvalues.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_integer
from nnlite._estimator import Transformer, rows
from nnlite.engine import Tensor
from nnlite.likelihood import _checks
from nnlite.likelihood.errors import UnboundedLikelihoodError
from nnlite.likelihood.families import LOG_2PI
from nnlite.likelihood.multivariate import ROUNDING, centre, moments
from nnlite.random import RNGLike, default_rng


class ProbabilisticPCA(Transformer):
    r"""PCA as a density: ``n_components`` hidden normals and isotropic noise.

    Parameters
    ----------
    n_components : int
        Number q of hidden variables, 0 <= q < d.

    Attributes
    ----------
    mean_ : ndarray (d,)
    components_ : ndarray (q, d)
        Orthonormal rows, the leading eigenvectors of the covariance.
    explained_variance_ : ndarray (q,)
        Their eigenvalues, of the covariance with divisor n.
    noise_variance_ : float
        Mean of the other d - q eigenvalues, zeros of a rank-deficient covariance included.
    W_ : ndarray (d, q)
        :math:`U_q(\Lambda_q-\sigma^2I)^{1/2}`, one of the maximisers: W R is another for every
        rotation R.

    Notes
    -----
    ``nnlite.PCA`` and scikit-learn use eigenvalues with divisor n - 1 and, for n < d, average the
    noise over min(n, d) - q of them. That is not the maximum: with r = n / (n - 1) their ``score``
    is lower by d/2 (log r + 1/r - 1) per sample (n > d). Here the likelihood decides.

    References
    ----------
    Tipping and Bishop (1999), Probabilistic principal component analysis, J. R. Stat. Soc. B 61,
    eqs. 7-8.
    """

    def __init__(self, n_components: int = 1) -> None:
        self.n_components = n_components

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Maximise the likelihood of the rows of ``X``, (n, d); ``y`` is ignored.

        Raises
        ------
        ValueError
            If ``X`` is not (n, d) and finite, or ``n_components`` is not below d.
        UnboundedLikelihoodError
            If the samples lie in a subspace of q dimensions: the noise would be 0.
        """
        given, X = X, self._training_rows(X)
        n, d = X.shape
        q = as_integer(self.n_components, "n_components", 0)
        if q >= d:
            raise ValueError(
                f"n_components={q} must be below the number of features, {d} "
                f"(n_features = {d}): with no direction left for the noise the model is a "
                "MultivariateGaussian."
            )
        mean, lam, U = _eigenpairs(X)
        # The data themselves may be off by a rounding in each feature.
        off = float(ROUNDING * np.abs(X).max()) ** 2
        rank = int((lam > d * np.finfo(np.float64).eps * lam[0] + off).sum())
        if rank <= q:
            raise UnboundedLikelihoodError(
                f"the {n} samples (n_samples={n}) span only {rank} dimensions around their mean, "
                f"n_components={q}: nothing is left for the noise, and the likelihood grows "
                "without bound as noise_variance_ -> 0. Use fewer components or more samples."
            )
        noise = float(lam[q:].sum()) / (d - q)
        # Row signs: the entry of largest absolute value is positive.
        kept = U[:, :q]
        top = kept[np.argmax(np.abs(kept), axis=0), np.arange(q)]
        kept = kept * np.where(top < 0, -1.0, 1.0)
        self.mean_, self.components_ = mean, kept.T.copy()
        self.explained_variance_, self.noise_variance_ = lam[:q].copy(), noise
        self.W_ = kept * np.sqrt(np.maximum(lam[:q] - noise, 0.0))
        self.n_samples_ = n
        self._learned_from(given, d)
        return self

    @np.errstate(over="ignore")
    def log_prob(self, X: Any) -> Any:
        """Log-density, in nats, of each row: (..., d) -> (...); ``X`` may be a Tensor.

        The inverse covariance is 1/noise outside the kept directions and 1/eigenvalue along them.
        """
        self._check_fitted()
        d, q, s2 = self.n_features_in_, len(self.components_), self.noise_variance_
        lam = self._variances()
        centred = _checks.features(X, d) - self.mean_
        z = centred @ self.components_.T  # (..., q)
        rest = centred - z @ self.components_
        distance = np.sum(z * z / lam, axis=-1) + np.sum(rest * rest, axis=-1) / s2
        logdet = np.sum(np.log(lam)) + (d - q) * np.log(s2)
        return -0.5 * (distance + logdet + d * LOG_2PI)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Mean log-density of the rows of ``X``; ``y`` is ignored."""
        return float(np.mean(self.score_samples(X)))

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Log-density, in nats, of each row of ``X``: (n, d) -> (n,)."""
        return self.log_prob(self._like_fitted(X))

    def get_covariance(self) -> np.ndarray:
        """Covariance of the model, W W' + noise_variance_ I, (d, d)."""
        self._check_fitted()
        return self.W_ @ self.W_.T + self.noise_variance_ * np.eye(self.n_features_in_)

    def get_precision(self) -> np.ndarray:
        """Inverse of :meth:`get_covariance`, (d, d), without inverting a matrix."""
        self._check_fitted()
        lam, s2 = self._variances(), self.noise_variance_
        U = self.components_
        return (U.T * (1 / lam - 1 / s2)) @ U + np.eye(self.n_features_in_) / s2

    def transform(self, X: Any) -> Any:
        """Posterior mean of the hidden variables, (n, d) -> (n, q); ``X`` may be a Tensor.

        M^-1 W'(x - mean) with M = W'W + noise I (Tipping and Bishop 1999, eq. 6): the scores of
        PCA, shrunk towards 0 because part of them is noise.
        """
        self._check_fitted()
        if not isinstance(X, Tensor):
            return self._in_container((self._like_fitted(X) - self.mean_) @ self._projection(), X)
        return (_checks.features(X, self.n_features_in_) - self.mean_) @ self._projection()

    def inverse_transform(self, Z: ArrayLike) -> np.ndarray:
        """Points of the principal subspace from hidden variables: (n, q) -> (n, d).

        W (W'W)^-1 M z + mean: it undoes the shrinking of :meth:`transform`, so that a sample comes
        back as its projection, the reconstruction of least squared error (Tipping and Bishop 1999,
        section 3.3). The mean of x given z would be W z + mean, nearer to the centre.
        """
        self._check_fitted()
        q = len(self.components_)
        Z = rows(Z, "Z", expected=q)
        if Z.shape[1] != q:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but this model has {q} hidden variables."
            )
        gain = self._gain()
        # A component no stronger than the noise has a posterior mean of 0, whatever the sample.
        return (Z / np.where(gain > 0, gain, np.inf)) @ self.components_ + self.mean_

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, shape (n, d)."""
        self._check_fitted()
        rng, n = default_rng(rng), as_integer(n, "n", 0)
        z = rng.standard_normal((n, self.W_.shape[1]))
        noise = np.sqrt(self.noise_variance_) * rng.standard_normal((n, self.n_features_in_))
        return self.mean_ + z @ self.W_.T + noise

    @property
    def _n_outputs(self) -> int:
        return len(self.components_)

    def _variances(self) -> np.ndarray:
        """Variances of the model along the components, (q,)."""
        return np.maximum(self.explained_variance_, self.noise_variance_)

    def _gain(self) -> np.ndarray:
        """Posterior mean of a hidden variable for each unit of its PCA score, (q,)."""
        lam = self._variances()
        return np.sqrt(lam - self.noise_variance_) / lam

    def _projection(self) -> np.ndarray:
        """M^-1 W', transposed, (d, q): in the eigenvectors M is diagonal."""
        return self.components_.T * self._gain()


def _eigenpairs(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, and falling eigenvalues and their vectors of the covariance, divisor n."""
    n, d = X.shape
    if n < d:  # the nonzero eigenvalues, without a (d, d) matrix
        mean, centred = centre(X)
        _, s, Vt = np.linalg.svd(centred, full_matrices=False)
        with np.errstate(over="ignore"):
            lam, U = s**2 / n, Vt.T
    else:
        mean, S = moments(X)
        lam, U = np.linalg.eigh(S)
        lam, U = np.maximum(lam[::-1], 0.0), U[:, ::-1]
    if not np.isfinite(lam).all():
        raise ValueError("the squares of X overflow float64; rescale X.")
    if lam[0] < np.finfo(np.float64).tiny and np.ptp(X, axis=0).any():
        raise ValueError(
            f"the values of X differ by {np.ptp(X, axis=0).max():.3g} at most: their squares "
            "underflow float64; rescale X."
        )
    return mean, lam, U
