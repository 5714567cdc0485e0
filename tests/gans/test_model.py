"""GAN: it learns a law that is known, it says what goes wrong, and it can be gone on with."""

import errno

import numpy as np
import pytest

import nnlite
from nnlite import nn, optim
from nnlite.gans import (
    GAN,
    R1,
    GANWarning,
    GradientPenalty,
    Hinge,
    InstanceNoise,
    Labels,
    LeastSquares,
    Minimax,
    NonSaturating,
    Pack,
    ReplayBuffer,
    discriminator_step,
    fitting,
    generate,
    generator_step,
    states,
)


def networks(latent=2, packed=1):
    G = nn.Sequential(
        nn.Linear(latent, 8, rng=0), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2, rng=1)
    )
    D = nn.Sequential(
        Pack(packed), nn.Linear(2 * packed, 8, rng=2), nn.LeakyReLU(0.2), nn.Dropout(0.2, rng=3),
        nn.Linear(8, 1, rng=4),
    )  # fmt: skip
    return G, D


# The last digit of a float32 loss may depend on where its arrays lie in memory if they are shorter
# than 256 bytes: 64 samples are the fewest whose reported losses are the same bit for bit.
M = 64


def small(**settings):
    return GAN(*networks(), **{"latent": 2, "batch_size": M, "rng": 0} | settings)


def draw(n, rng):
    return rng.normal([2.0, 0.0], 1.0, size=(n, 2))


X = draw(500, np.random.default_rng(5))


def state(gan):
    parts = {name: part.state_dict() for name, part in states.parts_of(gan).items()}
    return repr((parts, gan.n_steps_, gan.history_["d_loss"].tolist(), gan.sample(3, rng=0)))


# ---- it learns ---------------------------------------------------------------------------------


class Shift(nn.Module):
    """``theta + s z``."""

    def __init__(self):
        super().__init__()
        self.theta, self.s = nn.Parameter(np.zeros(1)), nn.Parameter(np.ones(1))

    def forward(self, z):
        return self.theta + self.s * z


