"""Optimiser steps on one flat vector of parameters, in place (lectures 04 and 10).

A model's parameters live in one vector, so a step is one call. The formulas are PyTorch's, whose
conventions differ from the papers' in places; each docstring states what is computed. ``p`` are the
parameters, ``g`` their gradient (never written), the rest is the optimiser's memory.
"""

import numpy as np


def check_vectors(where: str, p: np.ndarray, **others: np.ndarray | None) -> None:
    """Check that everything is a flat vector of the length and dtype of ``p``."""
    for name, v in {"p": p, **others}.items():
        if v is not None and (v.shape != (p.size,) or v.dtype != p.dtype):
            raise ValueError(
                f"{where}: {name} must be a flat {p.dtype} vector of length {p.size} like p, "
                f"got shape {v.shape} and dtype {v.dtype}"
            )


def adam_step(
    p: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: int,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled: bool = False,
) -> None:
    """One step of Adam (Kingma & Ba 2015), or of AdamW (Loshchilov & Hutter 2019).

    With ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g²`` and the number of the
    step ``t`` counted from 1, ``p -= lr/(1 - beta1^t) · m / (sqrt(v/(1 - beta2^t)) + eps)``.
    Weight decay adds ``weight_decay · p`` to the gradient (Adam) or first shrinks ``p`` by
    ``lr · weight_decay`` (``decoupled=True``: AdamW).
    """
    check_vectors("adam_step", p, g=g, m=m, v=v)
    if step < 1:
        raise ValueError(f"adam_step: steps are counted from 1, got step={step}")
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
    p: np.ndarray,
    g: np.ndarray,
    buffer: np.ndarray | None,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    first: bool = False,
) -> None:
    """One step of gradient descent with momentum.

    ``g += weight_decay p``; ``buffer = momentum buffer + (1 - dampening) g`` (on the ``first`` step
    ``buffer = g``); then ``p -= lr · buffer``, or ``p -= lr (g + momentum buffer)`` with Nesterov.
    The learning rate multiplies the buffer and is not part of it, as in PyTorch, so a schedule
    acts at once. ``buffer`` may be None without momentum.
    """
    check_vectors("sgd_step", p, g=g, buffer=buffer)
    if weight_decay:
        g = g + weight_decay * p
    if momentum:
        if buffer is None:
            raise ValueError(f"sgd_step: momentum={momentum} needs a buffer, got None")
        if first:
            buffer[:] = g
        else:
            buffer *= momentum
            buffer += (1 - dampening) * g
        g = g + momentum * buffer if nesterov else buffer
    p -= lr * g


def rmsprop_step(
    p: np.ndarray,
    g: np.ndarray,
    v: np.ndarray,
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    buffer: np.ndarray | None = None,
    mean: np.ndarray | None = None,
) -> None:
    """One step of RMSprop (Tieleman & Hinton 2012).

    ``v = alpha v + (1 - alpha) g²`` and ``p -= lr g / (sqrt(v) + eps)``. With ``mean`` given, the
    centred version: ``mean = alpha mean + (1 - alpha) g`` and ``v - mean²`` in place of ``v``.
    With momentum, ``buffer = momentum buffer + g / (...)`` and ``p -= lr buffer``.
    """
    check_vectors("rmsprop_step", p, g=g, v=v, buffer=buffer, mean=mean)
    if momentum and buffer is None:
        raise ValueError(f"rmsprop_step: momentum={momentum} needs a buffer, got None")
    if weight_decay:
        g = g + weight_decay * p
    v *= alpha
    v += (1 - alpha) * g * g
    spread = v
    if mean is not None:
        mean *= alpha
        mean += (1 - alpha) * g
        spread = v - mean * mean
    update = g / (np.sqrt(spread) + eps)
    if momentum and buffer is not None:
        buffer *= momentum
        buffer += update
        update = buffer
    p -= lr * update
