"""Batch normalisation and its derivative (lecture 08).

Arrays are (N, C) or (N, C, H, W); statistics run over every axis but the channels'. With
``x_hat = (x - mean) / sqrt(var + eps)`` and ``y = weight * x_hat + bias`` (Ioffe & Szegedy 2015),
a gradient ``g`` of the output goes back as

    dx = weight / sqrt(var + eps) * (g - mean(g) - x_hat * mean(g * x_hat)),

because moving one input also moves the mean and the variance of all. ``var`` divides by the number
of values m, not by m - 1: that is the variance the derivation uses.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlite.kernels.checks import (
    check_activation_output,
    check_channels,
    check_dtypes,
    check_statistics,
)
from nnlite.kernels.reference.activations import leaky_relu, leaky_relu_grad
from nnlite.kernels.reference.channels import all_but_channels, per_channel

__all__ = ["batch_norm_backward", "batch_norm_forward"]


def batch_norm_forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float, slope: float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalise each channel over the batch, then scale, shift and activate.

    Parameters
    ----------
    x : ndarray
        (N, C) or (N, C, H, W), not empty.
    weight, bias : ndarray
        (C,).
    eps : float
        Added to the variance.
    slope : float, optional
        Leaky ReLU's slope for negative values, applied to the result; None for no activation.

    Returns
    -------
    y : ndarray
        The shape of ``x``.
    mean, var : ndarray
        (C,), the statistics of this batch; ``var`` is the biased one.
    """
    check_channels("batch_norm_forward", x, weight=weight, bias=bias)
    check_dtypes("batch_norm_forward", x=x, weight=weight, bias=bias)
    check_statistics("batch_norm_forward", x)
    # float32 is summed in float64. No np.var: for complex x it takes |x|^2, which has no
    # derivative.
    wide = np.float64 if x.dtype.kind == "f" else None
    mean = np.asarray(np.mean(x, axis=all_but_channels(x), dtype=wide))
    centred = x - per_channel(mean, x)
    var = np.mean(centred * centred, axis=all_but_channels(x))
    scale = weight / np.sqrt(var + eps)
    y = centred * per_channel(scale, x) + per_channel(bias, x)
    if slope is not None:
        y = leaky_relu(y, slope)
    dtype = np.result_type(x, weight, bias)
    return y.astype(dtype), mean.astype(dtype), var.astype(dtype)


def batch_norm_backward(
    g: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    eps: float,
    y: np.ndarray | None = None,
    slope: float | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradients of :func:`batch_norm_forward` with respect to x, weight and bias.

    Parameters
    ----------
    g, x : ndarray
        Gradient of the output, and the input, (N, C) or (N, C, H, W).
    weight, mean, var : ndarray
        (C,), as given to and returned by the forward pass.
    eps, slope : float
        As in the forward pass.
    y : ndarray, optional
        The output; needed if there was an activation, since its sign says where.
    """
    check_channels("batch_norm_backward", x, weight=weight, mean=mean, var=var)
    check_dtypes("batch_norm_backward", g=g, x=x, weight=weight, mean=mean, var=var, y=y)
    check_statistics("batch_norm_backward", x)
    check_activation_output("batch_norm_backward", g, y, slope)
    if slope is not None and y is not None:
        g = leaky_relu_grad(g, y, slope)
    wide = np.float64 if x.dtype.kind == "f" else None
    rstd = 1 / np.sqrt(var.astype(np.result_type(var, np.float64)) + eps)
    x_hat = (x - per_channel(mean, x)) * per_channel(rstd, x)
    dbias = np.sum(g, axis=all_but_channels(x), dtype=wide)
    dweight = np.sum(g * x_hat, axis=all_but_channels(x))
    m = x.size // x.shape[1]
    dx = per_channel(weight * rstd, x) * (
        g - per_channel(dbias / m, x) - x_hat * per_channel(dweight / m, x)
    )
    dtype = np.result_type(g, x)
    return dx.astype(dtype), dweight.astype(dtype), dbias.astype(dtype)


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    g, x, y = (normal(n, c, size, size) for _ in range(3))
    weight, bias, eps, slope = normal(c), normal(c), 1e-5, 0.1
    yield batch_norm_forward, (x, weight, bias, eps, slope)
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
    yield batch_norm_backward, (g, x, weight, mean, var, eps, y, slope)
