"""Mean and covariance of data to their last digits, or refused where they leave the range."""

from __future__ import annotations

import numpy as np

_BLOCK = 1024  # rows centred at a time when the mean dwarfs the spread


def column_means(X: np.ndarray) -> np.ndarray:
    """Mean of each column in float64; that of a column of equal numbers is that number.

    The sum of n times 0.1 is not n times 0.1, and the difference, squared, would pass for a
    variance of 1e-34.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean = X.mean(axis=0, dtype=np.float64)
    if not np.isfinite(mean).all():
        raise ValueError("the values of X are so large that their sum overflows; rescale X.")
    first = X[0].astype(np.float64)
    near = np.abs(first - mean) <= len(X) * np.finfo(np.float64).eps * np.abs(mean)
    near = np.flatnonzero(near & (first != mean))
    if near.size:
        constant = near[(X[:, near] == X[0, near]).all(axis=0)]
        mean[constant] = first[constant]
    return mean


def covariance(X: np.ndarray, mean: np.ndarray) -> np.ndarray:
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


def check_range(X: np.ndarray, total: float) -> None:
    """Refuse data whose variance is too large, or too small, to be a number of their dtype."""
    limits = np.finfo(X.dtype)
    if not total <= float(limits.max):
        raise ValueError(
            f"the values of X are so large that their squares overflow {X.dtype}; rescale them or "
            "use float64."
        )
    if total < float(limits.tiny) and np.ptp(X, axis=0).any():
        raise ValueError(
            f"the values of X differ so little that the squares underflow {X.dtype}; rescale them "
            "or use float64."
        )
