"""nnlite.datasets.points: each cloud obeys the law in its docstring."""

import numpy as np
import pytest

from nnlite import datasets, random

GENERATORS = [
    datasets.gaussian_cloud,
    datasets.ring_of_gaussians,
    datasets.grid_of_gaussians,
    datasets.parabola,
    datasets.circle,
    datasets.swiss_roll,
    datasets.two_moons,
]


@pytest.mark.parametrize("make", GENERATORS)
def test_same_seed_same_points(make):
    x = make(50, rng=4)
    assert x.shape[0] == 50
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x, make(50, rng=4))
    np.testing.assert_array_equal(x, make(50, rng=np.random.default_rng(4)))
    random.seed(4)
    np.testing.assert_array_equal(x, make(50))
    random.seed()
    assert not np.array_equal(x, make(50, rng=5))


@pytest.mark.parametrize("make", GENERATORS)
def test_wrong_number_of_points_is_refused(make):
    with pytest.raises(ValueError, match="n must be an integer of at least"):
        make(-1)
    with pytest.raises(TypeError, match="n must be an integer"):
        make(2.5)


def test_latent_comes_on_request():
    for make in GENERATORS[1:]:
        x, latent = make(20, rng=0, return_latent=True)
        np.testing.assert_array_equal(x, make(20, rng=0))
        assert len(latent) == 20


def test_exact_cloud_has_exactly_the_mean_and_covariance_asked_for():
    C = [[1.0, 0.4, 0.0], [0.4, 2.0, -0.3], [0.0, -0.3, 0.5]]
    x = datasets.gaussian_cloud(40, mean=[1, 2, 3], covariance=C, exact=True, rng=0)
    np.testing.assert_allclose(x.mean(0), [1, 2, 3], atol=1e-14)
    np.testing.assert_allclose(np.cov(x.T, bias=True), C, atol=1e-14)


def test_cloud_from_a_spectrum_may_be_degenerate():
    x = datasets.gaussian_cloud(100, covariance=[4.0, 1.0, 0.0], exact=True, rng=0)
    np.testing.assert_allclose(np.cov(x.T, bias=True), np.diag([4.0, 1.0, 0.0]), atol=1e-14)


def test_random_cloud_has_the_covariance_within_sampling_error():
    n = 20_000
    x = datasets.gaussian_cloud(n, mean=5.0, covariance=[3.0, 0.5], rng=1)
    assert (np.abs(x.mean(0) - 5) < 4 * np.sqrt(np.array([3.0, 0.5]) / n)).all()
    assert (np.abs(x.var(0) / [3.0, 0.5] - 1) < 4 * np.sqrt(2 / n)).all()


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"covariance": np.ones((2, 3))}, r"\(2, 3\)"),
        ({"covariance": [[1.0, 2.0], [2.0, 1.0]]}, "negative eigenvalue"),
        ({"covariance": [[1.0, 1.0], [0.0, 1.0]]}, "symmetric"),
        ({"mean": [0.0, 0.0, 0.0]}, r"\(2,\)"),
        ({"n": 2, "exact": True}, "more points than dimensions"),
    ],
)
def test_impossible_clouds_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        datasets.gaussian_cloud(**kwargs)


def test_parabola_grid_leaves_pca_the_known_error():
    n = 16
    x, t = datasets.parabola(n, grid=True, return_latent=True)
    np.testing.assert_array_equal(x[:, 1], t**2)
    error = np.linalg.eigvalsh(np.cov(x.T, bias=True))[0]
    # Midpoint sums of t^2 and t^4 in closed form.
    assert error == pytest.approx(4 / 45 - 4 / (9 * n**2) + 16 / (45 * n**4), abs=1e-15)


def test_ring_and_grid_samples_lie_on_their_modes():
    for make, mixture in (
        (datasets.ring_of_gaussians, datasets.ring_mixture()),
        (datasets.grid_of_gaussians, datasets.grid_mixture()),
    ):
        x, k = make(2000, rng=0, return_latent=True)
        nearest = np.linalg.norm(x[:, None] - mixture.means, axis=-1).argmin(1)
        np.testing.assert_array_equal(nearest, k)
        assert set(k) == set(range(len(mixture.means)))


def test_share_within_three_sigma_is_the_known_ceiling():
    n, sigma = 20_000, 0.01
    x, k = datasets.ring_of_gaussians(n, sigma=sigma, rng=0, return_latent=True)
    inside = np.linalg.norm(x - datasets.ring_mixture().means[k], axis=1) < 3 * sigma
    p = 1 - np.exp(-4.5)
    assert abs(inside.mean() - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_swiss_roll_unrolls_to_its_latent_rectangle():
    x, latent = datasets.swiss_roll(500, rng=0, return_latent=True)
    t, h = latent.T
    np.testing.assert_allclose(np.hypot(x[:, 0], x[:, 2]), t)
    np.testing.assert_array_equal(x[:, 1], h)
    assert 1.5 * np.pi <= t.min()
    assert t.max() <= 4.5 * np.pi
    assert h.min() >= 0
    assert h.max() <= 21


def test_circle_and_moons_without_noise_are_arcs_of_radius_one():
    np.testing.assert_allclose(np.linalg.norm(datasets.circle(30, rng=0), axis=1), 1)
    x, moon = datasets.two_moons(101, noise=0, rng=0, return_latent=True)
    centre = np.array([[0.0, 0.0], [1.0, 0.5]])[moon]
    np.testing.assert_allclose(np.linalg.norm(x - centre, axis=1), 1)
    assert np.bincount(moon).tolist() == [51, 50]


def test_noise_has_the_standard_deviation_asked_for():
    clean, noisy = (datasets.parabola(20_000, grid=True, noise=s, rng=0) for s in (0.0, 0.3))
    sd = (noisy - clean).std()
    assert abs(sd / 0.3 - 1) < 4 / np.sqrt(2 * 40_000)
    with pytest.raises(ValueError, match="noise"):
        datasets.parabola(10, noise=-1)
