"""The best discriminator, its value and the divergences, by routes that do not use the formulas."""

from math import erf

import numpy as np
import pytest

from nnlite.datasets import GaussianMixture, ring_mixture
from nnlite.gans.theory import TwoDensities, best_response_between_gaussians
from nnlite.likelihood import Gaussian


def shifted(d, lower=-20.0, upper=24.0):
    return TwoDensities.on_a_line(Gaussian(0, 1).log_prob, Gaussian(d, 1).log_prob, lower, upper)


def uniform(a, b):
    return lambda x: np.where((x > a) & (x < b), -np.log(b - a), -np.inf)


# ---- the values --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("d", "value", "jsd", "overlap"),
    [
        (0, -1.3862943611, 0, 0.5),
        (1, -1.1634513968, 0.1114214822, 0.3979728672),
        (2, -0.7126327204, 0.3368308203, 0.2247997546),
        (4, -0.1208539736, 0.6327201937, 0.0342987044),
    ],
)
def test_the_table_of_shifted_gaussians(d, value, jsd, overlap):
    pair = shifted(d)
    measured = [pair.value(), pair.jsd, pair.overlap]
    np.testing.assert_allclose(measured, [value, jsd, overlap], atol=2e-10)


@pytest.mark.parametrize("d", [0.3, 1.0, 2.5])
def test_the_divergence_of_shifted_gaussians_is_one_hermite_sum(d):
    """log 2 - E softplus(dZ - d²/2): the logit has a Gaussian law itself."""
    z, w = np.polynomial.hermite_e.hermegauss(150)
    exact = np.log(2) - w @ np.logaddexp(0, d * z - d * d / 2) / w.sum()
    assert shifted(d).jsd == pytest.approx(exact, abs=1e-10)


def test_the_value_of_the_best_discriminator_is_the_divergence():
    pair = TwoDensities.on_a_line(
        Gaussian(0, 1).log_prob, Gaussian(1, 0.5).log_prob, -15, 15, n=20_001
    )
    assert pair.value() == pytest.approx(-np.log(4) + 2 * pair.jsd, abs=1e-12)
    assert pair.value(np.zeros(20_001)) == pytest.approx(-np.log(4), abs=1e-12)


def test_divergences_between_gaussians_are_the_textbooks():
    pair = TwoDensities.on_a_line(Gaussian(0, 1).log_prob, Gaussian(1, 2).log_prob, -40, 40)
    assert pair.kl == pytest.approx(np.log(2) + (1 + 1) / 8 - 0.5, abs=1e-10)
    assert pair.reverse_kl == pytest.approx(-np.log(2) + (4 + 1) / 2 - 0.5, abs=1e-10)
    assert shifted(2).total_variation == pytest.approx(erf(1 / np.sqrt(2)), abs=1e-6)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_disjoint_laws_are_as_far_apart_as_can_be():
    grid = {"lower": -3.0, "upper": 3.0, "n": 6001}
    pair = TwoDensities.on_a_line(uniform(-1.9995, -0.9995), uniform(0.0005, 2.0005), **grid)
    assert pair.jsd == pytest.approx(np.log(2), abs=1e-9)
    assert pair.value() == pytest.approx(0, abs=1e-9)
    assert pair.total_variation == pytest.approx(1, abs=1e-9)
    assert pair.overlap == 0
    assert pair.kl == pair.reverse_kl == np.inf
    assert np.isfinite(pair.optimal_discriminator()).all()


def test_far_apart_the_discriminator_is_still_exact():
    pair = shifted(60, -20, 80)
    D = pair.optimal_discriminator()
    assert np.isfinite(D).all()
    at_midpoint = int(np.argmin(np.abs(pair.x - 30)))
    assert D[at_midpoint] == pytest.approx(0.5)
    assert pair.optimal_logit[0] == pytest.approx(-(400 - 6400) / 2)


# ---- the best discriminator --------------------------------------------------------------------


