"""Normalisation over a batch, an image or a layer (lecture 08)."""

from typing import Any

import numpy as np

from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_floats, as_input, check_images
from nnlite.ops import dense
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
    slope: float | None = None,
) -> Tensor:
    """Normalise each channel (axis 1) with the batch's statistics, or else with the running ones.

    In training the running arrays move, in place, by ``momentum`` towards the batch's mean and its
    unbiased variance (which divides by m - 1). ``slope`` fuses a LeakyReLU behind it.
    """
    x = as_floats(input) if weight is None else as_input(input, weight.dtype, "batch_norm")
    dtype = x.dtype
    if x.ndim not in (2, 3, 4):
        raise ValueError(
            f"batch_norm takes (N, C), (N, C, L) or (N, C, H, W); got shape {x.shape}."
        )
    channels = x.shape[1]
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is None and not training:
            raise ValueError(f"batch_norm: outside training {name} is needed; got None.")
        if running is not None and np.shape(running) != (channels,):
            raise ValueError(
                f"batch_norm: {name} must have shape ({channels},), one value for each channel of "
                f"{x.shape}; got {np.shape(running)}."
            )
    if weight is None:
        weight = np.ones(channels, dtype)
    if bias is None:
        bias = np.zeros(channels, dtype)
    if not training:
        scale = weight / np.sqrt(np.asarray(running_var, dtype) + dtype.type(eps))
        shift = bias - np.asarray(running_mean, dtype) * scale
        return dense.channel_affine(x, scale, shift, slope=slope)
    m = x.size // channels if channels else 0
    if m <= 1:
        raise ValueError(
            f"batch_norm: in training each channel needs more than one value to have a variance; "
            f"got shape {x.shape}. Use a larger batch, or model.eval()."
        )

    def update(mean: np.ndarray, var: np.ndarray) -> None:
        running_mean[...] += momentum * (mean - running_mean)
        running_var[...] += momentum * (var * (m / (m - 1)) - running_var)

    return _batch_norm(
        x,
        weight,
        bias,
        eps=eps,
        slope=slope,
        on_statistics=None if running_mean is None else update,
    )


def instance_norm(input: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Normalise each channel of each image by its own mean and variance (Ulyanov et al. 2016)."""
    x = as_input(input, weight.dtype, "instance_norm") if weight is not None else as_floats(input)
    check_images("instance_norm", x)
    if x.shape[2] * x.shape[3] <= 1:
        raise ValueError(
            f"instance_norm: a channel needs more than one pixel to have a variance; got {x.shape}."
        )
    return _affine(_normalised(x, (2, 3), eps), weight, bias, lambda v: dense.per_channel(v, 4))


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Normalise over the last axes, which have ``normalized_shape`` (Ba et al. 2016)."""
    x = as_input(input, weight.dtype, "layer_norm") if weight is not None else as_floats(input)
    shape = (
        tuple(normalized_shape)
        if isinstance(normalized_shape, tuple | list)
        else (normalized_shape,)
    )
    if x.shape[x.ndim - len(shape) :] != shape:
        raise ValueError(
            f"layer_norm: the last axes must have shape {shape}; got an input of shape {x.shape}."
        )
    return _affine(_normalised(x, tuple(range(-len(shape), 0)), eps), weight, bias, lambda v: v)


def _normalised(x: Tensor, axis: tuple[int, ...], eps: float) -> Tensor:
    centred = x - x.mean(axis=axis, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=axis, keepdims=True) + eps)


def _affine(x: Tensor, weight: Any, bias: Any, broadcastable: Any) -> Tensor:
    if weight is not None:
        x = x * broadcastable(weight)
    return x if bias is None else x + broadcastable(bias)
