"""The two steps of Algorithm 1: each moves its own player, bit for bit, and nothing else."""

import numpy as np
import pytest

import nnlite
from nnlite import nn, optim
from nnlite.gans import (
    R1,
    GradientPenalty,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Wasserstein,
    discriminator_step,
    generate,
    generator_step,
)


def networks():
    G = nn.Sequential(nn.Linear(3, 8, rng=0), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2, rng=1))
    D = nn.Sequential(
        nn.Linear(2, 8, rng=2), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1, rng=3)
    )
    return G, D


def bits(arrays):
    return [a.tobytes() for a in arrays]


def parameters(module):
    return bits(p.data for p in module.parameters())


def gradients(module):
    return [None if p.grad is None else p.grad.tobytes() for p in module.parameters()]


def buffers(module):
    return bits(b for _, b in module.named_buffers())


def noise(seed=0, n=16):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)).astype("f"), rng.normal(size=(n, 3)).astype("f")


OBJECTIVES = [Minimax(), NonSaturating(), LeastSquares(), Hinge(), Wasserstein()]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
def test_a_step_of_one_player_leaves_the_other_bit_identical(objective, kind):
    (G, D), (x, z) = networks(), noise()
    of_d, of_g = kind(D.parameters(), lr=0.1), kind(G.parameters(), lr=0.1)
    for _ in range(3):
        before = parameters(G), gradients(G)
        own = parameters(D)
        discriminator_step(D, of_d, x, generate(G, z), objective, penalties=[R1(0.1)])
        assert (parameters(G), gradients(G)) == before
        assert parameters(D) != own

        before = parameters(D), gradients(D)
        own = parameters(G)
        generator_step(G, D, of_g, z, objective)
        assert (parameters(D), gradients(D)) == before
        assert parameters(G) != own


def test_that_holds_even_with_one_optimizer_for_both_where_the_usual_loop_moves_both():
    (G, D), (x, z) = networks(), noise()
    of_both = optim.SGD([*G.parameters(), *D.parameters()], lr=0.1, momentum=0.9)
    frozen = parameters(G)
    discriminator_step(D, of_both, x, generate(G, z), NonSaturating())
    assert parameters(G) == frozen
    frozen = parameters(D)
    generator_step(G, D, of_both, z, NonSaturating())
    assert parameters(D) == frozen

    of_both.zero_grad()
    NonSaturating().generator_loss(D(G(z))).backward()  # the usual loop
    of_both.step()
    assert parameters(D) != frozen


def test_running_statistics_move_whenever_a_network_in_training_mode_is_used():
    (G, D), (x, z) = networks(), noise()
    of_d, of_g = optim.SGD(D.parameters(), lr=0.1), optim.SGD(G.parameters(), lr=0.1)
    of_generator, of_discriminator = buffers(G), buffers(D)
    fake = generate(G, z)
    assert buffers(G) != of_generator, "making fakes uses the generator"
    of_generator = buffers(G)
    discriminator_step(D, of_d, x, fake, NonSaturating())
    assert buffers(G) == of_generator, "the step itself does not"
    assert buffers(D) != of_discriminator
    of_discriminator = buffers(D)
    generator_step(G, D, of_g, z, NonSaturating())
    assert buffers(D) != of_discriminator, "judging fakes uses the discriminator"

    G.eval()
    D.eval()
    of_generator, of_discriminator = buffers(G), buffers(D)
    discriminator_step(D, of_d, x, generate(G, z), NonSaturating())
    generator_step(G, D, of_g, z, NonSaturating())
    assert (buffers(G), buffers(D)) == (of_generator, of_discriminator)


def test_a_spectrally_normalised_discriminator_is_a_player_like_others():
    (G, _), (x, z) = networks(), noise()
    D = nn.Sequential(nn.utils.spectral_norm(nn.Linear(2, 8), rng=0), nn.ReLU(), nn.Linear(8, 1))
    of_d, of_g = optim.SGD(D.parameters(), lr=0.1), optim.SGD(G.parameters(), lr=0.1)
    own, of_g_before = parameters(D), parameters(G)
    discriminator_step(D, of_d, x, generate(G, z), Hinge(), penalties=[R1(0.1)])
    assert parameters(D) != own
    assert parameters(G) == of_g_before
    own, vectors = parameters(D), buffers(D)
    generator_step(G, D, of_g, z, Hinge())
    assert parameters(D) == own
    assert buffers(D) != vectors, "the power iteration goes on at every use"


def test_fakes_with_a_graph_pass_no_gradient_to_the_generator():
    (G, D), (x, z) = networks(), noise()
    fake = G(z)
    assert fake.requires_grad
    discriminator_step(D, optim.SGD(D.parameters(), lr=0.1), x, fake, NonSaturating())
    assert gradients(G) == [None] * len(gradients(G))


def test_real_samples_in_double_precision_are_computed_with_in_that_of_the_networks():
    x, z = noise()
    steps = []
    for real in (x, x.astype(np.float64), x.tolist()):
        G, D = networks()
        of_d = optim.SGD(D.parameters(), lr=0.1)
        penalties = [R1(0.1), GradientPenalty()]
        fake = generate(G, z)
        steps.append(discriminator_step(D, of_d, real, fake, Hinge(), penalties=penalties, rng=0))
    assert steps[0] == pytest.approx(steps[1], rel=1e-6)
    assert steps[0] == pytest.approx(steps[2], rel=1e-6)


