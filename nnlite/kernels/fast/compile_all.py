"""Compile every kernel ahead of its first use: before a lecture with an audience, or in CI."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from nnlite.kernels import reference
from nnlite.kernels.examples import examples
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

_FAMILIES = (
    activations, channels, convolution, layout, linear, losses, normalization, pooling, steps,
    weight_grad,
)  # fmt: skip

Calls = Iterator[Callable[[], object]]


@twin(reference.warmup)
def warmup(progress: Any = None) -> Any:
    begin = time.perf_counter()
    calls = [call for part in (_examples, _layers, _steps) for call in part()]
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


def _examples() -> Calls:
    """Yield a call of each kernel with its examples."""
    kernels = {name: getattr(family, name) for family in _FAMILIES for name in family.__all__}
    for name, cases in examples().items():
        for case in cases:
            yield partial(kernels[name], *case)


def _ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def _layers() -> Calls:
    """Yield calls that take another path than the examples: thin layers, few weights."""
    x = _ones(65, 65)
    yield lambda: channels.leaky_relu_bias_grad(x, x)
    yield lambda: linear.linear_forward(x, x[:1])
    yield lambda: linear.linear_backward(x[:, :1], x[:, :1], x, x[:1])
    for n in (5, 65):
        square = _ones(n, n)
        yield partial(linear.linear_backward, square, square, square, square, 0.0)


def _steps() -> Calls:
    for shape in ((8,), (2, 4), (2, 2, 2), (1, 2, 2, 2)):  # to the compiler a type each
        p, g, m, v = ([a] for a in np.zeros((4, *shape), np.float32))
        yield partial(steps.adam_step, p, g, m, v, 1, 0.1)
