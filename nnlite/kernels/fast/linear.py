"""Dense layers, compiled: twins of ``reference/linear.py``.

Thin products are plain loops (``thin.py``), all others are tiles (``matrix.py``). The backward pass
of a layer is one call (``linear_grads.py``).
"""

from typing import Any

import numpy as np

from nnlite.kernels import reference
from nnlite.kernels.checks import check_epilogue, check_linear_backward, check_product, check_slope
from nnlite.kernels.fast.activations import factor
from nnlite.kernels.fast.arrays import all_float32, contiguous, padded_bias, scratch
from nnlite.kernels.fast.compiling import threads
from nnlite.kernels.fast.linear_grads import back, back_by_rows, pays_by_rows
from nnlite.kernels.fast.matrix import multiply_matrices, panels_for
from nnlite.kernels.fast.product import padded_width
from nnlite.kernels.fast.thin import THIN, dots
from nnlite.kernels.fast.twins import twin

__all__ = ["linear_backward", "linear_forward", "matmul_nn", "matmul_tn"]

NO_VECTOR, NO_MATRIX = np.empty(0, np.float32), np.empty((0, 0), np.float32)


@twin(reference.linear_forward)
def linear_forward(x: Any, w: Any, bias: Any = None, slope: Any = None) -> Any:
    if not all_float32(x, w, bias):
        return reference.linear_forward(x, w, bias, slope)
    check_product("linear", x, w, (1, 1), "x (B, K) and w (O, K)")
    (m, k), n = x.shape, len(w)
    check_epilogue("linear", n, bias, slope)
    y = np.empty((m, n), np.float32)
    bias = padded_bias(bias, n)
    x, w, nt = contiguous(x), contiguous(w), threads(m * n * (1 + k // 8))
    if n <= THIN:
        dots(x, w, bias, factor(slope), y, nt)
    else:
        panels = panels_for(k, n, nt)
        multiply_matrices(x, False, w, True, bias, factor(slope), y, panels, nt)
    return y


@twin(reference.matmul_nn)
def matmul_nn(a: Any, b: Any) -> Any:
    if not all_float32(a, b):
        return reference.matmul_nn(a, b)
    check_product("matmul_nn", a, b, (1, 0), "a (M, K) and b (K, N)")
    return _product(a, False, b, len(a))


@twin(reference.matmul_tn)
def matmul_tn(a: Any, b: Any) -> Any:
    if not all_float32(a, b):
        return reference.matmul_tn(a, b)
    check_product("matmul_tn", a, b, (0, 0), "a (K, M) and b (K, N)")
    return _product(a, True, b, a.shape[1])


def _product(a: np.ndarray, turn_a: bool, b: np.ndarray, m: int) -> np.ndarray:
    """The (m, n) product of ``a``, transposed if so told, and ``b``."""
    k, n = b.shape
    y = np.empty((m, n), np.float32)
    nt = threads(m * n * (1 + k // 8))
    bias, panels = padded_bias(None, n), panels_for(k, n, nt)
    multiply_matrices(contiguous(a), turn_a, contiguous(b), False, bias, 1.0, y, panels, nt)
    return y


@twin(reference.linear_backward)
def linear_backward(
    g: Any, y: Any, x: Any, w: Any, slope: Any = None, wanted: Any = (0, 1, 2)
) -> Any:
    if not all_float32(g, y, x, w):
        return reference.linear_backward(g, y, x, w, slope, wanted)
    check_linear_backward(g, y, x, w)
    check_slope("linear_backward", slope)
    (m, n), k = g.shape, x.shape[1]
    g, x, w = contiguous(g), contiguous(x), contiguous(w)
    active, behind = slope is not None, NO_VECTOR
    if active:
        y, behind = contiguous(y), scratch("gradient", m * n)
    else:
        y = g  # not read; of another layout it would be another type, and compiled again
    dx = np.empty((m, k), np.float32) if 0 in wanted else None
    dw = np.empty((n, k), np.float32) if 1 in wanted else None
    db = np.empty(n, np.float32) if 2 in wanted else None
    nt = threads(m * n * (1 + k // 8))
    wanted_or_empty = (
        NO_MATRIX if dx is None else dx,
        NO_MATRIX if dw is None else dw,
        NO_VECTOR if db is None else db,
    )
    by_rows = pays_by_rows(m, n, k, nt)
    size = nt * max(n, -(-m // nt)) if by_rows else n + m
    (back_by_rows if by_rows else back)(
        g, y, x, w, active, factor(slope), behind, *wanted_or_empty,
        scratch("panels", size * padded_width(k)), nt,
    )  # fmt: skip
    return dx, dw, db
