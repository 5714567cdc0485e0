"""MMD against sums pair by pair, and against its exact value between Gaussians."""

from itertools import permutations

import numpy as np
import pytest

from nnlite.gans.metrics import mmd, mmd_of_gaussians


def k(a, b, ell):
    return np.exp(-((a - b) ** 2).sum() / (2 * ell**2))


def test_it_is_the_sum_over_distinct_pairs():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(7, 3)) + 1
    xx = [k(a, b, 0.9) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
    yy = [k(a, b, 0.9) for i, a in enumerate(y) for j, b in enumerate(y) if i != j]
    xy = [k(a, b, 0.9) for a in x for b in y]
    expected = np.mean(xx) + np.mean(yy) - 2 * np.mean(xy)
    assert mmd(x, y, 0.9).value == pytest.approx(expected, rel=1e-12)


def test_the_spread_is_an_average_over_four_distinct_samples():
    y = np.random.default_rng(1).normal(size=(6, 2))
    K = np.array([[k(a, b, 0.7) for b in y] for a in y])
    square = np.mean([K[i, j] ** 2 for i, j in permutations(range(6), 2)])
    chain = np.mean([K[i, j] * K[i, p] for i, j, p in permutations(range(6), 3)])
    mean = np.mean([K[i, j] * K[p, q] for i, j, p, q in permutations(range(6), 4)])
    kappa = square - 2 * chain + mean
    expected = np.sqrt(max(kappa, 0) * (2 / (9 * 8) + 2 / (6 * 5) + 4 / (9 * 6)))
    assert mmd(np.zeros((9, 2)), y, 0.7).spread == pytest.approx(expected, rel=1e-10)
    assert expected > 0


def test_between_gaussians_its_mean_is_the_exact_value():
    rng = np.random.default_rng(2)
    shift = np.array([0.5, 0.5])
    values = [
        mmd(rng.normal(size=(40, 2)), 0.7 * rng.normal(size=(60, 2)) + shift, 0.8).value
        for _ in range(1500)
    ]
    exact = mmd_of_gaussians(shift, 1.0, 0.7, 0.8)
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - exact) < 4 * error
    # a variance taken for a standard deviation is refuted by the same numbers
    assert abs(np.mean(values) - mmd_of_gaussians(shift, 1.0, 0.7**2, 0.8)) > 8 * error


def test_the_exact_value_is_an_integral():
    """Of |p - q| in the norm of the kernel, on a grid in one dimension."""
    x = np.linspace(-9, 9, 721)
    p = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    q = np.exp(-((x - 0.6) ** 2) / (2 * 0.8**2)) / np.sqrt(2 * np.pi) / 0.8
    K = np.exp(-((x[:, None] - x) ** 2) / (2 * 0.5**2))
    integral = (p - q) @ K @ (p - q) * (x[1] - x[0]) ** 2
    assert mmd_of_gaussians(0.6, 1.0, 0.8, 0.5) == pytest.approx(integral, rel=1e-10)


def test_a_distance_beside_d_is_a_vector_of_that_length():
    by_vector = mmd_of_gaussians([3.0, 4.0], 1.0, 0.7, 2.0)
    assert mmd_of_gaussians(5.0, 1.0, 0.7, 2.0, d=2) == pytest.approx(by_vector, rel=1e-12)
    assert by_vector != pytest.approx(mmd_of_gaussians(5.0, 1.0, 0.7, 2.0), rel=1e-3)


def test_equal_laws_have_more_negative_values_than_positive_ones():
    rng = np.random.default_rng(3)
    values = [
        mmd(rng.normal(size=(40, 2)), rng.normal(size=(60, 2)), 0.8).value for _ in range(400)
    ]
    assert np.mean(np.array(values) < 0) > 0.5


def test_it_sees_what_means_and_covariances_do_not():
    rng = np.random.default_rng(4)
    real, fresh = rng.normal(size=(2, 500, 1))
    assert abs(mmd(fresh, real).z) < 4
    assert mmd(np.sign(fresh), real).z > 20


def test_the_scale_is_the_median_distance_unless_named():
    y = np.array([[0.0], [1.0], [3.0], [7.0]])  # distances 1, 2, 3, 4, 6, 7
    assert "scale 3.5" in mmd(y, y).name
    assert "scale 2" in mmd(y, y, 2).name


def test_blocks_of_distances_do_not_change_the_value(monkeypatch):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(50, 2))
    whole = mmd(x, y, 1.0)
    monkeypatch.setattr("nnlite.gans.metrics._samples._ENTRIES", 70)
    parts = mmd(x, y, 1.0)
    assert parts.value == pytest.approx(whole.value, abs=1e-14)
    assert parts.spread == pytest.approx(whole.spread, rel=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mmd(np.ones((3, 1)), np.ones((9, 1))), "at least 4 samples, got 3"),
        (lambda: mmd(np.ones((9, 2)), np.ones((9, 1))), "the same features"),
        (lambda: mmd(np.ones((9, 1)), np.ones((9, 1))), "different samples"),
        (lambda: mmd(np.ones((9, 1)), np.ones((9, 1)), 0), "scale must be"),
        (lambda: mmd_of_gaussians([0, 0], 1, 1, 1, d=2), "a number beside d"),
        (lambda: mmd_of_gaussians([np.nan], 1, 1, 1), "finite vector"),
        (lambda: mmd_of_gaussians(0, -1, 1, 1), "sigma1 must be"),
    ],
)
def test_bad_input_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