@pytest.mark.parametrize(("real", "fake"), [(1, 0), (0.9, 0), (0.9, 0.1), (0.95, 0.15)])
def test_no_other_discriminator_has_a_smaller_cross_entropy_anywhere(real, fake):
    pair = TwoDensities.on_a_line(Gaussian(0, 1).log_prob, Gaussian(1, 1.3).log_prob, -25, 25)
    at = slice(3000, 5000, 50)
    p, q = np.exp(pair.log_p[at]), np.exp(pair.log_q[at])

    def loss(D):
        on_real = real * np.log(D) + (1 - real) * np.log1p(-D)
        return -p * on_real - q * (fake * np.log(D) + (1 - fake) * np.log1p(-D))

    low, high = np.full(len(p), 1e-12), np.full(len(p), 1 - 1e-12)
    for _ in range(120):  # ternary search, point by point
        a, b = low + (high - low) / 3, high - (high - low) / 3
        left = loss(a) < loss(b)
        high, low = np.where(left, b, high), np.where(left, low, a)
    np.testing.assert_allclose(pair.optimal_discriminator(real, fake)[at], low, atol=1e-6)


def test_its_logit_is_linear_for_equal_variances_and_quadratic_otherwise():
    pair = shifted(2)
    np.testing.assert_allclose(pair.optimal_logit, 2 - 2 * pair.x, atol=1e-9)
    wide = TwoDensities.on_a_line(Gaussian(0, 1).log_prob, Gaussian(1, 2).log_prob, -40, 40)
    assert np.polyfit(wide.x, wide.optimal_logit, 2)[0] == pytest.approx((1 / 4 - 1) / 2)


@pytest.mark.parametrize("error", [lambda x: 0.3 + 0 * x, lambda x: np.sin(x), lambda x: -x])
def test_the_gap_is_what_a_discriminator_falls_short_of_the_best(error):
    pair = shifted(1)
    logit = pair.optimal_logit + error(pair.x)
    gap = pair.gap(logit)
    assert gap == pytest.approx(pair.value() - pair.value(logit), abs=1e-12)
    assert gap > 1e-3
    D, best = 1 / (1 + np.exp(-logit)), pair.optimal_discriminator()
    inside = np.abs(pair.x) < 12  # elsewhere the probabilities round to 0 and 1, not the logits
    m, best, D = (np.exp(pair.log_p) + np.exp(pair.log_q))[inside] / 2, best[inside], D[inside]
    kl = best * np.log(best / D) + (1 - best) * np.log((1 - best) / (1 - D))
    assert gap == pytest.approx(2 * (m @ kl) * pair.cell, abs=1e-9)


def test_the_gap_does_not_see_errors_where_there_are_no_data():
    pair = shifted(1)
    assert pair.gap(pair.optimal_logit + 5 * (pair.x > 15)) < 1e-12
    assert pair.gap(pair.optimal_logit) == 0


def test_the_generators_gradients_are_the_overlap():
    """Half the derivative of 2 JSD in the distance, by differences."""
    slope = (shifted(2 + 1e-4).jsd - shifted(2 - 1e-4).jsd) / 1e-4
    assert slope == pytest.approx(2 * shifted(2).overlap, abs=1e-6)


# ---- the best response -------------------------------------------------------------------------


@pytest.mark.parametrize("saturating", [False, True])
def test_a_generator_trained_on_a_frozen_discriminator_collapses_on_its_best_response(saturating):
    mu, sigma, s = np.array([1.0, 0.5]), 0.3, 1.0
    target = best_response_between_gaussians(mu, sigma, [0, 0], s)
    z = np.random.default_rng(0).normal(size=(256, 2))
    W, b = np.eye(2), np.zeros(2)
    for _ in range(1500):
        x = z @ W.T + b
        logit = 2 * np.log(s / sigma) - ((x - mu) ** 2).sum(1) / (2 * sigma**2)
        logit += (x**2).sum(1) / (2 * s**2)
        falls = 1 / (1 + np.exp(-logit if saturating else logit))  # of the loss with the logit
        slope = falls[:, None] * (-(x - mu) / sigma**2 + x / s**2)
        W, b = W + 0.05 * slope.T @ z / len(z), b + 0.05 * slope.mean(0)
    np.testing.assert_allclose(b, target, atol=1e-3)
    assert np.abs(W).max() < 1e-3
    assert np.linalg.norm(b - mu) > 0.1  # it is not the centre of the data


