"""The two games: slopes of their losses, eigenvalues of their flow, and where it leads."""

import numpy as np
import pytest

from nnlite.gans.theory import (
    alternating,
    bilinear,
    dirac,
    dirac_eigenvalues,
    dirac_largest_step,
    replay,
    replay_eigenvalues,
    simultaneous,
)

LOSSES = ["minimax", "non-saturating", "wasserstein"]


def expected_losses(loss, theta, psi, r1, noise):
    """The losses of discriminator and generator as averages over 60 nodes of noise."""
    n, w = np.polynomial.hermite_e.hermegauss(60)
    n, w = noise * n, w / w.sum()
    real, fake = psi * n, psi * (theta + n)
    log_sigmoid = lambda a: -np.logaddexp(0, -a)  # noqa: E731
    penalty = r1 / 2 * psi**2
    if loss == "wasserstein":
        return w @ (fake - real) + penalty, -w @ fake
    on_fakes = log_sigmoid(-fake)
    generator = w @ on_fakes if loss == "minimax" else -w @ log_sigmoid(fake)
    return -w @ (log_sigmoid(real) + on_fakes) + penalty, generator


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("r1", "noise"), [(0.0, 0.0), (0.4, 0.0), (0.3, 0.7)])
def test_the_slopes_are_those_of_the_losses(loss, r1, noise):
    game, theta, psi, e = dirac(loss, r1=r1, noise=noise), 0.6, -0.9, 1e-5
    up, down = (expected_losses(loss, theta, psi + s, r1, noise)[0] for s in (e, -e))
    assert game.slope_y(theta, psi) == pytest.approx((up - down) / (2 * e), abs=1e-8)
    up, down = (expected_losses(loss, theta + s, psi, r1, noise)[1] for s in (e, -e))
    assert game.slope_x(theta, psi) == pytest.approx((up - down) / (2 * e), abs=1e-8)


# ---- eigenvalues -------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("r1", "noise", "k"), [(0, 0, 1), (0.3, 0, 1), (2, 0, 1), (0, 0.8, 1), (0.5, 0, 5), (0.2, 1, 3)]
)
def test_the_formula_has_the_eigenvalues_of_the_flow(loss, r1, noise, k):
    measured = dirac(loss, r1=r1, noise=noise).eigenvalues(k)
    formula = dirac_eigenvalues(loss, r1=r1, noise=noise, k=k)
    np.testing.assert_allclose(measured, formula, atol=1e-12)


def test_eigenvalues_of_the_lecture():
    np.testing.assert_allclose(dirac_eigenvalues(), [-0.5j, 0.5j], atol=1e-15)
    np.testing.assert_allclose(dirac_eigenvalues("wasserstein"), [-1j, 1j], atol=1e-15)
    np.testing.assert_allclose(dirac_eigenvalues(r1=1.0), [-0.5, -0.5], atol=1e-15)
    root = np.sqrt(0.25 - 0.0225)
    expected = [-0.15 - 1j * root, -0.15 + 1j * root]
    np.testing.assert_allclose(dirac_eigenvalues(r1=0.3), expected, atol=1e-15)


def test_noise_is_a_penalty_of_half_its_variance_for_a_curved_loss_only():
    np.testing.assert_allclose(
        dirac(noise=0.8).eigenvalues(), dirac(r1=0.32).eigenvalues(), atol=1e-12
    )
    np.testing.assert_allclose(
        dirac("wasserstein", noise=0.8).eigenvalues(), dirac("wasserstein").eigenvalues()
    )


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("rate", [0.05, 0.5, 5.0])
def test_a_replay_buffer_makes_the_circles_grow(share, rate):
    h = 1e-3
    of_the_step = (replay(dirac(), h, share, rate).eigenvalues - 1) / h
    np.testing.assert_allclose(of_the_step, replay_eigenvalues(share, rate), atol=1e-9)
    assert replay_eigenvalues(share, rate).real.max() > 1e-4


