"""Activations (lectures 04 and 08)."""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite import ops
from nnlite._arguments import as_choice, as_number
from nnlite.engine.state import float_dtype
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_axis, check_flags
from nnlite.nn._inputs import as_floats, as_input, as_tensor
from nnlite.ops import activations, channels
from nnlite.ops.operation import Operation


def tanh(input: Any) -> Tensor:
    """Hyperbolic tangent."""
    return as_floats(input).tanh()


def sigmoid(input: Any) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return activations.sigmoid(as_floats(input))


def relu(input: Any, inplace: bool = False) -> Tensor:
    """``max(x, 0)``; ``inplace`` is accepted and has no effect."""
    if inplace:
        check_flags("relu", inplace=inplace)
    return activations.leaky_relu(as_tensor(input), slope=0.0)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``negative_slope * x`` elsewhere."""
    negative_slope = as_number(negative_slope, "leaky_relu: negative_slope")
    x = as_floats(input)
    if negative_slope < 0:  # the sign of the output would no longer tell the sign of the input
        return ops.where(x > 0, x, negative_slope * x)
    return activations.leaky_relu(x, slope=float(negative_slope))


def prelu(input: Any, weight: Any) -> Tensor:
    """LeakyReLU with a learned slope, one for all or one for each channel (axis 1)."""
    weight = as_floats(weight, "prelu: weight")
    x = as_input(input, weight.dtype, "prelu")
    if weight.ndim > 1:
        raise ValueError(f"prelu: weight has one axis (or none); got shape {weight.shape}.")
    if weight.size != 1:
        if x.ndim < 2 or x.shape[1] != weight.size:
            raise ValueError(
                f"prelu: {weight.size} slopes need as many channels (axis 1); got shape {x.shape}."
            )
        weight = channels.per_channel(weight, x.ndim)
    else:
        weight = weight.reshape(())
    return ops.where(x > 0, x, weight * x)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``alpha (exp(x) - 1)`` elsewhere."""
    alpha = as_number(alpha, "elu: alpha")
    x = as_floats(input)
    positive = x > 0
    # expm1 must not see large x, whose overflow would spoil the gradient of the other branch
    return ops.where(positive, x, alpha * np.expm1(ops.where(positive, 0, x)))


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta x)) / beta``, the identity where ``beta x > threshold``."""
    beta = as_number(beta, "softplus: beta", above=0)
    threshold = as_number(threshold, "softplus: threshold")
    x = as_floats(input)
    smooth = activations.softplus(x if beta == 1 else beta * x)
    smooth = smooth if beta == 1 else smooth / beta
    return ops.where(x > threshold / beta, x, smooth)


def logsigmoid(input: Any) -> Tensor:
    """``log(sigmoid(x)) = -softplus(-x)``, exact where the sigmoid itself would be 0."""
    return -activations.softplus(-as_floats(input))


def silu(input: Any, inplace: bool = False) -> Tensor:
    """``x sigmoid(x)`` (Elfwing et al. 2018), also called swish."""
    x = as_floats(input)
    return x * activations.sigmoid(x)


#: Probability that a standard normal number is below x, by erfc, which keeps the digits of the tail
_erfc = np.frompyfunc(math.erfc, 1, 1)
_normal_cdf = Operation(
    lambda x: np.asarray(_erfc(x * -math.sqrt(0.5)) * 0.5, x.dtype),
    lambda g, _out, x: g * np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi)),
    name="normal_cdf",
)


def gelu(input: Any, approximate: str = "none") -> Tensor:
    """``x`` times the probability that a standard normal number is below it.

    (Hendrycks & Gimpel 2016.) With ``approximate="tanh"`` that probability is taken to be
    ``(1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2``.
    """
    as_choice(approximate, "gelu: approximate", ("none", "tanh"))
    x = as_floats(input)
    if approximate == "none":
        return x * _normal_cdf(x)
    # beyond 10 the share is 0 or 1 to the last digit, and a cube might overflow
    near = ops.clip(x, -10, 10)
    return x * activations.sigmoid(math.sqrt(8 / math.pi) * (near + 0.044715 * near**3))


def softmax(
    input: Any,
    dim: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    axis: int | None = None,
) -> Tensor:
    """Positive shares that sum to one along ``dim`` (or ``axis``).

    Without it, PyTorch's rule holds, with a warning: axis 0 of arrays with 0, 1 or 3 axes, axis 1
    of others.
    """
    return _along(activations.softmax, input, dim, axis, dtype)


def log_softmax(
    input: Any,
    dim: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    axis: int | None = None,
) -> Tensor:
    """Logarithm of :func:`softmax`, exact where a share itself would underflow."""
    return _along(activations.log_softmax, input, dim, axis, dtype)


def _along(
    op: Operation, input: Any, dim: int | None, axis: int | None, dtype: DTypeLike | None
) -> Tensor:
    """``op`` along an axis; a single number is a row of one."""
    x = as_floats(input)
    if dtype is not None:
        x = x.astype(float_dtype(dtype))
    axis = _axis(op.name, x.ndim, dim, axis)
    if not x.size:
        return x
    return op(x, axis) if x.ndim else op(x.reshape(1), axis).reshape(())


def _axis(where: str, ndim: int, dim: int | None, axis: int | None) -> int:
    if dim is not None and axis is not None:
        raise ValueError(f"{where} sums along one axis; got dim={dim} and axis={axis}.")
    if dim is None and axis is None:
        dim = 0 if ndim in (0, 1, 3) else 1
        warnings.warn(
            f"{where} was not told along which axis to sum, and took {dim}, as PyTorch does for "
            f"{ndim} axes; write {where}(x, dim=1) for logits (N, K).",
            stacklevel=4,
        )
    chosen: Any = dim if dim is not None else axis
    return as_axis(chosen, max(ndim, 1), f"{where}: dim")
