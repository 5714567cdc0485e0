"""Samplers with known faults, and what mode_coverage says of them."""

import numpy as np
import pytest

from nnlite.datasets import GaussianMixture, grid_mixture, ring_mixture
from nnlite.gans.metrics import mode_coverage

RING = ring_mixture()
SIGMA = 0.01


def scattered(centres, labels, sigma=SIGMA, seed=0):
    noise = np.random.default_rng(seed).normal(size=(len(labels), 2))
    return np.asarray(centres)[labels] + sigma * noise


def test_a_perfect_sampler_scores_what_it_should():
    report = mode_coverage(RING.sample(20_000, rng=0), RING.means, SIGMA)
    assert report.modes.value == 8
    for part in (report.quality, report.reverse_kl, report.forward_kl):
        assert abs(part.z) < 4
    assert report.quality.perfect == pytest.approx(1 - np.exp(-4.5))


def test_counts_agree_with_a_count_one_by_one():
    mixture = grid_mixture(3, spacing=1.0, sigma=0.1)
    x = mixture.sample(120, rng=0) + np.random.default_rng(1).normal(scale=0.1, size=(120, 2))
    histogram, good, found = np.zeros(9, int), 0, set()
    for point in x:
        distances = [np.hypot(*(point - c)) for c in mixture.means]
        k = int(np.argmin(distances))
        histogram[k] += 1
        if distances[k] < 2 * 0.1:
            good += 1
            found.add(k)
    report = mode_coverage(x, mixture.means, 0.1, within=2)
    np.testing.assert_array_equal(report.histogram, histogram)
    assert report.quality.value == good / 120
    assert report.modes.value == len(found)


@pytest.mark.parametrize("ratio", [0.8, 1.5])
def test_modes_of_another_width_have_the_share_of_their_width(ratio):
    n = 50_000
    x = scattered(RING.means, np.arange(n) % 8, ratio * SIGMA)
    expected = 1 - np.exp(-4.5 / ratio**2)
    error = np.sqrt(expected * (1 - expected) / n)
    report = mode_coverage(x, RING.means, SIGMA)
    assert abs(report.quality.value - expected) < 4 * error
    assert np.sign(report.quality.z) == np.sign(1 - ratio)  # too narrow is above the ceiling
    assert abs(report.quality.z) > 4


def test_six_of_eight_modes_cost_the_logarithm_of_the_ratio():
    report = mode_coverage(scattered(RING.means, np.arange(6000) % 6), RING.means, SIGMA)
    assert report.modes.value == 6
    assert report.reverse_kl.value == pytest.approx(np.log(8 / 6), abs=1e-12)
    assert report.forward_kl.value == np.inf
    assert report.forward_kl.z == np.inf


def test_modes_of_unequal_weight_are_right_for_data_of_those_weights():
    weights = np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05])
    mixture = GaussianMixture(weights, RING.means, SIGMA**2)
    x = mixture.sample(20_000, rng=3)
    report = mode_coverage(x, RING.means, SIGMA, weights=weights)
    assert abs(report.reverse_kl.z) < 4
    assert mode_coverage(x, RING.means, SIGMA).reverse_kl.z > 100  # equal weights are refuted


def test_the_two_divergences_are_those_of_the_histogram():
    counts = np.array([50, 30, 10, 10])
    x = scattered(RING.means[::2], np.repeat(np.arange(4), counts))
    report = mode_coverage(x, RING.means[::2], SIGMA)
    p = counts / 100
    assert report.reverse_kl.value == pytest.approx((p * np.log(4 * p)).sum(), rel=1e-12)
    assert report.forward_kl.value == pytest.approx(-np.log(4 * p).mean(), rel=1e-12)


def test_a_ring_whose_first_mode_is_drawn_twice_is_found_out():
    """Angles of linspace(0, 2 pi, 8): seven modes, of which one only is in its place."""
    angle = np.linspace(0, 2 * np.pi, 8)
    wrong = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = scattered(wrong, np.random.default_rng(0).integers(8, size=20_000))
    report = mode_coverage(x, RING.means, SIGMA)
    assert report.modes.value == 1
    share = (1 - np.exp(-4.5)) / 4
    assert abs(report.quality.value - share) < 4 * np.sqrt(share * (1 - share) / 20_000)


def test_a_generator_far_from_everything_has_no_mode_and_no_quality():
    report = mode_coverage(np.full((100, 2), 50.0), RING.means, SIGMA)
    assert report.modes.value == report.quality.value == 0
    assert report.reverse_kl.value == pytest.approx(np.log(8))


def test_large_coordinates_do_not_blur_small_modes():
    shift = np.array([1e5, -1e5])
    x = RING.sample(2000, rng=0)
    near, far = (mode_coverage(x + s, RING.means + s, SIGMA) for s in (0 * shift, shift))
    np.testing.assert_array_equal(near.histogram, far.histogram)
    assert near.quality.value == far.quality.value


def test_the_report_shows_each_number_beside_that_of_a_perfect_sampler():
    text = str(mode_coverage(RING.sample(2500, rng=0), RING.means, SIGMA))
    assert text.count("a perfect sampler") == 4
    assert "high-quality share" in text
    assert "0.9889" in text
    assert "n = 2,500" in text


X = RING.sample(100, rng=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mode_coverage(X[:39], RING.means, SIGMA), "at least 40 samples, got 39"),
        (lambda: mode_coverage(np.zeros((0, 2)), RING.means, SIGMA), "samples is empty"),
        (lambda: mode_coverage(X[:, :1], RING.means, SIGMA), r"in the plane .* got shape \(100, 1"),
        (lambda: mode_coverage(X, np.eye(3), SIGMA), "use frechet_distance or mmd"),
        (lambda: mode_coverage(X, RING.means, 0.2), "two at a distance of 0.7654"),
        (lambda: mode_coverage(X, RING.means, 0.0), "sigma must be a finite number greater than 0"),
        (lambda: mode_coverage(X, RING.means, SIGMA, within=-1), "within must be"),
        (lambda: mode_coverage(X * np.nan, RING.means, SIGMA), "NaN or infinity"),
        (lambda: mode_coverage(X, RING.means[:1], SIGMA), "centres must hold at least 2"),
        (lambda: mode_coverage(X, RING.means, SIGMA, weights=np.ones(8)), "sum to 1"),
        (lambda: mode_coverage(X, RING.means, SIGMA, weights=[0.5, 0.5]), "8 positive numbers"),
        (
            lambda: mode_coverage(X, RING.means, SIGMA, weights=[0.93, *[0.01] * 7]),
            "at least 500 samples",
        ),
    ],
)
def test_what_has_no_ceiling_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_wrong_kind_of_argument_is_refused():
    with pytest.raises(TypeError, match=r"sigma must be a number; got '0\.01'"):
        mode_coverage(X, RING.means, "0.01")
