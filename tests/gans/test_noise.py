"""Instance noise: as strong as it says, on a straight line to nothing."""

import numpy as np
import pytest

import nnlite
from nnlite.gans import InstanceNoise


def test_the_noise_falls_on_a_straight_line_and_is_gone():
    noise = InstanceNoise(0.8, steps=4)
    levels = [noise.level(s) for s in range(6)]
    assert levels == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0, 0.0])
    assert InstanceNoise(0.8).level(10**9) == 0.8
    x = np.ones((3, 2))
    assert noise(x, 4, np.random.default_rng(0)) is x


def test_it_has_the_stated_spread_and_keeps_the_dtype():
    x = np.full((20_000, 2), 3.0, np.float32)
    noisy = InstanceNoise(0.5, 10)(x, 5, np.random.default_rng(0))
    assert noisy.dtype == np.float32
    assert abs(noisy.mean() - 3) < 4 * 0.25 / 200
    assert noisy.std() == pytest.approx(0.25, rel=4 / np.sqrt(2 * 40_000))


def test_fakes_keep_their_graph():
    x = nnlite.Tensor(np.zeros((3, 2)), requires_grad=True)
    (3 * InstanceNoise(1.0)(x, 0, np.random.default_rng(0))).sum().backward()
    np.testing.assert_array_equal(x.grad, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0,), r"InstanceNoise: sigma must be a finite number of at least 0; got -1.0"),
        ((1.0, 0), r"InstanceNoise: steps must be an integer of at least 1; got 0"),
        ((1.0, 2.5), r"InstanceNoise: steps must be an integer"),
    ],
)
def test_impossible_settings_are_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        InstanceNoise(*arguments)
