"""Pooling of images (N, C, H, W): each pair is closed under differentiation (lecture 08)."""

import numpy as np

from nnlite import kernels
from nnlite.ops.operation import Operation


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
    lambda g, _out, _x, saved, **_window: return_pixels(g, index=saved, input_shape=_x.shape),
    arrays=("x",),
    params=("kernel", "stride", "padding", "dilation", "ceil_mode"),
    name="max_pool2d",
    saves=True,
)


def largest_positions(x, **window):
    """Where the largest value of each window of an array is, as ``h W + w``."""
    return kernels.max_pool2d(x, **window)[1]


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
