"""Functions of neural networks that NumPy does not have: sigmoid, relu, softmax and relatives.

Each is computed so that it neither overflows nor loses digits at either end. Branches look at the
real part, so that the complex step of lecture 01 works through them.
"""

import numpy as np

from nnlite.ops.operation import Operation
from nnlite.ops.reductions import restore


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


def _top(x, axis):
    """The largest x along ``axis``: taken out of exponents so that nothing overflows."""
    top = np.max(np.real(x), axis=axis, keepdims=True)
    return np.where(np.isfinite(top), top, 0)  # all -inf: the log of 0, not NaN


def _logsumexp(x, axis=None, keepdims=False):
    top = _top(x, axis)
    with np.errstate(divide="ignore"):
        out = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis)


def _logsumexp_rule(g, out, x, axis=None, keepdims=False):
    """The gradient of log sum exp(x) is softmax(x) = exp(x - out)."""
    out = restore(out, x.ndim, axis, keepdims)
    return restore(g, x.ndim, axis, keepdims) * np.exp(x - np.where(np.isfinite(out), out, 0))


logsumexp = Operation(
    _logsumexp, _logsumexp_rule, name="logsumexp", arrays=("x",), params=("axis", "keepdims")
)


def _softmax(x, axis=-1):
    e = np.exp(x - _top(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


softmax = Operation(
    _softmax,
    # d s_i / d x_j = s_i (delta_ij - s_j)
    lambda g, out, _x, axis=-1: out * (g - np.sum(g * out, axis=axis, keepdims=True)),
    name="softmax",
    arrays=("x",),
    params=("axis",),
)


def _log_softmax(x, axis=-1):
    """Exact where the share itself would underflow, and wherever the logits lie."""
    z = x - _top(x, axis)  # first: log sum + top would be rounded to the digits of the top
    with np.errstate(divide="ignore"):
        return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


log_softmax = Operation(
    _log_softmax,
    lambda g, out, _x, axis=-1: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True),
    name="log_softmax",
    arrays=("x",),
    params=("axis",),
)
