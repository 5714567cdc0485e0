"""What an autoencoder should have learned: optima that need no training (lectures 03 to 06).

Conventions: samples are rows, covariances and second moments divide by n, errors are summed over
features and averaged over samples. Functions take moments rather than data, so that a population
can be used as well as a sample.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite._arguments import as_array, as_integer, as_number

Array = NDArray[Any]


@dataclass(frozen=True)
class AffineMap:
    """``x -> A x + b``, the best of its kind, with the error it leaves.

    Attributes
    ----------
    A : ndarray of shape (N, N)
    b : ndarray of shape (N,)
    risk : float
        Expected squared error, summed over features.
    """

    A: Array
    b: Array
    risk: float

    def __call__(self, x: ArrayLike) -> Array:
        """Apply to samples in rows."""
        return as_array(x, "x") @ self.A.T + self.b


def optimal_linear_autoencoder(
    covariance: ArrayLike, n_components: int, mean: ArrayLike | None = None
) -> AffineMap:
    """The projection on the ``n_components`` leading eigenvectors, through the mean.

    No linear autoencoder with that many hidden units has a smaller squared error; it is the sum of
    the dropped eigenvalues.

    Parameters
    ----------
    covariance : array_like of shape (N, N)
    n_components : int
        Between 0 and N.
    mean : array_like of shape (N,), optional
        Zero by default.

    References
    ----------
    Baldi & Hornik (1989), "Neural networks and principal component analysis".
    """
    C = _moment(covariance, "covariance")
    N = len(C)
    n_components = as_integer(n_components, "n_components", 0)
    if n_components > N:
        raise ValueError(f"n_components must be at most {N}, the features; got {n_components}.")
    mu = _mean(mean, N)
    eigenvalues, U = _eigh(C, "covariance")
    U = U[:, N - n_components :]
    P = U @ U.T
    return AffineMap(P, mu - P @ mu, float(eigenvalues[: N - n_components].sum()))


def gaussian_denoiser(
    second_moment: ArrayLike, sigma: float, mean: ArrayLike | None = None
) -> AffineMap:
    """The best linear denoiser for additive Gaussian noise.

    Without a mean it is ``W = S (S + sigma^2 I)^-1`` (no bias), S the second moment. With a mean a
    bias is allowed, and the covariance C takes the place of S: ``A = C (C + sigma^2 I)^-1``, ``b =
    (I - A) mu``. The risk is ``sum lambda_i sigma^2 / (lambda_i + sigma^2)``: along each
    eigenvector the signal is shrunk by ``lambda / (lambda + sigma^2)``.

    Parameters
    ----------
    second_moment : array_like of shape (N, N)
        ``E x x^T``, not centred.
    sigma : float
        Standard deviation of the noise.
    mean : array_like of shape (N,), optional
        ``E x``; allows a bias.

    Raises
    ------
    ValueError
        If a shape does not fit or sigma is negative.

    References
    ----------
    Wiener (1949); as a denoising autoencoder: Bishop (1995), "Training with noise is equivalent to
    Tikhonov regularization".
    """
    S = _moment(second_moment, "second_moment")
    sigma = as_number(sigma, "sigma", 0)
    mu = _mean(mean, len(S))
    C = S - np.outer(mu, mu)
    eigenvalues, U = _eigh(C, "second_moment - mean mean^T")
    if sigma == 0:
        gain = np.ones_like(eigenvalues)
    else:
        gain = eigenvalues / (eigenvalues + sigma**2)
    A = (U * gain) @ U.T
    return AffineMap(A, mu - A @ mu, float((gain * sigma**2).sum()))


def masking_denoiser(
    second_moment: ArrayLike, v: float, mean: ArrayLike | None = None
) -> AffineMap:
    """The best linear denoiser for entries set to 0 with probability ``v``.

    Without a mean: ``W = S [(1-v) S + v diag S]^-1`` (Chen, Xu, Weinberger & Sha 2012). With a mean
    a bias is allowed: ``A = C [(1-v) C + v diag S]^-1`` and ``b = mu - (1-v) A mu``. The diagonal
    is that of the second moment S in both, since masking moves an entry to 0 and not to its mean.

    Features that are always 0 make the matrix singular; the pseudo-inverse leaves them at 0.

    Parameters
    ----------
    second_moment : array_like of shape (N, N)
        ``E x x^T``, not centred.
    v : float
        Probability of masking, in [0, 1).
    mean : array_like of shape (N,), optional
        ``E x``; allows a bias.

    Raises
    ------
    ValueError
        If a shape does not fit or v is not in [0, 1): at v = 1 nothing of the input is left.
    """
    S = _moment(second_moment, "second_moment")
    v = as_number(v, "v", 0, below=1)
    mu = _mean(mean, len(S))
    C = S - np.outer(mu, mu)
    D = np.diag(np.diag(S))
    if np.diag(C).min(initial=0) < -1e-4 * np.diag(D).max(initial=0):
        raise ValueError(
            f"second_moment - mean mean^T has a variance of {np.diag(C).min():.3g}: these are not "
            "the moments of the same data. second_moment is X.T @ X / n, not centred."
        )
    # np.linalg.pinv, not inv: digits have pixels that are never lit
    A = C @ np.linalg.pinv((1 - v) * C + v * D, hermitian=True)
    # E|x - A x~ - b|^2 = tr C - (1-v) tr(A C), at the optimum
    risk = np.trace(C) - (1 - v) * np.trace(A @ C)
    return AffineMap(A, mu - (1 - v) * (A @ mu), float(risk))


def off_distribution_error(
    A: ArrayLike, b: ArrayLike, mean: ArrayLike, covariance: ArrayLike
) -> float:
    """Expected squared error of the map ``x -> A x + b`` on any distribution.

    ``tr((I-A) Sigma (I-A)^T) + |(I-A) mu - b|^2``: exact, whatever the map was trained on and
    however well. For the projection of PCA, A = P and b = (I-P) mu_train.

    Parameters
    ----------
    A : array_like of shape (N, N)
    b : array_like of shape (N,)
    mean, covariance : array_like of shapes (N,) and (N, N)
        Of the distribution on which the map is used.
    """
    Sigma = _moment(covariance, "covariance")
    A, b, mu = (as_array(v, n, float) for v, n in ((A, "A"), (b, "b"), (mean, "mean")))
    N = len(Sigma)
    if A.shape != (N, N) or b.shape != (N,) or mu.shape != (N,):
        raise ValueError(
            f"off_distribution_error: A {A.shape}, b {b.shape}, mean {mu.shape} do not fit a "
            f"covariance of shape {Sigma.shape}; expected ({N}, {N}), ({N},), ({N},)."
        )
    R = np.eye(N) - A
    bias = R @ mu - b
    return float(np.sum((R @ Sigma) * R) + bias @ bias)


def bernoulli_entropy(x: ArrayLike) -> Array:
    """Entropy of bits with probabilities ``x``, in nats: what cross-entropy cannot get below.

    ``-x log x - (1-x) log(1-x)``, with 0 log 0 = 0; same shape as x.
    """
    p = as_array(x, "x")
    if p.size and not (np.min(p) >= 0 and np.max(p) <= 1):
        raise ValueError(
            f"probabilities lie between 0 and 1; found values from {np.min(p)} to {np.max(p)}."
        )
    q = 1 - p
    return 0 - p * np.log(np.where(p > 0, p, 1)) - q * np.log(np.where(q > 0, q, 1))


def entropy_floor(X: ArrayLike) -> float:
    """The cross-entropy that no reconstruction of X gets below: mean entropy of a sample in nats.

    It is 0 only for samples of pure zeros and ones; for grey digits it is a good part of the loss
    (lecture 04).
    """
    H = bernoulli_entropy(X)
    if H.ndim < 2 or not H.size:
        raise ValueError(f"X must hold at least one sample per row; got shape {H.shape}.")
    return float(H.reshape(len(H), -1).sum(1).mean())


def _moment(matrix: ArrayLike, name: str) -> Array:
    M = as_array(matrix, name, float)
    if M.ndim != 2 or M.shape[0] != M.shape[1]:
        raise ValueError(f"{name} must be a square matrix; got shape {M.shape}.")
    if not np.isfinite(M).all():
        raise ValueError(f"{name} contains NaN or infinity; clean the data first.")
    if not np.allclose(M, M.T, rtol=1e-6, atol=1e-8 * np.abs(M).max(initial=0)):
        raise ValueError(f"{name} must be symmetric.")
    return (M + M.T) / 2


def _mean(mean: ArrayLike | None, N: int) -> Array:
    mu = np.zeros(N) if mean is None else as_array(mean, "mean", float)
    if mu.shape != (N,) or not np.isfinite(mu).all():
        raise ValueError(f"mean must be finite, of shape ({N},); got {mu.shape}: {mu}.")
    return mu


def _eigh(C: Array, name: str) -> tuple[Array, Array]:
    """Eigenvalues, smallest first, and eigenvectors of what should be a covariance."""
    eigenvalues, U = np.linalg.eigh(C)
    # 1e-4 forgives moments summed in float32, and is far from any mistake
    if eigenvalues.min(initial=0) < -1e-4 * np.abs(eigenvalues).max(initial=0):
        raise ValueError(
            f"{name} has the eigenvalue {eigenvalues[0]:.3g}, a negative variance: these are not "
            "moments of one and the same data. (A second moment is X.T @ X / n, not centred.)"
        )
    return eigenvalues.clip(0), U  # rounding can leave -1e-17
