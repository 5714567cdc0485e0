"""RMSprop: steps divided by the running size of the gradient (lecture 10, Wasserstein GANs)."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite import kernels
from nnlite.optim.optimizer import Optimizer, check_settings, flat, memory


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
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        check_settings(
            "RMSprop", lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum
        )
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
            },
        )

    def _update(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        momentum = group["momentum"]
        buffer = flat(memory(state, "momentum_buffer", p)) if momentum else None
        mean = flat(memory(state, "grad_avg", p)) if group["centered"] else None
        state["step"] = state.get("step", 0) + 1
        kernels.rmsprop_step(
            flat(p),
            flat(-g if group["maximize"] else g),
            flat(memory(state, "square_avg", p)),
            group["lr"],
            group["alpha"],
            group["eps"],
            group["weight_decay"],
            momentum,
            buffer,
            mean,
        )
