"""Dense layers, embeddings and dropout (lectures 04 and 08)."""

import math
from typing import Any

import numpy as np

from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_floats, as_input, as_tensor
from nnlite.ops import dense
from nnlite.random import RNGLike, default_rng


def linear(input: Any, weight: Any, bias: Any = None, slope: float | None = None) -> Tensor:
    """``act(x W^T + b)``: (..., in) -> (..., out), with ``weight`` (out, in).

    ``slope`` fuses a LeakyReLU with that negative slope behind it (0: ReLU; None: nothing).
    """
    weight = as_tensor(weight)
    x = as_input(input, weight.dtype, "linear")
    if not x.ndim or x.shape[-1] != weight.shape[1]:
        hint = " Flatten images first (nn.Flatten())." if x.ndim > 2 else ""
        raise ValueError(
            f"linear: the last axis of the input must have {weight.shape[1]} entries, since the "
            f"weight has shape {weight.shape}; got an input of shape {x.shape}.{hint}"
        )
    if x.ndim == 2:
        return dense.linear(x, weight, bias, slope=slope)
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    y = dense.linear(rows, weight, bias, slope=slope)
    return y.reshape(*x.shape[:-1], weight.shape[0])


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Tensor:
    """Rows of ``weight`` (num, dim) at integer positions; row ``padding_idx`` gets no gradient."""
    weight = as_tensor(weight)
    rows = np.asarray(input.data if isinstance(input, Tensor) else input)
    if rows.dtype.kind not in "iu":
        raise TypeError(f"embedding takes integer positions; got dtype {rows.dtype}.")
    n = weight.shape[0]
    if rows.size and not (rows.min() >= 0 and rows.max() < n):
        raise IndexError(
            f"embedding: positions must lie in 0..{n - 1}; got {rows.min()} to {rows.max()}."
        )
    if padding_idx is None:
        return weight[rows]
    padding = rows == padding_idx % n
    return np.where(padding[..., np.newaxis], weight.data[rows], weight[rows])


def one_hot(index: Any, num_classes: int = -1) -> Tensor:
    """Integer classes as rows with a single 1 (int64); -1: as many columns as the classes need."""
    classes = np.asarray(index.data if isinstance(index, Tensor) else index)
    if classes.dtype.kind not in "iu":
        raise TypeError(f"one_hot takes integer classes; got dtype {classes.dtype}.")
    n = int(classes.max()) + 1 if num_classes == -1 else num_classes
    if classes.size and not (classes.min() >= 0 and classes.max() < n):
        raise ValueError(
            f"one_hot: classes must lie in 0..{n - 1}; got {classes.min()} to {classes.max()}."
        )
    return Tensor(np.eye(n, dtype=np.int64)[classes])


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    rng: RNGLike | None = None,
) -> Tensor:
    """Set entries to 0 with probability ``p``, divide the others by 1 - p (Srivastava 2014)."""
    return _drop(as_floats(input), p, training, lambda shape: shape, rng)


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
    return _drop(x, p, training, lambda shape: (*shape[:2], 1, 1), rng)


def _drop(x: Tensor, p: float, training: bool, mask_shape: Any, rng: RNGLike | None) -> Tensor:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability, between 0 and 1; got {p}.")
    if not training or p == 0:
        return x
    kept = default_rng(rng).random(mask_shape(x.shape), dtype=np.float32) >= p
    return x * (kept / x.dtype.type(max(1 - p, 1e-30))).astype(x.dtype)
