"""Compile every kernel ahead of its first use: before a lecture with an audience, or in CI."""

import time
from typing import Any

import numpy as np

from nnlite.kernels import reference
from nnlite.kernels.fast import (
    activations,
    batch_norm,
    channels,
    convolution,
    dense,
    layout,
    losses,
    pooling,
    steps,
    weight_grad,
)
from nnlite.kernels.fast.twins import twin


@twin(reference.warmup)
def warmup() -> Any:
    begin = time.perf_counter()
    for family in (_pointwise, _images, _products, _steps):
        family()
    return time.perf_counter() - begin


def _ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def _pointwise() -> None:
    x = _ones(4, 5)
    activations.sigmoid(x)
    activations.leaky_relu_grad(x, activations.leaky_relu(x))
    losses.bce_with_logits(x, x)
    losses.softmax_cross_entropy(x, x)
    channels.channel_affine(x, x[0], x[0])
    channels.leaky_relu_bias_grad(x, x)
    channels.leaky_relu_bias_grad(x, x, 0.0)
    y, mean, var = batch_norm.batch_norm_forward(x, x[0], x[0], 1e-5)
    batch_norm.batch_norm_backward(x, x, x[0], mean, var, 1e-5, y, 0.0)


def _images() -> None:
    x = _ones(2, 4, 6, 6)
    layout.pixel_unshuffle(layout.pixel_shuffle(x, 2), 2)
    y, index = pooling.max_pool2d(x, (2, 2))
    pooling.max_pool2d_backward(y, index, x.shape)
    pooling.avg_pool2d_backward(y, x.shape, (2, 2))
    # Products have a serial and a threaded form; the size decides which one runs.
    for n, size in ((1, 4), (4, 16)):
        x, wide, narrow = _ones(n, 16, size, size), _ones(20, 16, 3, 3), _ones(16, 1, 3, 3)
        y = convolution.conv2d(x, wide)  # gathered
        weight_grad.conv2d_weight_grad(x, y, wide.shape)
        convolution.conv2d_input_grad(x, narrow, (n, 1, size + 2, size + 2))  # painted


def _products() -> None:
    for n in (5, 65):
        x = _ones(n, n)
        dense.linear(x, x)
        dense.linear_backward(x, x, x, x, 0.0)
    dense.linear(x, x[:1])
    dense.linear_backward(x[:, :1], x[:, :1], x, x[:1])


def _steps() -> None:
    p, g, m, v = ([a] for a in np.zeros((4, 8), np.float32))
    steps.adam_step(p, g, m, v, 1, 0.1)
    steps.sgd_step(p, g, m, 0.1, momentum=0.9)
    steps.rmsprop_step(p, g, v, 0.1)
