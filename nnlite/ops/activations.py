"""Functions of neural networks that NumPy does not have: sigmoid, relu, softmax and relatives.

Each is computed so that it neither overflows nor loses digits at either end. Branches look at the
real part, so that the complex step of lecture 01 works through them.
"""

import numpy as np

from nnlite import kernels
from nnlite.ops.operation import Operation
from nnlite.ops.reductions import restore


def _floats(x):
    """Integers as float64: minus a byte is another byte, and its exponential a half."""
    x = np.asarray(x)
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


def _sigmoid(x):
    """1 / (1 + e^-x), from e^-|x|, which cannot overflow."""
    x = _floats(x)
    positive = np.real(x) >= 0
    small = np.exp(np.where(positive, -x, x))
    return np.where(positive, 1, small) / (1 + small)


sigmoid = Operation(_sigmoid, lambda g, out, _x: g * out * (1 - out), name="sigmoid")


def _softplus(x):
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    x = _floats(x)
    positive = np.real(x) >= 0
    return np.where(positive, x, 0) + np.log1p(np.exp(np.where(positive, -x, x)))


softplus = Operation(_softplus, lambda g, _out, x: g * sigmoid(x), name="softplus")
#: Linear in ``g``; the sign of ``y`` is constant almost everywhere.
leaky_relu_grad: Operation = Operation(
    lambda g, y, slope=0.0: kernels.leaky_relu_grad(g, y, slope),
    lambda h, _out, _g, y, slope=0.0: leaky_relu_grad(h, y, slope=slope),
    None,
    name="leaky_relu_grad",
    params=("slope",),
)
leaky_relu: Operation = Operation(
    lambda x, slope=0.0: kernels.leaky_relu(x, slope),
    lambda g, out, _x, slope=0.0: leaky_relu_grad(g, out, slope=slope),
    name="leaky_relu",
    params=("slope",),
)
relu = Operation(
    lambda x: np.where(np.real(x) > 0, x, 0) if np.iscomplexobj(x) else np.maximum(x, 0),
    lambda g, out, _x: g * (out > 0),
    name="relu",
)


def _largest(x, axis):
    """The largest x along ``axis``; of nothing -inf, the logarithm of the sum of nothing."""
    x = np.real(x)
    if not x.size:
        return np.max(x, axis, keepdims=True, initial=-np.inf)
    return np.max(x, axis, keepdims=True)


def _top(x, axis):
    """The largest x along ``axis``: taken out of exponents so that nothing overflows."""
    top = _largest(x, axis)
    return np.where(np.isfinite(top), top, 0)  # all -inf, or nothing: the log of 0, not NaN


def _taken_apart(x, axis):
    """``(top, x - top, log sum exp(x - top))``, apart: a large top would round off the others.

    Where the largest x is infinite top is 0.
    """
    x = _floats(x)
    top = _top(x, axis)
    below = x - top
    with np.errstate(divide="ignore", over="ignore"):
        return top, below, np.log(np.sum(np.exp(below), axis=axis, keepdims=True))


def _logsumexp(x, axis=None, keepdims=False):
    top, _, log_total = _taken_apart(x, axis)
    return top + log_total if keepdims else np.squeeze(top + log_total, axis)


def _log_softmax(x, axis=-1):
    """Exact where the share itself would underflow, and as exact far out as near 0."""
    _, below, log_total = _taken_apart(x, axis)
    return below - log_total


logsumexp = Operation(
    _logsumexp,
    # the gradient of log sum exp(x) is softmax(x)
    lambda g, _out, x, axis=None, keepdims=False: (
        restore(g, x.ndim, axis, keepdims) * _shares(x, axis=axis)
    ),
    name="logsumexp",
    arrays=("x",),
    params=("axis", "keepdims"),
)


def _softmax(x, axis=-1):
    x = _floats(x)
    e = np.exp(x - _top(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _softmax_rule(g, out, _x, axis=-1):
    """With s the shares, d s_i / d x_j = s_i (delta_ij - s_j)."""
    return out * (g - np.sum(g * out, axis=axis, keepdims=True))


softmax = Operation(_softmax, _softmax_rule, name="softmax", arrays=("x",), params=("axis",))


def _limits(x, axis):
    """The softmax, and where the largest x are infinite its limit: they share as equals do."""
    top = _largest(x, axis)
    if np.any(endless := np.isinf(top)):
        x = np.where(endless, np.where(x == top, 0, -np.inf), x)
    return _softmax(x, axis)


_shares: Operation = Operation(
    _limits, _softmax_rule, name="shares", arrays=("x",), params=("axis",)
)


log_softmax = Operation(
    _log_softmax,
    lambda g, out, _x, axis=-1: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True),
    name="log_softmax",
    arrays=("x",),
    params=("axis",),
)
