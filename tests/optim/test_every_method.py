"""Every public method of optimisers and schedules, called once by somebody who knows the answer."""

import inspect

import numpy as np
import pytest

from nnlite import nn, optim
from nnlite.optim import lr_scheduler


def parameter(value=1.0, grad=0.5):
    p = nn.Parameter(np.array([value]), dtype="float64")
    p.grad = np.array([grad])
    return p


def moved(kind, **options):
    """Where one step takes a parameter at 1 with the gradient 0.5."""
    p = parameter()
    assert kind([p], lr=0.1, **options).step() is None
    return p.item()


#: what each optimiser's first step makes of 1.0, with the gradient 0.5 and the rate 0.1
FIRST_STEPS = {
    "SGD": (lambda: moved(optim.SGD), 0.95),
    "Adam": (lambda: moved(optim.Adam), 0.9),  # m_hat / sqrt(v_hat) is the gradient's sign
    "AdamW": (lambda: moved(optim.AdamW, weight_decay=0.2), 0.98 - 0.1),
    "RMSprop": (lambda: moved(optim.RMSprop, alpha=0.75), 1 - 0.1 * 0.5 / np.sqrt(0.25 * 0.25)),
}


@pytest.mark.parametrize("name", FIRST_STEPS)
def test_the_first_step_of_an_optimiser(name):
    call, expected = FIRST_STEPS[name]
    assert call() == pytest.approx(expected, rel=1e-6)


def test_every_optimiser_has_a_first_step():
    assert set(FIRST_STEPS) == set(optim.__all__) - {"Optimizer", "lr_scheduler"}


def forgotten():
    p, q = parameter(), parameter()
    optim.SGD([p], lr=0.1).zero_grad()
    optim.SGD([q], lr=0.1).zero_grad(set_to_none=False)
    return p.grad, q.grad.tolist()


def with_another_group():
    optimiser = optim.SGD([parameter()], lr=0.1)
    optimiser.add_param_group({"params": [parameter(3.0)], "lr": 1.0})
    optimiser.step()
    return [group["params"][0].item() for group in optimiser.param_groups]


def after_one_step():
    optimiser = optim.SGD([parameter()], lr=0.1, momentum=0.9)
    optimiser.step()
    return optimiser


def saved():
    state = after_one_step().state_dict()
    (group,) = state["param_groups"]
    (memory,) = state["state"][0].values()
    return group["lr"], group["params"], memory.tolist()


def gone_on():
    """A second step, by an optimiser that took over the buffer 0.5 of the first."""
    optimiser = optim.SGD([parameter()], lr=7.0, momentum=0.9)
    optimiser.load_state_dict(after_one_step().state_dict())
    optimiser.step()
    return optimiser.param_groups[0]["params"][0].item()


METHODS = {
    "step": (lambda: [optim.SGD([p := parameter()], lr=0.1).step(lambda: 3.0), p.item()],
             [3.0, 0.95]),
    "zero_grad": (forgotten, (None, [0.0])),
    "add_param_group": (with_another_group, [0.95, 2.5]),
    "state_dict": (saved, (0.1, [0], [0.5])),
    "load_state_dict": (gone_on, 1 - 0.1 * (0.9 * 0.5 + 0.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_an_optimiser(name):
    call, expected = METHODS[name]
    assert call() == expected


def test_no_method_of_an_optimiser_is_left_out():
    for kind in (optim.Optimizer, *(getattr(optim, name) for name in FIRST_STEPS)):
        assert public(kind) == set(METHODS), kind.__name__


# ---- schedules ---------------------------------------------------------------------------------


def scheduled(kind, *args):
    return getattr(lr_scheduler, kind)(optim.SGD([parameter()], lr=0.8), *args)


#: schedule -> (its arguments, the rates of epochs 0 to 4)
RATES = {
    "StepLR": ((2, 0.5), [0.8, 0.8, 0.4, 0.4, 0.2]),
    "MultiStepLR": (([1, 3], 0.5), [0.8, 0.4, 0.4, 0.2, 0.2]),
    "ExponentialLR": ((0.5,), [0.8, 0.4, 0.2, 0.1, 0.05]),
    "CosineAnnealingLR": ((4,), [0.4 * (1 + np.cos(np.pi * e / 4)) for e in range(5)]),
    "LambdaLR": ((lambda epoch: 1 / (1 + epoch),), [0.8 / (1 + e) for e in range(5)]),
}


@pytest.mark.parametrize("kind", RATES)
def test_every_method_of_a_schedule(kind):
    args, rates = RATES[kind]
    schedule = scheduled(kind, *args)
    called = {"get_last_lr", "get_lr", "step", "state_dict", "load_state_dict"}
    for epoch, rate in enumerate(rates):
        assert schedule.get_last_lr() == pytest.approx([rate], abs=1e-15)
        assert schedule.optimizer.param_groups[0]["lr"] == schedule.get_last_lr()[0]
        assert schedule.state_dict()["last_epoch"] == epoch
        twin = scheduled(kind, *args)
        twin.load_state_dict(schedule.state_dict())
        assert twin.get_last_lr() == schedule.get_last_lr()
        schedule.step()
        twin.step()
        assert twin.get_last_lr() == schedule.get_last_lr()
    fresh = scheduled(kind, *args)
    fresh.last_epoch = 1  # what step does, then it asks get_lr
    assert fresh.get_lr() == pytest.approx([rates[1]])
    if kind == "LambdaLR":
        called |= {"lr_lambdas"}
        assert [f(3) for f in schedule.lr_lambdas] == [0.25]
    assert public(type(schedule)) == called


def test_every_schedule_has_its_rates():
    kinds = {
        name
        for name, kind in vars(lr_scheduler).items()
        if inspect.isclass(kind) and issubclass(kind, lr_scheduler.LRScheduler)
    }
    assert set(RATES) == kinds - {"LRScheduler"}


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}
