"""Functions of neural networks that NumPy does not have: sigmoid, softplus, relu, logsumexp, softmax.

Each is computed so that it neither overflows nor loses digits at either end. Branches look at the real
part, so that the complex step of lecture 01 works through them.
"""

import numpy as np

from nnlite.ops.operation import Operation, values_of


def _sigmoid(x):
    """1 / (1 + e^-x), from e^-|x|, which cannot overflow."""
    positive = np.real(x) >= 0
    small = np.exp(np.where(positive, -x, x))
    return np.where(positive, 1, small) / (1 + small)


sigmoid = Operation(_sigmoid, lambda g, out, _x: g * out * (1 - out), name="sigmoid")


def _softplus(x):
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    positive = np.real(x) >= 0
    return np.where(positive, x, 0) + np.log1p(np.exp(np.where(positive, -x, x)))


softplus = Operation(_softplus, lambda g, _out, x: g * sigmoid(x), name="softplus")
relu = Operation(
    lambda x: np.where(np.real(x) > 0, x, 0) if np.iscomplexobj(x) else np.maximum(x, 0),
    lambda g, out, _x: g * (out > 0),
    name="relu",
)


def logsumexp(x, axis=None, keepdims=False):
    """Log sum exp(x) over ``axis``, with the largest x taken out of the sum so that nothing overflows.

    Its gradient is softmax(x); the operations it is made of give that by themselves.
    """
    top = np.max(np.real(values_of(x)), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)  # all -inf: log 0, not NaN
    total = np.sum(np.exp(x - top), axis=axis, keepdims=keepdims)
    return np.log(total) + (top if keepdims else np.squeeze(top, axis))


def log_softmax(x, axis=-1):
    """Log of :func:`softmax`, exact where the share itself would underflow."""
    return x - logsumexp(x, axis=axis, keepdims=True)


def softmax(x, axis=-1):
    """e^x / sum e^x along ``axis``: positive shares that sum to one."""
    top = np.max(np.real(values_of(x)), axis=axis, keepdims=True)
    e = np.exp(x - top)
    return e / np.sum(e, axis=axis, keepdims=True)
