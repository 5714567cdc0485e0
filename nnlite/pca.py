r"""Principal component analysis: lecture 02, and the yardstick of every autoencoder after it.

Find the :math:`M` orthonormal directions :math:`u_1,\dots,u_M` along which centred data vary most.
They are the leading eigenvectors of the covariance :math:`C`; keeping them and putting the mean on
all others reconstructs with squared error :math:`\sum_{j>M}\lambda_j`, the least any
:math:`M`-dimensional subspace allows. The interface is scikit-learn's.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any, Self, cast

import numpy as np

from ._eigen import leading_eigenpairs, orthogonal_iteration, reconstruction_descent
from .random import RNGLike, default_rng

_SOLVERS = ("auto", "covariance_eigh", "full", "power", "gradient")
_SMALL = 500  # up to this many rows and columns an SVD costs nothing, so "auto" takes it
_BLOCK = 1024  # rows centred at a time when the mean dwarfs the spread


class NotFittedError(ValueError, AttributeError):
    """The estimator was asked for something it only knows after ``fit``."""


class ConvergenceWarning(UserWarning):
    """An iterative solver stopped at ``max_iter`` before reaching ``tol``."""


class PCA:
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
        `tol` times C Q. The angle to the true components is at most that times
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
        `n_iter_` counts the steps of an iterative solver and is 0 for the direct ones.

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

    def fit(self, X: np.typing.ArrayLike, y: object = None) -> Self:
        """Find mean and components of the rows of `X`, shape (n, d) with n >= 2; `y` is ignored.

        Raises
        ------
        ValueError
            If `X` is not a finite, real, two-dimensional array with at least two rows, or
            `n_components` or `svd_solver` does not fit it.
        """
        X = _as_rows(X)
        n, d = X.shape
        if n < 2:
            raise ValueError(f"PCA needs at least two samples to see a variance, got X {X.shape}")
        solver = self._choose_solver(n, d)
        k = _resolve_count(self.n_components, n, d)
        mean = _finite_mean(X)
        if solver == "full":
            # Not X - mean in place: the caller's data must survive.
            _, s, Vt = np.linalg.svd(X - mean.astype(X.dtype), full_matrices=False)
            with np.errstate(over="ignore"):
                lam, U = s.astype(np.float64) ** 2 / (n - 1), Vt.T
            total, n_iter = lam.sum(), 0
            _check_range(X, float(total))
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                C = _covariance(X, mean)
            total = np.trace(C, dtype=np.float64)
            _check_range(X, float(total))
            lam, U, n_iter = self._solve(solver, C, d if k is None else k)
            lam = np.maximum(lam, 0.0)  # rounding makes zero eigenvalues slightly negative
        if k is None:  # a share of the variance was asked for
            if not total > 0:
                raise ValueError("all samples are equal: there is no variance to keep a share of")
            k = _count_for_share(lam[: min(n, d)] / total, cast(float, self.n_components))
        self.n_components_, self.n_features_in_, self.n_samples_ = k, d, n
        self.n_iter_ = n_iter
        self.mean_ = mean.astype(X.dtype)
        self.components_ = _fix_signs(U[:, :k].T).astype(X.dtype)
        kept = lam[:k]
        self.explained_variance_ = kept.astype(X.dtype)
        ratio = kept / total if total > 0 else np.zeros(k)
        self.explained_variance_ratio_ = ratio.astype(X.dtype)
        self.singular_values_ = np.sqrt(kept * (n - 1)).astype(X.dtype)
        dropped = min(n, d) - k
        self.noise_variance_ = max(float(total - kept.sum()), 0.0) / dropped if dropped else 0.0
        return self

    def fit_transform(self, X: np.typing.ArrayLike, y: object = None) -> np.ndarray:
        """``fit(X)``, then the scores of `X`."""
        return self.fit(X).transform(X)

    def transform(self, X: np.typing.ArrayLike) -> np.ndarray:
        """Scores of the rows of `X`: (n, d) -> (n, n_components)."""
        X = self._check_features(X)
        Z = (X - self.mean_) @ self.components_.T
        return Z / self._score_scale() if self.whiten else Z

    def inverse_transform(self, Z: np.typing.ArrayLike) -> np.ndarray:
        """Points of the principal subspace from their scores: (n, n_components) -> (n, d).

        Every dropped direction gets its value at the mean.
        """
        self._check_fitted()
        Z = _as_rows(Z, name="Z")
        if Z.shape[1] != self.n_components_:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but this PCA keeps {self.n_components_} components"
            )
        return (Z * self._score_scale() if self.whiten else Z) @ self.components_ + self.mean_

    def get_covariance(self) -> np.ndarray:
        """Covariance of the fitted probabilistic PCA model, (d, d): W W' + noise_variance_ I."""
        self._check_fitted()
        W = self.components_.astype(np.float64)
        excess = np.maximum(self.explained_variance_ - self.noise_variance_, 0.0)
        return (W.T * excess) @ W + self.noise_variance_ * np.eye(self.n_features_in_)

    def score_samples(self, X: np.typing.ArrayLike) -> np.ndarray:
        r"""Log-likelihood, in nats, of each row of `X` under probabilistic PCA, (n,).

        With scores :math:`z`, kept eigenvalues :math:`\lambda_i` and noise :math:`\sigma^2`,

        .. math:: -\tfrac12\Big[\sum_{i\le M}\Big(\frac{z_i^2}{\lambda_i}+\ln\lambda_i\Big)
                  +\frac{\|x-\hat x\|^2}{\sigma^2}+(d-M)\ln\sigma^2+d\ln2\pi\Big].

        Raises
        ------
        ValueError
            If the model has no density because some direction has variance 0.
        """
        X = self._check_features(X).astype(np.float64, copy=False)
        lam = np.maximum(self.explained_variance_.astype(np.float64), self.noise_variance_)
        rest = self.n_features_in_ - self.n_components_
        if (lam <= 0).any() or (rest and self.noise_variance_ <= 0):
            raise ValueError(
                "some direction has variance 0, so the Gaussian model has no density: keep fewer "
                "components, so that the dropped ones leave a positive noise_variance_, or drop "
                "constant and duplicate features"
            )
        centred = X - self.mean_
        W = self.components_.astype(np.float64)
        z = centred @ W.T  # (n, M)
        d = self.n_features_in_
        log_p = -0.5 * ((z**2 / lam).sum(1) + np.log(lam).sum() + d * np.log(2 * np.pi))
        if rest:
            s2 = self.noise_variance_
            outside = np.sum((centred - z @ W) ** 2, axis=1)
            log_p -= 0.5 * (outside / s2 + rest * np.log(s2))
        return log_p

    def score(self, X: np.typing.ArrayLike, y: object = None) -> float:
        """Mean of :meth:`score_samples`; `y` is ignored."""
        return float(np.mean(self.score_samples(X)))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor arguments by name, for scikit-learn's ``clone`` and grid search."""
        names = ("n_components", "whiten", "svd_solver", "tol", "max_iter", "rng")
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments; takes effect at the next ``fit``."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"PCA has no parameter {name!r}; it has {[*self.get_params()]}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        extra = "".join(
            f", {name}={value!r}"
            for name, value in self.get_params().items()
            if name != "n_components" and value != _DEFAULTS[name]
        )
        return f"PCA(n_components={self.n_components!r}{extra})"

    def _choose_solver(self, n: int, d: int) -> str:
        if self.svd_solver not in _SOLVERS:
            raise ValueError(f"svd_solver must be one of {_SOLVERS}, got {self.svd_solver!r}")
        if self.svd_solver == "auto":
            return "full" if max(n, d) <= _SMALL or n < d else "covariance_eigh"
        if self.svd_solver in ("power", "gradient") and isinstance(self.n_components, float):
            raise ValueError(
                f'svd_solver="{self.svd_solver}" finds a fixed number of components, got '
                f'n_components={self.n_components}; use "full" to keep a share of the variance'
            )
        if not self.tol > 0 or not self.max_iter >= 1:
            raise ValueError(
                f"tol must be positive and max_iter at least 1, got tol={self.tol} and "
                f"max_iter={self.max_iter}"
            )
        return self.svd_solver

    def _solve(self, solver: str, C: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, int]:
        if k == 0 or not C.any():  # nothing to iterate on: any orthonormal directions will do
            return np.zeros(k), np.eye(len(C))[:, :k], 0
        if solver == "covariance_eigh":
            lam, U = leading_eigenpairs(C, k)
            return lam, U, 0
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
                f'small; raise max_iter, choose another n_components, or use "covariance_eigh"',
                ConvergenceWarning,
                stacklevel=3,
            )
        return lam, U, steps

    def _score_scale(self) -> np.ndarray:
        """Standard deviations of the scores; whitening a direction of variance 0 is refused."""
        scale = np.sqrt(self.explained_variance_)
        floor = 10 * np.finfo(scale.dtype).eps * scale.max(initial=0.0)
        if (scale <= floor).any():
            raise ValueError(
                f"cannot whiten component {int(np.argmax(scale <= floor))}: its variance is 0 to "
                f"rounding; keep fewer components"
            )
        return scale

    def _check_fitted(self) -> None:
        if not hasattr(self, "components_"):
            raise NotFittedError("this PCA is not fitted yet: call fit(X) first")

    def _check_features(self, X: np.typing.ArrayLike) -> np.ndarray:
        self._check_fitted()
        X = _as_rows(X)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but this PCA was fitted with {self.n_features_in_}"
            )
        _finite_mean(X)
        return X


