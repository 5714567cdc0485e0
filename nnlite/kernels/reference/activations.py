"""Leaky ReLU and its gradient (lecture 08).

The function is described by one number, the ``slope`` for negative values: 0 is ReLU. Its
derivative needs the *output* only, because a slope of at least 0 keeps the sign.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlite.kernels.checks import check_slope

__all__ = ["leaky_relu", "leaky_relu_grad"]


def leaky_relu(x: np.ndarray, slope: float = 0.0) -> np.ndarray:
    """``x`` where it is positive and ``slope * x`` elsewhere; slope 0 is ReLU.

    Parameters
    ----------
    x : ndarray
        Any shape; NaN stays NaN.
    slope : float
        The factor for negative values, at least 0.
    """
    check_slope("leaky_relu", slope)
    if slope == 0:
        # Complex numbers, as a complex step uses them, go by their real part.
        return np.where(x.real > 0, x, 0 * x.real) if np.iscomplexobj(x) else np.maximum(x, 0)
    return np.where(x.real > 0, x, slope * x)


def leaky_relu_grad(g: np.ndarray, y: np.ndarray, slope: float = 0.0) -> np.ndarray:
    """The gradient of :func:`leaky_relu` for the output gradient ``g``.

    Parameters
    ----------
    g, y : ndarray
        Gradient and value of the output, of one shape. The input will do in place of ``y``.
    slope : float
        As in the forward pass.
    """
    check_slope("leaky_relu_grad", slope)
    return np.where(y.real > 0, g, slope * g if slope else np.zeros_like(g))


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    x, y = normal(n * size, c * size), normal(n * size, c * size)
    yield leaky_relu, (x, 0.1)
    yield leaky_relu_grad, (x, y, 0.1)
