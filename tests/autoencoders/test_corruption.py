"""Masking and Gaussian noise do what their names say."""

import numpy as np
import pytest

from nnlite.autoencoders import GaussianNoise, Masking


def test_masking_zeroes_a_share_v_of_the_entries_and_leaves_the_others():
    x = np.ones((200, 100), np.float32)
    y = Masking(0.3)(x, np.random.default_rng(0))
    assert set(np.unique(y)) == {0.0, 1.0}
    # 20,000 independent entries: standard error sqrt(.3 * .7 / 20000) = 0.0032; four are allowed
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.013)
    assert y.dtype == x.dtype
    assert (x == 1).all()


def test_masking_with_probability_0_and_1_is_nothing_and_everything():
    x = np.random.default_rng(0).random((5, 4))
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(Masking(0.0)(x, rng), x)
    np.testing.assert_array_equal(Masking(1.0, fill=0.5)(x, rng), np.full_like(x, 0.5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gaussian_noise_has_the_stated_deviation_and_keeps_the_dtype(dtype):
    x = np.zeros((200, 100), dtype)
    y = GaussianNoise(0.5)(x, np.random.default_rng(0))
    assert y.dtype == dtype
    # the standard error of a deviation from n values is sigma / sqrt(2 n) = 0.0025
    assert y.std() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Masking(1.2), ValueError, "v must be a number from 0 to 1; got 1.2"),
        (lambda: Masking(-0.1), ValueError, "from 0 to 1"),
        (lambda: Masking(float("nan")), ValueError, "from 0 to 1"),
        (lambda: Masking("0.3"), TypeError, "v must be a number; got '0.3'"),
        (lambda: Masking(0.1, fill=float("nan")), ValueError, "fill must be a finite number"),
        (lambda: GaussianNoise("loud"), TypeError, "sigma must be a number; got 'loud'"),
        (lambda: GaussianNoise(-1), ValueError, "at least 0; got -1"),
        (lambda: GaussianNoise(float("inf")), ValueError, "at least 0; got inf"),
    ],
)
def test_impossible_noise_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_whole_numbers_become_floats_so_that_fill_and_noise_are_not_truncated():
    x = np.ones((50, 4), int)
    assert set(np.unique(Masking(0.5, fill=0.5)(x, 0))) == {0.5, 1.0}
    assert (GaussianNoise(0.1)(x, 0) != 1).all()


def test_a_seed_serves_as_well_as_a_generator():
    x = [[1.0, 2.0], [3.0, 4.0]]
    for corrupt in (Masking(0.5), GaussianNoise(1.0)):
        np.testing.assert_array_equal(corrupt(x, 3), corrupt(np.array(x), np.random.default_rng(3)))
