"""Losses as layers (lectures 04, 06 and 10); the functions are in :mod:`nnlite.nn.functional`.

Call them with ``(prediction, target)``. ``reduction`` is "mean" (over all entries, or over the rows
of CrossEntropyLoss), "sum" or "none".
"""

from typing import Any

from nnlite.nn import functional as F
from nnlite.nn._inputs import check_reduction
from nnlite.nn.module import Module


class _Loss(Module):
    weight: Any
    pos_weight: Any

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(reduction)
        self.reduction = reduction


class MSELoss(_Loss):
    """Mean of ``(input - target)^2``."""

    def forward(self, input: Any, target: Any) -> Any:
        """Both of one shape."""
        return F.mse_loss(input, target, self.reduction)


class L1Loss(_Loss):
    """Mean of ``|input - target|``."""

    def forward(self, input: Any, target: Any) -> Any:
        """Both of one shape."""
        return F.l1_loss(input, target, self.reduction)


class SmoothL1Loss(_Loss):
    """Squared error for small differences, absolute error for large ones (Girshick 2015)."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        """Both of one shape."""
        return F.smooth_l1_loss(input, target, self.reduction, self.beta)


class BCELoss(_Loss):
    """Binary cross-entropy of probabilities; prefer :class:`BCEWithLogitsLoss`.

    Parameters
    ----------
    weight : array_like, optional
        Factor of each entry; broadcast.
    """

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Both of one shape, between 0 and 1."""
        return F.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits, safe at both ends.

    Parameters
    ----------
    weight, pos_weight : array_like, optional
        Factor of each entry, and of the term of positive targets; broadcast.
    """

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Both of one shape; targets between 0 and 1."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight
        )


class CrossEntropyLoss(_Loss):
    """Cross-entropy of the softmax of logits (N, K) against classes (N,) or probabilities (N, K).

    Parameters
    ----------
    weight : array_like of shape (K,), optional
        Factor of each class.
    ignore_index : int
        Targets of this class do not count.
    label_smoothing : float
        Share of each target that is spread evenly over all classes.
    """

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"label_smoothing is between 0 and 1; got {label_smoothing}.")
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """Logits (N, K, ...), and classes (N, ...) or probabilities (N, K, ...)."""
        return F.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )
