"""The products of a linear layer: operations on the kernels (lectures 03 and 08).

The three are closed under differentiation, as the three convolutions of
:mod:`nnlite.ops.convolution` are: the gradients of each are the other two.

    linear(x, w) = x w^T        dx = matmul_nn(g, w) = g w        dw = matmul_tn(g, x) = g^T x
"""

import numpy as np

from nnlite import kernels
from nnlite.ops.channels import behind_activation
from nnlite.ops.operation import Operation


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
    lambda x, w, bias, slope=None: kernels.linear_forward(x, w, bias, slope),
    joint=_linear_rule,
    arrays=("x", "w", "bias"),
    reads=(("w",), ("x",), ()),
    params=("slope",),
    reads_out_if="slope",
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
