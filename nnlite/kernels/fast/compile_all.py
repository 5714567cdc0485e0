"""Compile every kernel ahead of its first use: before a lecture with an audience, or in CI."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from nnlite.kernels import reference
from nnlite.kernels.fast import (
    activations,
    channels,
    compiling,
    convolution,
    layout,
    linear,
    losses,
    normalization,
    pooling,
    steps,
    weight_grad,
)
from nnlite.kernels.fast.twins import twin

Calls = Iterator[Callable[[], object]]


@twin(reference.warmup)
def warmup(progress: Any = None) -> Any:
    begin = time.perf_counter()
    calls = [call for family in (_pointwise, _images, _products, _steps) for call in family()]
    compiling.quiet = progress is not None
    try:
        for done, call in enumerate(calls):
            if progress is not None:
                progress(done, len(calls))
            call()
    finally:
        compiling.quiet = False
    if progress is not None:
        progress(len(calls), len(calls))
    return time.perf_counter() - begin


def _ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def _pointwise() -> Calls:
    x = _ones(4, 5)
    mean, var = x[0], x[0]
    yield lambda: activations.leaky_relu_grad(x, activations.leaky_relu(x))
    yield lambda: losses.bce_with_logits(x, x)
    yield lambda: losses.softmax_cross_entropy(x, x)
    yield lambda: channels.channel_affine(x, mean, mean)
    yield lambda: channels.leaky_relu_bias_grad(x, x)
    yield lambda: channels.leaky_relu_bias_grad(x, x, 0.0)
    yield lambda: normalization.batch_norm_forward(x, mean, mean, 1e-5)
    yield lambda: normalization.batch_norm_backward(x, x, mean, mean, var, 1e-5, x, 0.0)


def _images() -> Calls:
    x = _ones(2, 4, 6, 6)
    y, index = _ones(2, 4, 3, 3), np.zeros((2, 4, 3, 3), np.int64)
    yield lambda: layout.pixel_unshuffle(layout.pixel_shuffle(x, 2), 2)
    yield lambda: pooling.max_pool2d(x, (2, 2))
    yield lambda: pooling.max_pool2d_backward(y, index, x.shape)
    yield lambda: pooling.avg_pool2d_backward(y, x.shape, (2, 2))
    # Products have a serial and a threaded form; the size decides which one runs.
    wide, narrow = _ones(20, 16, 3, 3), _ones(16, 1, 3, 3)
    for n, size in ((1, 4), (4, 16)):
        small, g = _ones(n, 16, size, size), _ones(n, 20, size - 2, size - 2)
        shape = (n, 1, size + 2, size + 2)
        yield partial(convolution.conv2d, small, wide)  # gathered
        yield partial(weight_grad.conv2d_weight_grad, small, g, wide.shape)
        yield partial(convolution.conv2d_input_grad, small, narrow, shape)  # painted


def _products() -> Calls:
    for n in (5, 65):
        x = _ones(n, n)
        yield partial(linear.linear_forward, x, x)
        yield partial(linear.linear_backward, x, x, x, x, 0.0)
    yield lambda: linear.linear_forward(x, x[:1])
    yield lambda: linear.linear_backward(x[:, :1], x[:, :1], x, x[:1])


def _steps() -> Calls:
    for shape in ((8,), (2, 4), (2, 2, 2), (1, 2, 2, 2)):  # to the compiler a type each
        p, g, m, v = ([a] for a in np.zeros((4, *shape), np.float32))
        yield partial(steps.adam_step, p, g, m, v, 1, 0.1)
    yield lambda: steps.sgd_step(p, g, m, 0.1, momentum=0.9)
    yield lambda: steps.rmsprop_step(p, g, v, 0.1)
