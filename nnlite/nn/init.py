"""Initialisation in place, with torch.nn.init's names and formulas (lecture 04).

Every function takes a Parameter, a Tensor or an array (``m.weight.data``), fills it and returns it.
Random ones take ``rng=`` (a seed or a Generator). ``fan_in`` is the number of inputs a unit sums
over, ``fan_out`` the number of units an input goes to: a signal keeps its variance where the
weights have variance 1/fan_in, a gradient where they have 1/fan_out (Glorot & Bengio 2010).
"""

import math
import warnings
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_integer, as_number
from nnlite.engine.tensor import Tensor
from nnlite.random import RNGLike, default_rng

Fillable = TypeVar("Fillable", Tensor, NDArray[Any])


def _fill(tensor: Fillable, values: Any) -> Fillable:
    """Write values into a Tensor or an array."""
    _check_fillable(tensor)
    if isinstance(tensor, Tensor):
        tensor.data[...] = values
        tensor.data = tensor.data  # counts as an edit, should a graph still need it
    else:
        tensor[...] = values
    return tensor


def _check_fillable(tensor: Any) -> None:
    """Refuse what cannot hold real numbers, before its shape is asked for."""
    if not isinstance(tensor, Tensor | np.ndarray):
        hint = " Name the parameter: layer.weight." if hasattr(tensor, "parameters") else ""
        raise TypeError(
            f"nn.init fills a Parameter, a Tensor or an array; got {type(tensor).__name__}.{hint}"
        )
    if tensor.dtype.kind != "f":
        raise TypeError(
            f"nn.init fills arrays of floating point; got dtype {tensor.dtype}, which would cut "
            "the values to integers."
        )


def constant_(tensor: Fillable, val: float) -> Fillable:
    """Fill with one number."""
    return _fill(tensor, as_number(val, "constant_: val"))


def zeros_(tensor: Fillable) -> Fillable:
    """Fill with 0."""
    return _fill(tensor, 0)


def ones_(tensor: Fillable) -> Fillable:
    """Fill with 1."""
    return _fill(tensor, 1)


def uniform_(
    tensor: Fillable, a: float = 0.0, b: float = 1.0, *, rng: RNGLike | None = None
) -> Fillable:
    """Fill with numbers uniform in [a, b)."""
    _check_fillable(tensor)
    a, b = as_number(a, "uniform_: a"), as_number(b, "uniform_: b")
    if a > b:
        raise ValueError(f"uniform_: a must not be greater than b; got a={a}, b={b}.")
    return _fill(tensor, default_rng(rng).uniform(a, b, tensor.shape))


def normal_(
    tensor: Fillable, mean: float = 0.0, std: float = 1.0, *, rng: RNGLike | None = None
) -> Fillable:
    """Fill with normal numbers of the given mean and standard deviation."""
    _check_fillable(tensor)
    mean, std = as_number(mean, "normal_: mean"), as_number(std, "normal_: std", 0)
    return _fill(tensor, default_rng(rng).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Fillable,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    *,
    rng: RNGLike | None = None,
) -> Fillable:
    """Fill with normal numbers, those outside [a, b] drawn again."""
    _check_fillable(tensor)
    mean = as_number(mean, "trunc_normal_: mean")
    a, b = as_number(a, "trunc_normal_: a"), as_number(b, "trunc_normal_: b")
    std = as_number(std, "trunc_normal_: std", 0)
    rng = default_rng(rng)
    if not a < b or mean + 8 * std < a or mean - 8 * std > b:
        raise ValueError(
            f"trunc_normal_: [a, b] = [{a}, {b}] holds next to nothing of a normal distribution "
            f"with mean {mean} and standard deviation {std}."
        )
    values = rng.normal(mean, std, tensor.shape)
    outside = (values < a) | (values > b)
    while np.any(outside):
        values[outside] = rng.normal(mean, std, int(outside.sum()))
        outside = (values < a) | (values > b)
    return _fill(tensor, values)