_DEFAULTS = PCA().get_params()


def _as_rows(X: np.typing.ArrayLike, name: str = "X") -> np.ndarray:
    """`X` as a two-dimensional float32 or float64 array; not copied if it is one already."""
    if hasattr(X, "toarray"):
        raise ValueError(f"{name} is a sparse matrix; pass {name}.toarray() if it fits in memory")
    if np.ma.is_masked(X):
        raise ValueError(f"{name} has masked entries; remove or impute these samples first")
    X = np.asarray(X)
    if X.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers, got dtype {X.dtype}")
    if X.ndim != 2:
        hint = "; reshape one feature with X.reshape(-1, 1)" if X.ndim == 1 else ""
        hint = "; flatten images with X.reshape(len(X), -1)" if X.ndim > 2 else hint
        raise ValueError(f"{name} must have two axes (samples, features), got {X.shape}{hint}")
    if X.size == 0 and name == "X":
        raise ValueError(f"{name} is empty: shape {X.shape}")
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def _finite_mean(X: np.ndarray) -> np.ndarray:
    """Mean of each column in float64; one pass that also finds NaN and infinity."""
    with np.errstate(invalid="ignore", over="ignore"):
        mean = X.mean(axis=0, dtype=np.float64)
    if np.isfinite(mean).all():
        return mean
    bad = np.argwhere(~np.isfinite(X))
    if len(bad) == 0:
        raise ValueError("the values of X are so large that their sum overflows; rescale them")
    row, column = bad[0]
    raise ValueError(
        f"X contains NaN or infinity ({len(bad)} entries, the first at row {row}, column "
        f"{column}); remove or impute these samples first"
    )