def test_without_replay_the_circles_do_not_grow():
    assert replay_eigenvalues(0.0, 0.5).real.max() == pytest.approx(0, abs=1e-12)


# ---- steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("r1", [0.1, 0.7, 1.0, 1.5])
@pytest.mark.parametrize("method", [simultaneous, alternating])
def test_the_largest_step_separates_orbits_that_shrink_from_orbits_that_grow(r1, method):
    limit = dirac_largest_step(r1, method.__name__)
    game = dirac(r1=r1)
    shrinks, grows = method(game, 0.98 * limit), method(game, 1.02 * limit)
    assert shrinks.growth < 1 < grows.growth
    assert np.hypot(*shrinks.orbit(1e-6, 1e-6, 4000)[-1]) < 1e-6


def test_a_simultaneous_step_of_more_than_four_times_the_penalty_leaves_the_equilibrium():
    radius = [
        np.hypot(*simultaneous(dirac(r1=0.1), h).orbit(1e-3, 0.0, 4000)[-1]) for h in (0.39, 0.41)
    ]
    assert radius[0] < 1e-3 < radius[1]


def test_steps_of_the_non_saturating_game_end_on_a_circle():
    h = 0.05
    path = simultaneous(dirac("non-saturating"), h).orbit(0.3, 0.1, 20_000)
    radius = np.sqrt((path[-4000:] ** 2).sum(1).mean())
    assert radius == pytest.approx(np.sqrt(2 * h), rel=0.05)


# ---- the flow ----------------------------------------------------------------------------------


def test_the_minimax_flow_circles_for_ever():
    r2 = (dirac().flow(1.0, 0.6, 0.02, 3000) ** 2).sum(1)
    assert np.ptp(r2) < 1e-8


def test_the_non_saturating_flow_converges_but_only_like_the_root_of_time():
    r2 = (dirac("non-saturating").flow(0.2, 0.1, 0.2, 5000) ** 2).sum(1)
    assert (1 / r2[-1] - 1 / r2[0]) / 1000 == pytest.approx(1 / 8, abs=2e-3)


def test_a_penalty_makes_it_converge_at_its_rate():
    path = dirac(r1=0.3).flow(0.05, 0.0, 0.02, 4000)
    turn = round(2 * np.pi / np.sqrt(0.25 - 0.0225) / 0.02)
    r2 = (path**2).sum(1)
    rate = np.log(r2[1000 + 4 * turn] / r2[1000]) / 2 / (0.02 * 4 * turn)
    assert rate == pytest.approx(-0.15, abs=2e-3)


def test_the_bilinear_flow_is_a_rotation():
    path = bilinear().flow(1.0, 0.0, 0.01, 300)
    expected = np.stack([np.cos(0.01 * np.arange(301)), np.sin(0.01 * np.arange(301))], axis=1)
    np.testing.assert_allclose(path, expected, atol=1e-9)


def test_large_logits_do_not_overflow():
    game = dirac()
    with np.errstate(all="raise", under="ignore"):
        assert game.slope_x(100.0, 100.0) == -100.0
        assert game.slope_y(100.0, 100.0) == 100.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dirac("hinge"), "'minimax', 'non-saturating' or 'wasserstein'; got 'hinge'"),
        (lambda: dirac(r1=-1), "r1 must be"),
        (lambda: dirac(noise=-1), "noise must be"),
        (lambda: dirac_eigenvalues(k=0), "k must be"),
        (lambda: dirac_largest_step(0), "r1 must be"),
        (lambda: dirac_largest_step(1, "both"), "order must be"),
        (lambda: replay_eigenvalues(1.5, 1), "share must be a number from 0 to 1"),
        (lambda: bilinear().flow(0, 0, 0, 5), "dt must be"),
        (lambda: bilinear().flow(np.inf, 0, 1, 5), "x must be"),
    ],
)
def test_bad_settings_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
