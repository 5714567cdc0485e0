"""Losses (lectures 04, 06 and 10): a prediction and a target of one shape in, one number out."""

from typing import Any

import numpy as np

from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_target, as_tensor, check_reduction, reduce
from nnlite.ops import activations, losses


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Mean of ``(input - target)^2``."""
    x = _prediction(input, "mse_loss")
    target = as_target(target, x, "mse_loss")
    if reduction in ("mean", "sum"):
        return losses.squared_error(x, target, scale=_scale(x, reduction))
    return reduce((x - target) ** 2, reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Mean of ``|input - target|``."""
    x = _prediction(input, "l1_loss")
    return reduce(abs(x - as_target(target, x, "l1_loss")), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Mean of ``d^2 / (2 beta)`` where ``d = |input - target| < beta``, else of ``d - beta/2``."""
    x = _prediction(input, "smooth_l1_loss")
    if beta <= 0:
        raise ValueError(f"smooth_l1_loss: beta must be positive; got {beta}. Use l1_loss for 0.")
    d = abs(x - as_target(target, x, "smooth_l1_loss"))
    return reduce(np.where(d < beta, d * d / (2 * beta), d - beta / 2), reduction)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """Cross-entropy of probabilities; logarithms stop at -100.

    Raises
    ------
    ValueError
        If an input is not between 0 and 1.
    """
    p = _prediction(input, "binary_cross_entropy")
    target = as_target(target, p, "binary_cross_entropy")
    if not np.all((p.data >= 0) & (p.data <= 1)):
        raise ValueError(
            f"binary_cross_entropy takes probabilities between 0 and 1; got values from "
            f"{p.data.min()} to {p.data.max()}. Put nn.Sigmoid() in front, or better use "
            "nn.BCEWithLogitsLoss."
        )
    return reduce(_weighted(losses.bce(p, target), weight), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """Cross-entropy of logits z: ``softplus(z) - t z``, which neither overflows nor loses digits.

    Parameters
    ----------
    weight : array_like, optional
        Factor of each entry; broadcast.
    pos_weight : array_like, optional
        Factor of the term of positive targets; broadcast.
    """
    z = _prediction(input, "binary_cross_entropy_with_logits")
    target = as_target(target, z, "binary_cross_entropy_with_logits")
    if weight is None and pos_weight is None and reduction in ("mean", "sum"):
        return losses.bce_with_logits(z, target, scale=_scale(z, reduction))
    softplus = activations.softplus
    if pos_weight is None:
        loss = softplus(z) - target * z
    else:
        pos_weight = np.asarray(pos_weight, z.dtype)
        loss = pos_weight * target * softplus(-z) + (1 - target) * softplus(z)
    return reduce(_weighted(loss, weight), reduction)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy of the softmax of logits (N, K, ...) against classes or probabilities.

    Parameters
    ----------
    target : array_like
        Integer classes of shape (N, ...), or probabilities of the shape of ``input``.
    weight : array_like of shape (K,), optional
        Factor of each class; a mean divides by the sum of the factors of the targets, as in
        PyTorch.
    ignore_index : int
        Targets of this class do not count.
    label_smoothing : float
        Share of each target that is spread evenly over all classes.
    """
    check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is between 0 and 1; got {label_smoothing}.")
    z = _prediction(input, "cross_entropy")
    if z.ndim < 2:
        raise ValueError(f"cross_entropy takes logits (N, K) or (N, K, ...); got shape {z.shape}.")
    classes = z.shape[1]
    target = target if isinstance(target, Tensor) and target.requires_grad else _values(target)
    if z.ndim > 2:  # classes to the end, everything else into rows
        rows = _classes_last(z).reshape(-1, classes)
        positions = (z.shape[0], *z.shape[2:])
        soft = target.shape == z.shape
        target = _classes_last(target).reshape(-1, classes) if soft else target.reshape(-1)
    else:
        rows, positions = z, z.shape[:1]
    plain = weight is None and not label_smoothing and isinstance(target, np.ndarray)
    hard = target.dtype.kind in "iu"
    if not hard and target.shape != rows.shape:
        raise ValueError(
            f"cross_entropy: targets are integer classes of shape {positions}, or probabilities of "
            f"the shape of the logits {z.shape}; got dtype {target.dtype} and shape {target.shape}."
        )
    if hard:
        ignored = target == ignore_index
        plain = plain and not ignored.any()
        _check_classes(target[~ignored], rows.shape, target.shape, classes)
    if plain and reduction != "none":
        target = target if hard else target.astype(z.dtype, copy=False)
        scale = 1.0 if reduction == "sum" else 1.0 / max(rows.shape[0], 1)
        return losses.softmax_cross_entropy(rows, target, scale=scale)
    if hard:
        counts = (~ignored).astype(z.dtype)
        target = np.eye(classes, dtype=z.dtype)[np.where(ignored, 0, target)] * counts[:, None]
    else:
        counts = np.ones(len(rows), z.dtype)
    factor = np.ones(classes, z.dtype) if weight is None else np.asarray(_values(weight), z.dtype)
    if factor.shape != (classes,):
        raise ValueError(
            f"cross_entropy: weight must have shape ({classes},), one for each class; "
            f"got {factor.shape}."
        )
    # a mean over hard targets divides by the factors of their classes, over soft ones by their
    # number
    divisor = (counts * (target @ factor)).sum() if hard else len(rows)
    smooth = target * (1 - label_smoothing) + counts[:, None] * (label_smoothing / classes)
    loss = -np.sum(smooth * factor * activations.log_softmax(rows, axis=1), axis=1)
    if reduction == "none":
        return loss.reshape(*positions)
    total = np.sum(loss)
    return total if reduction == "sum" else total / divisor


def _classes_last(x: Any) -> Any:
    return x.transpose((0, *range(2, x.ndim), 1))


def nll_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Minus the log-probabilities (N, K) of the target classes (N,)."""
    x = _prediction(input, "nll_loss")
    target = np.asarray(_values(target))
    if x.ndim != 2 or target.dtype.kind not in "iu":
        raise ValueError(
            f"nll_loss takes log-probabilities (N, K) and integer classes (N,); got shape "
            f"{x.shape} and targets of dtype {target.dtype}."
        )
    _check_classes(target, x.shape, target.shape, x.shape[1])
    return reduce(-x[np.arange(len(x)), target], reduction)


def _check_classes(
    target: Any, rows: tuple[int, ...], shape: tuple[int, ...], classes: int
) -> None:
    if shape != rows[:1]:
        raise ValueError(
            f"cross_entropy: {rows[0]} rows of logits need classes of shape ({rows[0]},); "
            f"got {shape}."
        )
    if target.size and not (target.min() >= 0 and target.max() < classes):
        raise ValueError(
            f"cross_entropy: classes must lie in 0..{classes - 1}; "
            f"got {target.min()} to {target.max()}."
        )


def _prediction(x: Any, where: str) -> Tensor:
    x = as_tensor(x)
    if x.dtype.kind != "f":
        raise TypeError(f"{where}: the input must be floating point; got dtype {x.dtype}.")
    if not x.size:
        raise ValueError(
            f"{where}: the input of shape {x.shape} is empty, so its loss is undefined."
        )
    return x


def _scale(x: Tensor, reduction: str) -> float:
    return 1.0 / x.size if reduction == "mean" else 1.0


def _weighted(loss: Any, weight: Any) -> Any:
    if weight is None:
        return loss
    weight = np.asarray(_values(weight), loss.dtype)
    # a weight that enlarges the loss would change what a mean divides by
    pairs = zip(weight.shape[::-1], loss.shape[::-1], strict=False)
    if weight.ndim > loss.ndim or any(a not in (1, b) for a, b in pairs):
        raise ValueError(
            f"weight of shape {weight.shape} does not broadcast to the loss of shape {loss.shape}."
        )
    return loss * weight


def _values(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else np.asarray(x)
