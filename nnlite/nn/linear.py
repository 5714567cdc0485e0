"""Linear layers (lecture 03 derives their gradients)."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite._arguments import as_integer
from nnlite.nn import init
from nnlite.nn._checks import check_device, check_flags
from nnlite.nn.functional._linear import activated_linear
from nnlite.nn.module import Module
from nnlite.nn.parameter import Parameter
from nnlite.random import RNGLike, default_rng


class Identity(Module):
    """What goes in comes out; arguments of the constructor are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """``input`` itself."""
        return input


class Linear(Module):
    """``y = x W^T + b``: (..., in_features) -> (..., out_features).

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether there is a ``b``.
    dtype : {"float32", "float64"}, optional
    rng : seed or Generator, optional
        For the initial values, uniform within 1/sqrt(in_features).

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        rng: RNGLike | None = None,
    ) -> None:
        super().__init__()
        self.in_features = as_integer(in_features, "Linear: in_features", 1)
        self.out_features = as_integer(out_features, "Linear: out_features", 1)
        check_flags("Linear", bias=bias)
        check_device("Linear", device)
        self.weight = Parameter(np.zeros((self.out_features, self.in_features)), dtype=dtype)
        self.bias = Parameter(np.zeros(self.out_features), dtype=dtype) if bias else None
        self.reset_parameters(rng)

    def reset_parameters(self, rng: RNGLike | None = None) -> None:
        """Draw new initial values."""
        rng = default_rng(rng)
        init.fan_in_uniform_(self.weight, self.in_features, rng=rng)
        if self.bias is not None:
            init.fan_in_uniform_(self.bias, self.in_features, rng=rng)

    def forward(self, input: Any) -> Any:
        """(..., in_features) -> (..., out_features)."""
        return self._forward(input)

    def _forward(self, input: Any, slope: float | None = None) -> Any:
        return activated_linear(input, self.weight, self.bias, slope)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
