"""Learning-rate schedules: their closed formulas."""

import math

import numpy as np
import pytest

import nnlite
from nnlite import optim
from nnlite.optim import lr_scheduler as schedules

SCHEDULES = {
    "StepLR": ({"step_size": 3, "gamma": 0.5}, lambda t: 0.5 ** (t // 3)),
    "MultiStepLR": (
        {"milestones": [4, 2, 4], "gamma": 0.1},
        lambda t: 0.1 ** ((t >= 2) + 2 * (t >= 4)),
    ),
    "ExponentialLR": ({"gamma": 0.9}, lambda t: 0.9**t),
    "CosineAnnealingLR": ({"T_max": 8}, lambda t: (1 + math.cos(math.pi * t / 8)) / 2),
    "LambdaLR": ({"lr_lambda": lambda t: 1 / (1 + t)}, lambda t: 1 / (1 + t)),
}


def _optimizer():
    a, b = (nnlite.Tensor(np.ones(1), requires_grad=True) for _ in range(2))
    return optim.SGD([{"params": [a]}, {"params": [b], "lr": 3.0}], lr=0.3)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_follow_the_formula_in_every_group(name):
    options, factor = SCHEDULES[name]
    optimizer = _optimizer()
    schedule = getattr(schedules, name)(optimizer, **options)
    for t in range(12):
        expected = [0.3 * factor(t), 3.0 * factor(t)]
        np.testing.assert_allclose(schedule.get_last_lr(), expected, rtol=1e-12, atol=1e-15)
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_saved_schedule_goes_on(name):
    options, _ = SCHEDULES[name]
    kind = getattr(schedules, name)
    first = kind(_optimizer(), **options)
    for _ in range(5):
        first.step()
    second = kind(_optimizer(), **options)
    second.load_state_dict(first.state_dict())
    assert second.get_last_lr() == first.get_last_lr()
    first.step()
    second.step()
    assert second.get_last_lr() == first.get_last_lr()


def test_the_floor_of_cosine_annealing_is_reached():
    optimizer = _optimizer()
    schedule = schedules.CosineAnnealingLR(optimizer, T_max=4, eta_min=0.1)
    for _ in range(4):
        schedule.step()
    np.testing.assert_allclose(schedule.get_last_lr(), [0.1, 0.1])


def test_schedules_refuse_what_does_not_belong_to_them():
    with pytest.raises(TypeError, match="an optimiser first"):
        schedules.StepLR([1.0], 3)
    with pytest.raises(ValueError, match="2 parameter groups"):
        schedules.LambdaLR(_optimizer(), [lambda t: 1.0])
    with pytest.raises(ValueError, match="saved one 1"):
        schedules.ExponentialLR(_optimizer(), 0.9).load_state_dict(
            {"last_epoch": 1, "base_lrs": [0.1]}
        )
