"""Optimiser steps, compiled: twins of ``reference/steps.py``.

NumPy passes over the parameters a dozen times a step; here every number is read and written once.
All parameters are one call: a kernel is told where each array begins in memory, and its threads
share out the numbers as if they lay in one row. Weight decay and its absence are one formula (a
factor of 0 or 1), so each optimiser is compiled once.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, prange, types
from numba.extending import intrinsic

from nnlite.kernels import reference
from nnlite.kernels.checks import check_lengths
from nnlite.kernels.fast.arrays import FLOAT32, contiguous
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.elementary import ZERO
from nnlite.kernels.fast.twins import twin

__all__ = ["adam_step", "rmsprop_step", "sgd_step"]


@twin(reference.adam_step)
def adam_step(
    params: Any, grads: Any, exp_avgs: Any, exp_avg_sqs: Any, step: Any, lr: Any, beta1: Any = 0.9,
    beta2: Any = 0.999, eps: Any = 1e-8, weight_decay: Any = 0.0, decoupled: Any = False,
) -> None:  # fmt: skip
    check_lengths("adam_step", params, grads=grads, exp_avgs=exp_avgs, exp_avg_sqs=exp_avg_sqs)
    grads = [contiguous(g) for g in grads]  # held until the kernel is done with their memory
    if step < 1 or not _compiled(params, grads, exp_avgs, exp_avg_sqs):
        reference.adam_step(
            params, grads, exp_avgs, exp_avg_sqs, step, lr, beta1, beta2, eps, weight_decay,
            decoupled,
        )  # fmt: skip
        return
    lr, beta1, beta2, decay = float(lr), float(beta1), float(beta2), float(weight_decay)
    keep, decay = (1 - lr * decay, 0.0) if decoupled else (1.0, decay)
    rate = lr / (1 - beta1**step)
    unbias = 1 / (1 - beta2**step) ** 0.5
    places, begins = _places(params, grads, exp_avgs, exp_avg_sqs, params)
    _adam(
        places, begins, rate, beta1, 1 - beta1, beta2, 1 - beta2, unbias, float(eps), keep, decay,
        threads(int(begins[-1])),
    )  # fmt: skip


@twin(reference.sgd_step)
def sgd_step(
    params: Any, grads: Any, buffers: Any, lr: Any, momentum: Any = 0.0, dampening: Any = 0.0,
    nesterov: Any = False, weight_decay: Any = 0.0, first: Any = False,
) -> None:  # fmt: skip
    check_lengths("sgd_step", params, grads=grads, buffers=buffers)
    grads = [contiguous(g) for g in grads]
    memory = params if buffers is None else buffers
    if not _compiled(params, grads, memory) or (momentum and buffers is None):
        reference.sgd_step(
            params, grads, buffers, lr, momentum, dampening, nesterov, weight_decay, first
        )
        return
    old, new = (0.0, 1.0) if first else (float(momentum), 1.0 - dampening)
    places, begins = _places(params, grads, memory, params, params)
    _sgd(
        places, begins, bool(momentum), float(lr), old, float(new), float(momentum), bool(nesterov),
        float(weight_decay), threads(int(begins[-1])),
    )  # fmt: skip


@twin(reference.rmsprop_step)
def rmsprop_step(
    params: Any, grads: Any, square_avgs: Any, lr: Any, alpha: Any = 0.99, eps: Any = 1e-8,
    weight_decay: Any = 0.0, momentum: Any = 0.0, buffers: Any = None, grad_avgs: Any = None,
) -> None:  # fmt: skip
    check_lengths(
        "rmsprop_step", params, grads=grads, square_avgs=square_avgs, buffers=buffers,
        grad_avgs=grad_avgs,
    )  # fmt: skip
    grads = [contiguous(g) for g in grads]
    steps = params if buffers is None else buffers
    means = params if grad_avgs is None else grad_avgs
    if not _compiled(params, grads, square_avgs, steps, means) or (momentum and buffers is None):
        reference.rmsprop_step(
            params, grads, square_avgs, lr, alpha, eps, weight_decay, momentum, buffers, grad_avgs
        )
        return
    places, begins = _places(params, grads, square_avgs, steps, means)
    _rmsprop(
        places, begins, bool(momentum), grad_avgs is not None, float(lr), float(alpha),
        1.0 - float(alpha), float(eps), float(weight_decay), float(momentum),
        threads(int(begins[-1])),
    )  # fmt: skip


# ---- where the arrays are ----------------------------------------------------------------------


def _compiled(params: Any, *lists: Any) -> bool:
    """Whether the compiled loops can work on these arrays where they are."""
    for i, p in enumerate(params):
        shape = p.shape
        if p.dtype != FLOAT32 or not p.flags.carray:
            return False
        for arrays in lists:
            a = arrays[i]
            if a.dtype != FLOAT32 or a.shape != shape or not a.flags.carray:
                return False
    return True


def _places(
    params: Any, grads: Any, first: Any, second: Any, third: Any
) -> tuple[np.ndarray, np.ndarray]:
    """The addresses of every parameter's arrays, one row each, and where parameters begin.

    They are counted as if they lay in one row; the last entry is the number of all. The caller
    holds the arrays, which are contiguous, float32 and of the parameter's shape.
    """
    places = np.empty((len(params), 5), np.int64)
    begins = np.zeros(len(params) + 1, np.int64)
    for i, arrays in enumerate(zip(params, grads, first, second, third, strict=True)):
        enter(*arrays, places, begins, i)
    return places, begins


@loop
def enter(p, g, a, b, c, places, begins, i):
    begins[i + 1] = begins[i] + p.size
    places[i, 0], places[i, 1] = p.ctypes.data, g.ctypes.data
    places[i, 2], places[i, 3], places[i, 4] = a.ctypes.data, b.ctypes.data, c.ctypes.data


@intrinsic
def _pointer(typing, address):
    """The address, an integer, as a pointer to float32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], ir.FloatType().as_pointer())

    return types.CPointer(types.float32)(address), generate


