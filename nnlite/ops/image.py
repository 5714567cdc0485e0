"""Operations on images (N, C, H, W): convolution, pooling, pixel shuffle (lecture 08).

Each pair or trio here is closed under differentiation, so no rule ends the chain: the derivative of
a convolution is a convolution, to any order. :mod:`nnlite.kernels.reference.convolution` says why.
"""

import numpy as np

from nnlite import kernels
from nnlite.ops.dense import behind_activation
from nnlite.ops.operation import Operation

_WINDOW = ("stride", "padding", "dilation", "groups")

# ---- convolution: three operations, each one's derivative written with the other two -----------


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
    out_with="slope",
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
    out_with="slope",
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

# ---- pooling -----------------------------------------------------------------------------------


def _pick(x, index):
    """The pixels at positions ``index`` = h W + w of each channel, in the index's shape."""
    n, c, h, w = x.shape
    flat = index.reshape(n, c, index.shape[2] * index.shape[3])  # no -1: there may be no images
    return np.take_along_axis(x.reshape(n, c, h * w), flat, axis=2).reshape(index.shape)


#: Picking pixels and sending gradients back to them are each other's adjoints.
pick_pixels: Operation = Operation(
    _pick,
    lambda g, _out, _x, index: return_pixels(g, index=index, input_shape=_x.shape),
    params=("index",),
    name="pick_pixels",
)
return_pixels: Operation = Operation(
    lambda g, index, input_shape: kernels.max_pool2d_backward(g, index, input_shape),
    lambda h, _out, _g, index, input_shape: pick_pixels(h, index=index),
    params=("index", "input_shape"),
    name="max_pool2d_backward",
)
#: The largest value of each window; the first of them where several tie.
max_pool2d: Operation = Operation(
    lambda x, **window: kernels.max_pool2d(x, **window),
    lambda g, _out, _x, residual, **_window: return_pixels(g, index=residual, input_shape=_x.shape),
    arrays=("x",),
    params=("kernel", "stride", "padding", "dilation", "ceil_mode"),
    name="max_pool2d",
    residuals=True,
)

_POOL = ("kernel", "stride", "padding", "count_include_pad", "ceil_mode", "divisor_override")
avg_pool2d: Operation = Operation(
    lambda x, **window: kernels.avg_pool2d(x, **window),
    lambda g, _out, _x, **window: _avg_pool2d_backward(g, input_shape=_x.shape, **window),
    arrays=("x",),
    params=_POOL,
    name="avg_pool2d",
)
_avg_pool2d_backward: Operation = Operation(
    lambda g, input_shape, **window: kernels.avg_pool2d_backward(g, input_shape, **window),
    lambda h, _out, _g, input_shape, **window: avg_pool2d(h, **window),
    arrays=("g",),
    params=("input_shape", *_POOL),
    name="avg_pool2d_backward",
)

# ---- rearrangements ----------------------------------------------------------------------------

#: Groups of r^2 channels become r x r pixels: a permutation, whose adjoint is its inverse.
pixel_shuffle: Operation = Operation(
    lambda x, r: kernels.pixel_shuffle(x, r),
    lambda g, _out, _x, r: pixel_unshuffle(g, r=r),
    params=("r",),
    name="pixel_shuffle",
)
pixel_unshuffle: Operation = Operation(
    lambda x, r: kernels.pixel_unshuffle(x, r),
    lambda g, _out, _x, r: pixel_shuffle(g, r=r),
    params=("r",),
    name="pixel_unshuffle",
)
#: Images as rows in the order of the index, whatever their order in memory; and back.
flatten_images: Operation = Operation(
    lambda x: kernels.flatten_images(x),
    lambda g, _out, _x: unflatten_images(g, shape=_x.shape[1:]),
    name="flatten_images",
)
unflatten_images: Operation = Operation(
    lambda x, shape: kernels.unflatten_images(x, shape),
    lambda g, _out, _x, shape: flatten_images(g),
    params=("shape",),
    name="unflatten_images",
)
