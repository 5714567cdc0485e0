"""Activations as layers (lectures 04 and 08); the functions are in :mod:`nnlite.nn.functional`.

``inplace`` is accepted and has no effect: the memory of an intermediate result may be needed by
backward.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite._arguments import as_choice, as_integer, as_number
from nnlite.nn import functional as F
from nnlite.nn._checks import check_device, check_flags
from nnlite.nn.module import Module
from nnlite.nn.parameter import Parameter


class Tanh(Module):
    """``tanh(x)``."""

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.tanh(input)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``."""

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.sigmoid(input)


class ReLU(Module):
    """``max(x, 0)``."""

    negative_slope = 0.0

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        check_flags("ReLU", inplace=inplace)
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.relu(input)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """``x`` where positive, ``negative_slope * x`` elsewhere."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = as_number(negative_slope, "LeakyReLU: negative_slope")
        check_flags("LeakyReLU", inplace=inplace)
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """LeakyReLU whose slope is learned, one for all channels or one for each (He et al. 2015)."""

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.num_parameters = as_integer(num_parameters, "PReLU: num_parameters", 1)
        init = as_number(init, "PReLU: init")
        check_device("PReLU", device)
        self.weight = Parameter(np.full(self.num_parameters, init), dtype=dtype)

    def forward(self, input: Any) -> Any:
        """Channels are axis 1."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """``x`` where positive, ``alpha (exp(x) - 1)`` elsewhere (Clevert et al. 2016)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = as_number(alpha, "ELU: alpha")
        check_flags("ELU", inplace=inplace)
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class Softplus(Module):
    """``log(1 + exp(beta x)) / beta``, the identity where ``beta x > threshold``."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = as_number(beta, "Softplus: beta", above=0)
        self.threshold = as_number(threshold, "Softplus: threshold")

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """``log(sigmoid(x))``, exact where the sigmoid itself would be 0."""

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.logsigmoid(input)


class SiLU(Module):
    """``x sigmoid(x)`` (Elfwing et al. 2018), also called swish."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        check_flags("SiLU", inplace=inplace)
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.silu(input)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class GELU(Module):
    """``x`` times the probability that a standard normal number is below it.

    (Hendrycks & Gimpel 2016.) With ``approximate="tanh"``, by their approximation.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = as_choice(approximate, "GELU: approximate", ("none", "tanh"))

    def forward(self, input: Any) -> Any:
        """Apply the function to each entry."""
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class _AlongAxis(Module):
    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = None if dim is None else as_integer(dim, f"{type(self).__name__}: dim")

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """Positive shares that sum to one along ``dim``."""

    def forward(self, input: Any) -> Any:
        """``exp(x)`` divided by its sum."""
        return F.softmax(input, self.dim)


class LogSoftmax(_AlongAxis):
    """Logarithm of :class:`Softmax`, exact where a share itself would underflow."""

    def forward(self, input: Any) -> Any:
        """``x`` minus the logarithm of the sum of ``exp(x)``."""
        return F.log_softmax(input, self.dim)
