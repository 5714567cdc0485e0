"""Cross-entropies (lectures 04, 06 and 10): of probabilities, of logits, of classes.

``share * cost`` is 0 where the share is 0, even at infinite cost: a class that cannot occur
(a logit of minus infinity) costs nothing where the target does not ask for it, as in
``0 log 0 = 0``.
"""

import math
from typing import Any

import numpy as np

from nnlite._arguments import as_integer, as_number
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_reduction
from nnlite.nn._inputs import as_constant, as_factor, as_target, finite_values, reduced
from nnlite.nn.functional._losses import mean_scale, positive_sum, prediction
from nnlite.ops import activations, losses, values_of


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy of probabilities; logarithms stop at -100.

    Raises
    ------
    ValueError
        If an input or a target is not between 0 and 1.
    """
    where = "binary_cross_entropy"
    reduction = as_reduction(where, size_average, reduce, reduction)
    p = prediction(input, where, reduction)
    target = as_target(target, p, where)
    if not _are_probabilities(p):
        raise ValueError(
            f"binary_cross_entropy takes probabilities between 0 and 1; got values from "
            f"{p.data.min()} to {p.data.max()}. Put nn.Sigmoid() in front, or better use "
            "nn.BCEWithLogitsLoss."
        )
    _check_targets(where, target)
    loss = losses.bce(p, target)
    weight = as_factor(weight, loss, where, "weight")
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """Cross-entropy of logits z: ``softplus(z) - t z``, which neither overflows nor loses digits.

    Parameters
    ----------
    weight : array_like, optional
        Factor of each entry; broadcast.
    pos_weight : array_like, optional
        Factor of the term of positive targets; broadcast.

    Raises
    ------
    ValueError
        If a target is not between 0 and 1: the loss would have no lower bound.
    """
    where = "binary_cross_entropy_with_logits"
    reduction = as_reduction(where, size_average, reduce, reduction)
    z = prediction(input, where, reduction)
    target = as_target(target, z, where)
    _check_targets(where, target)
    if weight is None and pos_weight is None and reduction != "none":
        loss = losses.bce_with_logits(z, target, scale=mean_scale(z, reduction))
        # NaN may stem from an infinite logit, of which the sum below knows the limit
        if not math.isnan(loss.data) or not np.isinf(z.data).any():
            return loss
    positive, negative = target, 1 - target
    pos_weight = as_factor(pos_weight, z, where, "pos_weight")
    if pos_weight is not None:
        positive = pos_weight * target
    loss = _times(positive, activations.softplus(-z)) + _times(negative, activations.softplus(z))
    weight = as_factor(weight, loss, where, "weight")
    return reduced(loss if weight is None else _times(weight, loss), reduction)


def _are_probabilities(x: Any) -> bool:
    data = values_of(x)
    return not data.size or bool(data.min() >= 0 and data.max() <= 1)  # False for NaN


def _check_targets(where: str, target: Any) -> None:
    if not _are_probabilities(target):
        data = values_of(target)
        hint = " Divide images of bytes by 255." if data.max() > 2 else ""
        raise ValueError(
            f"{where}: targets are probabilities between 0 and 1; got values from {data.min()} to "
            f"{data.max()}, for which the loss has no lower bound.{hint}"
        )


def _times(share: Any, cost: Any) -> Any:
    """``share * cost``, and 0 where the share is 0 and the cost infinite."""
    free = np.isinf(cost.data) & (values_of(share) == 0)
    return share * (np.where(free, 0, cost) if free.any() else cost)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy of the softmax of logits (N, K, ...) against classes or probabilities.

    Parameters
    ----------
    input : array_like
        Logits of shape (N, K) or (N, K, ...), or (K,) for one example.
    target : array_like
        Integer classes of shape (N, ...), or probabilities of the shape of ``input``.
    weight : array_like of shape (K,), optional
        Factor of each class; a mean divides by the sum of the factors of the targets, as in
        PyTorch.
    ignore_index : int
        Targets of this class do not count.
    label_smoothing : float
        Share of each target that is spread evenly over all classes.

    Raises
    ------
    ValueError
        If shapes or classes do not fit, or no target counts for a mean.
    """
    where = "cross_entropy"
    reduction = as_reduction(where, size_average, reduce, reduction)
    label_smoothing = as_number(label_smoothing, f"{where}: label_smoothing", 0, 1)
    z = prediction(input, where, reduction)
    if not (isinstance(target, Tensor) and target.requires_grad):
        target = as_constant(target, f"{where}: the target")
    rows, target, positions = _as_rows(where, z, target, ignore_index)
    classes = rows.shape[1]
    hard = target.ndim == 1
    if hard:
        ignored = _check_classes(where, target, classes, ignore_index)
    elif not isinstance(target, Tensor):
        target = target.astype(z.dtype, copy=False)
    plain = weight is None and not label_smoothing and isinstance(target, np.ndarray)
    if plain and reduction != "none" and not (hard and ignored.any()):
        scale = 1.0 if reduction == "sum" else 1.0 / len(rows)
        return losses.softmax_cross_entropy(rows, target, scale=scale)
    factor = _class_factors(where, weight, classes, z.dtype)
    if hard:
        counts = (~ignored).astype(z.dtype)
        if ignored.any():  # whatever their logits are
            rows = np.where(ignored[:, np.newaxis], 0, rows)
        target = np.eye(classes, dtype=z.dtype)[np.where(ignored, 0, target)] * counts[:, None]
    else:
        counts = np.ones(len(rows), z.dtype)
    shares = target * (1 - label_smoothing) + counts[:, None] * (label_smoothing / classes)
    loss = -np.sum(_times(shares * factor, activations.log_softmax(rows, axis=1)), axis=1)
    if reduction != "mean":
        return loss.sum() if reduction == "sum" else loss.reshape(positions)
    # a mean over hard targets divides by the factors of their classes, over soft ones by their
    # number
    return loss.sum() / (positive_sum(where, target @ factor) if hard else len(rows))


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probabilities (N, K, ...) of the target classes (N, ...).

    ``weight`` and ``ignore_index`` are those of :func:`cross_entropy`, which is this loss of
    ``log_softmax(logits, 1)``.
    """
    where = "nll_loss"
    reduction = as_reduction(where, size_average, reduce, reduction)
    x = prediction(input, where, reduction)
    target = as_constant(target, f"{where}: the target")
    if target.dtype.kind not in "iu":
        raise ValueError(
            f"nll_loss takes log-probabilities (N, K) and integer classes (N,); got shape "
            f"{x.shape} and targets of dtype {target.dtype}."
        )
    rows, target, positions = _as_rows(where, x, target, ignore_index)
    ignored = _check_classes(where, target, rows.shape[1], ignore_index)
    chosen = np.where(ignored, 0, target)
    factor = _class_factors(where, weight, rows.shape[1], x.dtype)[chosen] * ~ignored
    if ignored.any():  # whatever their log-probabilities are
        rows = np.where(ignored[:, np.newaxis], 0, rows)
    loss = -_times(factor, rows[np.arange(len(chosen)), chosen])
    if reduction != "mean":
        return loss.sum() if reduction == "sum" else loss.reshape(positions)
    return loss.sum() / positive_sum(where, factor)


def _as_rows(
    where: str, z: Tensor, target: Any, ignore_index: Any
) -> tuple[Any, Any, tuple[int, ...]]:
    """Logits as rows (R, K), targets as classes (R,) or shares (R, K), and the shape of the rows.

    Shapes are checked here, while they are still those that the user wrote.
    """
    ignore_index = as_integer(ignore_index, f"{where}: ignore_index")
    if not z.ndim:
        raise ValueError(f"{where} takes logits (N, K) or (N, K, ...); got a single number.")
    axis = min(z.ndim - 1, 1)  # of the classes
    classes = z.shape[axis]
    positions = z.shape[:axis] + z.shape[axis + 1 :]
    hard = target.dtype.kind in "iu"
    if not classes:
        raise ValueError(f"{where}: logits of shape {z.shape} belong to no class.")
    if target.shape != (positions if hard else z.shape):
        wanted = f"integer classes of shape {positions}"
        if where == "cross_entropy":
            wanted += f", or probabilities of the shape of the logits {z.shape}"
        raise ValueError(
            f"{where}: logits of shape {z.shape} have {classes} classes along axis {axis}. Targets "
            f"are {wanted}; got dtype {target.dtype} and shape {target.shape}."
            f"{_target_hint(hard, target.shape, z.shape, positions)}"
        )
    if not hard and ignore_index >= 0:
        raise ValueError(
            f"{where}: ignore_index={ignore_index} is for integer classes; give positions that "
            "shall not count rows of probabilities that are 0."
        )
    if not hard and not isinstance(target, Tensor) and target.size:
        for odd in (target.min(), target.max()):
            if not 0 <= odd < math.inf:
                raise ValueError(
                    f"{where}: probabilities are at least 0; got a target of {odd}, which is none."
                )
    if z.ndim <= 2 and axis == 1:
        return z, target, positions
    rows = _classes_last(z, axis).reshape(math.prod(positions), classes)
    if hard:
        return rows, target.reshape(-1), positions
    return rows, _classes_last(target, axis).reshape(rows.shape), positions


def _classes_last(x: Any, axis: int) -> Any:
    return x.transpose((*(i for i in range(x.ndim) if i != axis), axis))


def _target_hint(hard: bool, shape: Any, logits: Any, positions: Any) -> str:
    """What may have been meant by targets of another shape or kind."""
    if hard and shape == logits:
        return " Rows of 0 and 1 are probabilities: write target.astype(float)."
    if not hard and shape == positions:
        return " Write target.astype(np.int64)."
    if hard and math.prod(shape) == math.prod(positions):
        return f" Write target.reshape{positions}."
    if hard and len(logits) > 2 and shape == logits[:-1]:
        return " Classes along the last axis of the logits go to axis 1: np.moveaxis(z, -1, 1)."
    return ""


def _check_classes(where: str, target: Any, classes: int, ignore_index: int) -> Any:
    """Refuse classes that there are not; returns which targets are ignored."""
    ignored = target == ignore_index
    used = target[~ignored] if ignored.any() else target
    if used.size and not (used.min() >= 0 and used.max() < classes):
        raise ValueError(
            f"{where}: classes must lie in 0..{classes - 1}; got {used.min()} to {used.max()}."
        )
    return ignored


def _class_factors(where: str, weight: Any, classes: int, dtype: Any) -> Any:
    if weight is None:
        return np.ones(classes, dtype)
    weight = finite_values(weight, where, "weight", dtype)
    if weight.shape != (classes,):
        raise ValueError(
            f"{where}: weight must have shape ({classes},), one for each class; got {weight.shape}."
        )
    return weight
