"""Optimiser steps, compiled: twins of ``reference/steps.py``.

NumPy passes over the parameters a dozen times a step; here every number is read and written once.
Weight decay and its absence are one formula (a factor of 0 or 1), so each optimiser is compiled
once.
"""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.fast.arrays import all_float32, flat
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.elementary import ZERO
from nnlite.kernels.fast.twins import twin
from nnlite.kernels.reference.steps import check_vectors

_NOTHING = np.zeros(0, np.float32)


def _compiled(p: np.ndarray, *memory: np.ndarray | None) -> bool:
    """Tell whether the compiled loops can update these vectors where they are."""
    return all_float32(p, *memory) and all(v is None or v.flags.carray for v in (p, *memory))


@twin(reference.adam_step)
def adam_step(
    p: Any, g: Any, m: Any, v: Any, step: Any, lr: Any, beta1: Any = 0.9, beta2: Any = 0.999,
    eps: Any = 1e-8, weight_decay: Any = 0.0, decoupled: Any = False,
) -> None:  # fmt: skip
    check_vectors("adam_step", p, g=g, m=m, v=v)
    if not _compiled(p, m, v) or step < 1:
        reference.adam_step(p, g, m, v, step, lr, beta1, beta2, eps, weight_decay, decoupled)
        return
    lr, beta1, beta2, decay = float(lr), float(beta1), float(beta2), float(weight_decay)
    keep, decay = (1 - lr * decay, 0.0) if decoupled else (1.0, decay)
    rate = lr / (1 - beta1**step)
    unbias = 1 / (1 - beta2**step) ** 0.5
    _adam(
        p, flat(g), m, v, rate, beta1, 1 - beta1, beta2, 1 - beta2, unbias, float(eps), keep, decay,
        threads(p.size),
    )  # fmt: skip


@twin(reference.sgd_step)
def sgd_step(
    p: Any, g: Any, buffer: Any, lr: Any, momentum: Any = 0.0, dampening: Any = 0.0,
    nesterov: Any = False, weight_decay: Any = 0.0, first: Any = False,
) -> None:  # fmt: skip
    check_vectors("sgd_step", p, g=g, buffer=buffer)
    if not _compiled(p, buffer) or (momentum and buffer is None):
        reference.sgd_step(p, g, buffer, lr, momentum, dampening, nesterov, weight_decay, first)
        return
    old, new = (0.0, 1.0) if first else (float(momentum), 1.0 - dampening)
    _sgd(
        p, flat(g), buffer if momentum else _NOTHING, float(lr), old, float(new), float(momentum),
        bool(nesterov), float(weight_decay), threads(p.size),
    )  # fmt: skip


@twin(reference.rmsprop_step)
def rmsprop_step(
    p: Any, g: Any, v: Any, lr: Any, alpha: Any = 0.99, eps: Any = 1e-8, weight_decay: Any = 0.0,
    momentum: Any = 0.0, buffer: Any = None, mean: Any = None,
) -> None:  # fmt: skip
    check_vectors("rmsprop_step", p, g=g, v=v, buffer=buffer, mean=mean)
    if not _compiled(p, v, buffer, mean) or (momentum and buffer is None):
        reference.rmsprop_step(p, g, v, lr, alpha, eps, weight_decay, momentum, buffer, mean)
        return
    _rmsprop(
        p, flat(g), v, buffer if momentum else _NOTHING, _NOTHING if mean is None else mean,
        float(lr), float(alpha), 1.0 - float(alpha), float(eps), float(weight_decay),
        float(momentum), threads(p.size),
    )  # fmt: skip


@loop
def adam_loop(p, g, m, v, rate, b1, c1, b2, c2, unbias, eps, keep, decay):
    for i in range(p.size):
        w = p[i]
        d = g[i]
        if decay != ZERO:
            d += decay * w
        mi = b1 * m[i] + c1 * d
        vi = b2 * v[i] + c2 * d * d
        m[i] = mi
        v[i] = vi
        p[i] = keep * w - rate * mi / (np.sqrt(vi) * unbias + eps)


@threaded
def _adam(p, g, m, v, rate, b1, c1, b2, c2, unbias, eps, keep, decay, nt):
    n = p.size
    rate, unbias, eps = np.float32(rate), np.float32(unbias), np.float32(eps)
    b1, c1, b2, c2 = np.float32(b1), np.float32(c1), np.float32(b2), np.float32(c2)
    keep, decay = np.float32(keep), np.float32(decay)
    if nt == 1:
        adam_loop(p, g, m, v, rate, b1, c1, b2, c2, unbias, eps, keep, decay)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            adam_loop(
                p[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi], rate, b1, c1, b2, c2, unbias, eps, keep,
                decay,
            )  # fmt: skip


@loop
def sgd_loop(p, g, buffer, lr, old, new, momentum, nesterov, decay):
    for i in range(p.size):
        d = g[i]
        if decay != ZERO:
            d += decay * p[i]
        if buffer.size > 0:
            b = new * d
            if old != ZERO:
                b += old * buffer[i]
            buffer[i] = b
            d = d + momentum * b if nesterov else b
        p[i] -= lr * d


@threaded
def _sgd(p, g, buffer, lr, old, new, momentum, nesterov, decay, nt):
    n = p.size
    lr, old, new = np.float32(lr), np.float32(old), np.float32(new)
    momentum, decay = np.float32(momentum), np.float32(decay)
    if nt == 1:
        sgd_loop(p, g, buffer, lr, old, new, momentum, nesterov, decay)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            sgd_loop(p[lo:hi], g[lo:hi], buffer[lo:hi], lr, old, new, momentum, nesterov, decay)


@loop
def rmsprop_loop(p, g, v, buffer, mean, lr, alpha, rest, eps, decay, momentum):
    for i in range(p.size):
        d = g[i]
        if decay != ZERO:
            d += decay * p[i]
        vi = alpha * v[i] + rest * d * d
        v[i] = vi
        if mean.size > 0:
            a = alpha * mean[i] + rest * d
            mean[i] = a
            vi -= a * a
        u = d / (np.sqrt(vi) + eps)
        if buffer.size > 0:
            u += momentum * buffer[i]
            buffer[i] = u
        p[i] -= lr * u


@threaded
def _rmsprop(p, g, v, buffer, mean, lr, alpha, rest, eps, decay, momentum, nt):
    n = p.size
    lr, alpha, rest = np.float32(lr), np.float32(alpha), np.float32(rest)
    eps, decay, momentum = np.float32(eps), np.float32(decay), np.float32(momentum)
    if nt == 1:
        rmsprop_loop(p, g, v, buffer, mean, lr, alpha, rest, eps, decay, momentum)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            rmsprop_loop(
                p[lo:hi], g[lo:hi], v[lo:hi], buffer[lo:hi], mean[lo:hi], lr, alpha, rest, eps,
                decay, momentum,
            )  # fmt: skip
