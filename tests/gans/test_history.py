"""The history, and the alarms that it rings: on planted failures, and on nothing else."""

import math

import numpy as np
import pytest

from nnlite.gans import Hinge, History, Labels, LeastSquares, NonSaturating, Step, Wasserstein

LOG4, LOG2 = math.log(4), math.log(2)


def history(steps=100, d_loss=LOG4, g_loss=LOG2, d_norm=0.5, g_norm=0.5, wobble=1e-3):
    made, rng = History(), np.random.default_rng(0)
    for _ in range(steps):
        noise = wobble * rng.standard_normal(2)
        made.append(Step(d_loss + noise[0], d_norm), Step(g_loss + noise[1], g_norm))
    return made


def kinds(made, objective):
    return [(alarm.step, alarm.kind) for alarm in made.alarms(objective)]


def test_a_game_near_its_equilibrium_rings_no_alarm():
    for objective in (NonSaturating(), NonSaturating(Labels(real=0.9)), Hinge(), LeastSquares()):
        d, g = objective.equilibrium
        assert kinds(history(300, d, g), objective) == []
    assert kinds(history(d_loss=0.0), Wasserstein()) == []


@pytest.mark.parametrize(
    ("objective", "won", "not_yet"),
    [
        (NonSaturating(), 0.01, 0.03),
        (Hinge(), 0.01, 0.05),
        # smoothing lifts the floor: a loss of 0.33 is then a discriminator that has won
        (NonSaturating(Labels(real=0.9)), 0.33, 0.37),
    ],
)
def test_a_discriminator_at_its_floor_has_won(objective, won, not_yet):
    assert kinds(history(d_loss=won), objective) == [(100, "discriminator won")]
    assert kinds(history(d_loss=not_yet), objective) == []
    assert "InstanceNoise" in history(d_loss=won).alarms(objective)[0].message


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_gradient_norms_above_100_are_an_explosion(player):
    name = f"{player[0]}_norm"
    found = history(**{name: 101.0}).alarms(NonSaturating())
    assert [alarm.kind for alarm in found] == ["exploding gradients"]
    assert f"the gradient norm of the {player} is 101" in found[0].message
    assert kinds(history(**{name: 99.0}), NonSaturating()) == []


def test_one_spike_is_no_explosion():
    made = history(99)
    made.append(Step(LOG4, 1e6), Step(LOG2, 1e6))
    assert kinds(made, NonSaturating()) == []


def test_a_generator_loss_that_stands_still_is_noticed():
    assert kinds(history(wobble=0.0), NonSaturating()) == [(100, "constant generator loss")]
    assert kinds(history(wobble=1e-4), NonSaturating()) == []


def test_alarms_say_when_and_can_be_asked_from_a_step_on():
    made = history(250)
    for _ in range(150):
        made.append(Step(1e-6, 0.5), Step(LOG2 + len(made) * 1e-3, 0.5))
    assert [step for step, _ in kinds(made, NonSaturating())] == [400]
    assert made.alarms(NonSaturating(), start=399)[0].step == 400
    assert made.alarms(NonSaturating(), start=400) == []


def test_columns_are_what_was_appended():
    made = History()
    assert made["d_loss"].shape == (0,)
    made.append(Step(1, 2), Step(3, 4))
    made.append(Step(5, 6), Step(7, 8))
    assert [made[name].tolist() for name in History.columns] == [[1, 5], [3, 7], [2, 6], [4, 8]]
    assert made.last == (5, 7, 6, 8)
    assert "2 steps" in repr(made)
    made.cut(1)
    assert made["g_norm"].tolist() == [4]
    with pytest.raises(KeyError, match="a history has d_loss, g_loss, d_norm, g_norm; got 'loss'"):
        made["loss"]


def test_a_state_goes_back_and_a_wrong_one_is_refused():
    made, twin = history(7), History()
    twin.load_state_dict(made.state_dict())
    for name in History.columns:
        np.testing.assert_array_equal(twin[name], made[name])
    with pytest.raises(ValueError, match=r"shape \(steps, 4\), got \(2, 3\)"):
        twin.load_state_dict({"rows": np.zeros((2, 3))})
    assert len(twin) == 7
