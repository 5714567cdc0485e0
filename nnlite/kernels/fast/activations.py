"""Leaky ReLU and its gradient, compiled: twins of ``reference/activations.py``."""

from typing import Any

import numpy as np
from numba import prange

from nnlite.kernels import reference
from nnlite.kernels.checks import check_slope
from nnlite.kernels.fast.arrays import all_float32, flat
from nnlite.kernels.fast.compiling import loop, threaded, threads
from nnlite.kernels.fast.elementary import ZERO
from nnlite.kernels.fast.twins import twin

__all__ = ["leaky_relu", "leaky_relu_grad"]


def in_memory_order(x: np.ndarray) -> tuple[np.ndarray, bool]:
    """The array whose C order is the order of x in memory, and whether axes were moved.

    Pointwise results keep the order of their input, so images stay channels last.
    """
    if x.flags.carray:
        return x, False
    if x.ndim == 4:
        last = x.transpose(0, 2, 3, 1)
        if last.flags.carray:
            return last, True
    return np.array(x, order="C"), False


def factor(slope: float | None) -> float:
    """The slope as the number that the compiled loops take: 1 for no activation."""
    return 1.0 if slope is None else float(slope)


@twin(reference.leaky_relu)
def leaky_relu(x: Any, slope: Any = 0.0) -> Any:
    if not all_float32(x):
        return reference.leaky_relu(x, slope)
    check_slope("leaky_relu", slope)
    stored, moved = in_memory_order(x)
    y = np.empty(stored.shape, np.float32)
    _activate(stored.reshape(-1), y.reshape(-1), float(slope), threads(x.size))
    return y.transpose(0, 3, 1, 2) if moved else y


@twin(reference.leaky_relu_grad)
def leaky_relu_grad(g: Any, y: Any, slope: Any = 0.0) -> Any:
    if not all_float32(g, y) or g.shape != y.shape:
        return reference.leaky_relu_grad(g, y, slope)
    check_slope("leaky_relu_grad", slope)
    stored, moved = in_memory_order(y)
    out = np.empty(stored.shape, np.float32)
    g = flat(g.transpose(0, 2, 3, 1) if moved else g)
    _deactivate(g, stored.reshape(-1), out.reshape(-1), float(slope), threads(y.size))
    return out.transpose(0, 3, 1, 2) if moved else out


@loop
def activate(v, slope):
    """Leaky ReLU of a number. ReLU is a case of its own: 0 times -inf would not be 0."""
    return v if v > ZERO or v != v else (ZERO if slope == ZERO else v * slope)


@loop
def deactivate(g, y, slope):
    """The gradient in front of a leaky ReLU, from gradient and value behind it."""
    return g if y > ZERO else (ZERO if slope == ZERO else g * slope)


@loop
def activate_loop(x, y, slope):
    for i in range(x.size):
        y[i] = activate(x[i], slope)


@threaded
def _activate(x, y, slope, nt):
    a = np.float32(slope)
    n = x.size
    if nt == 1:
        activate_loop(x, y, a)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            activate_loop(x[lo:hi], y[lo:hi], a)


@loop
def deactivate_loop(g, y, out, slope):
    for i in range(g.size):
        out[i] = deactivate(g[i], y[i], slope)


@threaded
def _deactivate(g, y, out, slope, nt):
    a = np.float32(slope)
    n = g.size
    if nt == 1:
        deactivate_loop(g, y, out, a)
    else:
        for t in prange(nt):
            lo, hi = t * n // nt, (t + 1) * n // nt
            deactivate_loop(g[lo:hi], y[lo:hi], out[lo:hi], a)
