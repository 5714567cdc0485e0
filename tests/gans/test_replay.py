"""The replay buffer: how many old fakes, how old, and what is remembered."""

import numpy as np
import pytest

from nnlite.gans import ReplayBuffer


def test_the_first_batch_is_as_it_was_and_later_ones_have_their_share_of_old_fakes():
    buffer, rng = ReplayBuffer(100, 0.3), np.random.default_rng(0)
    first = np.zeros((100, 1))
    np.testing.assert_array_equal(buffer.mix(first, rng), first)
    new = np.ones((20_000, 1))
    old = 1 - buffer.mix(new, rng).mean()
    assert abs(old - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 20_000)
    assert (new == 1).all(), "the caller's fakes stay"


def test_what_is_remembered_is_the_new_fakes_and_never_more_than_its_size():
    buffer, rng = ReplayBuffer(30, 1.0), np.random.default_rng(0)
    for step in range(5):
        buffer.mix(np.full((20, 2), float(step)), rng)
        assert len(buffer) == min(30, 20 * (step + 1))
    assert (buffer.state_dict()["memory"] == 4).any(), "fakes that were replaced in the batch"


def test_the_age_of_what_is_remembered_has_a_geometric_law():
    """Each of b new fakes takes a random place of N: a place survives a step with (1-1/N)^b."""
    N, b, rng = 400, 100, np.random.default_rng(0)
    buffer = ReplayBuffer(N, 0.0)
    for step in range(60):
        buffer.mix(np.full((b, 1), float(step)), rng)
    ages = 59 - buffer.state_dict()["memory"][:, 0]
    survival = (1 - 1 / N) ** b
    mean, std = survival / (1 - survival), np.sqrt(survival) / (1 - survival)
    assert abs(ages.mean() - mean) < 4 * std / np.sqrt(N)
    assert abs(ages.mean() - (N / b - 1) / 2) > 8 * std / np.sqrt(N)  # first in, first out


def test_a_state_is_a_copy_and_goes_back():
    buffer, rng = ReplayBuffer(4), np.random.default_rng(0)
    assert buffer.state_dict() == {"memory": None}
    buffer.mix(np.ones((4, 1)), rng)
    state = buffer.state_dict()
    buffer.mix(np.zeros((10, 1)), rng)
    np.testing.assert_array_equal(state["memory"], 1)
    buffer.load_state_dict(state)
    np.testing.assert_array_equal(buffer.state_dict()["memory"], 1)
    with pytest.raises(ValueError, match=r"at most 3 fakes, got 4; make the buffer with size=4"):
        ReplayBuffer(3).load_state_dict(state)


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match=r"ReplayBuffer: size must be an integer of at least 1"):
        ReplayBuffer(0)
    with pytest.raises(ValueError, match=r"ReplayBuffer: share must be a number from 0 to 1"):
        ReplayBuffer(5, 1.5)