class Quadratic(nn.Module):
    """The logit of the best discriminator between Gaussians, of ``u = (x - 3) / 1.5``."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(np.zeros(3))

    def forward(self, x):
        u = (x - 3) / 1.5
        return self.w[0] + self.w[1] * u + self.w[2] * u * u


def test_alternation_finds_a_gaussian_of_another_place_and_width():
    """Lecture 09: target N(3, .5^2), the averaged iterates within .0025; the losses at log 4, 2."""
    with nnlite.default_dtype("float64"):
        G, D = Shift(), Quadratic()
    optimizers = optim.SGD(D.parameters(), lr=0.5), optim.SGD(G.parameters(), lr=0.05)
    gan = GAN(G, D, latent=1, optimizers=optimizers, rng=0)
    gan.fit(lambda n, rng: rng.normal(3, 0.5, (n, 1)), steps=2000, snapshot_every=5)
    path = [s.generator for s in gan.snapshots_ if s.step > 1000]
    theta, s = (np.mean([g[name] for g in path]) for name in ("theta", "s"))
    assert theta == pytest.approx(3.0, abs=0.01)
    assert abs(s) == pytest.approx(0.5, abs=0.01)
    for column, value in zip(("d_loss", "g_loss"), gan.objective.equilibrium, strict=True):
        assert gan.history_[column][-1000:].mean() == pytest.approx(value, abs=2e-3)
    assert gan.alarms_ == []
    x = gan.sample(20_000, rng=1)
    assert (x.mean(), x.std()) == pytest.approx((3.0, 0.5), abs=0.06)


def test_the_trainer_is_the_loop_in_the_open_bit_for_bit():
    (G, D), rng, objective = networks(), np.random.default_rng(0), NonSaturating()
    of_d, of_g = (optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999)) for m in (D, G))
    for _ in range(5):
        for _ in range(2):
            x, z = draw(M, rng), rng.standard_normal((M, 2), dtype=np.float32)
            discriminator_step(D, of_d, x, generate(G, z), objective)
        generator_step(G, D, of_g, rng.standard_normal((M, 2), dtype=np.float32), objective)
    gan = small(k=2).fit(draw, steps=5)
    for by_hand, trained in ((G, gan.generator), (D, gan.discriminator)):
        for name, values in by_hand.state_dict().items():
            np.testing.assert_array_equal(values, trained.state_dict()[name])


@pytest.mark.parametrize("k", [1, 3])
def test_k_steps_on_fresh_samples_and_fresh_noise_then_one_of_the_generator(k):
    batches, noises = [], []

    def samples(n, rng):
        batches.append(draw(n, rng))
        return batches[-1]

    def latent(n, rng):
        noises.append(rng.normal(size=(n, 2)))
        return noises[-1]

    gan = small(k=k, latent=latent, replay=ReplayBuffer(5))
    gan.fit(samples, steps=0)
    batches.clear()
    noises.clear()
    before = {id(p): p.data.copy() for p in gan.generator.parameters()}
    gan.fit(samples, steps=4)
    assert len(batches) == 1 + 4 * k, "one to try whether all fits"
    assert len(noises) == 1 + 4 * (k + 1)
    for drawn in (batches[1:], noises[1:]):
        assert len({a.tobytes() for a in drawn}) == len(drawn)
    of_d, of_g = (next(iter(o.state.values())) for o in (gan.d_optimizer, gan.g_optimizer))
    assert (of_d["step"], of_g["step"]) == (4 * k, 4)
    assert any((p.data != before[id(p)]).any() for p in gan.generator.parameters())


def test_minibatches_of_an_array_are_samples_of_its_rows():
    seen = []

    class Looking(Hinge):
        def discriminator_loss(self, real, fake, rng=None):
            seen.append(real.data.copy())
            return super().discriminator_loss(real, fake, rng)

    G, _ = networks()
    D = nn.Sequential(nn.Linear(2, 1, bias=False))
    rows = np.arange(1.0, 6.0)[:, None] * [1.0, 0.0]
    gan = GAN(G, D, latent=2, objective=Looking(), batch_size=400, rng=0, optimizers=(
        optim.SGD(D.parameters(), lr=0.0), optim.SGD(G.parameters(), lr=0.0),
    ))  # fmt: skip
    D[0].weight.data[...] = [1.0, 0.0]
    gan.fit(rows, steps=5)
    counts = [np.count_nonzero(np.concatenate(seen) == value) for value in rows[:, 0]]
    assert sum(counts) == 2000
    assert np.abs(np.array(counts) - 400).max() < 4 * np.sqrt(2000 * 0.2 * 0.8)


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": LeastSquares(), "penalties": [GradientPenalty()]},
        {"objective": Hinge(), "clip": 0.1},
        {"objective": NonSaturating(Labels((0.8, 1.0), flip=0.1)), "noise": InstanceNoise(0.3, 5)},
    ],
)
def test_all_settings_can_be_combined_with_packs_and_replay(settings):
    gan = GAN(*networks(packed=2), latent=2, batch_size=M, rng=0, replay=ReplayBuffer(50),
              **settings).fit(X, steps=8)  # fmt: skip
    assert len(gan.history_) == gan.n_steps_ == 8
    assert np.isfinite(gan.sample(7, rng=0)).all()
    assert gan.decision_function(X[:6]).shape == (3, 1)


def test_images_are_samples_like_others():
    G = nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8)), nn.Tanh())
    D = nn.Sequential(Pack(2), nn.Conv2d(2, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 4))
    images = np.random.default_rng(0).uniform(-1, 1, (20, 1, 8, 8))
    gan = GAN(G, D, latent=3, batch_size=6, rng=0, penalties=[GradientPenalty(1.0)],
              noise=InstanceNoise(0.1), replay=ReplayBuffer(20)).fit(images, 3)  # fmt: skip
    assert gan.sample(5, rng=0).shape == (5, 1, 8, 8)
    assert gan.decision_function(images).shape == (10, 1, 1, 1)


def test_samples_are_repeatable_and_drawing_them_changes_nothing():
    gan, twin = small().fit(X, steps=3), small().fit(X, steps=3)
    gan.generator[1].train()
    first = gan.sample(600, rng=1)
    np.testing.assert_array_equal(first, gan.sample(600, rng=1))
    assert first.shape == (600, 2)
    assert first.dtype == np.float32
    assert gan.generator[1].training
    gan.decision_function(X)
    assert state(gan.fit(X, steps=3)) == state(twin.fit(X, steps=3))


# ---- it goes on --------------------------------------------------------------------------------


def eventful():
    """A GAN with everything that has a state."""
    G, D = networks()
    optimizers = optim.Adam(D.parameters(), lr=1e-2), optim.RMSprop(G.parameters(), lr=1e-2)
    schedules = [optim.lr_scheduler.StepLR(o, 7, 0.5) for o in optimizers]
    return GAN(
        G, D, latent=2, objective=NonSaturating(Labels((0.8, 1.0), flip=0.1)), k=2, batch_size=M,
        optimizers=optimizers, penalties=[R1(0.1), GradientPenalty(1.0)], schedules=schedules,
        noise=InstanceNoise(0.3, 25), replay=ReplayBuffer(40), rng=0,
    )  # fmt: skip


def test_a_run_goes_on_from_its_checkpoint_bit_for_bit(tmp_path):
    whole = eventful().fit(X, steps=23)
    eventful().fit(X, steps=10, checkpoint=tmp_path / "run", checkpoint_every=4)
    again = eventful()
    again._rng.random(100)  # where the new run's own chance stands does not matter
    again.load_checkpoint(tmp_path / "run").fit(X, steps=13)
    assert state(again) == state(whole)
    elsewhere = eventful().fit(X, steps=10)
    elsewhere._rng.random()
    assert state(elsewhere.fit(X, steps=13)) != state(whole)


def test_checkpoints_are_written_on_time_and_at_the_end(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(states, "save", lambda gan, path: written.append(gan.n_steps_))
    small().fit(X, steps=10, checkpoint=tmp_path / "run", checkpoint_every=4)
    assert written == [4, 8, 10]


def test_a_checkpoint_of_other_settings_is_refused_and_nothing_changes(tmp_path):
    eventful().fit(X, steps=2).save_checkpoint(tmp_path / "run")
    for change, message in [
        ({"k": 1}, "k was 2 and is 1"),
        ({"clip": 0.5}, "clip was None and is 0.5"),
        ({"penalties": (R1(0.2),)}, r"penalties was \(R1\(gamma=0.1\), Gradient.* is \(R1"),
    ]:
        gan = eventful()
        for name, value in change.items():
            setattr(gan, name, value)
        before = state(gan)
        with pytest.raises(ValueError, match=message):
            gan.load_checkpoint(tmp_path / "run")
        assert state(gan) == before
    with pytest.raises(ValueError, match=r"the checkpoint holds .*replay"):
        small().load_checkpoint(tmp_path / "run")


def test_a_checkpoint_of_other_networks_is_refused_and_nothing_changes(tmp_path):
    small().fit(X, steps=2).save_checkpoint(tmp_path / "run")
    G, D = nn.Linear(2, 2), nn.Sequential(Pack(1), nn.Linear(2, 1), nn.Dropout(0.2, rng=3))
    gan = GAN(G, D, latent=2, batch_size=M, rng=0)
    before = state(gan)
    with pytest.raises(RuntimeError, match=r"weight"):
        gan.load_checkpoint(tmp_path / "run")
    assert state(gan) == before


def test_a_full_disk_keeps_the_older_checkpoint_and_the_networks(tmp_path, monkeypatch):
    path, gan = tmp_path / "run", eventful()
    real = states.save_checkpoint

    def full(path, *, epoch, **parts):
        if epoch == 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, epoch=epoch, **parts)

    monkeypatch.setattr(states, "save_checkpoint", full)
    with pytest.raises(OSError, match=r"step 8 could not be written \(No space") as caught:
        gan.fit(X, steps=20, checkpoint=path, checkpoint_every=4)
    assert caught.value.errno == errno.ENOSPC
    assert gan.n_steps_ == len(gan.history_) == 8
    assert eventful().load_checkpoint(path).n_steps_ == 4


def test_a_missing_folder_is_noticed_before_training(tmp_path):
    gan = small()
    with pytest.raises(FileNotFoundError, match=r"the checkpoint's folder must exist, got .*where"):
        gan.fit(X, checkpoint=tmp_path / "nowhere" / "run")
    assert gan.n_steps_ == 0


def test_snapshots_are_kept_on_time_and_can_be_gone_back_to():
    gan = eventful().fit(X, steps=7, snapshot_every=3)
    assert [s.step for s in gan.snapshots_] == [0, 3, 6]
    at_three = eventful().fit(X, steps=3)
    assert state(gan.restore(gan.snapshots_[1])) == state(at_three)
    gan.fit(X, steps=3, snapshot_every=3)
    assert [s.step for s in gan.snapshots_] == [0, 3, 6], "no step twice"
    long = small().fit(X, steps=121, snapshot_every=40)
    assert [s.step for s in long.snapshots_] == [0, 40, 80, 120], "and not at 100"
    assert state(long.restore()) == state(small().fit(X, steps=120)), "the newest"
    with pytest.raises(ValueError, match="restore: there must be a snapshot, got none"):
        small().restore()


# ---- it says what goes wrong -------------------------------------------------------------------


def test_a_nan_stops_with_step_norms_and_advice_and_the_last_finite_state_is_kept():
    gan = small()

    def spoiled(n, rng):  # the sampler of a real sensor
        return draw(n, rng) * (1e37 if gan.n_steps_ == 103 else 1.0)

    with pytest.raises(FloatingPointError) as caught:
        gan.fit(spoiled, steps=200)
    message = str(caught.value)
    for words in (
        "in step 104:",
        "discriminator must be finite",
        "Gradient norms in the steps before: discriminator 0.",
        "learning rates",
        "huge values",
        "after step 100.",
    ):
        assert words in message
    assert len(gan.history_) == 103
    assert state(gan.restore()) == state(small().fit(draw, steps=100))


def test_a_state_that_is_not_finite_is_no_snapshot_to_go_back_to():
    G, D = networks()
    optimizers = optim.SGD(D.parameters(), lr=0.01), optim.SGD(G.parameters(), lr=1.0)
    blow = optim.lr_scheduler.LambdaLR(optimizers[1], lambda s: 1e38 * 1e5 if s == 99 else 0.01)
    gan = GAN(G, D, latent=2, optimizers=optimizers, schedules=[blow], rng=0)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="after step 0"):
        gan.fit(X, steps=300)
    assert gan.n_steps_ == 100
    assert not gan.snapshot().is_finite
    assert gan.restore().snapshot().is_finite


def test_schedules_go_on_by_one_with_each_step_of_the_generator():
    gan = eventful().fit(X, steps=15)  # k = 2, a rate halved each 7 steps
    for optimizer in (gan.d_optimizer, gan.g_optimizer):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-2 / 4)


def test_an_interrupt_keeps_everything():
    gan = small()

    def interrupting(n, rng):
        if gan.n_steps_ == 5:
            raise KeyboardInterrupt
        return draw(n, rng)

    with pytest.warns(GANWarning, match="interrupted 15 steps before its end, after step 5"):
        gan.fit(interrupting, steps=20)
    assert state(gan) == state(small().fit(draw, steps=5))
    assert not gan.generator.training


def test_the_first_alarm_of_each_kind_is_a_warning():
    G, D = networks()
    optimizers = optim.SGD(D.parameters(), lr=1e-9), optim.SGD(G.parameters(), lr=1e-9)
    D[4].weight.data[...] = D[4].bias.data[...] = 0  # dead: an equilibrium that nobody has earned
    gan = GAN(G, D, latent=2, optimizers=optimizers, batch_size=4, rng=0)
    with pytest.warns(
        GANWarning, match=r"step 100: the generator.* at 0.693147.*constant generator loss"
    ) as caught:
        gan.fit(X, steps=300)
    assert len(caught) == 1
    assert [alarm.step for alarm in gan.alarms_] == [100, 200, 300]


def far_apart(noise=None):
    """Laws without overlap, and a discriminator that learns faster than the generator."""
    G = nn.Linear(2, 2, rng=0)
    D = nn.Sequential(nn.Linear(2, 8, rng=1), nn.Tanh(), nn.Linear(8, 1, rng=2))
    optimizers = optim.Adam(D.parameters(), lr=0.05), optim.SGD(G.parameters(), lr=1e-4)
    return GAN(G, D, latent=2, objective=Minimax(), optimizers=optimizers, noise=noise, rng=0)


def test_a_run_that_fails_rings_and_the_advice_that_is_given_helps():
    gan = far_apart()
    with pytest.warns(GANWarning, match=r"loss fell to .*equilibrium 1.386.*InstanceNoise"):
        gan.fit(X + 10, steps=300)
    assert "discriminator won" in {alarm.kind for alarm in gan.alarms_}
    assert far_apart(InstanceNoise(10.0)).fit(X + 10, steps=300).alarms_ == []


def test_the_bar_shows_losses_beside_their_equilibrium_and_the_norms(monkeypatch):
    shown = []

    class Bar(fitting.progress):
        def show(self, **values):
            shown.append(values)
            return super().show(**values)

    monkeypatch.setattr(fitting, "progress", Bar)
    gan = small(verbose=True).fit(X, steps=2)
    assert [list(values) for values in shown] == [["D(1.39)", "G(0.693)", "|dD|", "|dG|"]] * 2
    assert list(shown[1].values()) == list(gan.history_.last)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 0}, r"GAN: k must be an integer of at least 1; got 0"),
        ({"batch_size": 0}, r"GAN: batch_size must be an integer of at least 1"),
        ({"latent": 0}, r"GAN: latent must be an integer of at least 1"),
        ({"latent": 2.5}, r"GAN: latent must be an integer"),
        ({"clip": 0}, r"GAN: clip must be a finite number greater than 0"),
        ({"objective": "hinge"}, r"such as gans.Hinge\(\), got 'hinge'"),
        ({"objective": Hinge}, r"such as gans.Hinge\(\), got <class"),
        ({"penalties": [0.1]}, r"penalties must be functions such as R1\(0.1\), got 0.1"),
        ({"noise": 0.1}, r"noise must be InstanceNoise or None, got 0.1"),
        (
            {"penalties": R1(0.1)},
            r"must be a list, got R1\(gamma=0.1\); write penalties=",
        ),
        ({"schedules": 3}, r"schedules must be a list, got 3; write schedules=\[...\]"),
        ({"schedules": [1]}, r"schedules must be of nnlite.optim.lr_scheduler, got 1"),
        ({"optimizers": optim.Adam}, r"two optimisers, the discriminator's and the generator's"),
    ],
)
def test_impossible_settings_are_refused_at_once(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        small(**settings)


def test_players_that_are_not_two_are_refused():
    G, D = networks()
    of_d, of_g = optim.SGD(D.parameters(), lr=0.1), optim.SGD(G.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"parameters of the discriminator only, got 6 others"):
        GAN(G, D, latent=2, optimizers=(of_g, of_d))
    with pytest.raises(ValueError, match=r"parameters of their own, got 4 shared ones"):
        GAN(nn.Sequential(nn.Linear(2, 2), D[1], D[4]), D, latent=2)
    with pytest.raises(ValueError, match=r"must have parameters, got none"):
        GAN(nn.Tanh(), D, latent=2)
    with pytest.raises(TypeError, match=r"the generator must be a Module, got function"):
        GAN(draw, D, latent=2)
    with pytest.raises(ValueError, match=r"give logits, got one that ends in Sigmoid"):
        GAN(G, nn.Sequential(D, nn.Sigmoid()), latent=2)


@pytest.mark.parametrize(
    ("settings", "data", "message"),
    [
        ({"latent": 3}, X, r"generator must take noise of shape \(64, 3\).* or change latent"),
        ({}, X[:0], r"at least one sample per row, .* got shape \(0, 2\)"),
        ({}, X[:, 0], r"got shape \(500,\); a column of numbers is X\[:, None\]"),
        ({}, np.where(X > 4, np.nan, X), r"X must be finite, got \d+ entries"),
        ({}, X * 1e39, r"too large for float32"),
        ({}, np.c_[X, X], r"the shape of the real ones, \(64, 4\) for a batch, got \(64, 2\)"),
        ({}, lambda n, rng: X[:3], r"must return 64 finite samples, .* got shape \(3, 2\)"),
        ({"latent": lambda n, rng: np.zeros(n)}, X, r"draws the noise must return 64"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(settings, data, message):
    gan = small(**settings)
    before = [p.data.copy() for p in gan.generator.parameters()]
    with pytest.raises(ValueError, match=message):
        gan.fit(data, steps=5)
    assert gan.n_steps_ == 0
    for p, old in zip(gan.generator.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, old)


def test_batches_that_do_not_fill_their_packs_are_refused_before_training():
    gan = GAN(*networks(packed=3), latent=2, batch_size=16)
    with pytest.raises(ValueError, match=r"multiple of 3, got shape \(16, 2\); choose a batch_si"):
        gan.fit(X)


def test_a_discriminator_with_two_logits_is_refused():
    G, _ = networks()
    with pytest.raises(ValueError, match=r"one logit for each .* got shape \(256, 2\)"):
        GAN(G, nn.Linear(2, 2), latent=2).fit(X)
