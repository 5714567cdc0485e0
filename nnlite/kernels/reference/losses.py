"""Losses with their gradients, from logits (lectures 06 and 10).

Each returns ``scale`` times the *sum* of the loss (a Python float; ``scale = 1/n`` makes a mean)
and the gradient of that. Loss and gradient share their exponentials, so computing both costs one
pass.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlite.kernels.checks import as_probabilities, check_dtypes, check_same_shape

__all__ = ["bce_with_logits", "softmax_cross_entropy", "squared_error"]


def bce_with_logits(z: np.ndarray, t: np.ndarray, scale: float = 1.0) -> tuple[float, np.ndarray]:
    """The binary cross-entropy of logits ``z`` against targets ``t`` in [0, 1].

    ``-t log s(z) - (1 - t) log(1 - s(z)) = softplus(z) - t z``, with gradient ``s(z) - t``.

    Parameters
    ----------
    z, t : ndarray
        Of one shape and dtype.
    scale : float
        Factor of loss and gradient.

    Returns
    -------
    total : float
        The scaled sum over all entries.
    gradient : ndarray
        With respect to ``z``.
    """
    check_same_shape("bce_with_logits", z, t)
    check_dtypes("bce_with_logits", z=z, t=t)
    small = np.exp(-np.abs(z))  # at most 1: nothing overflows, whatever the sign of z
    with np.errstate(invalid="ignore"):  # inf - inf: the caller looks at a result of NaN
        loss = np.maximum(z, 0) + np.log1p(small) - t * z
    sigmoid = np.where(z >= 0, np.ones_like(small), small) / (1 + small)
    return scale * float(np.sum(loss, dtype=np.float64)), scale * (sigmoid - t)


def squared_error(x: np.ndarray, t: np.ndarray, scale: float = 1.0) -> tuple[float, np.ndarray]:
    """``scale sum (x - t)^2`` and its gradient ``2 scale (x - t)``."""
    check_same_shape("squared_error", x, t)
    check_dtypes("squared_error", x=x, t=t)
    difference = x - t
    total = float(np.sum(np.square(difference, dtype=np.float64)))
    return scale * total, (2 * scale) * difference


def softmax_cross_entropy(
    z: np.ndarray, target: np.ndarray, scale: float = 1.0
) -> tuple[float, np.ndarray]:
    """The cross-entropy of the softmax of logits against classes or probabilities.

    ``-sum_k t_k log softmax(z)_k = (sum_k t_k) logsumexp(z) - sum_k t_k z_k`` for each row, with
    gradient ``(sum_k t_k) softmax(z) - t``.

    Parameters
    ----------
    z : ndarray, shape (N, K)
        Logits.
    target : ndarray
        Integer classes (N,), or probabilities (N, K) of the dtype of ``z``.
    scale : float
        Factor of loss and gradient.

    Returns
    -------
    total : float
        The scaled sum over rows.
    gradient : ndarray, shape (N, K)
        With respect to ``z``.
    """
    target = as_probabilities(z, target)
    check_dtypes("softmax_cross_entropy", z=z, target=target)
    top = z.max(axis=1, keepdims=True) if z.size else np.zeros((len(z), 1), z.dtype)
    e = np.exp(z - top)
    total = e.sum(axis=1, keepdims=True)
    weight = target.sum(axis=1, keepdims=True)
    # A class of weight 0 costs nothing even where its logit is -inf.
    share = np.multiply(target, z - top, where=target != 0, out=np.zeros_like(z - top))
    chosen = share.sum(axis=1, keepdims=True)
    loss = weight * np.log(total) - chosen
    gradient = scale * (weight * (e / total) - target)
    return scale * float(np.sum(loss, dtype=np.float64)), gradient


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    x, t, z = normal(n * size, c * size), normal(n * size, c * size), normal(n * size, 17)
    scale = 1 / len(x)
    yield bce_with_logits, (x, (t > 0).astype(np.float32), scale)
    yield squared_error, (x, t, scale)
    yield softmax_cross_entropy, (z, np.arange(len(z), dtype=np.int64) % 17, scale)
