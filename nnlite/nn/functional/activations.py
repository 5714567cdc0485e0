"""Activations (lectures 04 and 08)."""

from typing import Any

import numpy as np

from nnlite import ops
from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_floats, as_input, as_tensor
from nnlite.ops import activations, dense


def tanh(input: Any) -> Tensor:
    """Hyperbolic tangent."""
    return as_floats(input).tanh()


def sigmoid(input: Any) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return activations.sigmoid(as_floats(input))


def relu(input: Any, inplace: bool = False) -> Tensor:
    """``max(x, 0)``; ``inplace`` is accepted and has no effect."""
    return dense.leaky_relu(as_tensor(input), slope=0.0)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``negative_slope * x`` elsewhere."""
    x = as_floats(input)
    if negative_slope < 0:  # the sign of the output would no longer tell the sign of the input
        return ops.where(x > 0, x, negative_slope * x)
    return dense.leaky_relu(x, slope=float(negative_slope))


def prelu(input: Any, weight: Any) -> Tensor:
    """LeakyReLU with a learned slope, one for all or one for each channel (axis 1)."""
    weight = as_tensor(weight)
    x = as_input(input, weight.dtype, "prelu")
    if weight.size > 1:
        if x.ndim < 2 or x.shape[1] != weight.size:
            raise ValueError(
                f"prelu: {weight.size} slopes need as many channels (axis 1); got shape {x.shape}."
            )
        weight = dense.per_channel(weight, x.ndim)
    return ops.where(x > 0, x, weight * x)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``alpha (exp(x) - 1)`` elsewhere."""
    x = as_floats(input)
    positive = x > 0
    # expm1 must not see large x, whose overflow would spoil the gradient of the other branch
    return ops.where(positive, x, alpha * np.expm1(ops.where(positive, 0, x)))


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta x)) / beta``, the identity where ``beta x > threshold``."""
    x = as_floats(input)
    smooth = activations.softplus(x if beta == 1 else beta * x)
    smooth = smooth if beta == 1 else smooth / beta
    return ops.where(x > threshold / beta, x, smooth)


def logsigmoid(input: Any) -> Tensor:
    """``log(sigmoid(x)) = -softplus(-x)``, exact where the sigmoid itself would be 0."""
    return -activations.softplus(-as_floats(input))


def softmax(input: Any, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """Positive shares that sum to one along ``dim`` (or ``axis``)."""
    return activations.softmax(as_floats(input), _axis("softmax", dim, axis))


def log_softmax(input: Any, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """Logarithm of :func:`softmax`, exact where a share itself would underflow."""
    return activations.log_softmax(as_floats(input), _axis("log_softmax", dim, axis))


def _axis(where: str, dim: int | None, axis: int | None) -> Any:
    if (dim is None) == (axis is None):
        raise ValueError(
            f"{where} needs one axis to sum along: {where}(x, dim=1) for logits (N, K)."
        )
    return dim if dim is not None else axis
