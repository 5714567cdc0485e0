"""Losses as layers (lectures 04, 06 and 10); the functions are in :mod:`nnlite.nn.functional`.

Make a loss first, then call it with ``(prediction, target)``: ``nn.MSELoss()(x_hat, x)``.
``reduction`` is "mean" (over all entries, or over the rows of CrossEntropyLoss), "sum" or "none".
``size_average`` and ``reduce`` are PyTorch's switches of old: write ``reduction=``.
"""

from typing import Any

from nnlite._arguments import as_integer, as_number
from nnlite.engine.tensor import Tensor
from nnlite.nn import functional as F
from nnlite.nn._checks import as_reduction, loss_called_too_early
from nnlite.nn._inputs import as_constant
from nnlite.nn.module import Module


class _Loss(Module):
    """A loss of one prediction and one target."""

    weight: Any
    pos_weight: Any

    def __init__(
        self, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.reduction = as_reduction(type(self).__name__, size_average, reduce, reduction)

    def _keep(self, name: str, weight: Any) -> None:
        """Keep factors as a buffer."""
        where = type(self).__name__
        if isinstance(weight, Tensor) and weight.requires_grad:
            raise TypeError(loss_called_too_early(where, weight, name))
        if weight is not None:
            weight = as_constant(weight, f"{where}: {name}")
        self.register_buffer(name, weight)

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """Mean of ``(input - target)^2``."""

    def forward(self, input: Any, target: Any) -> Any:
        """Prediction and target have one shape."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """Mean of ``|input - target|``."""

    def forward(self, input: Any, target: Any) -> Any:
        """Prediction and target have one shape."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """Squared error for small differences, absolute error for large ones (Girshick 2015)."""

    def __init__(
        self,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = as_number(beta, "SmoothL1Loss: beta", 0)

    def forward(self, input: Any, target: Any) -> Any:
        """Prediction and target have one shape."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class BCELoss(_Loss):
    """Binary cross-entropy of probabilities; prefer :class:`BCEWithLogitsLoss`.

    Parameters
    ----------
    weight : array_like, optional
        Factor of each entry; broadcast.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self._keep("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Prediction and target have one shape and lie between 0 and 1."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits, safe at both ends.

    Parameters
    ----------
    weight, pos_weight : array_like, optional
        Factor of each entry, and of the term of positive targets; broadcast.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self._keep("weight", weight)
        self._keep("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Prediction and target have one shape; targets lie between 0 and 1."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class NLLLoss(_Loss):
    """Minus the log-probability (N, K) of the target class (N,), as LogSoftmax gives it.

    Parameters
    ----------
    weight : array_like of shape (K,), optional
        Factor of each class.
    ignore_index : int
        Targets of this class do not count.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.ignore_index = as_integer(ignore_index, "NLLLoss: ignore_index")
        self._keep("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Log-probabilities (N, K, ...), and classes (N, ...)."""
        return F.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
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
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.ignore_index = as_integer(ignore_index, "CrossEntropyLoss: ignore_index")
        self.label_smoothing = as_number(label_smoothing, "CrossEntropyLoss: label_smoothing", 0, 1)
        self._keep("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Logits (N, K, ...), and classes (N, ...) or probabilities (N, K, ...)."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
