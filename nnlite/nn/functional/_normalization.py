"""Normalisation over a batch, an image or a layer (lecture 08)."""

from typing import Any

import numpy as np

from nnlite._arguments import as_integer, as_number
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import check_flags
from nnlite.nn._inputs import (
    as_constant,
    as_floats,
    as_input,
    check_images,
    check_parameters,
)
from nnlite.ops import values_of
from nnlite.ops.channels import channel_affine, per_channel
from nnlite.ops.normalization import batch_norm as _batch_norm


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel (axis 1) with the batch's statistics, or else with the running ones.

    In training the running arrays move, in place, by ``momentum`` towards the batch's mean and its
    unbiased variance (which divides by m - 1).
    """
    check_flags("batch_norm", training=training)
    eps = as_number(eps, "batch_norm: eps", 0)
    momentum = as_number(momentum, "batch_norm: momentum", 0, 1)
    return activated_batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps, None
    )


def activated_batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any,
    bias: Any,
    training: bool,
    momentum: float,
    eps: float,
    slope: float | None,
) -> Tensor:
    """:func:`batch_norm`, then LeakyReLU with this slope (0: ReLU; None: nothing), in one pass."""
    where = "batch_norm"
    x = _input(where, input, weight)
    dtype = x.dtype
    if x.ndim not in (2, 3, 4):
        raise ValueError(
            f"batch_norm takes (N, C), (N, C, L) or (N, C, H, W); got shape {x.shape}."
        )
    channels = x.shape[1]
    weight, bias = _affine_parameters(where, (channels,), dtype, weight, bias)
    _check_statistics(where, running_mean, running_var, channels, needed=not training)
    if weight is None:
        weight = np.ones(channels, dtype)
    if bias is None:
        bias = np.zeros(channels, dtype)
    if not training:
        mean = as_constant(running_mean, f"{where}: running_mean", dtype)
        var = as_constant(running_var, f"{where}: running_var", dtype)
        scale = weight / np.sqrt(var + dtype.type(eps))
        return channel_affine(x, scale, bias - mean * scale, slope=slope)
    m = x.size // channels if channels else 0
    if m <= 1:
        raise ValueError(
            f"batch_norm: in training each channel needs more than one value to have a variance; "
            f"got shape {x.shape}. Use a larger batch, or model.eval()."
        )
    if eps == 0:
        raise ValueError(
            "batch_norm: in training eps must be positive, or a constant channel is divided by 0; "
            f"got {eps}."
        )

    def update(mean: np.ndarray, var: np.ndarray) -> None:
        _move(running_mean, mean, momentum)
        _move(running_var, var * (m / (m - 1)), momentum)

    return _batch_norm(
        x,
        weight,
        bias,
        eps=eps,
        slope=slope,
        on_statistics=None if running_mean is None else update,
    )


def _input(where: str, input: Any, weight: Any) -> Tensor:
    """The input in the dtype of the weight, if there is one."""
    if weight is None:
        return as_floats(input, f"{where}: the input")
    return as_input(input, as_floats(weight, f"{where}: weight").dtype, where)


def _affine_parameters(
    where: str, shape: tuple[int, ...], dtype: Any, weight: Any, bias: Any
) -> tuple[Any, Any]:
    """Weight and bias of one dtype and the shape of what is normalised."""
    if weight is not None:
        weight = as_floats(weight, f"{where}: weight")
    if bias is not None and not isinstance(bias, Tensor):
        bias = as_constant(bias, f"{where}: bias", dtype)
    for p in (weight, bias):
        if p is not None and (p.shape != shape or p.dtype != dtype):
            check_parameters(where, shape, np.empty(0, dtype), weight=weight, bias=bias)
    return weight, bias


def _check_statistics(
    where: str, running_mean: Any, running_var: Any, channels: int, needed: bool
) -> None:
    if running_mean is None and running_var is None and not needed:
        return
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is None and needed:
            raise ValueError(f"{where}: outside training {name} is needed; got None.")
        if running is None:
            raise ValueError(f"{where}: running_mean and running_var belong together; one is None.")
        values = as_constant(running, f"{where}: {name}")
        if values.shape != (channels,):
            raise ValueError(
                f"{where}: {name} must have shape ({channels},), one value for each of the "
                f"{channels} channels; got {values.shape}."
            )
        if not needed and not (
            isinstance(running, np.ndarray | Tensor) and values.dtype.kind == "f"
        ):
            raise TypeError(
                f"{where}: {name} is moved in place and must be an array of floating point; got "
                f"{type(running).__name__} of {values.dtype}."
            )


def _move(running: Any, towards: np.ndarray, momentum: float) -> None:
    """Move running statistics by a share of the way, in place."""
    array = values_of(running)
    array += (momentum * (towards - array)).astype(array.dtype, copy=False)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of each image by its own mean and variance (Ulyanov et al. 2016).

    The running arrays, if given, move, in place, by ``momentum`` towards the mean over the images
    of their means and unbiased variances; without ``use_input_stats`` they are what normalises.
    """
    where = "instance_norm"
    check_flags(where, use_input_stats=use_input_stats)
    eps = as_number(eps, f"{where}: eps", 0)
    momentum = as_number(momentum, f"{where}: momentum", 0, 1)
    x = _input(where, input, weight)
    check_images(where, x)
    channels = x.shape[1]
    _check_statistics(where, running_mean, running_var, channels, needed=not use_input_stats)
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, eps=eps)
    if x.shape[2] * x.shape[3] <= 1:
        raise ValueError(
            f"instance_norm: a channel needs more than one pixel to have a variance; got {x.shape}."
        )
    weight, bias = _affine_parameters(where, (channels,), x.dtype, weight, bias)
    y = _affine(_normalised(x, (2, 3), eps), weight, bias, lambda v: per_channel(v, 4))
    if running_mean is not None and len(x):
        _move(running_mean, x.data.mean(axis=(0, 2, 3)), momentum)
        _move(running_var, x.data.var(axis=(2, 3), ddof=1).mean(axis=0), momentum)
    return y


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Normalise over the last axes, which have ``normalized_shape`` (Ba et al. 2016)."""
    where = "layer_norm"
    eps = as_number(eps, f"{where}: eps", 0)
    x = _input(where, input, weight)
    shape = as_shape(where, normalized_shape)
    if x.shape[max(x.ndim - len(shape), 0) :] != shape:
        raise ValueError(
            f"layer_norm: the last axes must have shape {shape}; got an input of shape {x.shape}."
        )
    weight, bias = _affine_parameters(where, shape, x.dtype, weight, bias)
    return _affine(_normalised(x, tuple(range(-len(shape), 0)), eps), weight, bias, lambda v: v)


def as_shape(where: str, normalized_shape: Any) -> tuple[int, ...]:
    """The lengths of the last axes, given as one integer or several."""
    several = isinstance(normalized_shape, tuple | list)
    shape = tuple(normalized_shape) if several else (normalized_shape,)
    if not shape:
        raise ValueError(f"{where}: normalized_shape needs at least one axis; got ().")
    return tuple(as_integer(n, f"{where}: normalized_shape[{i}]", 1) for i, n in enumerate(shape))


def _normalised(x: Tensor, axis: tuple[int, ...], eps: float) -> Tensor:
    centred = x - x.mean(axis=axis, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=axis, keepdims=True) + eps)


def _affine(x: Tensor, weight: Any, bias: Any, broadcastable: Any) -> Tensor:
    if weight is not None:
        x = x * broadcastable(weight)
    return x if bias is None else x + broadcastable(bias)
