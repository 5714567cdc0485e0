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

from nnlite.likelihood import _validate
from nnlite.likelihood.errors import UnboundedLikelihoodError
from nnlite.likelihood.families import LOG_2PI
from nnlite.pca import NotFittedError
from nnlite.random import RNGLike, default_rng

_OVERFLOW = "the squares of X overflow float64; rescale X"


class ProbabilisticPCA:
    r"""PCA as a density: `n_components` hidden normals and isotropic noise.

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
    noise over min(n, d) - q of them. That is not the maximum: with r = n / (n - 1) their `score` is
    lower by d/2 (log r + 1/r - 1) per sample (n > d). Here the likelihood decides.

    References
    ----------
    Tipping and Bishop (1999), Probabilistic principal component analysis, J. R. Stat. Soc. B 61,
    eqs. 7-8.
    """

    def __init__(self, n_components: int = 1) -> None:
        self.n_components = n_components

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Maximise the likelihood of the rows of `X`, (n, d); `y` is ignored.

        Raises
        ------
        ValueError
            If `X` is not (n, d) and finite, or `n_components` is not below d.
        UnboundedLikelihoodError
            If the samples lie in a subspace of q dimensions: the noise would be 0.
        """
        X = _validate.rows(X)
        n, d = X.shape
        q = _validate.count("n_components", self.n_components, 0)
        if q >= d:
            raise ValueError(
                f"n_components={q} must be below the number of features, {d}: with no direction "
                "left for the noise the model is a MultivariateGaussian"
            )
        mean = X.mean(axis=0)
        centred = X - mean
        if n < d:  # the nonzero eigenvalues, without a (d, d) matrix
            _, s, Vt = np.linalg.svd(centred, full_matrices=False)
            with np.errstate(over="ignore"):
                lam, U = s**2 / n, Vt.T
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                S = centred.T @ centred / n
            if not np.isfinite(S).all():
                raise ValueError(_OVERFLOW)
            lam, U = np.linalg.eigh(S)
            lam, U = np.maximum(lam[::-1], 0.0), U[:, ::-1]
        if not np.isfinite(lam).all():
            raise ValueError(_OVERFLOW)
        rank = int((lam > d * np.finfo(np.float64).eps * lam[0]).sum()) if lam[0] > 0 else 0
        if rank <= q:
            raise UnboundedLikelihoodError(
                f"the {n} samples span only {rank} dimensions around their mean, n_components={q}: "
                "nothing is left for the noise, and the likelihood grows without bound as "
                "noise_variance_ -> 0. Use fewer components or more samples."
            )
        noise = float(lam[q:].sum()) / (d - q)
        # Row signs: the entry of largest absolute value is positive.
        kept = U[:, :q]
        top = kept[np.argmax(np.abs(kept), axis=0), np.arange(q)]
        kept = kept * np.where(top < 0, -1.0, 1.0)
        self.mean_, self.components_ = mean, kept.T.copy()
        self.explained_variance_, self.noise_variance_ = lam[:q].copy(), noise
        self.W_ = kept * np.sqrt(np.maximum(lam[:q] - noise, 0.0))
        self.n_samples_, self.n_features_in_ = n, d
        return self

    def log_prob(self, X: Any) -> Any:
        """Log-density, in nats, of each row: (..., d) -> (...); `X` may be a Tensor.

        The inverse covariance is 1/noise outside the kept directions and 1/eigenvalue along them.
        """
        self._check_fitted()
        d, q, s2 = self.n_features_in_, len(self.components_), self.noise_variance_
        lam = np.maximum(self.explained_variance_, s2)
        centred = _validate.features(X, d) - self.mean_
        z = centred @ self.components_.T  # (..., q)
        rest = centred - z @ self.components_
        distance = np.sum(z * z / lam, axis=-1) + np.sum(rest * rest, axis=-1) / s2
        logdet = np.sum(np.log(lam)) + (d - q) * np.log(s2)
        return -0.5 * (distance + logdet + d * LOG_2PI)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Mean log-density of the rows of `X`; `y` is ignored."""
        return float(np.mean(self.log_prob(_validate.rows(X))))

    def get_covariance(self) -> np.ndarray:
        """Covariance of the model, W W' + noise_variance_ I, (d, d)."""
        self._check_fitted()
        return self.W_ @ self.W_.T + self.noise_variance_ * np.eye(self.n_features_in_)

    def transform(self, X: Any) -> Any:
        """Posterior mean of the hidden variables, (n, d) -> (n, q); `X` may be a Tensor.

        M^-1 W'(x - mean) with M = W'W + noise I (Tipping and Bishop 1999, eq. 6): the scores of
        PCA, shrunk towards 0 because part of them is noise.
        """
        self._check_fitted()
        centred = _validate.features(X, self.n_features_in_) - self.mean_
        M = self.W_.T @ self.W_ + self.noise_variance_ * np.eye(self.W_.shape[1])
        return centred @ np.linalg.solve(M, self.W_.T).T

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw `n` independent samples, shape (n, d)."""
        self._check_fitted()
        rng, n = default_rng(rng), _validate.count("n", n, 0)
        z = rng.standard_normal((n, self.W_.shape[1]))
        noise = np.sqrt(self.noise_variance_) * rng.standard_normal((n, self.n_features_in_))
        return self.mean_ + z @ self.W_.T + noise

    def __repr__(self) -> str:
        return f"ProbabilisticPCA(n_components={self.n_components})"

    def _check_fitted(self) -> None:
        if not hasattr(self, "W_"):
            raise NotFittedError("this ProbabilisticPCA is not fitted yet: call fit(X) first")
