"""Gradient descent with momentum (lectures 03 and 04)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from nnlite import kernels
from nnlite._arguments import as_flag, as_number
from nnlite.optim.optimizer import Optimizer, memory, together


class SGD(Optimizer):
    """``p -= lr * g``, or with momentum ``b = momentum b + (1 - dampening) g``; ``p -= lr * b``.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Step size.
    momentum, dampening : float
        The first ``b`` is ``g``, undamped, as in PyTorch.
    weight_decay : float
        Adds ``weight_decay * p`` to the gradient.
    nesterov : bool
        Step along ``g + momentum b`` (Sutskever et al. 2013).
    maximize : bool
        Climb instead.
    foreach, fused, differentiable
        As in PyTorch, where they say how a step is computed. Here there is one way, so the first
        two change nothing; steps cannot be differentiated (NotImplementedError).
    """

    _memories: ClassVar[dict[str, bool] | None] = {"momentum_buffer": False}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _check(self, settings: dict[str, Any]) -> None:
        super()._check(settings)
        momentum, dampening = settings["momentum"], settings["dampening"]
        as_number(momentum, "SGD: momentum", 0)
        as_number(dampening, "SGD: dampening")
        as_number(settings["weight_decay"], "SGD: weight_decay", 0)
        for name in ("nesterov", "maximize"):
            as_flag(settings[name], f"SGD: {name}")
        if settings["nesterov"] and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum > 0 and dampening = 0; got momentum={momentum}, "
                f"dampening={dampening}."
            )

    def _update(
        self,
        params: list[np.ndarray],
        grads: list[np.ndarray],
        states: list[dict[str, Any]],
        group: dict[str, Any],
    ) -> None:
        if group["maximize"]:
            grads = [-g for g in grads]
        if not group["momentum"]:
            self._step(params, grads, None, group, first=False)
            return
        # parameters without a gradient in the first step begin later
        fresh = ["momentum_buffer" not in state for state in states]
        buffers = memory(states, "momentum_buffer", params)
        for first, (p, g, b) in together(fresh, params, grads, buffers):
            self._step(p, g, b, group, first)

    @staticmethod
    def _step(params: Any, grads: Any, buffers: Any, group: dict[str, Any], first: bool) -> None:
        kernels.sgd_step(
            params,
            grads,
            buffers,
            group["lr"],
            group["momentum"],
            group["dampening"],
            group["nesterov"],
            group["weight_decay"],
            first,
        )
