r"""Leading eigenpairs of a covariance matrix: three iterations behind :class:`nnlite.pca.PCA`.

Lecture 02 derives orthogonal iteration and gradient descent. The Chebyshev iteration is the fast
one: repeated multiplication by :math:`C` damps the unwanted end of the spectrum like
:math:`(\lambda/\lambda_k)^m`; the Chebyshev polynomial :math:`T_m` does it like
:math:`e^{-m\,\mathrm{acosh}(2\lambda_k/c-1)}` at the same price, and the answer is accepted only
when its residual :math:`\|Cv-\lambda v\|` is at rounding level.
"""

from __future__ import annotations

import numpy as np

from nnlite.random import default_rng

_GUARD = 16  # extra columns: they set the rate, and hide the slow last one from the caller


def leading_eigenpairs(C: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` largest eigenvalues, falling, and their eigenvectors, (d, k), of a covariance.

    Takes the Chebyshev iteration where it pays (few components of many, in float32: float64 needs
    twice the digits at half the speed) and it converges, the full eigendecomposition otherwise.
    The results are float64.
    """
    if C.dtype == np.float32 and 6 * (k + _GUARD) <= len(C):
        pairs = chebyshev_iteration(C, k)
        if pairs is not None:
            return pairs
    lam, U = np.linalg.eigh(C.astype(np.float64, copy=False))
    return lam[::-1][:k], U[:, ::-1][:, :k]


def chebyshev_iteration(
    C: np.ndarray, k: int, *, max_cycles: int = 8
) -> tuple[np.ndarray, np.ndarray] | None:
    """As :func:`leading_eigenpairs`, or ``None`` if the residual does not reach rounding level.

    Parameters
    ----------
    C : ndarray, (d, d)
        Symmetric positive semidefinite. Its dtype is that of the multiplications; Rayleigh-Ritz
        and residuals are float64.
    k : int
    max_cycles : int
        Cycles of filter and Rayleigh-Ritz step.

    References
    ----------
    Zhou and Saad (2007), A Chebyshev-Davidson algorithm for large symmetric eigenproblems, SIAM
    J. Matrix Anal. Appl. 29; Rutishauser (1969) for the filtered simultaneous iteration.
    """
    eps = np.finfo(C.dtype).eps
    tol = 4 * eps
    C64 = C.astype(np.float64, copy=False)
    # The start is a fixed draw, so that the same data give the same bits; any draw will do,
    # because a random block misses an eigenvector with probability 0.
    Y = C @ default_rng(0).standard_normal((len(C), k + _GUARD)).astype(C.dtype)
    previous = np.inf
    for _ in range(max_cycles):
        try:
            lam, V, CV = rayleigh_ritz(C64, Y.astype(np.float64, copy=False))
        except np.linalg.LinAlgError:  # the block lost rank: fewer eigenvalues than columns
            return None
        residual = np.linalg.norm(CV[:, :k] - V[:, :k] * lam[:k], axis=0).max() / lam[0]
        if residual <= tol:
            # A nearly dependent block passes Cholesky but comes out crooked (rank below k + guard).
            crooked = np.abs(V.T @ V - np.eye(V.shape[1])).max() > 1e-10
            return None if crooked else (lam[:k], V[:, :k])
        if not residual < 0.5 * previous:  # flat spectrum, or NaN: the full solver is faster
            return None
        previous = residual
        cut = max(lam[-1], 1e-6 * lam[0])
        # More degrees than this and rounding errors along u_1, amplified most, swamp the block.
        growth = np.arccosh(2 * lam[0] / cut - 1)
        degree = int(np.clip(-0.9 * np.log(eps) / growth, 2, 24))
        Y = _chebyshev_filter(C, V.astype(C.dtype, copy=False), float(cut), degree)
    return None


def _chebyshev_filter(C: np.ndarray, Y: np.ndarray, cut: float, degree: int) -> np.ndarray:
    """T_degree(2C/cut - I) Y: eigenvalues in [0, cut] stay below 1, those above it grow fast."""
    before, now = Y, (2 / cut) * (C @ Y) - Y
    for _ in range(degree - 1):
        after = C @ now
        after *= 4 / cut
        after -= 2 * now
        after -= before
        before, now = now, after
    return now


def rayleigh_ritz(C: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best eigenpairs of ``C`` within the span of the columns of ``Y``.

    Returns falling eigenvalues (p,), orthonormal vectors V (d, p), and C V (d, p). Raises
    ``LinAlgError`` if the columns are linearly dependent to working precision.
    """
    Y = Y / np.linalg.norm(Y, axis=0)
    L = np.linalg.cholesky(Y.T @ Y)  # Q = Y L^-T is orthonormal
    if not np.isfinite(L).all():  # a browser's NumPy does not raise by itself
        raise np.linalg.LinAlgError("the columns are linearly dependent.")
    Q = Y @ np.linalg.inv(L).T
    CQ = C @ Q
    T = Q.T @ CQ
    lam, W = np.linalg.eigh((T + T.T) / 2)
    lam, W = lam[::-1], W[:, ::-1]
    return lam, Q @ W, CQ @ W


def orthogonal_iteration(
    C: np.ndarray, k: int, *, tol: float, max_iter: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int, float]:
    """Power iteration on ``k`` orthonormal columns at once: Q <- orth(C Q).

    Returns eigenvalues, vectors, the number of steps and the last residual
    ||C Q - Q (Q'C Q)||_F / ||C Q||_F; converged if that is at most ``tol``. The tangent of the
    largest angle to the leading eigenvectors falls by lambda_{k+1}/lambda_k a step (Golub and
    Van Loan, Matrix Computations, section 8.2).
    """
    Q = np.linalg.qr(rng.standard_normal((len(C), k))).Q
    residual, step = np.inf, 0
    for step in range(max_iter + 1):
        CQ = C @ Q
        residual = _span_residual(Q, CQ)
        if residual <= tol or step == max_iter:
            break
        Q = np.linalg.qr(CQ).Q
    lam, W = np.linalg.eigh(Q.T @ CQ)
    return lam[::-1], Q @ W[:, ::-1], step, residual


def reconstruction_descent(
    C: np.ndarray, k: int, *, tol: float, max_iter: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int, float]:
    r"""Gradient descent on the reconstruction error E||x - W'Wx||^2, W of shape (k, d).

    The gradient is :math:`-2(2WC-WCW^\top W-WW^\top WC)`; the Hessian at the optimum has the
    largest eigenvalue :math:`8\lambda_1`, hence the step :math:`1/(8\lambda_1)`. The slowest
    mode falls by :math:`1-2\eta(\lambda_k-\lambda_{k+1})` a step (lecture 02). Returns what
    :func:`orthogonal_iteration` returns.
    """
    d = len(C)
    v = rng.standard_normal(d)
    for _ in range(30):  # lambda_1 from below, close enough for a step size
        v = C @ v
        v /= np.linalg.norm(v)
    eta = 1 / (8 * (v @ C @ v))
    W = 0.1 / np.sqrt(d) * rng.standard_normal((k, d))
    residual, step, Q, CQ = np.inf, 0, W.T, C @ W.T
    for step in range(max_iter + 1):
        if step % 50 == 0 or step == max_iter:
            Q = np.linalg.qr(W.T).Q
            CQ = C @ Q
            residual = _span_residual(Q, CQ)
            if residual <= tol or step == max_iter:
                break
        WC = W @ C  # (k, d)
        W = W + 2 * eta * (2 * WC - (WC @ W.T) @ W - (W @ W.T) @ WC)
    lam, V = np.linalg.eigh(Q.T @ CQ)
    return lam[::-1], Q @ V[:, ::-1], step, residual


def _span_residual(Q: np.ndarray, CQ: np.ndarray) -> float:
    """How far C leaves the span of the orthonormal columns Q, relative to C Q."""
    size = np.linalg.norm(CQ)
    return float(np.linalg.norm(CQ - Q @ (Q.T @ CQ)) / size) if size > 0 else 0.0
