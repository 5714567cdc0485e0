"""Convolution of images (N, C, H, W), each derivative written with the other two (lecture 08).

The three operations are closed under differentiation: the derivative of a convolution is a
convolution, to any order. :mod:`nnlite.kernels.reference.convolution` says why.
"""

from nnlite import kernels
from nnlite.ops.channels import behind_activation
from nnlite.ops.operation import Operation

_WINDOW = ("stride", "padding", "dilation", "groups")


def _conv2d_rule(g, out, x, w, _bias, slope=None, *, wanted, **window):
    gz, bias_grad = behind_activation(g, out, slope, bias=2 in wanted)
    return (
        conv2d_input_grad(gz, w, None, input_shape=x.shape, **window) if 0 in wanted else None,
        conv2d_weight_grad(x, gz, weight_shape=w.shape, **window) if 1 in wanted else None,
        bias_grad,
    )


#: Cross-correlation, then bias (or None), then (leaky) ReLU (or ``slope=None``).
conv2d: Operation = Operation(
    lambda x, w, bias, **params: kernels.conv2d(x, w, bias=bias, **params),
    joint=_conv2d_rule,
    arrays=("x", "w", "bias"),
    reads=(("w",), ("x",), ()),
    params=(*_WINDOW, "slope"),
    reads_out_if="slope",
    name="conv2d",
    fresh=True,
)


def _conv2d_input_grad_rule(h, out, g, w, _bias, input_shape, slope=None, *, wanted, **window):
    hz, bias_grad = behind_activation(h, out, slope, bias=2 in wanted)
    return (
        conv2d(hz, w, None, **window) if 0 in wanted else None,
        conv2d_weight_grad(hz, g, weight_shape=w.shape, **window) if 1 in wanted else None,
        bias_grad,
    )


#: Adjoint of conv2d in its images: the transposed convolution of generators, with bias and
#: activation.
conv2d_input_grad: Operation = Operation(
    lambda g, w, bias, **params: kernels.conv2d_input_grad(g, w, bias=bias, **params),
    joint=_conv2d_input_grad_rule,
    arrays=("g", "w", "bias"),
    reads=(("w",), ("g",), ()),
    params=("input_shape", *_WINDOW, "slope"),
    reads_out_if="slope",
    name="conv2d_input_grad",
    fresh=True,
)

#: Adjoint of conv2d in its filters.
conv2d_weight_grad: Operation = Operation(
    lambda x, g, **params: kernels.conv2d_weight_grad(x, g, **params),
    lambda v, _out, _x, g, weight_shape, **window: conv2d_input_grad(
        g, v, None, input_shape=_x.shape, **window
    ),
    lambda v, _out, x, _g, weight_shape, **window: conv2d(x, v, None, **window),
    arrays=("x", "g"),
    params=("weight_shape", *_WINDOW),
    name="conv2d_weight_grad",
    fresh=True,
)