@loop
def vectors(places, begins, i, lo, hi):
    """Of parameter i's five arrays, the part that is among the numbers lo..hi of all."""
    begin, end = max(lo, begins[i]), min(hi, begins[i + 1])
    size, skipped = max(end - begin, 0), 4 * (begin - begins[i])
    return (
        carray(_pointer(places[i, 0] + skipped), (size,)),
        carray(_pointer(places[i, 1] + skipped), (size,)),
        carray(_pointer(places[i, 2] + skipped), (size,)),
        carray(_pointer(places[i, 3] + skipped), (size,)),
        carray(_pointer(places[i, 4] + skipped), (size,)),
    )


# ---- the steps ---------------------------------------------------------------------------------


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


@loop
def adam_range(places, begins, lo, hi, rate, b1, c1, b2, c2, unbias, eps, keep, decay):
    for i in range(len(places)):
        p, g, m, v, _ = vectors(places, begins, i, lo, hi)
        adam_loop(p, g, m, v, rate, b1, c1, b2, c2, unbias, eps, keep, decay)


@threaded
def _adam(places, begins, rate, beta1, c1, beta2, c2, unbias, eps, keep, decay, nt):
    n = begins[-1]
    rate, unbias, eps = np.float32(rate), np.float32(unbias), np.float32(eps)
    b1, c1, b2, c2 = np.float32(beta1), np.float32(c1), np.float32(beta2), np.float32(c2)
    keep, decay = np.float32(keep), np.float32(decay)
    if nt == 1:
        adam_range(places, begins, begins[0], n, rate, b1, c1, b2, c2, unbias, eps, keep, decay)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            adam_range(places, begins, lo, hi, rate, b1, c1, b2, c2, unbias, eps, keep, decay)


@loop
def sgd_loop(p, g, buffer, remembers, lr, old, new, momentum, nesterov, decay):
    for i in range(p.size):
        d = g[i]
        if decay != ZERO:
            d += decay * p[i]
        if remembers:
            b = new * d
            if old != ZERO:
                b += old * buffer[i]
            buffer[i] = b
            d = d + momentum * b if nesterov else b
        p[i] -= lr * d


@loop
def sgd_range(places, begins, lo, hi, remembers, lr, old, new, momentum, nesterov, decay):
    for i in range(len(places)):
        p, g, buffer, _, _ = vectors(places, begins, i, lo, hi)
        sgd_loop(p, g, buffer, remembers, lr, old, new, momentum, nesterov, decay)


@threaded
def _sgd(places, begins, remembers, lr, old, new, momentum, nesterov, decay, nt):
    n = begins[-1]
    lr, old, new = np.float32(lr), np.float32(old), np.float32(new)
    momentum, decay = np.float32(momentum), np.float32(decay)
    if nt == 1:
        sgd_range(places, begins, begins[0], n, remembers, lr, old, new, momentum, nesterov, decay)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            sgd_range(places, begins, lo, hi, remembers, lr, old, new, momentum, nesterov, decay)


@loop
def rmsprop_loop(
    p, g, v, buffer, mean, remembers, centred, lr, alpha, rest, eps, decay, momentum
):  # fmt: skip
    for i in range(p.size):
        d = g[i]
        if decay != ZERO:
            d += decay * p[i]
        vi = alpha * v[i] + rest * d * d
        v[i] = vi
        if centred:
            a = alpha * mean[i] + rest * d
            mean[i] = a
            vi -= a * a
        u = d / (np.sqrt(vi) + eps)
        if remembers:
            u += momentum * buffer[i]
            buffer[i] = u
        p[i] -= lr * u


@loop
def rmsprop_range(
    places, begins, lo, hi, remembers, centred, lr, alpha, rest, eps, decay, momentum
):  # fmt: skip
    for i in range(len(places)):
        p, g, v, buffer, mean = vectors(places, begins, i, lo, hi)
        rmsprop_loop(
            p, g, v, buffer, mean, remembers, centred, lr, alpha, rest, eps, decay, momentum
        )


@threaded
def _rmsprop(places, begins, remembers, centred, lr, alpha, rest, eps, decay, momentum, nt):
    n = begins[-1]
    lr, alpha, rest = np.float32(lr), np.float32(alpha), np.float32(rest)
    eps, decay, momentum = np.float32(eps), np.float32(decay), np.float32(momentum)
    if nt == 1:
        rmsprop_range(
            places, begins, begins[0], n, remembers, centred, lr, alpha, rest, eps, decay, momentum
        )
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            rmsprop_range(
                places, begins, lo, hi, remembers, centred, lr, alpha, rest, eps, decay, momentum
            )