def test_layers_that_were_frozen_stay_so_and_others_can_be_trained_again():
    (G, D), (x, z) = networks(), noise()
    D[0].requires_grad_(False)
    asked = [p.requires_grad for p in D.parameters()]
    of_g = optim.SGD(G.parameters(), lr=0.1)
    generator_step(G, D, of_g, z, NonSaturating())
    assert [p.requires_grad for p in D.parameters()] == asked
    with pytest.raises(ValueError, match="shape"):
        generator_step(G, D, of_g, z[:, :2], NonSaturating())
    assert [p.requires_grad for p in D.parameters()] == asked
    first = D[0].weight.data.copy()
    discriminator_step(D, optim.SGD(D.parameters(), lr=0.1), x, generate(G, z), NonSaturating())
    np.testing.assert_array_equal(D[0].weight.data, first)


def test_one_step_of_gradient_descent_is_the_published_one():
    """Linear players on single numbers, where the gradients of Algorithm 1 are one line each."""
    with nnlite.default_dtype("float64"):
        G, D = nn.Linear(1, 1), nn.Linear(1, 1)
    (g, b), (w, c) = (1.5, -0.2), (0.7, 0.1)
    for layer, slope, offset in ((G, g, b), (D, w, c)):
        layer.weight.data[...], layer.bias.data[...] = slope, offset
    rng, lr = np.random.default_rng(0), 0.3
    x, z = rng.normal(size=(9, 1)), rng.normal(size=(9, 1))

    def sigma(a):
        return 1 / (1 + np.exp(-a))

    fake = g * z + b
    of_x, of_fake = 1 - sigma(w * x + c), sigma(w * fake + c)
    ascent = (of_x * x).mean() - (of_fake * fake).mean(), of_x.mean() - of_fake.mean()
    step = discriminator_step(
        D, optim.SGD(D.parameters(), lr=lr), x, generate(G, z), Minimax(), rng=0
    )
    w, c = w + lr * ascent[0], c + lr * ascent[1]
    np.testing.assert_allclose([D.weight.item(), D.bias.item()], [w, c], rtol=1e-12)
    assert step.loss == pytest.approx(-(np.log(1 - of_x) + np.log(1 - of_fake)).mean())
    assert step.norm == pytest.approx(np.hypot(*ascent))

    descent = sigma(w * fake + c) * w  # of -log(1 - D), with respect to the fakes
    step = generator_step(G, D, optim.SGD(G.parameters(), lr=lr), z, Minimax())
    moved = [g + lr * (descent * z).mean(), b + lr * descent.mean()]
    np.testing.assert_allclose([G.weight.item(), G.bias.item()], moved, rtol=1e-12)
    assert step.norm == pytest.approx(np.hypot((descent * z).mean(), descent.mean()))


def test_the_reported_loss_is_without_penalties_and_the_step_with_them():
    x, z = noise()
    losses, weights = [], []
    for penalties in ((), [R1(50.0)]):
        G, D = networks()
        of_d = optim.SGD(D.parameters(), lr=0.1)
        losses.append(discriminator_step(D, of_d, x, generate(G, z), Hinge(), penalties=penalties))
        weights.append(parameters(D))
    assert losses[0].loss == losses[1].loss
    assert losses[0].norm < losses[1].norm
    assert weights[0] != weights[1]


def test_clipping_bounds_the_weights_after_the_step():
    (G, D), (x, z) = networks(), noise()
    of_d = optim.RMSprop(D.parameters(), lr=0.5)
    discriminator_step(D, of_d, x, generate(G, z), Wasserstein(), clip=0.01)
    largest = [np.abs(p.data).max() for p in D.parameters()]
    assert max(largest) == np.float32(0.01)


def broken(value):
    """A penalty whose value, or whose gradient, is not finite."""
    return lambda D, real, fake, rng: D(real).sum() * 0.0 + value


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_moves_nothing(value):
    (G, D), (x, z) = networks(), noise()
    of_d = optim.Adam(D.parameters())
    before = parameters(D)
    with pytest.raises(FloatingPointError, match=rf"loss of the discriminator .* got {value}\."):
        discriminator_step(D, of_d, x, generate(G, z), Hinge(), penalties=[broken(value)])
    assert parameters(D) == before
    assert not of_d.state

    G[3].bias.data[...] = value
    before = parameters(G)
    with pytest.raises(FloatingPointError, match=r"loss of the generator must be finite"):
        generator_step(G, D, optim.Adam(G.parameters()), z, NonSaturating())
    assert parameters(G) == before


def test_a_finite_loss_whose_gradient_is_not_moves_nothing():
    with nnlite.default_dtype("float64"):
        D = nn.Linear(1, 1)

    def edge(D, real, fake, rng):
        return np.sqrt(np.sum((D.weight - D.weight.data) ** 2))  # 0, with an infinite slope

    x, before = np.ones((4, 1)), parameters(D)
    with (
        np.errstate(divide="ignore", invalid="ignore"),
        pytest.raises(FloatingPointError, match=r"gradient of the discriminator must be finite"),
    ):
        discriminator_step(D, optim.SGD(D.parameters(), lr=1), x, x, Hinge(), penalties=[edge])
    assert parameters(D) == before
