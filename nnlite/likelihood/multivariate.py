r"""The Gaussian in d dimensions: lecture 07.

With the Cholesky factor :math:`\Sigma=LL^\top` the density needs no inverse and no determinant:
:math:`\log|\Sigma|=2\sum_i\log L_{ii}` and
:math:`(x-\mu)^\top\Sigma^{-1}(x-\mu)=\|L^{-1}(x-\mu)\|^2`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_integer
from nnlite.likelihood import _checks
from nnlite.likelihood.errors import UnboundedLikelihoodError
from nnlite.likelihood.families import LOG_2PI
from nnlite.ops import values_of
from nnlite.pca.moments import column_means
from nnlite.random import RNGLike, default_rng

#: what a few roundings may add to a feature, as a share of its largest entry
ROUNDING = 2 * float(np.finfo(np.float64).eps)


class MultivariateGaussian:
    r"""Normal distribution in d dimensions with mean ``mu`` and covariance ``Sigma``.

    .. math:: \log p(x)=-\tfrac12\big(d\log2\pi+\log|\Sigma|+(x-\mu)^\top\Sigma^{-1}(x-\mu)\big)

    Parameters
    ----------
    mu : array_like or Tensor (d,)
    Sigma : array_like or Tensor (d, d)
        Symmetric and positive definite. By default the unit matrix.

    Raises
    ------
    ValueError
        If the shapes disagree.
    numpy.linalg.LinAlgError
        If ``Sigma`` is not symmetric positive definite (it is a ValueError too).
    """

    def __init__(self, mu: Any = (0.0, 0.0), Sigma: Any = None) -> None:
        self.mu = _checks.parameter(mu, "mu")
        d = np.shape(self.mu)[0] if np.ndim(self.mu) == 1 else -1
        self.Sigma = np.eye(max(d, 0)) if Sigma is None else _checks.parameter(Sigma, "Sigma")
        if d < 1 or np.shape(self.Sigma) != (d, d):
            raise ValueError(
                f"mu must be (d,) and Sigma (d, d); got {np.shape(self.mu)} and "
                f"{np.shape(self.Sigma)}."
            )
        _refuse_singular(np.asarray(values_of(self.Sigma)), "Sigma", "it has no density")

    @np.errstate(over="ignore")  # -inf is what a float can say of a density below all floats
    def log_prob(self, x: Any) -> Any:
        """Log-density, in nats, of each row: (..., d) -> (...)."""
        d = np.shape(self.mu)[0]
        x = _checks.features(x, d, "x")
        L = _checks.cholesky(self.Sigma, "Sigma")
        rows = np.reshape(x - self.mu, (-1, d))
        z = np.linalg.solve(L, rows.T)  # (d, n), standard normal under the model
        half_logdet = np.sum(np.log(np.diagonal(L)))
        out = -0.5 * np.sum(z * z, axis=0) - half_logdet - 0.5 * d * LOG_2PI
        return np.reshape(out, x.shape[:-1])

    def sample(self, n: int = 1, rng: RNGLike | None = None) -> np.ndarray:
        """Draw ``n`` independent samples, shape (n, d)."""
        mu, Sigma = np.asarray(values_of(self.mu)), np.asarray(values_of(self.Sigma))
        z = default_rng(rng).standard_normal((as_integer(n, "n", 0), len(mu)))
        return mu + z @ _checks.cholesky(Sigma, "Sigma").T

    def fit(self, X: ArrayLike) -> Self:
        """Set ``mu`` and ``Sigma`` to mean and covariance (divisor n) of the rows of ``X``, (n, d).

        Raises
        ------
        UnboundedLikelihoodError
            If the covariance is singular: no more samples than dimensions, or features that are
            constant or depend linearly on others.
        """
        X = _checks.rows(X)
        mu, Sigma = moments(X)
        refuse_underflow(X, np.diag(Sigma))
        _refuse_singular(
            Sigma,
            f"the covariance of the {len(X)} samples",
            "the likelihood grows without bound as the density collapses onto their subspace",
            UnboundedLikelihoodError,
            rounding=ROUNDING * np.abs(X).max(axis=0),
        )
        self.mu, self.Sigma = mu, Sigma
        return self

    def __repr__(self) -> str:
        return f"MultivariateGaussian(d={np.shape(self.mu)[0]})"


def moments(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and covariance (d, d), divisor n, of samples in rows.

    A constant column has variance 0, not that of the rounding of its mean.

    Raises
    ------
    ValueError
        If squares overflow.
    """
    mu, centred = centre(X)
    with np.errstate(over="ignore", invalid="ignore"):  # found out by what comes next
        Sigma = centred.T @ centred / len(X)
    if not np.isfinite(Sigma).all():
        raise ValueError("the squares of X overflow float64; rescale X.")
    return mu, Sigma


def centre(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each column, and the samples without it; both to the last digit.

    A long sum loses digits, and what its mean is off by would count as spread.
    """
    mu = column_means(X)
    centred = X - mu
    rest = centred.mean(axis=0)
    return mu + rest, centred - rest


def refuse_underflow(X: np.ndarray, variances: np.ndarray) -> None:
    """Raise if a column varies, but by so little that its variance is no normal number."""
    lost = variances < np.finfo(np.float64).tiny
    lost[lost] = (X[:, lost] != X[0, lost]).any(axis=0)
    if lost.any():
        i = int(np.argmax(lost))
        raise ValueError(
            f"the values of feature {i} differ by {np.ptp(X[:, i]):.3g} at most: their squares "
            "underflow float64; rescale X."
        )


def _refuse_singular(
    Sigma: np.ndarray,
    what: str,
    so: str,
    error: type[ValueError] = np.linalg.LinAlgError,
    rounding: np.ndarray | float = 0.0,
) -> None:
    """Raise if ``Sigma`` is not symmetric positive definite beyond rounding, whatever the units.

    ``rounding`` is how far the features themselves, (d,), may be off: a linear combination that
    varies by no more than that is none.
    """
    d = len(Sigma)
    if not np.allclose(Sigma, Sigma.T, rtol=1e-8, atol=1e-12 * np.abs(Sigma).max()):
        raise error(f"{what} is not symmetric.")
    scale = np.sqrt(np.abs(np.diag(Sigma)))
    scale[scale == 0] = 1.0
    # Divided twice: the product of two scales may leave the range where neither does.
    eigenvalues = np.linalg.eigvalsh(Sigma / scale[:, None] / scale)  # of the correlations
    off = float(np.max((rounding / scale) ** 2))
    floor = d * np.finfo(np.float64).eps * 4 * max(eigenvalues[-1], 1.0) + off
    dead = int((eigenvalues <= floor).sum())
    if dead:
        raise error(
            f"{what} is singular (rank {d - dead} of {d} up to rounding), so {so}. Use more "
            "samples than dimensions, drop constant or duplicate features, or take "
            "ProbabilisticPCA."
        )
