"""Optimiser steps, in place, on all parameters at once (lectures 04 and 10).

Every argument that holds arrays is a list with one array for each parameter. The formulas are
PyTorch's, whose conventions differ from the papers' in places; each docstring states what is
computed, for one parameter ``p`` with gradient ``g`` (never written); the rest is the optimiser's
memory.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlite.kernels.checks import Arrays, check_arrays

__all__ = ["adam_step", "rmsprop_step", "sgd_step"]


def adam_step(
    params: Arrays,
    grads: Arrays,
    exp_avgs: Arrays,
    exp_avg_sqs: Arrays,
    step: int,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled: bool = False,
) -> None:
    """Take one step of Adam (Kingma & Ba 2015), or of AdamW (Loshchilov & Hutter 2019).

    With ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g²`` and the number of the
    step ``t`` counted from 1, ``p -= lr/(1 - beta1^t) · m / (sqrt(v/(1 - beta2^t)) + eps)``.
    Weight decay adds ``weight_decay · p`` to the gradient (Adam) or first shrinks ``p`` by
    ``lr · weight_decay`` (``decoupled=True``: AdamW). The m are ``exp_avgs``, the v
    ``exp_avg_sqs``.
    """
    check_arrays("adam_step", params, grads=grads, exp_avgs=exp_avgs, exp_avg_sqs=exp_avg_sqs)
    if step < 1:
        raise ValueError(f"adam_step: steps are counted from 1, got step={step}.")
    for p, g, m, v in zip(params, grads, exp_avgs, exp_avg_sqs, strict=True):
        if decoupled:
            p *= 1 - lr * weight_decay
        elif weight_decay:
            g = g + weight_decay * p
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g * g
        denominator = np.sqrt(v) / (1 - beta2**step) ** 0.5 + eps
        p -= lr / (1 - beta1**step) * (m / denominator)


def sgd_step(
    params: Arrays,
    grads: Arrays,
    buffers: Arrays | None,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    first: bool = False,
) -> None:
    """Take one step of gradient descent with momentum.

    ``g += weight_decay p``; ``buffer = momentum buffer + (1 - dampening) g`` (on the ``first`` step
    ``buffer = g``); then ``p -= lr · buffer``, or ``p -= lr (g + momentum buffer)`` with Nesterov.
    The learning rate multiplies the buffer and is not part of it, as in PyTorch, so a schedule
    acts at once. ``buffers`` may be None without momentum.
    """
    check_arrays("sgd_step", params, grads=grads, buffers=buffers)
    if momentum and buffers is None:
        raise ValueError(f"sgd_step: momentum={momentum} needs buffers, got None.")
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if weight_decay:
            g = g + weight_decay * p
        if momentum and buffers is not None:
            buffer = buffers[i]
            if first:
                buffer[...] = g
            else:
                buffer *= momentum
                buffer += (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        p -= lr * g


def rmsprop_step(
    params: Arrays,
    grads: Arrays,
    square_avgs: Arrays,
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    buffers: Arrays | None = None,
    grad_avgs: Arrays | None = None,
) -> None:
    """Take one step of RMSprop (Tieleman & Hinton 2012).

    ``v = alpha v + (1 - alpha) g²`` and ``p -= lr g / (sqrt(v) + eps)``; ``square_avgs`` are the v.
    With ``grad_avgs`` given, the centred version: ``mean = alpha mean + (1 - alpha) g`` and
    ``v - mean²`` in place of ``v``. With momentum, ``buffer = momentum buffer + g / (...)`` and
    ``p -= lr buffer``.
    """
    check_arrays(
        "rmsprop_step", params, grads=grads, square_avgs=square_avgs, buffers=buffers,
        grad_avgs=grad_avgs,
    )  # fmt: skip
    if momentum and buffers is None:
        raise ValueError(f"rmsprop_step: momentum={momentum} needs buffers, got None.")
    for i, (p, g, v) in enumerate(zip(params, grads, square_avgs, strict=True)):
        if weight_decay:
            g = g + weight_decay * p
        v *= alpha
        v += (1 - alpha) * g * g
        spread = v
        if grad_avgs is not None:
            mean = grad_avgs[i]
            mean *= alpha
            mean += (1 - alpha) * g
            spread = v - mean * mean
        update = g / (np.sqrt(spread) + eps)
        if momentum and buffers is not None:
            buffer = buffers[i]
            buffer *= momentum
            buffer += update
            update = buffer
        p -= lr * update


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    params, grads, means = ([normal(n * c * size**2), normal(7)] for _ in range(3))
    squares = [m**2 for m in means]
    yield adam_step, (params, grads, means, squares, 3, 0.1)
    yield sgd_step, (params, grads, means, 0.1, 0.9)
    yield rmsprop_step, (params, grads, squares, 0.1)
