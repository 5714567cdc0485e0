"""Dense layers and (leaky) ReLU: operations on the kernels (lectures 06 and 08).

The three products of a dense layer are closed under differentiation, as the three convolutions of
:mod:`nnlite.ops.image` are: the gradients of each are the other two.

    linear(x, w) = x w^T        dx = matmul_nn(g, w) = g w        dw = matmul_tn(g, x) = g^T x

An activation described by the ``slope`` of its negative side (0 is ReLU) can be fused behind a
layer. Its derivative is told by the sign of the *output*, so the layer need not keep what lay
between.
"""

import numpy as np

from nnlite import kernels
from nnlite.ops.operation import Operation

# ---- one value per channel -------------------------------------------------------------------


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
    out_with="slope",
    name="channel_affine",
    fresh=True,
)

# ---- activations -----------------------------------------------------------------------------

#: Linear in ``g``; the sign of ``y`` is constant almost everywhere.
leaky_relu_grad: Operation = Operation(
    lambda g, y, slope=0.0: kernels.leaky_relu_grad(g, y, slope),
    lambda h, _out, _g, y, slope=0.0: leaky_relu_grad(h, y, slope=slope),
    None,
    name="leaky_relu_grad",
    params=("slope",),
)
leaky_relu: Operation = Operation(
    lambda x, slope=0.0: kernels.leaky_relu(x, slope),
    lambda g, out, _x, slope=0.0: leaky_relu_grad(g, out, slope=slope),
    name="leaky_relu",
    params=("slope",),
)


def behind_activation(g, out, slope, bias: bool):
    """Take ``g`` back through a fused activation and, if asked, the bias in front of it.

    On arrays both come from one pass over memory.
    """
    if bias and isinstance(g, np.ndarray) and isinstance(out, np.ndarray):
        return kernels.leaky_relu_bias_grad(g, out, slope)
    gz = g if slope is None else leaky_relu_grad(g, out, slope=slope)
    return gz, channel_sums(gz) if bias else None


# ---- products --------------------------------------------------------------------------------


def _linear_rule(g, out, x, w, _bias, slope=None, *, wanted):
    if isinstance(g, np.ndarray) and isinstance(out, np.ndarray):
        return kernels.linear_backward(g, out, x, w, slope, wanted)
    gz, bias_grad = behind_activation(g, out, slope, bias=2 in wanted)
    return (
        matmul_nn(gz, w) if 0 in wanted else None,
        matmul_tn(gz, x) if 1 in wanted else None,
        bias_grad,
    )


#: ``act(x w^T + bias)``; the bias may be None.
linear: Operation = Operation(
    lambda x, w, bias, slope=None: kernels.linear(x, w, bias, slope),
    joint=_linear_rule,
    arrays=("x", "w", "bias"),
    reads=(("w",), ("x",), ()),
    params=("slope",),
    out_with="slope",
    name="linear",
    fresh=True,
)
matmul_nn: Operation = Operation(
    lambda a, b: kernels.matmul_nn(a, b),
    lambda g, _out, _a, b: linear(g, b, None),
    lambda g, _out, a, _b: matmul_tn(a, g),
    name="matmul_nn",
    fresh=True,
)
matmul_tn: Operation = Operation(
    lambda a, b: kernels.matmul_tn(a, b),
    lambda g, _out, _a, b: linear(b, g, None),
    lambda g, _out, a, _b: matmul_nn(a, g),
    name="matmul_tn",
    fresh=True,
)
