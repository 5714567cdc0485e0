"""Penalties: exact on linear critics, differentiable twice on others."""

import numpy as np
import pytest

import nnlite
from nnlite import gradcheck, nn
from nnlite.gans import R1, R2, GradientPenalty, Pack, Wasserstein, clip_weights_, slopes


def batches(shape=(6, 3), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), 2 + rng.normal(size=shape)


def linear(w):
    w = nnlite.Tensor(np.array(w), requires_grad=True)
    return w, lambda x: x @ w[:, None]


def smooth():
    with nnlite.default_dtype("float64"):
        return nn.Sequential(nn.Linear(3, 5, rng=0), nn.Tanh(), nn.Linear(5, 1, rng=1))


@pytest.mark.parametrize("penalty", [R1(0.6), R2(0.6)])
def test_a_linear_critic_pays_half_gamma_times_its_squared_slope(penalty):
    w, D = linear([3.0, -4.0, 0.0])
    value = penalty(D, *batches())
    assert value.item() == pytest.approx(0.3 * 25)
    np.testing.assert_allclose(nnlite.grad(value, w), 0.6 * w.data)


def test_r1_looks_at_real_samples_and_r2_at_fakes():
    real, fake = batches()

    def D(x):
        return (x**2).sum(axis=1, keepdims=True)  # slope 2 x

    assert R1(1.0)(D, real, fake).item() == pytest.approx(2 * (real**2).sum(1).mean())
    assert R2(1.0)(D, real, fake).item() == pytest.approx(2 * (fake**2).sum(1).mean())


@pytest.mark.parametrize("penalty", [R1(0.7), R2(0.7), GradientPenalty(0.7)])
def test_the_gradient_of_a_penalty_agrees_with_differences(penalty):
    D, (real, fake) = smooth(), batches()

    def paid(W):
        return penalty(lambda x: np.tanh(x @ W) @ D[2].weight.T, real, fake, 0)

    assert gradcheck(paid, D[0].weight.data.T.copy()).passed


def test_slopes_are_those_of_each_sample_alone():
    D, x = smooth(), batches()[0]
    alone = [nnlite.jacobian(lambda row: D(row[None])[0, 0], row) for row in x]
    np.testing.assert_allclose(slopes(D, x).data, alone, rtol=1e-12)


def test_the_slope_of_a_pack_is_one_vector():
    _, D = linear([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    pack = Pack(2)
    found = slopes(lambda x: D(pack(x)), batches()[0]).data
    np.testing.assert_array_equal(found, np.tile(np.arange(1.0, 7.0), (3, 1)))


def test_a_gradient_penalty_looks_at_a_place_of_its_own_between_each_pair():
    real, fake = batches((50, 3))
    seen = []

    def D(x):
        seen.append(x.data)
        return x.sum(axis=1, keepdims=True)

    GradientPenalty()(D, real, fake, 0)
    shares = (seen[0] - fake) / (real - fake)  # (50, 3), one share a row
    np.testing.assert_allclose(shares, shares[:, :1] * np.ones(3), rtol=1e-9)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert shares[:, 0].std() == pytest.approx(np.sqrt(1 / 12), rel=0.2)  # 0 for one a batch


@pytest.mark.parametrize("delta", [0.7, 1.5])
def test_a_linear_critic_with_gradient_penalty_reports_the_shift_and_its_bias(delta):
    """The best slope is 1 + delta / 2 lambda, the reported distance delta + delta^2 / 2 lambda."""
    lam, fake = 10.0, np.zeros((4, 1))
    real = fake + delta

    def loss(slope):
        w, D = linear([slope])
        critic = Wasserstein().discriminator_loss(D(real), D(fake))
        return critic, nnlite.grad(critic + GradientPenalty(lam)(D, real, fake, 0), w).item()

    critic, slope = loss(1 + delta / (2 * lam))
    assert slope == pytest.approx(0, abs=1e-12)
    assert -critic.item() == pytest.approx(delta + delta**2 / (2 * lam))
    assert loss(1.0)[1] == pytest.approx(-delta)  # a slope of 1 is not where training ends


def test_a_flat_critic_has_a_finite_gradient():
    w, D = linear([0.0, 0.0, 0.0])
    value = GradientPenalty(2.0)(D, *batches(), 0)
    assert value.item() == pytest.approx(2.0)
    np.testing.assert_array_equal(nnlite.grad(value, w), 0)


def test_clipped_weights_keep_within_the_bound_and_others_stay():
    D = smooth()
    D[0].weight.data[...] = np.linspace(-1, 1, 15).reshape(5, 3)
    before = D[0].weight.data.copy()
    clip_weights_(D.parameters(), 0.3)
    np.testing.assert_array_equal(D[0].weight.data, np.clip(before, -0.3, 0.3))


def test_clipping_is_an_edit_that_an_older_graph_notices_even_of_one_weight():
    D = nn.Linear(20, 20)
    D.weight.data[...] = 0.01
    D.weight.data[1, 1] = 1.0
    loss = D(np.tanh(nnlite.Tensor(np.ones((4, 20), np.float32), requires_grad=True))).sum()
    clip_weights_(D.parameters(), 0.5)
    with pytest.raises(RuntimeError, match="edited after the operation"):
        loss.backward()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: R1(-1), r"R1: gamma must be a finite number of at least 0"),
        (lambda: R2("1"), r"R2: gamma must be a number"),
        (lambda: GradientPenalty(np.nan), r"GradientPenalty: lam"),
        (lambda: clip_weights_([], 0), r"clip_weights_: c must be a finite number greater than 0"),
        (
            lambda: GradientPenalty()(smooth(), np.zeros((4, 3)), np.zeros((5, 3))),
            r"must come in pairs, got shapes \(4, 3\) and \(5, 3\)",
        ),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
