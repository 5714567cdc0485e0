"""nnlite.datasets.mixtures: density, score, Hessian and denoiser against independent routes."""

import numpy as np
import pytest

from nnlite.datasets import GaussianMixture, grid_mixture, ring_mixture, three_blobs


def plane(half, n):
    """Points of a square grid and the area of a cell."""
    t = np.linspace(-half, half, n)
    return np.stack(np.meshgrid(t, t, indexing="ij"), -1).reshape(-1, 2), (t[1] - t[0]) ** 2


def test_density_integrates_to_one():
    x, cell = plane(6.0, 601)
    # The trapezoidal rule on a smooth, decaying function converges faster than any power.
    assert three_blobs().density(x).sum() * cell == pytest.approx(1, abs=1e-9)


def test_one_component_is_the_textbook_gaussian():
    C = np.array([[2.0, 0.3], [0.3, 0.5]])
    one = GaussianMixture([1.0], [[1.0, -1.0]], C)
    x = np.array([[0.2, 0.4], [3.0, 1.0]])
    d = x - [1.0, -1.0]
    expected = -0.5 * np.sum(d @ np.linalg.inv(C) * d, 1) - np.log(2 * np.pi)
    expected -= 0.5 * np.log(np.linalg.det(C))
    np.testing.assert_allclose(one.log_density(x), expected, rtol=1e-13)
    np.testing.assert_allclose(one.score(x), -d @ np.linalg.inv(C), rtol=1e-13)
    np.testing.assert_allclose(
        one.hessian(x), np.broadcast_to(-np.linalg.inv(C), (2, 2, 2)), atol=1e-12
    )


def test_score_and_hessian_are_derivatives_of_the_log_density():
    mixture = three_blobs().with_noise(0.4)
    x = mixture.sample(50, rng=0)
    h = 1e-5
    for axis, e in enumerate(np.eye(2)):
        slope = (mixture.log_density(x + h * e) - mixture.log_density(x - h * e)) / (2 * h)
        np.testing.assert_allclose(mixture.score(x)[:, axis], slope, atol=1e-8)
        bend = (mixture.score(x + h * e) - mixture.score(x - h * e)) / (2 * h)
        np.testing.assert_allclose(mixture.hessian(x)[:, axis], bend, atol=1e-7)


def test_denoiser_is_the_posterior_mean():
    mixture, sigma = three_blobs(), 0.5
    x, _ = plane(6.0, 401)
    prior = mixture.density(x)
    noisy = mixture.sample(10, rng=1) + sigma * np.random.default_rng(2).standard_normal((10, 2))
    weight = prior * np.exp(-((noisy[:, None] - x) ** 2).sum(-1) / (2 * sigma**2))
    mean = weight @ x / weight.sum(1, keepdims=True)  # Bayes by summation over the plane
    np.testing.assert_allclose(mixture.denoise(noisy, sigma), mean, atol=1e-9)


def test_samples_have_the_moments_and_shares_of_the_mixture():
    mixture, n = three_blobs(), 40_000
    x, k = mixture.sample(n, rng=3, return_labels=True)
    share = np.bincount(k) / n
    np.testing.assert_allclose(
        share, mixture.weights, atol=4 * np.sqrt(0.25 / n)
    )  # 4 standard errors of a share
    for j in range(3):
        own = x[k == j]
        se = np.sqrt(np.diag(mixture.covariances[j]) / len(own))
        assert (np.abs(own.mean(0) - mixture.means[j]) < 4 * se).all()
        np.testing.assert_allclose(
            np.cov(own.T), mixture.covariances[j], atol=4 * np.sqrt(2 / len(own)) * 0.36
        )  # sd of a sample variance: variance * sqrt(2/n), largest variance 0.36


def test_far_from_every_mode_nothing_underflows():
    ring = ring_mixture()
    x = np.array([[50.0, 0.0], [0.0, -30.0]])
    assert np.isfinite(ring.log_density(x)).all()
    np.testing.assert_allclose(ring.score(x)[0], [-(50 - 1) / 0.01**2, 0], rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(ring.responsibilities(x).sum(-1), 1)


def test_shapes_follow_the_points():
    m = three_blobs()
    x = np.zeros((4, 5, 2))
    assert m.log_density(x).shape == (4, 5)
    assert m.score(x).shape == (4, 5, 2)
    assert m.hessian(x).shape == (4, 5, 2, 2)
    assert m.responsibilities(x).shape == (4, 5, 3)
    assert m.log_density([0.0, 0.0]).shape == ()


def test_ring_has_as_many_distinct_modes_as_asked():
    ring = ring_mixture(8, radius=2.0, sigma=0.1)
    distance = np.linalg.norm(ring.means[:, None] - ring.means, axis=-1) + 10 * np.eye(8)
    np.testing.assert_allclose(distance.min(1), 2 * 2.0 * np.sin(np.pi / 8))
    np.testing.assert_allclose(np.linalg.norm(ring.means, axis=1), 2.0)
    np.testing.assert_allclose(ring.covariances, np.broadcast_to(0.01 * np.eye(2), (8, 2, 2)))


def test_grid_is_the_grid_of_pacgan():
    grid = grid_mixture()
    assert sorted(set(grid.means.ravel())) == [-4, -2, 0, 2, 4]
    assert len(grid.means) == 25


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (([0.5, 0.6], np.zeros((2, 2)), 1.0), "sum to 1"),
        (([0.5, 0.5], np.zeros((3, 2)), 1.0), r"\(2,\) and \(3, 2\)"),
        (([1.0], np.zeros((1, 2)), -1.0), "positive definite"),
        (([1.0], np.zeros((1, 2)), np.ones((3, 3))), r"\(3, 3\)"),
        (([1.0], np.zeros((1, 2)), [[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
        (([1.0], [[np.nan, 0.0]], 1.0), "finite"),
    ],
)
def test_impossible_mixtures_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(*args)


def test_bad_points_and_noise_are_refused():
    m = three_blobs()
    with pytest.raises(ValueError, match=r"\(\.\.\., 2\); got \(4, 3\)"):
        m.score(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="NaN"):
        m.log_density([np.nan, 0.0])
    with pytest.raises(ValueError, match="sigma"):
        m.with_noise(-0.1)
    with pytest.raises(ValueError, match=r"so far away \(up to 1e\+200\)"):
        m.score([1e200, 0.0])