def test_the_best_response_is_the_highest_point_of_the_grid():
    real = GaussianMixture([1.0], [[1.0, 0.5]], 0.3**2)
    fake = GaussianMixture([1.0], [[-0.2, 0.1]], 1.0)
    pair = TwoDensities.on_a_plane(real.log_density, fake.log_density, -9, 9, n=361)
    exact = best_response_between_gaussians([1.0, 0.5], 0.3, [-0.2, 0.1], 1.0)
    np.testing.assert_allclose(pair.best_response(), exact, atol=0.026)
    peak = -((pair.x - [0.4, -0.3]) ** 2).sum(1)
    np.testing.assert_allclose(pair.best_response(peak), [0.4, -0.3], atol=1e-9)


def test_the_heaviest_mode_of_a_ring_takes_everything_and_is_overshot():
    weights = np.full(8, 0.11)
    weights[3] = 0.23
    ring = GaussianMixture(weights, ring_mixture().means, 0.1**2)
    fake = GaussianMixture([1.0], [[0.0, 0.0]], 1.0)
    pair = TwoDensities.on_a_plane(ring.log_density, fake.log_density, -7, 7, n=421)
    np.testing.assert_allclose(pair.best_response(), ring.means[3] / (1 - 0.01), atol=0.018)


def test_a_plane_can_have_two_different_axes():
    law = GaussianMixture([1.0], [[1.0, 20.0]], 1.0)
    pair = TwoDensities.on_a_plane(law.log_density, law.log_density, (-9, 10), (11, 30))
    assert pair.jsd == pytest.approx(0, abs=1e-12)
    assert pair.cell == pytest.approx((20 / 200) ** 2)


# ---- what is refused ---------------------------------------------------------------------------

NORMAL = Gaussian(0, 1).log_prob


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TwoDensities.on_a_line(NORMAL, NORMAL, -1, 1), "integral over the grid is 1, got"),
        (
            lambda: TwoDensities.on_a_line(lambda x: NORMAL(x) + 0.1, NORMAL, -9, 9),
            "or normalise it",
        ),
        (lambda: TwoDensities.on_a_line(NORMAL, NORMAL, 9, -9), "upper must be"),
        (lambda: TwoDensities.on_a_line(NORMAL, NORMAL, -9, 9, n=1), "n must be"),
        (lambda: TwoDensities.on_a_line(lambda x: x[:3], NORMAL, -9, 9), "one value for each"),
        (lambda: TwoDensities.on_a_line(lambda x: x * np.nan, NORMAL, -9, 9), "NaN"),
        (lambda: TwoDensities.on_a_plane(NORMAL, NORMAL, [1, 2, 3], 9), "one for each axis"),
        (lambda: shifted(1).value(np.zeros(3)), r"shape \(8001,\).* got shape \(3,\)"),
        (lambda: shifted(1).gap(np.full(8001, np.nan)), "8001 NaN"),
        (lambda: shifted(1).best_response(), "rises for ever"),
        (lambda: best_response_between_gaussians(0, 1.0, 1, 1.0), "s must be larger than sigma"),
        (lambda: best_response_between_gaussians(0, 1.0, 1, 0.5), "runs off to infinity"),
    ],
)
def test_bad_input_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_law_that_is_no_function_is_refused():
    with pytest.raises(TypeError, match="function of points, got Gaussian; pass the method"):
        TwoDensities.on_a_line(Gaussian(0, 1), NORMAL, -9, 9)
