"""Adam and AdamW: steps scaled by running moments of the gradient (derived in lecture 01)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from nnlite import kernels
from nnlite._arguments import as_flag, as_number
from nnlite.optim.optimizer import Optimizer, count, memory, together


class Adam(Optimizer):
    """``p -= lr * m_hat / (sqrt(v_hat) + eps)`` (Kingma & Ba 2015, Algorithm 1).

    ``m`` and ``v`` are running means of the gradient and of its square; the hat divides by 1 -
    beta^t, since both start at zero.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
    betas : (float, float)
        How much of ``m`` and of ``v`` survives a step.
    eps : float
    weight_decay : float
        Adds ``weight_decay * p`` to the gradient.
    amsgrad : bool
        Divide by the largest ``v`` so far (Reddi et al. 2018).
    maximize : bool
        Climb instead.
    decoupled_weight_decay : bool
        Shrink ``p`` by ``lr * weight_decay`` instead, which makes it :class:`AdamW`.
    foreach, capturable, fused, differentiable
        As in PyTorch, where they say how a step is computed. Here there is one way, so the first
        three change nothing; steps cannot be differentiated (NotImplementedError).
    """

    _memories: ClassVar[dict[str, bool] | None] = {
        "step": True,
        "exp_avg": True,
        "exp_avg_sq": True,
        "max_exp_avg_sq": False,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(betas) if isinstance(betas, list) else betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _check(self, settings: dict[str, Any]) -> None:
        super()._check(settings)
        where, betas = type(self).__name__, settings["betas"]
        for name in ("eps", "weight_decay"):
            as_number(settings[name], f"{where}: {name}", 0)
        for name in ("amsgrad", "maximize", "decoupled_weight_decay"):
            as_flag(settings[name], f"{where}: {name}")
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"{where}: betas must be two numbers, as (0.9, 0.999); got {betas!r}.")
        for beta in betas:
            as_number(beta, f"{where}: each of betas", 0, below=1)

    def _update(
        self,
        params: list[np.ndarray],
        grads: list[np.ndarray],
        states: list[dict[str, Any]],
        group: dict[str, Any],
    ) -> None:
        if group["maximize"]:
            grads = [-g for g in grads]
        m, v = memory(states, "exp_avg", params), memory(states, "exp_avg_sq", params)
        if group["amsgrad"]:
            largest = memory(states, "max_exp_avg_sq", params)
            steps = count(states)
            for p, g, mi, vi, top, step in zip(params, grads, m, v, largest, steps, strict=True):
                _amsgrad(p, g, mi, vi, top, step, group)
            return
        beta1, beta2 = group["betas"]
        for step, (p, g, mi, vi) in together(count(states), params, grads, m, v):
            kernels.adam_step(
                p,
                g,
                mi,
                vi,
                step,
                group["lr"],
                beta1,
                beta2,
                group["eps"],
                group["weight_decay"],
                group["decoupled_weight_decay"],
            )


class AdamW(Adam):
    """Adam whose weight decay shrinks ``p`` by ``lr * weight_decay``, apart from the gradient.

    Loshchilov & Hutter 2019, Algorithm 2. Parameters are those of :class:`Adam`; ``weight_decay``
    is 0.01 by default.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def _check(self, settings: dict[str, Any]) -> None:
        super()._check(settings)
        if not settings["decoupled_weight_decay"]:
            raise ValueError("AdamW is Adam with decoupled_weight_decay=True; for False take Adam.")


def _amsgrad(
    p: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    largest: np.ndarray,
    step: int,
    group: dict[str, Any],
) -> None:
    """The step of Adam with the largest second moment so far."""
    if m.shape != p.shape:
        raise ValueError(
            f"adam_step: exp_avgs must be of shape {p.shape} like the parameter, got {m.shape}."
        )
    lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
    if group["decoupled_weight_decay"]:
        p *= 1 - lr * decay
    elif decay:
        g = g + decay * p
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g * g - v)
    np.maximum(largest, v, out=largest)
    p -= lr / (1 - beta1**step) * m / (np.sqrt(largest / (1 - beta2**step)) + group["eps"])
