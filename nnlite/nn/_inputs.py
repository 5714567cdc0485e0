"""What a layer takes: data are cast to its dtype, tensors in the graph must have it already.

Arrays of all kinds come in through :func:`nnlite._arguments.as_array`, which refuses what would be
read as numbers that mean something else.
"""

from typing import Any

import numpy as np

from nnlite._arguments import as_array
from nnlite.engine.state import float_dtype
from nnlite.engine.tensor import Tensor
from nnlite.ops import values_of


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
                f"{where}: the input is {x.dtype}, the layer's parameters (its weight) are "
                f"{dtype}. Convert the input with .astype('{dtype}'), or make the layer with "
                f"dtype='{x.dtype}' (all layers: with nnlite.default_dtype('{x.dtype}')). If the "
                "weight's data were replaced by an array of another dtype, write "
                "layer.weight.data[...] = array."
            )
        x = x.data
    _check_is_one(x, f"{where}: the input")
    return Tensor(as_array(x, f"{where}: the input", dtype))


def as_tensor(x: Any, name: str = "the input") -> Tensor:
    """``x`` itself if it is a Tensor, a Tensor around it otherwise."""
    if isinstance(x, Tensor):
        return x
    _check_is_one(x, name)
    return Tensor(as_array(x, name))


def _check_is_one(x: Any, name: str) -> None:
    """Refuse the several results of a layer, which NumPy would stack into one array."""
    if isinstance(x, tuple) and any(isinstance(part, Tensor) for part in x):
        raise TypeError(
            f"{name} is a tuple of {len(x)}, as a layer with several results returns it. Take them "
            "apart (mean, log_var = encoder(x)) and pass on one, or join them with np.stack or "
            "np.concatenate."
        )


def as_floats(x: Any, name: str = "the input") -> Tensor:
    """``x`` as a Tensor of floats: integers (images of bytes) become the default dtype.

    Bytes would otherwise meet exp and weights in float16, or as bytes, and overflow unseen.
    """
    if isinstance(x, Tensor) and x.dtype.kind == "f":
        return x
    x = as_tensor(x, name)
    return x if x.dtype.kind == "f" else Tensor(x.data.astype(float_dtype(None)))


def as_constant(x: Any, name: str, dtype: Any = None) -> np.ndarray:
    """The numbers of an array or a Tensor, whose gradient is not asked for."""
    return as_array(values_of(x), name, dtype)


def finite_values(x: Any, where: str, name: str, dtype: Any) -> np.ndarray:
    """The numbers of a weight, none of which is NaN or infinite."""
    values = as_constant(x, f"{where}: {name}", dtype)
    if not np.isfinite(values).all():
        raise ValueError(f"{where}: {name} has entries that are NaN or infinite.")
    return values


def checked_bias(where: str, bias: Any, shape: tuple[int, ...], weight: Tensor) -> Tensor:
    """The bias as a Tensor of this shape, in the dtype of the weight."""
    bias = as_floats(bias, f"{where}: bias")
    if bias.shape != shape or bias.dtype != weight.dtype:
        check_parameters(where, shape, weight, bias=bias)
    return bias


def check_parameters(where: str, shape: tuple[int, ...], like: Any, **parameters: Any) -> None:
    """Refuse a bias (or weight) that has not ``shape`` and the dtype of ``like``, the weight."""
    for name, p in parameters.items():
        if p is None:
            continue
        if p.shape != shape:
            raise ValueError(
                f"{where}: {name} must have shape {shape}, one value for each output channel; "
                f"got {p.shape}."
            )
        if p.dtype != like.dtype:
            raise TypeError(
                f"{where}: the weight is {like.dtype} but {name} is {p.dtype}. If the data of one "
                f"of them were replaced, write layer.{name}.data[...] = array; convert a whole "
                "layer with layer.to('float32') or layer.to('float64')."
            )


def as_target(target: Any, like: Tensor, where: str) -> Any:
    """A target for a prediction ``like``, of its dtype and shape; a number stands for all entries.

    A Tensor in the graph stays one, anything else becomes an array.
    """
    if isinstance(target, Tensor) and target.requires_grad:
        if target.dtype != like.dtype:
            raise TypeError(f"{where}: the input is {like.dtype}, the target {target.dtype}.")
    else:
        target = as_constant(target, f"{where}: the target", like.dtype)
        if target.ndim == 0:
            target = np.full(like.shape, target)
    if target.shape != like.shape:
        raise ValueError(
            f"{where}: the input has shape {like.shape}, the target {target.shape}. They must be "
            f"equal{_reshaping(like.shape, target.shape)}."
        )
    return target


def _reshaping(shape: tuple[int, ...], other: tuple[int, ...]) -> str:
    """How the one becomes the other, if they differ by axes of length one."""
    if [n for n in shape if n != 1] != [n for n in other if n != 1]:
        return "; check what the network returns"
    if len(shape) > len(other):
        return f": (N, 1) and (N,) would compare all pairs. Write target.reshape{shape}"
    return f": write input.reshape{other}, or target.reshape{shape}"


def as_factor(factor: Any, like: Any, where: str, name: str) -> Any:
    """A weight whose shape broadcasts to that of ``like`` without enlarging it; None stays None.

    A larger one would change what a mean divides by, and (N,) beside (N, 1) would weigh all pairs.
    """
    if factor is None:
        return None
    factor = finite_values(factor, where, name, like.dtype)
    pairs = zip(factor.shape[::-1], like.shape[::-1], strict=False)
    if factor.ndim > like.ndim or any(a not in (1, b) for a, b in pairs):
        raise ValueError(
            f"{where}: {name} of shape {factor.shape} does not broadcast to the loss of shape "
            f"{like.shape}; reshape it."
        )
    return factor


def reduced(loss: Any, reduction: str) -> Any:
    """Mean, sum or all entries of a loss."""
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def check_images(where: str, x: Tensor, channels: int | None = None) -> None:
    """Refuse anything but images (N, C, H, W); with ``channels``, say which axis is missing."""
    if x.ndim == 4:
        return
    raise ValueError(
        f"{where} takes images (N, C, H, W); got shape {x.shape}.{_axis_hint(x.shape, channels)}"
    )


def _axis_hint(shape: tuple[int, ...], channels: int | None) -> str:
    """What (H, W), (N, H, W), (C, H, W), (H, W, C) and rows of pixels lack."""
    grey = "Grey images (N, H, W) need an axis for their channel: x[:, None]."
    single = "A single image (C, H, W) needs a batch axis: x[None]."
    if len(shape) == 3:
        if channels == shape[0]:
            return f" {single}"
        if channels == 1:
            return f" {grey}"
        if channels == shape[2]:
            return " A single image (H, W, C) becomes x.transpose(2, 0, 1)[None]."
        return f" {grey} {single}"
    if len(shape) == 2:
        return (
            " One grey image (H, W) becomes x[None, None]; rows of pixels become images by "
            "x.reshape(len(x), C, H, W)."
        )
    return ""


def channels_last_hint(shape: tuple[int, ...], channels: int) -> str:
    """What to write if images (N, H, W, C) came where channels are axis 1."""
    if len(shape) == 4 and shape[3] == channels != shape[1]:
        return " Images (N, H, W, C) become (N, C, H, W) by x.transpose(0, 3, 1, 2)."
    return ""
