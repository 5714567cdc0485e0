"""Learning-rate schedules with torch.optim.lr_scheduler's names and values (lecture 10).

A schedule says how the rate of a group changes from one epoch to the next. Most multiply the rate
they find, so two schedules on one optimiser act together, and a rate changed by hand stays changed;
each docstring also gives the closed formula that results when nothing else touches the rate. Call
``scheduler.step()`` once an epoch, after the optimiser's steps.
"""

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nnlite._arguments import as_integer, as_number
from nnlite.optim.optimizer import Optimizer


class LRScheduler:
    """Base class: a subclass writes ``get_lr()``.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups' rates are changed. Groups that are added later take part from then on.
    last_epoch : int
        -1 begins; another number goes on from that epoch, and every group must then say where it
        began, as ``"initial_lr"`` (``optimizer.load_state_dict`` brings it back).

    Attributes
    ----------
    last_epoch : int
        Number of ``step`` calls so far.
    base_lrs : list of float
        Initial rate of each parameter group.

    Raises
    ------
    TypeError
        If no optimiser comes first, or a setting is of another kind.
    ValueError
        If a setting is out of its range.
    KeyError
        If last_epoch is not -1 and a group has no ``"initial_lr"``.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"a schedule takes an optimiser first; got {type(optimizer).__name__}.")
        last_epoch = as_integer(last_epoch, f"{type(self).__name__}: last_epoch", -1)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"to go on after epoch {last_epoch}, group {i} needs its 'initial_lr': load "
                    "the optimiser's state first, or begin with last_epoch=-1."
                )
        self.optimizer = optimizer
        self.base_lrs: list[float] = []
        self.last_epoch = last_epoch
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """The rate of each group at ``last_epoch``; their rates until now are in the groups."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr method.")

    def step(self, epoch: None = None) -> None:
        """Go to the next epoch and set the rates.

        Raises
        ------
        TypeError
            If an epoch is given, which PyTorch has long deprecated.
        ValueError
            If a rate is not a finite number.
        """
        if epoch is not None:
            raise TypeError(
                "step(epoch) is not offered: call step() once an epoch, after optimizer.step(). To "
                "go on from a later epoch, load_state_dict brings the epoch and the rates back."
            )
        groups = self.optimizer.param_groups
        for group in groups[len(self.base_lrs) :]:  # all at first, then those added since
            # kept in the group: another schedule may see it only after this one changed the rate
            self.base_lrs.append(group.setdefault("initial_lr", group["lr"]))
        self.last_epoch += 1
        try:
            rates = self.get_lr()
            if len(rates) != len(groups):
                raise ValueError(
                    f"{type(self).__name__}: get_lr must return a rate for each of {len(groups)} "
                    f"groups; got {len(rates)}."
                )
            for i, rate in enumerate(rates):
                where = f"{type(self).__name__}: the rate of group {i} at epoch {self.last_epoch}"
                as_number(rate, where)
        except BaseException:
            self.last_epoch -= 1
            raise
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = rates

    def get_last_lr(self) -> list[float]:
        """The rates that this schedule set last, one for each group."""
        return list(self._last_lr)

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on: epoch, settings (but functions) and rates, as copies."""
        kept = {k: v for k, v in vars(self).items() if k != "optimizer" and not callable(v)}
        return copy.deepcopy({"schedule": type(self).__name__, **kept, "rates": self._rates()})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go back to a saved epoch, with its settings and rates.

        Raises
        ------
        ValueError
            If it is the state of another kind of schedule, or of one with other groups or entries;
            then nothing is loaded.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                "load_state_dict takes what state_dict() returned; got "
                f"{type(state_dict).__name__}."
            )
        own = self.state_dict()
        kind = state_dict.get("schedule", own["schedule"])
        if kind != own["schedule"]:
            raise ValueError(
                f"the saved state is that of a {kind}, this schedule is a {own['schedule']}."
            )
        groups = len(self.optimizer.param_groups)
        saved_groups = len(state_dict.get("rates", state_dict.get("base_lrs", ())))
        if saved_groups != groups:
            raise ValueError(
                f"the schedule has {groups} parameter groups, the saved one {saved_groups}."
            )
        if set(state_dict) != set(own):
            raise ValueError(
                f"a saved {own['schedule']} holds {', '.join(own)}; got "
                f"{', '.join(map(str, state_dict))}."
            )
        as_integer(state_dict["last_epoch"], "load_state_dict: last_epoch", 0)
        for name, value in own.items():
            if type(value) in (int, float):
                as_number(state_dict[name], f"load_state_dict: {name}")
        for name in ("base_lrs", "_last_lr", "rates"):
            if not isinstance(state_dict[name], list | tuple) or len(state_dict[name]) > groups:
                raise ValueError(
                    f"load_state_dict: {name} must list a rate for each of {groups} groups; got "
                    f"{state_dict[name]!r}."
                )
            for rate in state_dict[name]:
                as_number(rate, f"load_state_dict: each of {name}")
        vars(self).update(copy.deepcopy({k: v for k, v in state_dict.items() if k in vars(self)}))
        for group, rate in zip(self.optimizer.param_groups, state_dict["rates"], strict=True):
            group["lr"] = rate
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=False):
            if "initial_lr" in group:  # not in one that was added later
                group["initial_lr"] = base


class StepLR(LRScheduler):
    """Every step_size epochs, times gamma: ``base_lr * gamma^(epoch // step_size)``."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = as_integer(step_size, "StepLR: step_size", 1)
        self.gamma = float(as_number(gamma, "StepLR: gamma", 0))
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at ``last_epoch``."""
        falls = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return [lr * self.gamma if falls else lr for lr in self._rates()]


class MultiStepLR(LRScheduler):
    """At each milestone, times gamma: ``base_lr * gamma^(number of milestones reached)``."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(milestones, Iterable):
            raise TypeError(f"MultiStepLR: milestones must be a list of epochs; got {milestones}.")
        epochs = [as_integer(m, "MultiStepLR: each milestone", 0) for m in milestones]
        self.milestones = sorted(epochs)
        self.gamma = float(as_number(gamma, "MultiStepLR: gamma", 0))
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at ``last_epoch``."""
        factor = self.gamma ** self.milestones.count(self.last_epoch)
        return [lr * factor for lr in self._rates()]


class ExponentialLR(LRScheduler):
    """Every epoch, times gamma: ``base_lr * gamma^epoch``."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = float(as_number(gamma, "ExponentialLR: gamma", 0))
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at ``last_epoch``."""
        return [lr if self._is_initial else lr * self.gamma for lr in self._rates()]


class CosineAnnealingLR(LRScheduler):
    """``eta_min + (base_lr - eta_min) (1 + cos(pi epoch / T_max)) / 2``.

    Loshchilov & Hutter 2017, eq. 5, without restarts. Each step stretches the distance to eta_min
    by the ratio of two neighbouring values of the formula, except where the earlier of them is 0.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = as_number(T_max, "CosineAnnealingLR: T_max", above=0)
        self.eta_min = float(as_number(eta_min, "CosineAnnealingLR: eta_min", 0))
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at ``last_epoch``."""
        if self._is_initial:
            return self._rates()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the floor was reached
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [
                lr + (base - self.eta_min) * rise
                for lr, base in zip(self._rates(), self.base_lrs, strict=True)
            ]
        ratio = self._height(self.last_epoch) / self._height(self.last_epoch - 1)
        return [ratio * (lr - self.eta_min) + self.eta_min for lr in self._rates()]

    def _height(self, epoch: int) -> float:
        return 1 + math.cos(math.pi * epoch / self.T_max)


class LambdaLR(LRScheduler):
    """``base_lr * lr_lambda(epoch)``; one function for all groups, or a list with one for each.

    The rate is set, not multiplied: what another schedule did to it is lost.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        for f in lr_lambda if isinstance(lr_lambda, list | tuple) else [lr_lambda]:
            if not callable(f):
                raise TypeError(
                    f"LambdaLR: lr_lambda must be a function of the epoch, or a list of them; got "
                    f"{type(f).__name__}."
                )
        self.lr_lambda = lr_lambda
        super().__init__(optimizer, last_epoch)

    @property
    def lr_lambdas(self) -> list[Callable[[int], float]]:
        """The function of each group."""
        groups = len(self.optimizer.param_groups)
        functions = [self.lr_lambda] * groups if callable(self.lr_lambda) else list(self.lr_lambda)
        if len(functions) != groups:
            raise ValueError(
                f"LambdaLR: {groups} parameter groups need as many functions; got {len(functions)}."
            )
        return functions

    def get_lr(self) -> list[float]:
        """The rate of each group at ``last_epoch``."""
        factors = [f(self.last_epoch) for f in self.lr_lambdas]
        for factor in factors:
            as_number(factor, f"LambdaLR: the factor at epoch {self.last_epoch}")
        return [float(base * c) for base, c in zip(self.base_lrs, factors, strict=True)]


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"nnlite.optim.lr_scheduler has no {name}; it has StepLR, MultiStepLR, ExponentialLR, "
        "CosineAnnealingLR and LambdaLR. Other schedules are a LambdaLR, with the factor of the "
        "initial rate as a function of the epoch, or a subclass of LRScheduler with get_lr."
    )
