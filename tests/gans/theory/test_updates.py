"""The game x·y: what is iterated against what is predicted."""

import numpy as np
import pytest

from nnlite.gans.theory import (
    alternating,
    alternating_invariant,
    bilinear,
    bilinear_eigenvalues,
    bilinear_growth,
    bilinear_orbit,
    extragradient,
    momentum,
    optimistic,
    replay,
    simultaneous,
)

GAME = bilinear()
X, Y = 0.7, -1.1
PLAYED = {
    "simultaneous": lambda h: simultaneous(GAME, h),
    "alternating": lambda h: alternating(GAME, h),
    "extragradient": lambda h: extragradient(GAME, h),
    "optimistic": lambda h: optimistic(GAME, h),
}


def radii(path):
    return (path**2).sum(axis=1)


@pytest.mark.parametrize("method", PLAYED)
@pytest.mark.parametrize("h", [0.1, 0.3, 0.5, 0.6])
def test_the_predicted_orbit_is_the_iterated_one(method, h):
    path = PLAYED[method](h).orbit(X, Y, 60)
    np.testing.assert_allclose(bilinear_orbit(method, h, X, Y, 60), path, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("beta", [-0.5, -0.1, 0.5, 0.9])
def test_the_predicted_orbit_with_momentum_is_the_iterated_one(beta):
    path = momentum(GAME, 0.2, beta).orbit(X, Y, 40)
    predicted = bilinear_orbit("momentum", 0.2, X, Y, 40, beta)
    np.testing.assert_allclose(predicted, path, rtol=1e-9)


@pytest.mark.parametrize("first", ["x", "y"])
@pytest.mark.parametrize("h", [0.4, 1.9, 2.0, 2.1])
def test_alternating_orbits_are_predicted_for_both_orders_and_beyond_their_bound(first, h):
    path = alternating(GAME, h, first=first).orbit(X, Y, 30)
    predicted = bilinear_orbit("alternating", h, X, Y, 30, first=first)
    np.testing.assert_allclose(predicted, path, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("method", PLAYED)
@pytest.mark.parametrize("h", [0.1, 0.3, 0.7])
def test_the_eigenvalues_are_those_of_the_step(method, h):
    of_the_step = np.sort(np.abs(PLAYED[method](h).eigenvalues))
    predicted = np.sort(np.abs(bilinear_eigenvalues(method, h)))
    np.testing.assert_allclose(of_the_step, predicted, atol=1e-12)


@pytest.mark.parametrize("beta", [-0.5, 0.5])
@pytest.mark.parametrize("order", ["simultaneous", "alternating"])
def test_the_eigenvalues_with_momentum_are_those_of_the_step(beta, order):
    method = "momentum" if order == "simultaneous" else "alternating momentum"
    of_the_step = momentum(GAME, 0.3, beta, order=order).eigenvalues
    predicted = bilinear_eigenvalues(method, 0.3, beta)
    np.testing.assert_allclose(np.sort(np.abs(of_the_step)), np.sort(np.abs(predicted)), atol=1e-8)


# ---- what the lecture says of each method ------------------------------------------------------


@pytest.mark.parametrize("h", [0.05, 0.3, 0.9])
def test_simultaneous_steps_grow_and_extragradient_and_proximal_ones_shrink(h):
    assert bilinear_growth("simultaneous", h) == pytest.approx(1 + h**2, rel=1e-12)
    assert bilinear_growth("extragradient", h) == pytest.approx(1 - h**2 + h**4, rel=1e-12)
    assert bilinear_growth("proximal", h) == pytest.approx(1 / (1 + h**2), rel=1e-12)
    per_step = radii(extragradient(GAME, h).orbit(X, Y, 30))
    np.testing.assert_allclose(per_step[1:] / per_step[:-1], 1 - h**2 + h**4, rtol=1e-12)


def test_extragradient_is_best_at_one_over_root_two():
    steps = np.linspace(0.05, 1.0, 191)
    growth = [bilinear_growth("extragradient", h) for h in steps]
    assert steps[np.argmin(growth)] == pytest.approx(1 / np.sqrt(2), abs=0.005)
    assert min(growth) == pytest.approx(0.75, abs=1e-4)


def test_a_proximal_step_solves_for_where_it_ends():
    h, path = 0.4, bilinear_orbit("proximal", 0.4, X, Y, 10)
    (x, y), (x_new, y_new) = path[:-1].T, path[1:].T
    np.testing.assert_allclose(x_new, x - h * y_new, atol=1e-12)
    np.testing.assert_allclose(y_new, y + h * x_new, atol=1e-12)


@pytest.mark.parametrize("h", [0.1, 0.3, 0.45])
def test_optimistic_steps_shrink_as_they_should_up_to_one_half(h):
    expected = (1 + np.sqrt(1 - 4 * h * h)) / 2
    assert bilinear_growth("optimistic", h) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("h", [0.52, 0.57, 0.6])
def test_optimistic_steps_above_one_half(h):
    expected = (1 + (2 * h + np.sqrt(4 * h * h - 1)) ** 2) / 4
    assert bilinear_growth("optimistic", h) == pytest.approx(expected, rel=1e-12)
    assert (bilinear_growth("optimistic", h) < 1) == (h < 1 / np.sqrt(3))


@pytest.mark.parametrize(("first", "sign"), [("x", -1), ("y", 1)])
def test_alternating_steps_conserve_an_ellipse_whose_sign_is_that_of_who_moves_first(first, sign):
    h = 0.2
    x, y = alternating(GAME, h, first=first).orbit(X, Y, 2000).T
    conserved = x**2 + y**2 + sign * h * x * y
    np.testing.assert_allclose(conserved, conserved[0], rtol=1e-11)
    assert np.ptp(x**2 + y**2 - sign * h * x * y) > 0.1  # the other sign is not conserved
    np.testing.assert_allclose(alternating_invariant(x, y, h, first=first), h * conserved)


@pytest.mark.parametrize("first", ["x", "y"])
def test_more_steps_of_the_discriminator_only_change_the_ellipse(first):
    x, y = alternating(GAME, 0.1, 0.15, k=3, first=first).orbit(X, Y, 500).T
    conserved = alternating_invariant(x, y, 0.1, 0.15, k=3, first=first)
    np.testing.assert_allclose(conserved, conserved[0], rtol=1e-11)
    one_long_step = alternating(GAME, 0.1, 0.45, first=first).orbit(X, Y, 500)
    np.testing.assert_allclose(one_long_step, np.stack([x, y], axis=1), atol=1e-11)


def test_alternating_steps_turn_by_an_angle_and_average_out():
    h, T = 0.2, 2000
    path = alternating(GAME, h, first="x").orbit(X, Y, T)
    angle = np.unwrap(np.arctan2(path[:, 1], path[:, 0]))
    assert (angle[-1] - angle[0]) / T == pytest.approx(np.arccos(1 - h * h / 2), rel=2e-3)
    assert np.abs(path.mean(axis=0)).max() * T < 4 / h
    assert alternating(GAME, 1.9).growth == pytest.approx(1, abs=1e-12)
    assert alternating(GAME, 2.1).growth > 1.1


def test_momentum_never_converges_if_both_step_at_once():
    growth = [
        bilinear_growth("momentum", h, beta)
        for beta in np.linspace(-0.95, 0.95, 39)
        for h in (0.01, 0.1, 0.3, 1.0, 2.0)
    ]
    assert min(growth) > 1


def test_negative_momentum_brakes_alternating_steps():
    h = 0.02
    for beta in (-0.8, -0.5, -0.2, 0.3):
        first_order = 2 * beta * h**2 / (1 - beta) ** 3
        growth = bilinear_growth("alternating momentum", h, beta)
        assert (growth - 1) / first_order == pytest.approx(1, rel=0.05)
    path = momentum(GAME, 0.3, -0.5, order="alternating").orbit(X, Y, 300)
    assert radii(path)[-1] < 1e-3 * radii(path)[0]


def test_replay_grows_where_plain_steps_grow_less():
    plain, replayed = simultaneous(GAME, 0.05), replay(GAME, 0.05, 0.5, 0.5)
    assert replayed.growth > plain.growth > 1
    assert radii(replayed.orbit(X, Y, 200))[-1] > radii(plain.orbit(X, Y, 200))[-1]


def test_an_orbit_begins_where_it_is_put():
    for update in (simultaneous(GAME, 0.1), optimistic(GAME, 0.1), replay(GAME, 0.1, 0.5, 1)):
        path = update.orbit(X, Y, 3)
        assert path.shape == (4, 2)
        np.testing.assert_array_equal(path[0], [X, Y])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: simultaneous(GAME, 0), "simultaneous: h must be"),
        (lambda: alternating(GAME, 0.1, -1), "alternating: h_y must be"),
        (lambda: alternating(GAME, 0.1, k=0), "k must be an integer of at least 1; got 0"),
        (lambda: alternating(GAME, 0.1, first="D"), "first must be 'x' or 'y'; got 'D'"),
        (lambda: momentum(GAME, 0.1, 1.0), "beta must be"),
        (lambda: replay(GAME, 0.1, 2.0, 1.0), "share must be"),
        (lambda: bilinear_eigenvalues("adam", 0.1), "method must be .*; got 'adam'"),
        (lambda: bilinear_eigenvalues("optimistic", 0.1, 0.5), "which has none, got 0.5"),
        (lambda: bilinear_orbit("alternating momentum", 0.1, 1, 1, 5, 0.5), "method must be"),
        (lambda: bilinear_orbit("optimistic", 0.1, np.nan, 1, 5), "x must be"),
        (lambda: alternating_invariant(1, 1, 0.1, first="D"), "first must be"),
    ],
)
def test_bad_settings_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
