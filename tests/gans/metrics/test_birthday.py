"""Pairs of near-duplicates, counted one by one and known in advance."""

import numpy as np
import pytest

from nnlite.datasets import ring_mixture
from nnlite.gans.metrics import birthday_test


def test_pairs_are_counted_one_by_one():
    x = np.random.default_rng(0).normal(size=(30, 2))
    close = [np.linalg.norm(a - b) <= 0.3 for i, a in enumerate(x) for b in x[:i]]
    assert birthday_test(x, x, 0.3).rate.value == pytest.approx(np.mean(close), rel=1e-12)


def test_the_effective_support_is_one_over_the_sum_of_squares():
    rng = np.random.default_rng(1)
    p = 1 / np.arange(1, 101) ** 0.8
    p /= p.sum()
    x, y = (rng.choice(100, p=p, size=(4000, 1)) for _ in range(2))
    test = birthday_test(x, y, 0)
    assert abs(1 / test.support - (p**2).sum()) < 4 * test.rate.spread
    assert test.support < 60  # not the hundred things that occur
    assert abs(test.rate.z) < 4


def test_near_duplicates_of_a_mixture_have_their_rate():
    ring = ring_mixture(sigma=0.05)
    x, y = ring.sample(3000, rng=0), ring.sample(3000, rng=1)
    exact = (1 - np.exp(-(0.06**2) / (4 * 0.05**2))) / 8
    test = birthday_test(x, y, 0.06)
    assert abs(test.rate.value - exact) < 4 * test.rate.spread / np.sqrt(2)
    assert abs(8 * exact / 7 - exact) > 5 * test.rate.spread  # seven modes are another number


def test_a_memory_of_twenty_points_has_a_support_of_twenty():
    rng = np.random.default_rng(2)
    real = rng.normal(size=(1500, 2))
    fake = real[rng.integers(20, size=1500)]
    test = birthday_test(fake, real, 0.05)
    assert test.support == pytest.approx(20, rel=0.1)
    assert test.support_of_the_data > 1000
    assert test.rate.z > 8


def test_equal_samples_are_equal_whatever_their_rounding():
    rows = np.random.default_rng(3).normal(size=(40, 50)) + 3
    test = birthday_test(np.repeat(rows, 2, axis=0), np.repeat(rows, 3, axis=0), 0)
    assert test.rate.value == pytest.approx(40 / (80 * 79 / 2), rel=1e-12)
    assert test.rate.perfect == pytest.approx(40 * 3 / (120 * 119 / 2), rel=1e-12)


def test_a_sampler_that_never_repeats_has_infinite_support():
    real = np.repeat(np.arange(10.0), 2)[:, None]
    test = birthday_test(np.arange(10.0)[:, None], real, 0)
    assert test.support == np.inf
    assert test.support_of_the_data == pytest.approx(19)
    assert "inf" in str(test)
    assert "a perfect sampler" in str(test)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: birthday_test(np.arange(9.0)[:, None], np.arange(9.0)[:, None], 0.5),
            "no such pair among 9; take a larger radius",
        ),
        (lambda: birthday_test(np.ones((3, 1)), np.ones((9, 1)), 1), "at least 4 samples"),
        (lambda: birthday_test(np.ones((9, 1)), np.ones((9, 2)), 1), "the same features"),
        (lambda: birthday_test(np.ones((9, 1)), np.ones((9, 1)), -1), "radius must be"),
    ],
)
def test_bad_input_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
