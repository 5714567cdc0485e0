"""Schedules that share an optimiser, its rates with the user, or a saved state."""

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
    "CosineAnnealingLR": ({"T_max": 8}, lambda t: (1 + np.cos(np.pi * t / 8)) / 2),
    "LambdaLR": ({"lr_lambda": lambda t: 1 / (1 + t)}, lambda t: 1 / (1 + t)),
}


def _optimizer():
    a, b = (nnlite.Tensor(np.ones(1), requires_grad=True) for _ in range(2))
    return optim.SGD([{"params": [a]}, {"params": [b], "lr": 3.0}], lr=0.3)


def test_two_schedules_on_one_optimiser_act_together():
    p = nnlite.Tensor(np.ones(1), requires_grad=True)
    optimizer = optim.SGD([p], lr=10.0)
    exponential = schedules.ExponentialLR(optimizer, 0.9)
    steps = schedules.StepLR(optimizer, 3, 0.1)
    for t in range(1, 8):
        exponential.step()
        assert exponential.get_last_lr()[0] == pytest.approx(10 * 0.9**t * 0.1 ** ((t - 1) // 3))
        steps.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(10 * 0.9**t * 0.1 ** (t // 3))


def test_interleaved_schedules_and_a_rate_changed_by_hand_give_pytorchs_rates():
    optimizer = _optimizer()
    cosine = schedules.CosineAnnealingLR(optimizer, T_max=3, eta_min=0.05)
    milestones = schedules.MultiStepLR(optimizer, [1, 2, 2], gamma=0.5)
    seen = []
    for kind in "cmchcmccmc":
        if kind == "h":
            for group in optimizer.param_groups:
                group["lr"] *= 2
        else:
            (cosine if kind == "c" else milestones).step()
        seen.append([g["lr"] for g in optimizer.param_groups])
    recorded = [  # from torch 2.13
        [0.2375, 2.2625],
        [0.11875, 1.13125],
        [0.07291666666666669, 0.4104166666666668],
        [0.14583333333333337, 0.8208333333333336],
        [0.05, 0.05],
        [0.0125, 0.0125],
        [0.075, 0.75],
        [0.125, 2.15],
        [0.125, 2.15],
        [0.15, 2.85],
    ]
    np.testing.assert_allclose(seen, recorded, rtol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_rate_changed_by_hand_stays_changed_except_where_the_rate_is_set(name):
    options, factor = SCHEDULES[name]
    optimizer = _optimizer()
    schedule = getattr(schedules, name)(optimizer, **options)
    for _ in range(2):
        schedule.step()
    for group in optimizer.param_groups:
        group["lr"] *= 10
    schedule.step()
    by_hand = 1 if name == "LambdaLR" else 10
    expected = [by_hand * 0.3 * factor(3), by_hand * 3.0 * factor(3)]
    np.testing.assert_allclose([g["lr"] for g in optimizer.param_groups], expected, rtol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_group_added_later_takes_part_from_then_on(name):
    options, factor = SCHEDULES[name]
    optimizer = _optimizer()
    schedule = getattr(schedules, name)(optimizer, **options)
    schedule.step()
    c = nnlite.Tensor(np.ones(1), requires_grad=True)
    optimizer.add_param_group({"params": [c], "lr": 2.0})
    for _ in range(2):
        schedule.step()
    start = 1 if name == "LambdaLR" else factor(1)
    np.testing.assert_allclose(
        schedule.get_last_lr(), [0.3 * factor(3), 3 * factor(3), 2 * factor(3) / start], rtol=1e-12
    )


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("before_loading", [True, False])
def test_a_schedule_resumes_beside_its_optimiser(name, before_loading):
    options, _ = SCHEDULES[name]
    kind = getattr(schedules, name)
    first = _optimizer()
    schedule, other = kind(first, **options), schedules.ExponentialLR(first, 0.5)
    for _ in range(4):
        schedule.step()
        other.step()
    states = first.state_dict(), schedule.state_dict(), other.state_dict()
    second = _optimizer()
    if not before_loading:
        second.load_state_dict(states[0])
    resumed, resumed_other = kind(second, **options), schedules.ExponentialLR(second, 0.5)
    if before_loading:
        second.load_state_dict(states[0])
    resumed_other.load_state_dict(states[2])
    resumed.load_state_dict(states[1])
    for _ in range(6):
        assert second.param_groups[0]["lr"] == first.param_groups[0]["lr"]
        for s in (schedule, other, resumed, resumed_other):
            s.step()


def test_a_saved_schedule_brings_its_settings():
    first = schedules.StepLR(_optimizer(), 2, 0.5)
    second = schedules.StepLR(_optimizer(), 7, 0.9)
    second.load_state_dict(first.state_dict())
    for _ in range(4):
        first.step()
        second.step()
    assert second.get_last_lr() == first.get_last_lr() == [0.075, 0.75]


def test_a_schedule_outlives_an_optimiser_state_saved_before_there_was_one():
    optimizer = _optimizer()
    state = optimizer.state_dict()
    schedule = schedules.CosineAnnealingLR(optimizer, 4)
    optimizer.load_state_dict(state)
    for _ in range(6):
        schedule.step()
    np.testing.assert_allclose(schedule.get_last_lr(), [0.15, 1.5])


def test_going_on_after_an_epoch_needs_the_rate_of_the_beginning():
    with pytest.raises(KeyError, match="group 0 needs its 'initial_lr'"):
        schedules.StepLR(_optimizer(), 3, last_epoch=4)
    p = nnlite.Tensor(np.ones(1), requires_grad=True)
    optimizer = optim.SGD([{"params": [p], "initial_lr": 0.4}], lr=0.1)
    schedule = schedules.StepLR(optimizer, 3, 0.5, last_epoch=1)
    assert (schedule.last_epoch, schedule.base_lrs, schedule.get_last_lr()) == (2, [0.4], [0.1])
    schedule.step()
    assert schedule.get_last_lr() == [0.05]


def test_a_schedule_of_ones_own_writes_get_lr():
    class Warmup(schedules.LRScheduler):
        def get_lr(self):
            return [base * min(1, (self.last_epoch + 1) / 4) for base in self.base_lrs]

    schedule = Warmup(_optimizer())
    rates = []
    for _ in range(5):
        rates.append(schedule.get_last_lr()[0])
        schedule.step()
    np.testing.assert_allclose(rates, [0.075, 0.15, 0.225, 0.3, 0.3])


def test_the_state_of_another_schedule_is_refused_and_nothing_is_loaded():
    schedule = schedules.ExponentialLR(_optimizer(), 0.9)
    other = schedules.StepLR(_optimizer(), 3)
    other.step()
    with pytest.raises(ValueError, match="that of a StepLR, this schedule is a ExponentialLR"):
        schedule.load_state_dict(other.state_dict())
    state = other.state_dict()
    del state["schedule"]
    with pytest.raises(ValueError, match=r"a saved ExponentialLR holds .*gamma"):
        schedule.load_state_dict(state)
    with pytest.raises(TypeError, match="got list"):
        schedule.load_state_dict([1])
    assert schedule.last_epoch == 0


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("StepLR", (0,), ValueError, "step_size must be an integer of at least 1; got 0"),
        ("StepLR", (2.5,), TypeError, "step_size must be an integer; got 2.5 .float"),
        ("StepLR", (2, np.nan), ValueError, "gamma must be a finite number of at least 0; got nan"),
        ("StepLR", (2, 0.1, -2), ValueError, "last_epoch must be an integer of at least -1"),
        ("MultiStepLR", (30,), TypeError, "milestones must be a list of epochs; got 30"),
        ("MultiStepLR", (["a", 1],), TypeError, "each milestone must be an integer; got 'a'"),
        ("ExponentialLR", ("0.9",), TypeError, r"gamma must be a number; got '0\.9'"),
        (
            "CosineAnnealingLR",
            (0,),
            ValueError,
            "T_max must be a finite number greater than 0; got 0",
        ),
        ("CosineAnnealingLR", (8, True), TypeError, "eta_min must be a number; got True"),
        ("LambdaLR", (0.9,), TypeError, r"a function of the epoch.*got float"),
        ("LambdaLR", (lambda t: None,), TypeError, "factor at epoch 0 must be a number; got None"),
        ("LambdaLR", (lambda t: np.nan,), ValueError, r"factor at epoch 0 must be .* got nan"),
    ],
)
def test_settings_that_make_no_sense_are_named(name, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(schedules, name)(_optimizer(), *arguments)


def test_what_is_not_offered_is_named():
    with pytest.raises(TypeError, match=r"step\(epoch\) is not offered"):
        schedules.StepLR(_optimizer(), 2).step(3)
    with pytest.raises(AttributeError, match=r"has no OneCycleLR; it has StepLR.*LambdaLR"):
        _ = schedules.OneCycleLR
    with pytest.raises(AttributeError, match="has no LBFGS; it has SGD"):
        _ = optim.LBFGS
    assert not hasattr(optim, "StepLR")


def test_a_group_added_later_begins_at_its_rate_for_all_schedules():
    optimizer = _optimizer()
    step = schedules.StepLR(optimizer, 1, 0.5)
    by_epoch = schedules.LambdaLR(optimizer, lambda t: 0.9**t)
    late = nnlite.Tensor(np.ones(1), requires_grad=True)
    optimizer.add_param_group({"params": [late], "lr": 0.2})
    step.step()  # halves the rate before the other schedule sees the group
    by_epoch.step()
    rates = [group["lr"] for group in optimizer.param_groups]
    np.testing.assert_allclose(rates, [0.9 * 0.3, 0.9 * 3.0, 0.9 * 0.2])


def test_a_step_that_fails_leaves_the_schedule_at_its_epoch():
    optimizer = _optimizer()
    schedule = schedules.LambdaLR(optimizer, lambda t: np.nan if t == 1 else 1.0)
    with pytest.raises(ValueError, match="the factor at epoch 1"):
        schedule.step()
    assert schedule.last_epoch == 0

    class Short(schedules.LRScheduler):
        def get_lr(self):
            return [1.0] * (1 if self.last_epoch else 2)

    short = Short(optimizer)
    with pytest.raises(ValueError, match="a rate for each of 2 groups; got 1"):
        short.step()
    assert short.last_epoch == 0
    assert [group["lr"] for group in optimizer.param_groups] == [1, 1]


@pytest.mark.parametrize("rates", [5, [1.0, 2.0, 3.0], "ab"])
def test_saved_rates_that_belong_to_no_groups_are_refused(rates):
    schedule = schedules.StepLR(_optimizer(), 2)
    saved = {**schedule.state_dict(), "base_lrs": rates}
    with pytest.raises(ValueError, match="base_lrs must list a rate for each of 2 groups"):
        schedule.load_state_dict(saved)
    assert schedule.base_lrs == [0.3, 3.0]


@pytest.mark.parametrize(("gamma", "error"), [("x", TypeError), (np.nan, ValueError)])
def test_saved_settings_that_are_no_numbers_are_refused(gamma, error):
    schedule = schedules.StepLR(_optimizer(), 2)
    with pytest.raises(error, match=r"load_state_dict: gamma must be a (finite )?number"):
        schedule.load_state_dict({**schedule.state_dict(), "gamma": gamma})
    assert schedule.gamma == 0.1
