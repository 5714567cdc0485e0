"""Dense layers, embeddings and dropout (lectures 04 and 08)."""

import math
from typing import Any

import numpy as np

from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import check_flags, check_integer, check_number
from nnlite.nn._inputs import as_floats, as_input, checked_bias, values_of
from nnlite.ops import dense
from nnlite.random import RNGLike, default_rng


def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """``x W^T + b``: (..., in) -> (..., out), with ``weight`` (out, in)."""
    return activated_linear(input, weight, bias, None)


def activated_linear(input: Any, weight: Any, bias: Any, slope: float | None) -> Tensor:
    """:func:`linear`, then LeakyReLU with this slope (0: ReLU; None: nothing), in one pass."""
    weight = as_floats(weight, "linear: weight")
    size = weight.shape
    if len(size) != 2:
        raise ValueError(f"linear: the weight must be (out, in); got shape {size}.")
    x = as_input(input, weight.dtype, "linear")
    shape = x.shape
    if not shape or shape[-1] != size[1]:
        hint = " Flatten images first (nn.Flatten())." if x.ndim > 2 else ""
        raise ValueError(
            f"linear: the last axis of the input must have {size[1]} entries, since the "
            f"weight has shape {size}; got an input of shape {shape}.{hint}"
        )
    if bias is not None:
        bias = checked_bias("linear", bias, size[:1], weight)
    if len(shape) == 2:
        return dense.linear(x, weight, bias, slope=slope)
    rows = x.reshape(math.prod(shape[:-1]), shape[-1])
    y = dense.linear(rows, weight, bias, slope=slope)
    return y.reshape(*shape[:-1], size[0])


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Tensor:
    """Rows of ``weight`` (num, dim) at integer positions; row ``padding_idx`` gets no gradient."""
    weight = as_floats(weight, "embedding: weight")
    if weight.ndim != 2:
        raise ValueError(f"embedding: the weight must be (num, dim); got shape {weight.shape}.")
    n = weight.shape[0]
    rows = _integers(input, "embedding", "positions", n, IndexError)
    if padding_idx is None:
        return weight[rows]
    check_integer("embedding", "padding_idx", padding_idx)
    if not -n <= padding_idx < n:
        raise ValueError(f"embedding: padding_idx must be one of {n} rows; got {padding_idx}.")
    padding = rows == padding_idx % n
    return np.where(padding[..., np.newaxis], weight.data[rows], weight[rows])


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Integer classes as rows with a single 1 (int64); -1: as many columns as the classes need."""
    check_integer("one_hot", "num_classes", num_classes)
    if num_classes == 0 or num_classes < -1:
        raise ValueError(f"one_hot: num_classes must be positive, or -1; got {num_classes}.")
    if num_classes == -1:
        classes = values_of(tensor, "one_hot: the classes")
        if not classes.size:
            raise ValueError("one_hot: no classes to count; say num_classes.")
        num_classes = max(int(classes.max()) + 1, 1)
    classes = _integers(tensor, "one_hot", "classes", num_classes, ValueError)
    return Tensor(np.eye(num_classes, dtype=np.int64)[classes])


def _integers(
    x: Any, where: str, what: str, n: int, error: type[IndexError] | type[ValueError]
) -> np.ndarray:
    """Integers in 0..n - 1."""
    values = values_of(x, f"{where}: the {what}")
    if values.dtype.kind not in "iu":
        raise TypeError(
            f"{where} takes integer {what}; got dtype {values.dtype}. If they are whole numbers, "
            "write .astype(np.int64)."
        )
    if values.size and not (values.min() >= 0 and values.max() < n):
        raise error(
            f"{where}: {what} must lie in 0..{n - 1}; got {values.min()} to {values.max()}."
        )
    return values


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    rng: RNGLike | None = None,
) -> Tensor:
    """Set entries to 0 with probability ``p``, divide the others by 1 - p (Srivastava 2014)."""
    return _drop("dropout", as_floats(input), p, training, lambda shape: shape, rng)


def dropout2d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    rng: RNGLike | None = None,
) -> Tensor:
    """Drop whole channels of images (N, C, H, W)."""
    x = as_floats(input)
    if x.ndim != 4:
        raise ValueError(f"dropout2d takes images (N, C, H, W); got shape {x.shape}.")
    return _drop("dropout2d", x, p, training, lambda shape: (*shape[:2], 1, 1), rng)


def _drop(
    where: str, x: Tensor, p: float, training: bool, mask_shape: Any, rng: RNGLike | None
) -> Tensor:
    check_number(where, "p", p, 0, 1)
    check_flags(where, training=training)
    if not training or p == 0:
        return x
    kept = default_rng(rng).random(mask_shape(x.shape), dtype=np.float32) >= p
    return x * (kept / x.dtype.type(max(1 - p, 1e-30))).astype(x.dtype)
