"""Objectives: losses, gradients and equilibria are the closed forms of lectures 09 and 11."""

import math

import numpy as np
import pytest

from nnlite import Tensor, grad
from nnlite.gans import Hinge, Labels, LeastSquares, Minimax, NonSaturating, Wasserstein

# quantiles of N(0, 1) at 20,000 midpoints: means over them are integrals, to 1e-4
SPREAD = 20_000


@pytest.fixture(scope="module")
def z():
    special = pytest.importorskip("scipy.special")
    return special.ndtri((np.arange(SPREAD) + 0.5) / SPREAD)


def logits(*values):
    return Tensor(np.array(values, float)[:, None], requires_grad=True)


def binary_entropy(m):
    return -m * math.log(m) - (1 - m) * math.log(1 - m)


@pytest.mark.parametrize(
    ("objective", "d", "g"),
    [
        (Minimax(), math.log(4), -math.log(2)),
        (NonSaturating(), math.log(4), math.log(2)),
        (NonSaturating(Labels(real=0.9)), 2 * binary_entropy(0.45), -math.log(0.45)),
        (NonSaturating(Labels(0.9, 0.1)), math.log(4), math.log(2)),
        (Minimax(Labels(real=0.9)), 2 * binary_entropy(0.45), math.log(0.55)),
        (LeastSquares(), 1 / 4, 1 / 8),
        (Hinge(), 2.0, 0.0),
        (Wasserstein(), 0.0, 0.0),
    ],
)
def test_equilibrium_is_what_the_best_constant_logit_pays(objective, d, g):
    assert objective.equilibrium == pytest.approx((d, g), abs=1e-12)
    # at p = q a logit cannot depend on the sample: search all constants
    grid = [logits(a) for a in np.linspace(-3, 3, 1201)]
    paid = np.array([objective.discriminator_loss(a, a).item() for a in grid])
    assert paid.min() == pytest.approx(d, abs=1e-5)
    best = np.flatnonzero(paid < paid.min() + 1e-12)  # an interval for hinge and Wasserstein
    middle = grid[(best[0] + best[-1]) // 2]
    assert objective.generator_loss(middle).item() == pytest.approx(g, abs=3e-3)


def test_one_sided_smoothing_has_the_tabulated_equilibrium():
    found = NonSaturating(Labels(real=0.9)).equilibrium
    assert found == pytest.approx((1.37628, 0.79851), abs=5e-6)


@pytest.mark.parametrize(
    ("objective", "floor"),
    [
        (NonSaturating(), 0.0),
        (NonSaturating(Labels(real=0.9)), binary_entropy(0.9)),
        (LeastSquares(), 0.0),
        (LeastSquares(Labels((0.7, 1.2), (0.0, 0.3))), (0.5**2 + 0.3**2) / 24),
        (Hinge(), 0.0),
    ],
)
def test_floor_is_the_least_that_a_discriminator_pays_when_the_laws_are_apart(objective, floor):
    assert objective.floor == pytest.approx(floor, abs=1e-12)
    grid, rng = np.linspace(-8, 8, 161), np.random.default_rng(0)
    n = 4000  # only random labels need many
    paid = [
        objective.discriminator_loss(logits(*[a] * n), logits(*[b] * n), rng).item()
        for a in grid[grid >= 0]
        for b in (0.0, 0.15, -8.0)
    ]
    assert min(paid) == pytest.approx(floor, abs=2e-3)


def test_a_wasserstein_critic_pays_less_without_end():
    assert Wasserstein().floor == -math.inf
    assert Wasserstein().discriminator_loss(logits(1e6), logits(-1e6)).item() == -2e6


@pytest.mark.parametrize(
    ("labels", "at_heavy"),
    [(Labels(), 0.75), (Labels(real=0.9), 0.675), (Labels(0.9, 0.1), 0.7)],
)
@pytest.mark.parametrize("kind", [Minimax, NonSaturating])
def test_the_best_logit_is_that_of_the_weighted_shares(kind, labels, at_heavy):
    """Two points, with shares 3/4 and 1/4 of the real samples and the reverse of the fakes."""
    alpha, beta = labels.means
    at_light = (alpha * 0.25 + beta * 0.75) if labels != Labels() else 0.25
    best = [math.log(D / (1 - D)) for D in (at_heavy, at_light)]

    def slope(values):
        a = logits(*values)
        loss = kind(labels).discriminator_loss(a[[0, 0, 0, 1]], a[[0, 1, 1, 1]])
        return grad(loss, a)

    np.testing.assert_allclose(slope(best), 0, atol=1e-12)
    assert np.abs(slope(best[::-1])).min() > 0.01  # real and fake taken for each other


def test_logit_gradients_are_minus_d_and_minus_one_minus_d_and_add_up_to_minus_one():
    a = np.array([-30.0, -2.0, 0.0, 0.5, 9.0])
    D = 1 / (1 + np.exp(-a))
    slopes = []
    for objective in (Minimax(), NonSaturating()):
        x = logits(*a)
        slopes.append(len(a) * grad(objective.generator_loss(x), x)[:, 0])
    np.testing.assert_allclose(slopes[0], -D, rtol=1e-12)
    np.testing.assert_allclose(slopes[1], -1 / (1 + np.exp(a)), rtol=1e-12)
    np.testing.assert_allclose(slopes[0] + slopes[1], -1, rtol=1e-14)


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating()])
def test_single_precision_logits_of_any_size_have_finite_losses_and_gradients(objective):
    a = Tensor(np.array([[-200.0], [-90.0], [17.0], [200.0]], np.float32), requires_grad=True)
    for loss in (objective.discriminator_loss(a, -a), objective.generator_loss(a)):
        slope = grad(loss, a, retain_graph=True)
        assert loss.dtype == slope.dtype == np.float32
        assert np.isfinite(loss.item())
        assert np.isfinite(slope).all()
    # through the probability, the same loss has neither
    with np.errstate(divide="ignore", over="ignore"):
        assert np.isinf(np.log1p(-1 / (1 + np.exp(-a.data[2:])))).all()


