"""The training of an autoencoder: batches, steps, and nothing half done if it fails."""

import copy

import numpy as np
import pytest

from nnlite import autoencoders, nn
from nnlite.autoencoders import Autoencoder, NotFittedError


def test_ctrl_c_keeps_the_model(cloud):
    calls = []

    def interrupt(x, rng):
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return x

    model = Autoencoder(nn.Linear(5, 2, rng=0), nn.Linear(2, 5, rng=0), corruption=interrupt)
    with pytest.warns(UserWarning, match="interrupted after 6 of 80 steps"):
        model.fit(cloud)
    assert np.isfinite(model.reconstruct(cloud)).all()
    assert not model.training


def test_too_large_a_step_is_reported_not_returned_as_nan(cloud):
    model = autoencoders.deep((5, 4, 2), epochs=50, lr=1e18, rng=0)
    with pytest.raises(FloatingPointError, match=r"step size lr=1e\+18 is too large.*try a tenth"):
        model.fit(cloud * 1e6)


def test_zero_epochs_train_nothing(cloud):
    model = autoencoders.deep((5, 2), rng=0)
    before = model.state_dict()["encoder.0.weight"].copy()
    assert model.fit(cloud, epochs=0).loss_curve_ == []
    np.testing.assert_array_equal(model.state_dict()["encoder.0.weight"], before)


@pytest.mark.parametrize(
    ("corrupt", "message"),
    [
        (lambda x, rng: x[:, :3], r"shape it was given, \(128, 5\); it returned shape \(128, 3\)"),
        (lambda x, rng: None, "Does it have a return"),
        (lambda x, rng: x * np.nan, "returned NaN"),
    ],
)
def test_a_faulty_corruption_is_named(cloud, corrupt, message):
    with pytest.raises(ValueError, match=message):
        autoencoders.denoising((5, 8), corrupt, rng=0).fit(cloud)


def test_a_corruption_that_edits_in_place_spoils_the_input_and_not_the_target(cloud):
    def wipe(x, rng):
        x[...] = 0
        return x

    # Zeros in and biases of zero: the first loss is that of answering 0 to the clean samples.
    model = autoencoders.denoising((5, 8), wipe, epochs=1, lr=0, batch_size=400, rng=0)
    for layer in (model.encoder[0], model.decoder[0]):
        nn.init.zeros_(layer.bias)
    model.fit(cloud)
    assert model.loss_curve_[0] == pytest.approx((cloud**2).sum(1).mean(), rel=1e-5)


def test_a_corruption_of_another_dtype_is_cast_to_that_of_the_weights(cloud):
    model = autoencoders.denoising((5, 8), lambda x, rng: x + rng.normal(size=x.shape), epochs=1)
    model.fit(cloud)
    assert model.encoder[0].weight.grad.dtype == np.float32


def with_batch_norm(**options):
    encoder = nn.Sequential(nn.Linear(5, 4, rng=0), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    return Autoencoder(encoder, nn.Linear(2, 5, rng=1), epochs=2, rng=0, **options)


@pytest.mark.parametrize(("n", "batch_size"), [(9, 4), (129, 128), (400, 133), (3, 2)])
def test_one_sample_left_over_joins_the_batch_before_it(cloud, n, batch_size):
    sizes = []

    def record(x, rng):
        sizes.append(len(x))
        return x

    model = with_batch_norm(batch_size=batch_size, corruption=record).fit(cloud[:n])
    assert sum(sizes) == 2 * n
    assert min(sizes) > 1
    assert not model.training
    assert np.isfinite(model.score(cloud))


def test_batches_of_one_are_kept_where_they_are_asked_for(cloud):
    model = autoencoders.deep((5, 2), epochs=1, batch_size=1, rng=0).fit(cloud[:5])
    assert np.isfinite(model.score(cloud))


@pytest.mark.parametrize("fitted", [False, True])
def test_an_error_in_the_middle_leaves_the_model_as_it_was(cloud, fitted):
    calls = []

    def break_down(x, rng):
        calls.append(1)
        if len(calls) > 6:
            raise RuntimeError("a disk is full")
        return x

    model = with_batch_norm()
    if fitted:
        model.fit(cloud)
    before = copy.deepcopy(model.state_dict())
    twin = copy.deepcopy(model)
    model.set_params(corruption=break_down)
    with pytest.raises(RuntimeError, match="disk"):
        model.fit(cloud)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(before[name]), err_msg=name)
    assert not model.training
    assert model.loss_curve_ == twin.loss_curve_
    if not fitted:
        with pytest.raises(NotFittedError):
            model.transform(cloud)
    else:
        assert model.score(cloud) == twin.score(cloud)


def test_an_error_leaves_open_features_open(cloud):
    model = autoencoders.deep((None, 2), epochs=3, rng=0, lr=1e18)
    with pytest.raises(FloatingPointError):
        model.fit(cloud * 1e6)
    with pytest.raises(NotFittedError, match="number of features"):
        model(cloud)
    assert model.set_params(lr=0.01).fit(cloud[:, :3]).n_features_in_ == 3


def test_a_cold_start_on_bad_data_keeps_what_was_learned(cloud):
    model = autoencoders.deep((5, 2), epochs=1, rng=0, warm_start=False).fit(cloud)
    before = model.reconstruct(cloud)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(cloud * np.nan)
    np.testing.assert_array_equal(model.reconstruct(cloud), before)
    assert len(model.loss_curve_) == 1


def test_a_corruption_does_not_hand_over_masked_values(cloud):
    model = autoencoders.deep((5, 2), corruption=lambda x, rng: np.ma.masked_greater(x, 1), rng=0)
    with pytest.raises(ValueError, match="the result of the corruption has masked entries"):
        model.fit(cloud)


def test_the_step_size_falls_along_half_a_cosine_in_every_fit(cloud):
    rates = []

    def record(x, rng):
        rates.append(model._optimiser.param_groups[0]["lr"])
        return x

    model = autoencoders.deep((5, 2), epochs=3, batch_size=100, lr=0.1, corruption=record, rng=0)
    expected = 0.05 * (1 + np.cos(np.pi * np.arange(12) / 12))  # Loshchilov & Hutter 2017, eq. 5
    model.fit(cloud)
    np.testing.assert_allclose(rates, expected, rtol=1e-12)
    rates.clear()
    model.set_params(lr=0.3).fit(cloud)
    np.testing.assert_allclose(rates, 3 * expected, rtol=1e-12)
