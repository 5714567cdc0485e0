"""Linear layers (lectures 03 and 08)."""

import math
from typing import Any

from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_floats, as_input, checked_bias
from nnlite.ops import linear as products


def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """``x W^T + b``: (..., in) -> (..., out), with ``weight`` (out, in)."""
    return activated_linear(input, weight, bias, None)


def activated_linear(input: Any, weight: Any, bias: Any, slope: float | None) -> Tensor:
    """:func:`linear`, then LeakyReLU with this slope (0: ReLU; None: nothing), in one pass."""
    weight = as_floats(weight, "linear: weight")
    size = weight.shape
    if len(size) != 2:
        raise ValueError(f"linear: the weight must be (out, in); got shape {size}.")
    x = as_input(input, weight.dtype, "linear")
    shape = x.shape
    if not shape or shape[-1] != size[1]:
        hint = " Flatten images first (nn.Flatten())." if x.ndim > 2 else ""
        raise ValueError(
            f"linear: the last axis of the input must have {size[1]} entries, since the "
            f"weight has shape {size}; got an input of shape {shape}.{hint}"
        )
    if bias is not None:
        bias = checked_bias("linear", bias, size[:1], weight)
    if len(shape) == 2:
        return products.linear(x, weight, bias, slope=slope)
    rows = x.reshape(math.prod(shape[:-1]), shape[-1])
    y = products.linear(rows, weight, bias, slope=slope)
    return y.reshape(*shape[:-1], size[0])
