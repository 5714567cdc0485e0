"""Batch normalisation as one operation (lecture 08).

On arrays its rule is one fused kernel. On Tensors the same formula is written with NumPy,
statistics included, so that it can be differentiated again (gradient penalties of lecture 11).
"""

import numpy as np

from nnlite import kernels
from nnlite.ops.activations import leaky_relu_grad
from nnlite.ops.channels import per_channel
from nnlite.ops.operation import Operation


def _forward(x, weight, bias, eps, slope=None, on_statistics=None):
    """``on_statistics(mean, var)`` is told the statistics of the batch (for running averages)."""
    y, mean, var = kernels.batch_norm_forward(x, weight, bias, eps, slope)
    if on_statistics is not None:
        on_statistics(mean, var)
    return y, (mean, var)


def _rule(g, out, x, weight, _bias, eps, saved, slope=None, on_statistics=None, *, wanted):
    arrays = (g, out, x, weight)
    if all(isinstance(a, np.ndarray) for a in arrays):
        mean, var = saved
        y = None if slope is None else out
        return kernels.batch_norm_backward(g, x, weight, mean, var, eps, y, slope)
    gz = g if slope is None else leaky_relu_grad(g, out, slope=slope)
    over = (0, *range(2, x.ndim))
    # moving one input also moves the mean and the variance of all (Ioffe & Szegedy 2015)
    centred = x - np.mean(x, axis=over, keepdims=True)
    rstd = 1 / np.sqrt(np.mean(centred * centred, axis=over, keepdims=True) + eps)
    x_hat = centred * rstd
    gx_hat = gz * per_channel(weight, x.ndim)
    dx = rstd * (
        gx_hat
        - np.mean(gx_hat, axis=over, keepdims=True)
        - x_hat * np.mean(gx_hat * x_hat, axis=over, keepdims=True)
    )
    return dx, np.sum(gz * x_hat, axis=over), np.sum(gz, axis=over)


#: ``act(weight (x - mean) / sqrt(var + eps) + bias)`` with the statistics of the batch, channel by
#: channel.
batch_norm = Operation(
    _forward,
    joint=_rule,
    arrays=("x", "weight", "bias"),
    reads=(("x", "weight"), ("x",), ()),
    params=("eps", "slope", "on_statistics"),
    reads_out_if="slope",
    name="batch_norm",
    fresh=True,
    saves=True,
)
