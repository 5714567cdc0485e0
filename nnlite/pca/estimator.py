"""PCA as an estimator: options, fit, scores, and the density of probabilistic PCA (lecture 02)."""

from __future__ import annotations

import math
import warnings
from typing import ClassVar, Self, cast

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_flag, as_integer, as_number
from nnlite._estimator import Transformer, rows
from nnlite.errors import ConvergenceWarning
from nnlite.pca.eigen import leading_eigenpairs, orthogonal_iteration, reconstruction_descent
from nnlite.pca.moments import check_range, column_means, covariance
from nnlite.pca.options import choose_solver, count_for_share, resolve_count
from nnlite.random import RNGLike, default_rng


class PCA(Transformer):
    r"""Principal component analysis.

    Parameters
    ----------
    n_components : int, float or None
        Number of components to keep, 0 to min(n, d). A float in (0, 1) keeps the fewest
        components whose share of the variance exceeds it. ``None`` keeps all min(n, d).
    whiten : bool
        Divide the scores by their standard deviations.
    svd_solver : {"auto", "covariance_eigh", "full", "power", "gradient"}
        * ``"covariance_eigh"``: eigenvectors of the (d, d) covariance, made without a centred
          copy of the data. Fast for n >= d. Eigenvalues are exact to about eps * lambda_1 in
          *absolute* size, so singular values below sqrt(eps) * s_1 are lost.
        * ``"full"``: singular value decomposition of the centred data. Small singular values
          keep their digits (eps * s_1): the solver for ill-conditioned data and for n < d.
        * ``"power"``: orthogonal iteration, the error falls by lambda_{M+1}/lambda_M a step.
        * ``"gradient"``: gradient descent on the reconstruction error, slower still.
        * ``"auto"``: ``"full"`` if the data are small (500 x 500) or n < d, else
          ``"covariance_eigh"``.
    tol : float
        ``"power"`` and ``"gradient"`` stop when the part of C Q outside the span of Q is below
        ``tol`` times C Q. The angle to the true components is at most that times
        lambda_1 / (lambda_M - lambda_{M+1}), roughly.
    max_iter : int
        Steps after which they stop anyway, with a :class:`ConvergenceWarning`.
    rng : int, Generator or None
        Starting point of ``"power"`` and ``"gradient"``.

    Attributes
    ----------
    components_ : ndarray (n_components, d)
        Rows are orthonormal, most variance first. In each row the entry of largest absolute value
        is positive (a sign rule: u and -u are the same component).
    explained_variance_ : ndarray (n_components,)
        Eigenvalues of the covariance with 1/(n-1), as in scikit-learn. The mean squared
        reconstruction error of the training data is (n-1)/n times the sum of those dropped.
    explained_variance_ratio_ : ndarray (n_components,)
    singular_values_ : ndarray (n_components,)
        Of the centred data.
    mean_ : ndarray (d,)
    noise_variance_ : float
        Mean of the dropped eigenvalues: the noise of probabilistic PCA (Tipping and Bishop 1999).
    n_components_, n_features_in_, n_samples_, n_iter_ : int
        ``n_iter_`` counts the steps of an iterative solver and is 0 for the direct ones.

    Notes
    -----
    float32 data give float32 results; everything else is computed in float64. Only the *span* of
    components is determined when eigenvalues are equal, and it is accurate to about
    eps * lambda_1 / (lambda_M - lambda_{M+1}): compare projectors, not vectors.

    References
    ----------
    Pearson (1901); Hotelling (1933); Tipping and Bishop (1999), Probabilistic principal component
    analysis, J. R. Stat. Soc. B 61.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlite.pca import PCA
    >>> X = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> pca = PCA(n_components=1).fit(X)
    >>> pca.components_
    array([[1., 0.]])
    >>> float(np.mean(np.sum((X - pca.inverse_transform(pca.transform(X))) ** 2, axis=1)))
    0.5
    """

    _dtypes: ClassVar = (np.float64, np.float32)

    def __init__(
        self,
        n_components: int | float | None = None,
        *,
        whiten: bool = False,
        svd_solver: str = "auto",
        tol: float = 1e-9,
        max_iter: int = 10_000,
        rng: RNGLike | None = None,
    ) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.max_iter = max_iter
        self.rng = rng

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Find mean and components of the rows of ``X``, (n, d) with n >= 2; ``y`` is ignored.

        Raises
        ------
        TypeError
            If an option is of another kind.
        ValueError
            If ``X`` is not a finite, real, two-dimensional array with at least two rows, or an
            option does not fit it.
        """
        as_flag(self.whiten, "whiten")
        as_number(self.tol, "tol", above=0)
        as_integer(self.max_iter, "max_iter", 1)
        given, X = X, self._training_rows(X)
        n, d = X.shape
        if n < 2:
            raise ValueError(
                f"PCA needs at least two samples to see a variance; got n_samples={n}, X of shape "
                f"{X.shape}."
            )
        solver = choose_solver(self.svd_solver, self.n_components, n, d)
        k = resolve_count(self.n_components, n, d)
        mean = column_means(X)
        eps = 10 * float(np.finfo(X.dtype).eps)
        if solver == "full":
            # Not X - mean in place: the caller's data must survive.
            _, s, Vt = np.linalg.svd(X - mean.astype(X.dtype), full_matrices=False)
            with np.errstate(over="ignore"):
                lam, U = s.astype(np.float64) ** 2 / (n - 1), Vt.T
            total, n_iter, resolution = lam.sum(), 0, eps**2
            check_range(X, float(total))
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                C = covariance(X, mean)
            total, resolution = np.trace(C, dtype=np.float64), eps
            check_range(X, float(total))
            lam, U, n_iter = self._solve(solver, C, d if k is None else k)
            lam = np.maximum(lam, 0.0)  # rounding makes zero eigenvalues slightly negative
        if k is None:  # a share of the variance was asked for
            if not total > 0:
                raise ValueError("all samples are equal: there is no variance to keep a share of.")
            k = count_for_share(lam[: min(n, d)] / total, cast(float, self.n_components))
        self.n_components_, self.n_samples_, self.n_iter_ = k, n, n_iter
        self.mean_ = mean.astype(X.dtype)
        self.components_ = _fix_signs(U[:, :k].T).astype(X.dtype)
        kept = lam[:k]
        self.explained_variance_ = kept.astype(X.dtype)
        ratio = kept / total if total > 0 else np.zeros(k)
        self.explained_variance_ratio_ = ratio.astype(X.dtype)
        # Not kept * (n - 1) under one root: that may overflow where neither root does.
        self.singular_values_ = (np.sqrt(kept) * math.sqrt(n - 1)).astype(X.dtype)
        dropped = min(n, d) - k
        rest = float(lam[k:].sum() if len(lam) == min(n, d) else total - kept.sum())
        self.noise_variance_ = max(rest, 0.0) / dropped if dropped else 0.0
        self._rounding = resolution * float(lam.max(initial=self.noise_variance_))
        self._learned_from(given, d)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Scores of the rows of ``X``: (n, d) -> (n, n_components)."""
        centred = self._like_fitted(X) - self.mean_
        Z = centred @ self.components_.T
        return self._in_container(Z / self._score_scale() if self.whiten else Z, X)

    def inverse_transform(self, Z: ArrayLike) -> np.ndarray:
        """Points of the principal subspace from their scores: (n, n_components) -> (n, d).

        Every dropped direction gets its value at the mean.
        """
        self._check_fitted()
        Z = rows(Z, "Z", dtypes=self._dtypes, expected=self.n_components_)
        if Z.shape[1] != self.n_components_:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but this PCA keeps {self.n_components_} components."
            )
        return (Z * self._score_scale() if self.whiten else Z) @ self.components_ + self.mean_

    def get_covariance(self) -> np.ndarray:
        """Covariance of the fitted probabilistic PCA model, (d, d): W W' + noise_variance_ I."""
        self._check_fitted()
        W = self.components_.astype(np.float64)
        excess = np.maximum(self.explained_variance_ - self.noise_variance_, 0.0)
        return (W.T * excess) @ W + self.noise_variance_ * np.eye(self.n_features_in_)

    def get_precision(self) -> np.ndarray:
        r"""Inverse of :meth:`get_covariance`, (d, d), from the eigenvalues.

        Outside the kept directions it is :math:`1/\sigma^2`, along them :math:`1/\lambda_i`.

        Raises
        ------
        ValueError
            If some direction has variance 0, so that there is no inverse.
        """
        lam, s2 = self._density()
        W = self.components_.astype(np.float64)
        if self.n_components_ == self.n_features_in_:
            return (W.T / lam) @ W
        return (W.T * (1 / lam - 1 / s2)) @ W + np.eye(self.n_features_in_) / s2

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        r"""Log-likelihood, in nats, of each row of ``X`` under probabilistic PCA, (n,).

        With scores :math:`z`, kept eigenvalues :math:`\lambda_i` and noise :math:`\sigma^2`,

        .. math:: -\tfrac12\Big[\sum_{i\le M}\Big(\frac{z_i^2}{\lambda_i}+\ln\lambda_i\Big)
                  +\frac{\|x-\hat x\|^2}{\sigma^2}+(d-M)\ln\sigma^2+d\ln2\pi\Big].

        Raises
        ------
        ValueError
            If the model has no density because some direction has variance 0.
        """
        X = self._like_fitted(X).astype(np.float64, copy=False)
        lam, s2 = self._density()
        rest = self.n_features_in_ - self.n_components_
        centred = X - self.mean_
        W = self.components_.astype(np.float64)
        z = centred @ W.T  # (n, M)
        d = self.n_features_in_
        log_p = -0.5 * ((z**2 / lam).sum(1) + np.log(lam).sum() + d * np.log(2 * np.pi))
        if rest:
            outside = np.sum((centred - z @ W) ** 2, axis=1)
            log_p -= 0.5 * (outside / s2 + rest * np.log(s2))
        return log_p

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Mean of :meth:`score_samples`; ``y`` is ignored."""
        return float(np.mean(self.score_samples(X)))

    @property
    def _n_outputs(self) -> int:
        return self.n_components_

    def _density(self) -> tuple[np.ndarray, float]:
        """Variances along the components, (M,), and outside them, all positive or refused."""
        self._check_fitted()
        s2 = self.noise_variance_
        lam = np.maximum(self.explained_variance_.astype(np.float64), s2)
        rest = self.n_features_in_ - self.n_components_
        if (lam <= self._rounding).any() or (rest and s2 <= self._rounding):
            raise ValueError(
                "some direction has variance 0 up to rounding, so the Gaussian model has no "
                "density: keep fewer components, so that the dropped ones leave a positive "
                "noise_variance_, or drop constant and duplicate features."
            )
        return lam, s2

    def _solve(self, solver: str, C: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, int]:
        """The ``k`` leading eigenpairs of ``C``, which is rescaled in place, and the steps."""
        if k == 0 or not C.any():  # nothing to iterate on: any orthonormal directions will do
            return np.zeros(k), np.eye(len(C))[:, :k], 0
        # Products of C with itself must stay in range; a power of two costs no digit.
        unit = 2.0 ** math.frexp(float(np.trace(C, dtype=np.float64)))[1]
        C *= 1 / unit
        if solver == "covariance_eigh":
            lam, U = leading_eigenpairs(C, k)
            return lam * unit, U, 0
        iterate = orthogonal_iteration if solver == "power" else reconstruction_descent
        lam, U, steps, residual = iterate(
            C.astype(np.float64, copy=False),
            k,
            tol=self.tol,
            max_iter=self.max_iter,
            rng=default_rng(self.rng),
        )
        if residual > self.tol:
            warnings.warn(
                f'PCA(svd_solver="{solver}") stopped after max_iter={self.max_iter} steps with '
                f"residual {residual:.1e} > tol={self.tol:.1e}: the gap after component {k} is "
                f'small; raise max_iter, choose another n_components, or use "covariance_eigh".',
                ConvergenceWarning,
                stacklevel=3,
            )
        return lam * unit, U, steps

    def _score_scale(self) -> np.ndarray:
        """Standard deviations of the scores; whitening a direction of variance 0 is refused."""
        scale = np.sqrt(self.explained_variance_)
        flat = self.explained_variance_ <= self._rounding
        if flat.any():
            raise ValueError(
                f"cannot whiten component {int(np.argmax(flat))}: its variance is 0 to rounding; "
                "keep fewer components."
            )
        return scale


def _fix_signs(components: np.ndarray) -> np.ndarray:
    """Flip rows so that the entry of largest absolute value is positive."""
    rows = np.arange(len(components))
    largest = components[rows, np.argmax(np.abs(components), axis=1)]
    return components * np.where(largest < 0, -1.0, 1.0)[:, None]
