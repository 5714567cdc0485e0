"""Losses (lectures 04, 06 and 10): a prediction and a target of one shape in, one number out.

Cross-entropies are in :mod:`nnlite.nn.functional._entropies`. ``size_average`` and ``reduce`` are
PyTorch's switches of old, accepted in its places; write ``reduction="sum"`` or ``"none"``.
"""

from typing import Any

import numpy as np

from nnlite._arguments import as_number
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_reduction
from nnlite.nn._inputs import as_factor, as_target, as_tensor, reduced
from nnlite.ops import losses


def mse_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Mean of ``(input - target)^2``; with ``weight`` (of their shape) the weighted mean."""
    reduction = as_reduction("mse_loss", size_average, reduce, reduction)
    x = prediction(input, "mse_loss", reduction)
    target = as_target(target, x, "mse_loss")
    if weight is None and reduction != "none":
        return losses.squared_error(x, target, scale=mean_scale(x, reduction))
    return _reduced("mse_loss", (x - target) ** 2, weight, reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """Mean of ``|input - target|``; with ``weight`` (of their shape) the weighted mean."""
    reduction = as_reduction("l1_loss", size_average, reduce, reduction)
    x = prediction(input, "l1_loss", reduction)
    return _reduced("l1_loss", abs(x - as_target(target, x, "l1_loss")), weight, reduction)


def _reduced(where: str, loss: Any, weight: Any, reduction: str) -> Any:
    """The reduction of a loss; a weighted mean divides by the sum of the weights."""
    if weight is None:
        return reduced(loss, reduction)
    weight = as_factor(weight, loss, where, "weight")
    if weight.shape != loss.shape:
        raise ValueError(
            f"{where}: weight must have the shape {loss.shape} of the input; got {weight.shape}."
        )
    if reduction != "mean":
        return reduced(loss * weight, reduction)
    return (loss * weight).sum() / positive_sum(where, weight)


def positive_sum(where: str, weight: Any) -> Any:
    """What a weighted mean divides by, unless nothing counts."""
    total = weight.sum()
    if total == 0:
        raise ValueError(
            f"{where}: the weights of all targets are 0 (or all targets are ignored), so there is "
            "nothing to take the mean of. Leave this batch out, or take reduction='sum', which "
            "is 0."
        )
    return total


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Mean of ``d^2 / (2 beta)`` where ``d = |input - target| < beta``, else of ``d - beta/2``."""
    reduction = as_reduction("smooth_l1_loss", size_average, reduce, reduction)
    beta = as_number(beta, "smooth_l1_loss: beta", 0)
    x = prediction(input, "smooth_l1_loss", reduction)
    d = abs(x - as_target(target, x, "smooth_l1_loss"))
    if beta == 0:
        return _reduced("smooth_l1_loss", d, None, reduction)
    # the parabola must not see large d, whose square might overflow
    near = np.where(d < beta, d, 0)
    loss = np.where(d < beta, near * near / (2 * beta), d - beta / 2)
    return _reduced("smooth_l1_loss", loss, None, reduction)


def prediction(x: Any, where: str, reduction: str) -> Tensor:
    """What a loss compares with the target: floats, and some of them if there is a mean."""
    x = as_tensor(x, f"{where}: the input")
    if x.dtype.kind != "f":
        raise TypeError(
            f"{where}: the input must be floating point; got dtype {x.dtype}. It is the network's "
            "prediction, and comes before the target."
        )
    if not x.size and reduction == "mean":
        raise ValueError(
            f"{where}: the input of shape {x.shape} is empty, so its loss is undefined."
        )
    return x


def mean_scale(x: Tensor, reduction: str) -> float:
    """What a sum over all entries is multiplied by."""
    return 1.0 / x.size if reduction == "mean" else 1.0
