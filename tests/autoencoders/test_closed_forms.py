"""Optima of linear autoencoders and denoisers, checked by routes that do not use their formulas."""

import itertools

import numpy as np
import pytest

from nnlite.autoencoders import (
    bernoulli_entropy,
    entropy_floor,
    gaussian_denoiser,
    masking_denoiser,
    off_distribution_error,
    optimal_linear_autoencoder,
)


@pytest.fixture
def moments():
    """A small discrete distribution: points with their weights, second moment, mean."""
    rng = np.random.default_rng(0)
    x = np.array([0.5, -1.0, 0.0, 2.0]) + rng.normal(size=(12, 4)) @ rng.normal(size=(4, 4))
    w = rng.random(12)
    w /= w.sum()
    return x, w, (x.T * w) @ x, w @ x


def all_masks(n):
    return np.array(list(itertools.product([0.0, 1.0], repeat=n)))


def expected_masked_risk(A, b, x, w, v):
    """E |x - A (m x) - b|^2 by adding up every mask."""
    total = 0.0
    for m in all_masks(x.shape[1]):
        p = np.prod(np.where(m == 1, 1 - v, v))
        total += p * np.sum(w * ((x - (m * x) @ A.T - b) ** 2).sum(1))
    return total


def best_affine(x, x_tilde, weights, bias):
    """Weighted least squares of x on x_tilde."""
    X = np.hstack([x_tilde, np.ones((len(x_tilde), 1))]) if bias else x_tilde
    s = np.sqrt(weights)[:, None]
    solution = np.linalg.lstsq(s * X, s * x, rcond=None)[0]
    return (solution[:-1].T, solution[-1]) if bias else (solution.T, np.zeros(x.shape[1]))


def test_optimal_linear_autoencoder_leaves_the_dropped_eigenvalues(moments):
    x, w, S, mu = moments
    C = S - np.outer(mu, mu)
    best = optimal_linear_autoencoder(C, 2, mu)
    assert best.risk == pytest.approx(np.linalg.eigvalsh(C)[:2].sum(), rel=1e-12)
    assert w @ ((x - best(x)) ** 2).sum(1) == pytest.approx(best.risk, rel=1e-12)
    np.testing.assert_allclose(best.A @ best.A, best.A, atol=1e-12)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("v", [0.1, 0.5, 0.9])
def test_masking_denoiser_is_the_least_squares_fit_over_all_masks(moments, v, bias):
    x, w, S, mu = moments
    masks = all_masks(4)
    p = np.prod(np.where(masks == 1, 1 - v, v), axis=1)
    A, b = best_affine(
        np.tile(x, (len(masks), 1)),
        np.concatenate([m * x for m in masks]),
        np.concatenate([q * w for q in p]),
        bias,
    )
    best = masking_denoiser(S, v, mu if bias else None)
    np.testing.assert_allclose(best.A, A, atol=1e-9)
    np.testing.assert_allclose(best.b, b, atol=1e-9)
    assert best.risk == pytest.approx(expected_masked_risk(A, b, x, w, v), rel=1e-9)


@pytest.mark.parametrize("bias", [False, True])
def test_gaussian_denoiser_is_ridge_regression_of_the_data_on_itself(moments, bias):
    x, w, S, mu = moments
    sigma = 0.7
    centre = mu if bias else np.zeros(4)
    root = np.sqrt(w)[:, None] * (x - centre)
    # least squares with sigma I stacked below is regression with noise of that variance
    A = np.linalg.lstsq(
        np.vstack([root, sigma * np.eye(4)]), np.vstack([root, np.zeros((4, 4))]), rcond=None
    )[0].T
    best = gaussian_denoiser(S, sigma, mu if bias else None)
    np.testing.assert_allclose(best.A, A, atol=1e-10)
    np.testing.assert_allclose(best.b, centre - A @ centre, atol=1e-10)
    clean = w @ ((x - best(x)) ** 2).sum(1)
    assert best.risk == pytest.approx(clean + sigma**2 * np.sum(A**2), rel=1e-10)


