"""Dense layers: three matrix products (lectures 06 and 08).

``y = act(x w^T + b)`` with ``w`` stored as (out, in). The gradients of a product are products:
``dx = g w`` (:func:`matmul_nn`) and ``dw = g^T x`` (:func:`matmul_tn`).
"""

import numpy as np

from nnlite.kernels.geometry import check_dtypes, check_epilogue
from nnlite.kernels.reference.activations import leaky_relu


def linear(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    slope: float | None = None,
) -> np.ndarray:
    """Return ``act(x @ w.T + bias)``.

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
    """Return ``a @ b`` for ``a`` (M, K) and ``b`` (K, N): a linear layer's input gradient."""
    check_product("matmul_nn", a, b, (1, 0), "a (M, K) and b (K, N)")
    check_dtypes("matmul_nn", a=a, b=b)
    return a @ b


def matmul_tn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ``a.T @ b`` for ``a`` (K, M) and ``b`` (K, N): a linear layer's weight gradient."""
    check_product("matmul_tn", a, b, (0, 0), "a (K, M) and b (K, N)")
    check_dtypes("matmul_tn", a=a, b=b)
    return a.T @ b


def check_product(
    where: str, a: np.ndarray, b: np.ndarray, axes: tuple[int, int], takes: str
) -> None:
    """Check that two matrices agree in the axes that the product sums over."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[axes[0]] != b.shape[axes[1]]:
        raise ValueError(f"{where} takes {takes}, got shapes {a.shape} and {b.shape}")
