"""RMSprop: steps divided by the running size of the gradient (derived in lecture 01)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from nnlite import kernels
from nnlite._arguments import as_flag, as_number
from nnlite.optim.optimizer import Optimizer, count, memory


class RMSprop(Optimizer):
    """``v = alpha v + (1 - alpha) g^2``; ``p -= lr g / (sqrt(v) + eps)`` (Tieleman & Hinton 2012).

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
    alpha : float
        How much of ``v`` survives a step.
    eps : float
    weight_decay : float
        Adds ``weight_decay * p`` to the gradient.
    momentum : float
        Of the steps: ``b = momentum b + g / (sqrt(v) + eps)``; ``p -= lr * b``.
    centered : bool
        Divide by the standard deviation of the gradient instead: ``sqrt(v - mean^2)``.
    maximize : bool
        Climb instead.
    foreach, capturable, differentiable
        As in PyTorch, where they say how a step is computed. Here there is one way, so the first
        two change nothing; steps cannot be differentiated (NotImplementedError).
    """

    _memories: ClassVar[dict[str, bool] | None] = {
        "step": True,
        "square_avg": True,
        "momentum_buffer": False,
        "grad_avg": False,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )

    def _check(self, settings: dict[str, Any]) -> None:
        super()._check(settings)
        for name in ("eps", "weight_decay", "momentum"):
            as_number(settings[name], f"RMSprop: {name}", 0)
        as_number(settings["alpha"], "RMSprop: alpha", 0, 1)
        for name in ("centered", "maximize"):
            as_flag(settings[name], f"RMSprop: {name}")

    def _update(
        self,
        params: list[np.ndarray],
        grads: list[np.ndarray],
        states: list[dict[str, Any]],
        group: dict[str, Any],
    ) -> None:
        momentum, centred = group["momentum"], group["centered"]
        count(states)
        kernels.rmsprop_step(
            params,
            [-g for g in grads] if group["maximize"] else grads,
            memory(states, "square_avg", params),
            group["lr"],
            group["alpha"],
            group["eps"],
            group["weight_decay"],
            momentum,
            memory(states, "momentum_buffer", params) if momentum else None,
            memory(states, "grad_avg", params) if centred else None,
        )
