"""Losses as single operations: value and gradient come from one pass (lectures 06 and 10).

Each gives ``scale * sum`` of the loss; a mean has ``scale = 1/n``. On arrays the rule uses the
gradient that the kernel computed beside the value; on Tensors it writes the formula, to be
differentiated again.
"""

import numpy as np

from nnlite import kernels
from nnlite.ops.activations import sigmoid, softmax
from nnlite.ops.operation import Operation


def _with_gradient(kernel):
    """A forward function that keeps the gradient which the kernel computes beside the value."""

    def forward(x, target, scale=1.0):
        total, gradient = kernel(x, target, scale)
        return np.asarray(total, x.dtype), gradient

    return forward


_ARRAYS = (np.ndarray, np.generic)


def _are_arrays(*arrays) -> bool:
    return all([isinstance(a, _ARRAYS) for a in arrays])


def _times(gradient, g):
    """``gradient * g``; a loss that is minimised as it is has g = 1."""
    return gradient if g.item() == 1 else gradient * g


def _squared_error_rule(g, _out, x, target, saved, scale=1.0, *, wanted):
    if _are_arrays(g, x, target):
        dx = _times(saved, g)
    else:
        dx = 2 * (x - target) * (scale * g)
    return dx, -dx if 1 in wanted else None


squared_error = Operation(
    _with_gradient(lambda x, t, scale: kernels.squared_error(x, t, scale)),
    joint=_squared_error_rule,
    arrays=("x", "target"),
    params=("scale",),
    name="squared_error",
    saves=True,
)


def _bce_rule(g, _out, z, target, saved, scale=1.0, *, wanted):
    if _are_arrays(g, z, target):
        dz = _times(saved, g)
    else:
        dz = (sigmoid(z) - target) * (scale * g)
    return dz, -z * (scale * g) if 1 in wanted else None


#: Binary cross-entropy of logits, ``softplus(z) - t z``.
bce_with_logits = Operation(
    _with_gradient(lambda z, t, scale: kernels.bce_with_logits(z, t, scale)),
    joint=_bce_rule,
    arrays=("z", "target"),
    reads=(("z", "target"), ("z",)),
    params=("scale",),
    name="bce_with_logits",
    saves=True,
)


def _cross_entropy_rule(g, _out, z, target, saved, scale=1.0):
    """With respect to the logits; targets are data (integer classes or probabilities)."""
    if _are_arrays(g, z):
        return _times(saved, g)
    if target.dtype.kind in "iu":
        target = np.eye(z.shape[1], dtype=z.dtype)[target]
    weight = np.sum(target, axis=1, keepdims=True)
    return (weight * softmax(z, axis=1) - target) * (scale * g)


#: Cross-entropy of the softmax of logits (N, K) against classes (N,) or probabilities (N, K).
softmax_cross_entropy = Operation(
    _with_gradient(lambda z, t, scale: kernels.softmax_cross_entropy(z, t, scale)),
    _cross_entropy_rule,
    None,
    params=("scale",),
    name="softmax_cross_entropy",
    saves=True,
)


def _bce_forward(p, target):
    """Binary cross-entropy of probabilities; logarithms stop at -100, as in PyTorch."""
    return -(target * _log(p) + (1 - target) * _log(1 - p))


#: Binary cross-entropy of probabilities, entry by entry. Its slope ``(p - t) / (p (1 - p))`` is
#: kept finite at 0 and 1, where a logit would be the better input.
bce = Operation(
    _bce_forward,
    lambda g, _out, p, target: g * (p - target) / np.maximum(p * (1 - p), 1e-12),
    lambda g, _out, p, _target: g * (_log(1 - p) - _log(p)),
    name="bce",
)


def _log(p):
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100)
