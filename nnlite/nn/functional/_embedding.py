"""Integers as vectors: rows of a table, or a single 1."""

from typing import Any

import numpy as np

from nnlite._arguments import as_integer
from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_constant, as_floats


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Tensor:
    """Rows of ``weight`` (num, dim) at integer positions; row ``padding_idx`` gets no gradient."""
    weight = as_floats(weight, "embedding: weight")
    if weight.ndim != 2:
        raise ValueError(f"embedding: the weight must be (num, dim); got shape {weight.shape}.")
    n = weight.shape[0]
    rows = _integers(input, "embedding", "positions", n, IndexError)
    if padding_idx is None:
        return weight[rows]
    padding_idx = as_integer(padding_idx, "embedding: padding_idx")
    if not -n <= padding_idx < n:
        raise ValueError(f"embedding: padding_idx must be one of {n} rows; got {padding_idx}.")
    padding = rows == padding_idx % n
    return np.where(padding[..., np.newaxis], weight.data[rows], weight[rows])


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Integer classes as rows with a single 1 (int64); -1: as many columns as the classes need."""
    num_classes = as_integer(num_classes, "one_hot: num_classes")
    if num_classes == 0 or num_classes < -1:
        raise ValueError(f"one_hot: num_classes must be positive, or -1; got {num_classes}.")
    if num_classes == -1:
        classes = as_constant(tensor, "one_hot: the classes")
        if not classes.size:
            raise ValueError("one_hot: no classes to count; say num_classes.")
        num_classes = max(int(classes.max()) + 1, 1)
    classes = _integers(tensor, "one_hot", "classes", num_classes, ValueError)
    return Tensor(np.eye(num_classes, dtype=np.int64)[classes])


def _integers(
    x: Any, where: str, what: str, n: int, error: type[IndexError] | type[ValueError]
) -> np.ndarray:
    """Integers in 0..n - 1."""
    values = as_constant(x, f"{where}: the {what}")
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
