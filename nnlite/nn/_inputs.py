"""What a layer takes: data are cast to its dtype, tensors in the graph must have it already."""

from typing import Any

import numpy as np

from nnlite.engine.state import float_dtype
from nnlite.engine.tensor import Tensor


def as_input(x: Any, dtype: np.dtype[Any], where: str) -> Tensor:
    """``x`` as a Tensor of the layer's dtype.

    Raises
    ------
    TypeError
        If ``x`` was computed from tensors that require grad, in another dtype.
    """
    if isinstance(x, Tensor):
        if x.dtype == dtype:
            return x
        if x.requires_grad:
            raise TypeError(
                f"{where}: the input is {x.dtype}, the layer's parameters are {dtype}. Convert the "
                f"input with .astype('{dtype}'), or make the layer with dtype='{x.dtype}' (all "
                f"layers: with nnlite.default_dtype('{x.dtype}'))."
            )
        x = x.data
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{where}: the input must hold real numbers; got dtype {array.dtype}.")
    return Tensor(array.astype(dtype, copy=False))


def as_tensor(x: Any) -> Tensor:
    """``x`` itself if it is a Tensor, a Tensor around it otherwise."""
    return x if isinstance(x, Tensor) else Tensor(x)


def as_floats(x: Any) -> Tensor:
    """``x`` as a Tensor of floats: integers (images of bytes) become the default dtype.

    Bytes would otherwise meet exp and weights in float16, or as bytes, and overflow unseen.
    """
    x = as_tensor(x)
    return x if x.dtype.kind == "f" else Tensor(x.data.astype(float_dtype(None)))


def as_axis(value: int, ndim: int, where: str) -> int:
    """An axis counted from the front, for a negative one too."""
    if not -ndim <= value < ndim:
        raise ValueError(f"{where}={value} is no axis of an array with {ndim} axes.")
    return value % ndim


def as_target(target: Any, like: Tensor, where: str) -> Any:
    """A target for a prediction ``like``, of its dtype and shape; a number stands for all entries.

    A Tensor in the graph stays one, anything else becomes an array.
    """
    if isinstance(target, Tensor) and target.requires_grad:
        if target.dtype != like.dtype:
            raise TypeError(f"{where}: the input is {like.dtype}, the target {target.dtype}.")
    else:
        target = np.asarray(target.data if isinstance(target, Tensor) else target, like.dtype)
        if target.ndim == 0:
            target = np.full(like.shape, target)
    if target.shape != like.shape:
        raise ValueError(
            f"{where}: the input has shape {like.shape}, the target {target.shape}. They must be "
            "equal; reshape the target."
        )
    return target


def as_pair(value: Any, name: str, least: int = 0) -> tuple[int, int]:
    """A size given as one integer or as (height, width)."""
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2 or not all(
        isinstance(v, int | np.integer) and not isinstance(v, bool) and v >= least for v in pair
    ):
        raise ValueError(
            f"{name} must be an integer of at least {least} or a pair of them; got {value!r}."
        )
    return int(pair[0]), int(pair[1])


def reduce(loss: Any, reduction: str) -> Any:
    """Mean, sum or all entries of a loss."""
    check_reduction(reduction)
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def check_reduction(reduction: str) -> None:
    """Refuse anything but the three reductions."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none'; got {reduction!r}.")


def check_images(where: str, x: Tensor) -> None:
    """Refuse anything but images (N, C, H, W)."""
    if x.ndim != 4:
        hint = " A single image needs a batch axis: np.expand_dims(x, 0)." if x.ndim == 3 else ""
        raise ValueError(f"{where} takes images (N, C, H, W); got shape {x.shape}.{hint}")


def check_sizes(where: str, **sizes: Any) -> None:
    """Refuse sizes that are not positive integers."""
    for name, value in sizes.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{where}: {name} must be a positive integer; got {value!r}.")
