"""Losses with their gradients, compiled: twins of ``reference/losses.py``.

Terms are summed in float32 over short blocks and in float64 over the blocks. A loop in vectors has
at least four sums side by side, so none of them has more than 256 terms.
"""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.checks import as_probabilities, check_same_shape
from nnlite.kernels.fast.activations import in_memory_order
from nnlite.kernels.fast.arrays import all_float32, flat
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.elementary import ONE, TWO, ZERO, exp_negative, log1p_unit
from nnlite.kernels.fast.twins import twin

__all__ = ["bce_with_logits", "softmax_cross_entropy", "squared_error"]

BLOCK = 1024  #: terms that are summed in float32

BCE, SQUARED_ERROR = range(2)


@twin(reference.bce_with_logits)
def bce_with_logits(z: Any, t: Any, scale: Any = 1.0) -> Any:
    if not all_float32(z, t):
        return reference.bce_with_logits(z, t, scale)
    check_same_shape("bce_with_logits", z, t)
    return _sum_and_gradient(BCE, z, t, scale)


@twin(reference.squared_error)
def squared_error(x: Any, t: Any, scale: Any = 1.0) -> Any:
    if not all_float32(x, t):
        return reference.squared_error(x, t, scale)
    check_same_shape("squared_error", x, t)
    return _sum_and_gradient(SQUARED_ERROR, x, t, scale)


def _sum_and_gradient(
    function: int, x: np.ndarray, t: np.ndarray, scale: float
) -> tuple[float, np.ndarray]:
    """A pointwise loss and its gradient, which is stored in the order of ``x``."""
    stored, moved = in_memory_order(x)
    gradient = np.empty(stored.shape, np.float32)
    nt = threads(x.size)
    part = np.empty(nt)
    target = flat(t.transpose(0, 2, 3, 1) if moved else t)
    scale = float(scale)
    _pointwise(function, stored.reshape(-1), target, scale, gradient.reshape(-1), part, nt)
    return scale * float(part.sum()), gradient.transpose(0, 3, 1, 2) if moved else gradient


@twin(reference.softmax_cross_entropy)
def softmax_cross_entropy(z: Any, target: Any, scale: Any = 1.0) -> Any:
    if not all_float32(z) or (target.dtype.kind not in "iu" and not all_float32(target)):
        return reference.softmax_cross_entropy(z, target, scale)
    t = as_probabilities(z, target)
    gradient = np.empty(z.shape, np.float32)
    nt = threads(z.size) if z.size else 1
    part = np.empty(nt)
    scale = float(scale)
    _cross_entropy(flat(z).reshape(z.shape), flat(t).reshape(z.shape), scale, gradient, part, nt)
    return scale * float(part.sum()), gradient


@loop
def bce_block(z, t, scale, gradient):
    """Write ``scale (sigmoid(z) - t)`` and return ``sum softplus(z) - t z``."""
    total = ZERO
    for i in range(z.size):
        v = z[i]
        e = exp_negative(-abs(v))
        s = ONE / (ONE + e)
        # max(v, 0) - t v as one product: as a difference, a large one would take digits of the sum
        total += v * ((ONE if v >= ZERO else ZERO) - t[i]) + log1p_unit(e)
        gradient[i] = scale * ((s if v >= ZERO else e * s) - t[i])
    return total


@loop
def squares_block(x, t, scale, gradient):
    """Write ``2 scale (x - t)`` and return ``sum (x - t)²``."""
    total = ZERO
    for i in range(x.size):
        d = x[i] - t[i]
        total += d * d
        gradient[i] = TWO * scale * d
    return total


@loop
def sum_blocks(function, x, t, scale, gradient):
    """Sum a loss: float32 within blocks, float64 over them."""
    total = 0.0
    for i in range(0, x.size, BLOCK):
        part = slice(i, i + BLOCK)
        if function == BCE:
            total += bce_block(x[part], t[part], scale, gradient[part])
        else:
            total += squares_block(x[part], t[part], scale, gradient[part])
    return total


@threaded
def _pointwise(function, x, t, scale, gradient, part, nt):
    n, a = x.size, np.float32(scale)
    if nt == 1:
        part[0] = sum_blocks(function, x, t, a, gradient)
    else:
        for k in prange(nt):
            lo, hi = k * n // nt, (k + 1) * n // nt
            part[k] = sum_blocks(function, x[lo:hi], t[lo:hi], a, gradient[lo:hi])


@loop
def cross_entropy_rows(z, t, scale, gradient):
    """Write ``scale`` times the gradient, and return the cross-entropy of rows of logits."""
    n, c = z.shape
    total = 0.0
    for r in range(n):
        logits, share, out = z[r], t[r], gradient[r]
        top = logits[0]
        for k in range(1, c):
            if logits[k] > top or logits[k] != logits[k]:
                top = logits[k]
        norm = ZERO
        weight = ZERO
        chosen = 0.0
        for k in range(c):
            out[k] = exp_negative(logits[k] - top)
        for k in range(c):
            norm += out[k]
            weight += share[k]
            if share[k] != ZERO:  # a class of weight 0 costs nothing even at minus infinity
                chosen += share[k] * (logits[k] - top)
        total += weight * np.log(norm) - chosen
        for k in range(c):
            out[k] = scale * (out[k] * (weight / norm) - share[k])
    return total


@threaded
def _cross_entropy(z, t, scale, gradient, part, nt):
    n, a = len(z), np.float32(scale)
    if nt == 1:
        part[0] = cross_entropy_rows(z, t, a, gradient)
    else:
        for k in prange(nt):
            lo, hi = k * n // nt, (k + 1) * n // nt
            part[k] = cross_entropy_rows(z[lo:hi], t[lo:hi], a, gradient[lo:hi])