def _covariance(X: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Covariance with 1/(n-1), in the dtype of X, without a centred copy of X.

    X'X - n mean mean' is one BLAS call, but subtracts nearly equal numbers when the mean is large
    against the spread. Then blocks of rows are centred before they are multiplied.
    """
    n, d = X.shape
    second_moment = sum(float(np.vdot(row, row)) for row in np.array_split(X, 8)) / n
    if mean @ mean <= 0.9 * second_moment:
        C = X.T @ X  # symmetric rank-k update, half the work of a general product
        C -= n * np.outer(mean, mean).astype(X.dtype)
    else:
        shift, C = mean.astype(X.dtype), np.zeros((d, d), X.dtype)
        for start in range(0, n, _BLOCK):
            B = X[start : start + _BLOCK] - shift
            C += B.T @ B
        # The rounded shift is not quite the mean: the parallel-axis term, small but exact.
        rest = mean - shift
        C -= n * np.outer(rest, rest).astype(X.dtype)
    C /= n - 1
    return C


def _check_range(X: np.ndarray, total: float) -> None:
    """Refuse data whose variance is too large, or too small, to be a number of their dtype."""
    limits = np.finfo(X.dtype)
    if not total <= float(limits.max):
        raise ValueError(
            f"the values of X are so large that their squares overflow {X.dtype}; rescale them or "
            f"use float64"
        )
    if total < float(limits.tiny) and np.ptp(X, axis=0).any():
        raise ValueError(
            f"the values of X differ so little that the squares underflow {X.dtype}; rescale them "
            f"or use float64"
        )


def _resolve_count(n_components: int | float | None, n: int, d: int) -> int | None:
    """Number of components, or None if a share of the variance was asked for."""
    most = min(n, d)
    if n_components is None:
        return most
    if isinstance(n_components, (float, np.floating)):
        if not 0 < n_components < 1:
            raise ValueError(
                f"a float n_components is a share of the variance in (0, 1), got {n_components}; "
                f"for a number of components pass an int"
            )
        return None
    try:
        if isinstance(n_components, (bool, np.bool_)):
            raise TypeError
        k = operator.index(n_components)
    except TypeError:
        raise ValueError(
            f"n_components must be an int, a float in (0, 1) or None, got {n_components!r}"
        ) from None
    if not 0 <= k <= most:
        raise ValueError(
            f"n_components={k} must be between 0 and min(n_samples, n_features) = "
            f"min({n}, {d}) = {most}"
        )
    return k


def _count_for_share(ratios: np.ndarray, share: float) -> int:
    """Fewest leading components whose ratios sum to more than `share`."""
    below = int(np.searchsorted(np.cumsum(ratios), share, side="right"))
    return min(below + 1, len(ratios))  # rounding may leave the full sum just below the share


def _fix_signs(components: np.ndarray) -> np.ndarray:
    """Flip rows so that the entry of largest absolute value is positive."""
    rows = np.arange(len(components))
    largest = components[rows, np.argmax(np.abs(components), axis=1)]
    return components * np.where(largest < 0, -1.0, 1.0)[:, None]
