"""Operations that treat each channel (axis 1) by itself: sums, scale and shift (lecture 08).

A layer may have an activation fused behind it, LeakyReLU with the ``slope`` of its negative side (0
is ReLU). Its derivative is told by the sign of the *output*, so the layer need not keep what lay
between; :func:`behind_activation` is the way back through it.
"""

import numpy as np

from nnlite import kernels
from nnlite.ops.activations import leaky_relu_grad
from nnlite.ops.operation import Operation


def per_channel(v, ndim: int):
    """(C,) as (1, C, 1, ...), to be broadcast against an array with ``ndim`` axes."""
    return v.reshape((1, -1) + (1,) * (ndim - 2))


channel_sums: Operation = Operation(
    lambda x: kernels.channel_sums(x),
    lambda g, _out, _x: np.broadcast_to(per_channel(g, _x.ndim), _x.shape),
    name="channel_sums",
)


def _affine_rule(g, out, x, scale, _shift, slope=None, *, wanted):
    gz, shift_grad = behind_activation(g, out, slope, bias=2 in wanted)
    return (
        gz * per_channel(scale, x.ndim) if 0 in wanted else None,
        channel_sums(gz * x) if 1 in wanted else None,
        shift_grad,
    )


channel_affine: Operation = Operation(
    lambda x, scale, shift, slope=None: kernels.channel_affine(x, scale, shift, slope),
    joint=_affine_rule,
    arrays=("x", "scale", "shift"),
    reads=(("scale",), ("x",), ()),
    params=("slope",),
    reads_out_if="slope",
    name="channel_affine",
    fresh=True,
)


def behind_activation(g, out, slope, bias: bool):
    """Take ``g`` back through a fused activation and, if asked, the bias in front of it.

    On arrays both come from one pass over memory.
    """
    if bias and isinstance(g, np.ndarray) and isinstance(out, np.ndarray):
        return kernels.leaky_relu_bias_grad(g, out, slope)
    gz = g if slope is None else leaky_relu_grad(g, out, slope=slope)
    return gz, channel_sums(gz) if bias else None
