"""One value per channel: sums, scale and shift (lecture 08).

Arrays are (N, C) or (N, C, H, W); a channel is everything with one index on the second axis.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlite.kernels.checks import check_channels, check_dtypes
from nnlite.kernels.reference.activations import leaky_relu, leaky_relu_grad

__all__ = ["channel_affine", "channel_sums", "leaky_relu_bias_grad"]


def all_but_channels(x: np.ndarray) -> tuple[int, ...]:
    """Every axis but the channels'."""
    return (0, *range(2, x.ndim))


def per_channel(v: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A vector shaped for broadcasting: (C,) -> (1, C, 1, 1) beside images."""
    return v.reshape(1, -1, *(1,) * (like.ndim - 2))


def channel_sums(x: np.ndarray) -> np.ndarray:
    """The sum over everything but the channels, (C,): the gradient of a bias.

    float32 values are added in float64 and rounded once.
    """
    check_channels("channel_sums", x)
    wide = np.float64 if x.dtype.kind == "f" else None
    return np.sum(x, axis=all_but_channels(x), dtype=wide).astype(x.dtype)


def channel_affine(
    x: np.ndarray, scale: np.ndarray, shift: np.ndarray, slope: float | None = None
) -> np.ndarray:
    """``act(x * scale + shift)`` with one scale and shift per channel.

    Batch normalisation with fixed statistics is this, with ``scale = weight / sqrt(var + eps)`` and
    ``shift = bias - mean * scale``.

    Parameters
    ----------
    x : ndarray
        (N, C) or (N, C, H, W).
    scale, shift : ndarray
        (C,).
    slope : float, optional
        Leaky ReLU's slope for negative values; None for no activation.
    """
    check_channels("channel_affine", x, scale=scale, shift=shift)
    check_dtypes("channel_affine", x=x, scale=scale, shift=shift)
    y = x * per_channel(scale, x) + per_channel(shift, x)
    return y if slope is None else leaky_relu(y, slope)


def leaky_relu_bias_grad(
    g: np.ndarray, y: np.ndarray, slope: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Take a gradient back through an activation and a bias: the end of a fused layer.

    Parameters
    ----------
    g, y : ndarray
        Gradient and value of the layer's output, (N, C) or (N, C, H, W).
    slope : float, optional
        The activation's slope for negative values; None for no activation.

    Returns
    -------
    gz : ndarray
        Gradient in front of the activation (``g`` itself if there is none).
    gb : ndarray
        Gradient with respect to the bias, (C,).
    """
    gz = g if slope is None else leaky_relu_grad(g, y, slope)
    return gz, channel_sums(gz)


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    x, y = normal(n, c, size, size), normal(n, c, size, size)
    yield channel_sums, (x,)
    yield channel_affine, (x, normal(c), normal(c), 0.1)
    yield leaky_relu_bias_grad, (x, y, 0.1)
