"""Dense layers: three matrix products (lectures 06 and 08).

``y = act(x w^T + b)`` with ``w`` stored as (out, in). The gradients of a product are products:
``dx = g w`` (:func:`matmul_nn`) and ``dw = g^T x`` (:func:`matmul_tn`). A layer's backward pass,
:func:`linear_backward`, is both of them behind the activation.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlite.kernels.checks import check_dtypes, check_epilogue, check_linear_backward, check_product
from nnlite.kernels.reference.activations import leaky_relu
from nnlite.kernels.reference.channels import leaky_relu_bias_grad

__all__ = ["linear_backward", "linear_forward", "matmul_nn", "matmul_tn"]


def linear_forward(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    slope: float | None = None,
) -> np.ndarray:
    """``act(x @ w.T + bias)``.

    Parameters
    ----------
    x : ndarray, shape (B, K)
    w : ndarray, shape (O, K)
        Of the dtype of ``x``.
    bias : ndarray, shape (O,), optional
    slope : float, optional
        Leaky ReLU's slope for negative values (0: ReLU); None for no activation.

    Returns
    -------
    ndarray, shape (B, O)
    """
    check_product("linear", x, w, (1, 1), "x (B, K) and w (O, K)")
    check_dtypes("linear", x=x, w=w, bias=bias)
    check_epilogue("linear", len(w), bias, slope)
    y = x @ w.T
    if bias is not None:
        y += bias
    return y if slope is None else leaky_relu(y, slope)


def matmul_nn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a @ b`` for ``a`` (M, K) and ``b`` (K, N): a linear layer's input gradient."""
    check_product("matmul_nn", a, b, (1, 0), "a (M, K) and b (K, N)")
    check_dtypes("matmul_nn", a=a, b=b)
    return a @ b


def matmul_tn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a.T @ b`` for ``a`` (K, M) and ``b`` (K, N): a linear layer's weight gradient."""
    check_product("matmul_tn", a, b, (0, 0), "a (K, M) and b (K, N)")
    check_dtypes("matmul_tn", a=a, b=b)
    return a.T @ b


def linear_backward(
    g: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    slope: float | None = None,
    wanted: tuple[int, ...] = (0, 1, 2),
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of a layer ``y = linear(x, w, bias, slope)``.

    Parameters
    ----------
    g, y : ndarray, shape (B, O)
        Gradient and value of the layer's output.
    x : ndarray, shape (B, K)
    w : ndarray, shape (O, K)
    slope : float, optional
        The activation's slope for negative values; None for no activation.
    wanted : tuple of int
        Which gradients are computed: 0 for x, 1 for w, 2 for the bias.

    Returns
    -------
    dx, dw, db : ndarray or None
        (B, K), (O, K) and (O,); None for those not wanted.
    """
    check_linear_backward(g, y, x, w)
    gz, db = leaky_relu_bias_grad(g, y, slope)
    dx = matmul_nn(gz, w) if 0 in wanted else None
    dw = matmul_tn(gz, x) if 1 in wanted else None
    return dx, dw, db if 2 in wanted else None


def examples(normal: Callable[..., Any], n: int, c: int, size: int) -> Iterator[Any]:
    """Yield each kernel with arguments to try it with (see ``nnlite.kernels.examples``)."""
    x, w, bias = normal(n * size, c * size), normal(17, c * size), normal(17)
    g, y = normal(n * size, 17), normal(n * size, 17)
    yield linear_forward, (x, w, bias, 0.1)
    yield linear_backward, (g, y, x, w, 0.1)
    yield matmul_nn, (g, w)
    yield matmul_tn, (x, g)