def test_without_noise_the_best_denoiser_changes_nothing(moments):
    _, _, S, _ = moments
    for best in (gaussian_denoiser(S, 0.0), masking_denoiser(S, 0.0)):
        np.testing.assert_allclose(best.A, np.eye(4), atol=1e-8)
        assert best.risk == pytest.approx(0, abs=1e-8)


def test_independent_centred_features_have_nothing_to_learn_from_each_other():
    S = np.diag([1.0, 2.0, 0.5])
    best = masking_denoiser(S, 0.4)
    np.testing.assert_allclose(best.A, np.eye(3), atol=1e-12)
    assert best.risk == pytest.approx(0.4 * np.trace(S))


def test_pixels_that_are_never_lit_stay_dark():
    S = np.diag([1.0, 0.0, 2.0])
    S[0, 2] = S[2, 0] = 0.5
    best = masking_denoiser(S, 0.3)
    assert np.all(best.A[1] == 0)
    assert np.isfinite(best.A).all()


def test_off_distribution_error_is_the_mean_error_on_the_other_sample():
    rng = np.random.default_rng(1)
    x = rng.normal([1, 2, 3], size=(50, 3))
    A, b = rng.normal(size=(3, 3)), rng.normal(size=3)
    measured = ((x - x @ A.T - b) ** 2).sum(1).mean()
    assert off_distribution_error(A, b, x.mean(0), np.cov(x.T, bias=True)) == pytest.approx(
        measured, rel=1e-12
    )


def test_bernoulli_entropy_is_zero_for_certain_bits_and_log_2_for_a_fair_coin():
    np.testing.assert_allclose(bernoulli_entropy([0, 0.5, 1]), [0, np.log(2), 0], atol=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: masking_denoiser(np.eye(2), 1.0),
            "v must be a number of at least 0 and less than 1; got 1.0",
        ),
        (lambda: gaussian_denoiser(np.eye(2), -1), "sigma must be a finite number of at least 0"),
        (lambda: gaussian_denoiser(np.ones((2, 3)), 1), r"square matrix; got shape \(2, 3\)"),
        (lambda: gaussian_denoiser(np.full((2, 2), np.nan), 1), "NaN or infinity"),
        (lambda: gaussian_denoiser([[1, 2], [0, 1]], 1), "symmetric"),
        (lambda: gaussian_denoiser(np.eye(2), 1, mean=[1, 2, 3]), r"shape \(2,\); got \(3,\)"),
        (lambda: optimal_linear_autoencoder(np.eye(2), 3), "n_components must be at most 2"),
        (lambda: optimal_linear_autoencoder(-np.eye(2), 1), "negative variance"),
        (lambda: gaussian_denoiser(np.eye(2), 1, mean=[5, 5]), "not moments of one and the same"),
        (lambda: masking_denoiser(np.eye(2), 0.5, mean=[5, 5]), "not the moments of the same"),
        (lambda: gaussian_denoiser(np.eye(2), 1, mean=[np.nan, 0]), "mean must be finite"),
        (lambda: entropy_floor([0.5, 0.5]), r"one sample per row; got shape \(2,\)"),
        (lambda: entropy_floor(np.zeros((0, 2))), r"one sample per row; got shape \(0, 2\)"),
        (lambda: bernoulli_entropy([0.5, 1.5]), "from 0.5 to 1.5"),
        (
            lambda: off_distribution_error(np.eye(2), [0, 0], [0, 0, 0], np.eye(2)),
            "do not fit a covariance",
        ),
    ],
)
def test_bad_moments_are_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: masking_denoiser(np.eye(2), "0.1"), "v must be a number; got '0.1'"),
        (lambda: gaussian_denoiser(np.eye(2), True), "sigma must be a number; got True"),
        (lambda: optimal_linear_autoencoder(np.eye(2), 1.5), "n_components must be an integer"),
        (lambda: optimal_linear_autoencoder(np.eye(2), True), "n_components must be an integer"),
    ],
)
def test_settings_of_another_kind_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()
