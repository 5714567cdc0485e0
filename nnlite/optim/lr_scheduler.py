"""Learning-rate schedules with torch.optim.lr_scheduler's names (lecture 10).

A schedule is a closed formula: the rate of a group at epoch ``t`` as a function of ``t`` and of the
group's initial rate. Call ``scheduler.step()`` once an epoch, after the optimiser's steps.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from nnlite.optim.optimizer import Optimizer


class LRScheduler:
    """Base class: a subclass writes ``rate(base_lr, epoch, group)``.

    Attributes
    ----------
    last_epoch : int
        Number of ``step`` calls so far.
    base_lrs : list of float
        Initial rate of each parameter group.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"a schedule takes an optimiser first; got {type(optimizer).__name__}.")
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        """The learning rate of a group at an epoch."""
        raise NotImplementedError

    def step(self) -> None:
        """Go to the next epoch and set the rates."""
        self.last_epoch += 1
        for i, group in enumerate(self.optimizer.param_groups):
            group["lr"] = self.rate(group["initial_lr"], self.last_epoch, i)

    def get_last_lr(self) -> list[float]:
        """The rates in use, one for each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on: the epoch and the initial rates."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go back to a saved epoch and set its rates."""
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(
                f"the schedule has {len(self.base_lrs)} parameter groups, the saved one "
                f"{len(state_dict['base_lrs'])}."
            )
        self.base_lrs = [float(lr) for lr in state_dict["base_lrs"]]
        self.last_epoch = int(state_dict["last_epoch"])
        for i, (group, lr) in enumerate(
            zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        ):
            group["initial_lr"] = lr
            group["lr"] = self.rate(lr, self.last_epoch, i)


class StepLR(LRScheduler):
    """``base_lr * gamma^(epoch // step_size)``."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        """The learning rate of a group at an epoch."""
        return base_lr * self.gamma ** (epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """``base_lr * gamma^(number of milestones reached)``."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        """The learning rate of a group at an epoch."""
        return base_lr * self.gamma ** bisect_right(self.milestones, epoch)


class ExponentialLR(LRScheduler):
    """``base_lr * gamma^epoch``."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        """The learning rate of a group at an epoch."""
        return base_lr * self.gamma**epoch


class CosineAnnealingLR(LRScheduler):
    """``eta_min + (base_lr - eta_min) (1 + cos(pi epoch / T_max)) / 2``.

    Loshchilov & Hutter 2017, eq. 5, without restarts.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        """The learning rate of a group at an epoch."""
        share = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        return self.eta_min + (base_lr - self.eta_min) * share


class LambdaLR(LRScheduler):
    """``base_lr * lr_lambda(epoch)``; one function for all groups, or a list with one for each."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise ValueError(
                f"LambdaLR: {groups} parameter groups need as many functions; "
                f"got {len(self.lr_lambdas)}."
            )
        super().__init__(optimizer, last_epoch)

    def rate(self, base_lr: float, epoch: int, group: int) -> float:
        """The learning rate of a group at an epoch."""
        return base_lr * self.lr_lambdas[group](epoch)