def eye_(tensor: Fillable) -> Fillable:
    """Fill a matrix with the identity."""
    _check_fillable(tensor)
    if len(tensor.shape) != 2:
        raise ValueError(f"eye_ fills a matrix; got shape {tensor.shape}.")
    return _fill(tensor, np.eye(*tensor.shape))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Factor that makes up for what a nonlinearity takes from the standard deviation.

    Parameters
    ----------
    nonlinearity : str
        "linear", "conv2d", "conv_transpose2d", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
    param : float, optional
        The negative slope of ``leaky_relu``, 0.01 by default.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        slope = as_number(slope, "calculate_gain: param (the negative slope)")
        return math.sqrt(2.0 / (1 + slope**2))
    gains = {
        **dict.fromkeys(("linear", "conv2d", "conv_transpose2d", "sigmoid"), 1.0),
        "tanh": 5.0 / 3,
        "relu": math.sqrt(2.0),
        "selu": 3.0 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(
            f"calculate_gain knows {', '.join([*gains, 'leaky_relu'])}; got {nonlinearity!r}."
        )
    return gains[nonlinearity]


def fans(tensor: Tensor | NDArray[Any]) -> tuple[int, int]:
    """``(fan_in, fan_out)`` of a weight of shape (out, in, ...)."""
    _check_fillable(tensor)
    shape = tensor.shape
    if len(shape) < 2:
        raise ValueError(
            f"fan_in and fan_out are those of a weight with at least two axes; got shape {shape}."
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def xavier_uniform_(tensor: Fillable, gain: float = 1.0, *, rng: RNGLike | None = None) -> Fillable:
    """Uniform with variance ``gain^2 * 2 / (fan_in + fan_out)`` (Glorot & Bengio 2010, eq. 16)."""
    gain = as_number(gain, "xavier_uniform_: gain", 0)
    bound = gain * math.sqrt(6.0 / max(sum(fans(tensor)), 1))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor: Fillable, gain: float = 1.0, *, rng: RNGLike | None = None) -> Fillable:
    """Normal with variance ``gain^2 * 2 / (fan_in + fan_out)``."""
    gain = as_number(gain, "xavier_normal_: gain", 0)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / max(sum(fans(tensor)), 1)), rng=rng)


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    """Standard deviation ``gain / sqrt(fan)`` (He et al. 2015, eqs. 10 and 14)."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out'; got {mode!r}.")
    fan_in, fan_out = fans(tensor)
    fan = fan_in if mode == "fan_in" else fan_out
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def kaiming_uniform_(
    tensor: Fillable,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: RNGLike | None = None,
) -> Fillable:
    """Uniform with standard deviation ``gain / sqrt(fan)``; ``a`` is leaky_relu's slope."""
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: Fillable,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: RNGLike | None = None,
) -> Fillable:
    """Normal with standard deviation ``gain / sqrt(fan)``; ``a`` is leaky_relu's slope."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), rng=rng)


def orthogonal_(tensor: Fillable, gain: float = 1.0, *, rng: RNGLike | None = None) -> Fillable:
    """Orthonormal rows (or columns, where these are fewer) times ``gain``, uniformly distributed.

    The QR decomposition of a normal matrix, with the signs that make it unique (Mezzadri 2007).
    """
    _check_fillable(tensor)
    gain = as_number(gain, "orthogonal_: gain")
    if len(tensor.shape) < 2:
        raise ValueError(f"orthogonal_ fills at least two axes; got shape {tensor.shape}.")
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    q, r = np.linalg.qr(default_rng(rng).normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def dirac_(tensor: Fillable, groups: int = 1) -> Fillable:
    """Fill filters (F, C, kh, kw) so that a convolution passes its input channels on unchanged.

    Each of ``groups`` groups of filters passes on the channels it sees.
    """
    _check_fillable(tensor)
    if len(tensor.shape) < 3:
        raise ValueError(f"dirac_ fills filters (F, C, kh, kw); got shape {tensor.shape}.")
    groups = as_integer(groups, "dirac_: groups", 1)
    if tensor.shape[0] % groups:
        raise ValueError(
            f"dirac_: groups must divide the {tensor.shape[0]} filters; got groups={groups}."
        )
    values = np.zeros(tensor.shape)
    filters = tensor.shape[0] // groups
    centre: tuple[int, ...] = tuple(n // 2 for n in tensor.shape[2:])
    for g in range(groups):
        for i in range(min(filters, tensor.shape[1])):
            values[g * filters + i, i][centre] = 1
    return _fill(tensor, values)


def fan_in_uniform_(tensor: Fillable, fan_in: int, *, rng: RNGLike | None = None) -> Fillable:
    """Uniform in +-1/sqrt(fan_in): torch.nn's default for linear and convolutional layers.

    For weights it equals ``kaiming_uniform_(a=sqrt(5))``.
    """
    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
    return uniform_(tensor, -bound, bound, rng=rng)


def __getattr__(name: str) -> Any:
    """PyTorch's former names, without the underscore at the end; they warn, as there."""
    function = globals().get(f"{name}_")
    if name.startswith("_") or function is None:
        raise AttributeError(f"nnlite.nn.init has no {name!r}.")
    warnings.warn(f"nn.init.{name} is now called nn.init.{name}_.", stacklevel=2)
    return function