@pytest.mark.parametrize(
    ("d", "value", "h"), [(1, -1.1634513968, 0.3979728672), (2, -0.7126327204, 0.2247997546)]
)
def test_at_the_best_discriminator_losses_and_gradients_are_those_of_lecture_09(z, d, value, h):
    """N(0, 1) against N(d, 1), whose best logit is d^2/2 - d x; the generator is theta + z."""

    def D(x):
        return d**2 / 2 - d * x

    real, fake = (Tensor(D(x)[:, None]) for x in (z, d + z))
    assert Minimax().discriminator_loss(real, fake).item() == pytest.approx(-value, abs=1e-4)
    for objective, expected in ((Minimax(), d * h), (NonSaturating(), d * (1 - h))):
        theta = Tensor(np.array(float(d)), requires_grad=True)
        slope = grad(objective.generator_loss(D(theta + z[:, None])), theta)
        assert slope == pytest.approx(expected, abs=2e-3 * expected)


def test_hinge_does_not_ask_for_more_than_its_margin():
    real, fake = logits(1.5, 0.5), logits(-2.0, 0.25)
    assert Hinge().discriminator_loss(real, fake).item() == pytest.approx(0.25 + 0.625)
    slopes = grad(Hinge().discriminator_loss(real, fake), [real, fake])
    np.testing.assert_array_equal(np.ravel(slopes), [0, -0.5, 0, 0.5])


def test_random_labels_change_the_loss_by_their_means_only():
    """Cross-entropy is affine in the target."""
    labels, rng = Labels((0.7, 1.2), (0.0, 0.3), flip=0.1), np.random.default_rng(0)
    n, alpha, beta = 200_000, *labels.means
    real, fake = logits(*[0.8] * n), logits(*[-0.4] * n)
    drawn = Minimax(labels).discriminator_loss(real, fake, rng).item()
    fixed = Minimax(Labels(alpha, beta)).discriminator_loss(real, fake).item()
    stderr = math.sqrt((labels.variances[0] * 0.8**2 + labels.variances[1] * 0.4**2) / n)
    assert abs(drawn - fixed) < 4 * stderr
    hard = Minimax().discriminator_loss(real, fake).item()
    assert abs(drawn - hard) > 40 * stderr


def test_labels_that_are_no_labels_are_refused():
    with pytest.raises(TypeError, match=r"write Hinge|write Minimax\(Labels\(real=0.9\)\)"):
        Minimax(0.9)
    with pytest.raises(TypeError, match=r"LeastSquares: aim"):
        LeastSquares(aim="1")
