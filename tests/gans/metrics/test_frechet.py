"""The Fréchet distance by routes that do not use its formula, and samplers it must tell apart."""

import numpy as np
import pytest

from nnlite.gans.metrics import frechet_distance, frechet_distance_of_gaussians


@pytest.fixture
def gaussians():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(2, 4, 4))
    return rng.normal(size=4), A @ A.T + 0.1 * np.eye(4), rng.normal(size=4), B @ B.T


def test_in_one_dimension_it_is_the_cost_of_matching_quantiles():
    z, w = np.polynomial.hermite_e.hermegauss(20)
    cost = w @ ((0.3 + 1.4 * z) - (-0.2 + 0.6 * z)) ** 2 / w.sum()
    distance = frechet_distance_of_gaussians([0.3], [[1.4**2]], [-0.2], [[0.6**2]])
    assert distance == pytest.approx(cost, rel=1e-12)


def test_it_is_the_cost_of_the_optimal_map(gaussians):
    mu1, S1, mu2, S2 = gaussians
    w, U = np.linalg.eigh(S1)
    R, R_inv = (U * np.sqrt(w)) @ U.T, (U / np.sqrt(w)) @ U.T
    v, V = np.linalg.eigh(R @ S2 @ R)
    T = R_inv @ (V * np.sqrt(v.clip(0))) @ V.T @ R_inv
    np.testing.assert_allclose(T @ S1 @ T.T, S2, atol=1e-10)
    left = np.eye(4) - T
    cost = ((mu1 - mu2) ** 2).sum() + np.trace(left @ S1 @ left.T)
    assert frechet_distance_of_gaussians(*gaussians) == pytest.approx(cost, rel=1e-10)


def test_no_other_coupling_is_cheaper(gaussians):
    mu1, S1, mu2, S2 = gaussians
    rng, best = np.random.default_rng(1), frechet_distance_of_gaussians(*gaussians)
    L1, L2 = np.linalg.cholesky(S1), np.linalg.cholesky(S2)
    costs = [
        ((mu1 - mu2) ** 2).sum() + np.trace(S1 + S2 - 2 * L1 @ Q @ L2.T)
        for Q in (np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(500))
    ]
    assert best < min(costs)
    assert min(costs) < 3 * best  # not far away either


def test_it_is_a_distance(gaussians):
    mu1, S1, mu2, S2 = gaussians
    assert frechet_distance_of_gaussians(mu1, S1, mu1, S1) == pytest.approx(0, abs=1e-12)
    back = frechet_distance_of_gaussians(mu2, S2, mu1, S1)
    assert back == pytest.approx(frechet_distance_of_gaussians(*gaussians), rel=1e-12)


def test_singular_covariances_are_no_trouble():
    flat = np.diag([4.0, 0.0])
    assert frechet_distance_of_gaussians([0, 0], flat, [0, 0], np.eye(2)) == pytest.approx(2.0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 300, 3))
    x[:, 2] = y[:, 2] = 7.0  # as the dark border of digits
    with_constant, without = frechet_distance(x, y), frechet_distance(x[:, :2], y[:, :2])
    assert with_constant.value == pytest.approx(without.value, abs=1e-6)
    assert with_constant.perfect == pytest.approx(without.perfect, rel=1e-12)


def test_the_floor_of_round_gaussians_is_a_quarter_of_d_times_d_plus_5():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 4000, 5))
    expected = 5 * 10 / 4 * (2 / 4000)
    assert frechet_distance(x, y).perfect == pytest.approx(expected, rel=0.03)


def test_in_one_dimension_value_floor_and_spread_are_those_of_a_mean_and_a_standard_deviation():
    """(x̄ - ȳ)² + (s - t)², with x̄ - ȳ and s - t nearly normal and independent."""
    rng = np.random.default_rng(5)
    m, n = 30, 50
    x, y = rng.normal(size=(m, 1)), rng.normal(size=(n, 1))
    y = (y - y.mean()) / y.std(ddof=1)
    distance = frechet_distance(x, y)
    of_means, of_deviations = 1 / m + 1 / n, (1 / (m - 1) + 1 / (n - 1)) / 2  # their variances
    assert distance.value == pytest.approx(x.mean() ** 2 + (x.std(ddof=1) - 1) ** 2, rel=1e-9)
    assert distance.perfect == pytest.approx(of_means + of_deviations, rel=1e-12)
    expected = np.sqrt(2 * of_means**2 + 2 * of_deviations**2)  # a squared normal varies by 2 v²
    assert distance.spread == pytest.approx(expected, rel=1e-12)


def test_a_shift_a_stretch_and_a_turn_stand_out_and_copies_do_not():
    rng = np.random.default_rng(3)
    real, fresh = rng.normal(size=(2, 1000, 2)) * [1.0, 0.5]
    assert abs(frechet_distance(fresh, real).z) < 4
    for fault in (fresh + np.array([0.2, 0]), fresh * 1.2, fresh[:, ::-1]):
        assert frechet_distance(fault, real).z > 8
    assert frechet_distance(real[rng.integers(1000, size=1000)], real).z < 4


def test_the_mean_alone_is_not_enough():
    rng = np.random.default_rng(4)
    real, fresh = rng.normal(size=(2, 2000, 1))
    signs = np.sign(fresh)  # same mean and variance, another law altogether
    assert abs(frechet_distance(signs, real).z) < 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: frechet_distance(np.ones((4, 5)), np.ones((9, 5))),
            "generated must hold at least 6 samples, got 4; with as few as the 5 features",
        ),
        (lambda: frechet_distance(np.ones((9, 5)), np.ones((4, 5))), "real must hold at least 6"),
        (lambda: frechet_distance(np.ones((9, 2)), np.ones((9, 3))), "the same features"),
        (lambda: frechet_distance(np.ones(9), np.ones((9, 3))), "two axes"),
        (lambda: frechet_distance(np.ones((9, 28, 28)), np.ones((9, 3))), "Flatten images"),
        (lambda: frechet_distance(np.full((9, 1), np.inf), np.ones((9, 1))), "NaN or infinity"),
        (lambda: frechet_distance_of_gaussians([0], np.eye(2), [0, 0], np.eye(2)), r"got \(1,\)"),
        (lambda: frechet_distance_of_gaussians([0], [1.0], [0], [[1.0]]), "square matrix"),
        (lambda: frechet_distance_of_gaussians([0], [[-1.0]], [0], [[1.0]]), "eigenvalue -1"),
        (
            lambda: frechet_distance_of_gaussians([0, 0], [[1, 1], [0, 1]], [0, 0], np.eye(2)),
            "symmetric",
        ),
        (lambda: frechet_distance_of_gaussians([0], [[np.nan]], [0], [[1.0]]), "finite"),
    ],
)
def test_bad_input_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
