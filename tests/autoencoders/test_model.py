"""Autoencoders: what they learn on small problems with a known answer, and what they refuse."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import nnlite
from nnlite import autoencoders, gradcheck, nn
from nnlite.autoencoders import Autoencoder, GaussianNoise, Masking, NotFittedError, entropy_floor


@pytest.fixture
def cloud():
    """400 points in five dimensions, most of the variance in two, mean far from 0."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 5)) * [2.0, 1.0, 0.3, 0.2, 0.1]
    return x @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 1.0


def dropped(x, n_components):
    return np.linalg.eigvalsh(np.cov(x.T, bias=True))[: x.shape[1] - n_components].sum()


def test_linear_autoencoder_reaches_the_pca_error_and_its_projector(cloud):
    with nnlite.default_dtype("float64"):
        model = autoencoders.linear(5, 2, epochs=3000, batch_size=400, lr=0.1, rng=0)
    model.fit(cloud)
    best = autoencoders.optimal_linear_autoencoder(np.cov(cloud.T, bias=True), 2, cloud.mean(0))
    # The excess falls with the square of the angle left between the planes: 1e-10 and 1e-5.
    assert -model.score(cloud) == pytest.approx(dropped(cloud, 2), rel=1e-10)
    np.testing.assert_allclose(model.reconstruct(cloud), best(cloud), atol=1e-4)


def test_score_is_minus_the_mean_of_the_reconstruction_errors(cloud):
    model = autoencoders.deep((5, 4, 2), epochs=1, rng=0).fit(cloud)
    errors = model.reconstruction_error(cloud)
    by_hand = ((model.inverse_transform(model.transform(cloud)) - cloud) ** 2).sum(1)
    np.testing.assert_allclose(errors, by_hand, rtol=1e-4)
    assert model.score(cloud) == pytest.approx(-errors.mean(), rel=1e-5)


def test_cross_entropy_is_above_its_floor_and_its_reconstructions_are_probabilities():
    x = np.random.default_rng(0).random((64, 6)).astype("float32")
    model = autoencoders.deep((6, 8, 3), loss="cross_entropy", epochs=30, rng=0).fit(x)
    assert -model.score(x) >= entropy_floor(x)
    assert ((model.reconstruct(x) > 0) & (model.reconstruct(x) < 1)).all()
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_tied_weights_are_one_parameter_whose_gradient_is_the_sum_of_both_uses():
    rng = np.random.default_rng(1)
    x = rng.random((7, 6))
    with nnlite.default_dtype("float64"):
        model = autoencoders.tied((6, 3), rng=0)
    names = [name for name, _ in model.named_parameters()]
    assert sorted(names) == ["decoder.bias0", "encoder.0.bias", "encoder.0.weight"]
    W = model.encoder[0].weight
    assert gradcheck(lambda W: loss_of(model, x, W), W.data).passed

    U, V = (nnlite.Tensor(W.data.copy(), requires_grad=True) for _ in range(2))
    code = (x @ U.T + model.encoder[0].bias.data).sigmoid()
    untied = np.sum((code @ V + model.decoder.bias0.data - x) ** 2) / len(x)
    encoder_part, decoder_part = nnlite.grad(untied, [U, V])
    model.error(model.decoder(model.encoder(x)), x).backward()
    np.testing.assert_allclose(W.grad, encoder_part + decoder_part, rtol=1e-12)


def loss_of(model, x, W):
    h = nnlite.ops.sigmoid(x @ W.T + model.encoder[0].bias.data)
    return np.sum((h @ W + model.decoder.bias0.data - x) ** 2)


def test_denoising_error_is_taken_against_the_clean_input(cloud):
    seen = []

    def record(x, rng):
        seen.append(x.copy())
        return np.zeros_like(x)

    model = Autoencoder(
        nn.Linear(5, 2, rng=0), nn.Linear(2, 5, rng=1), corruption=record, epochs=400, lr=0.05
    )
    model.fit(cloud)
    assert len(seen) == 400 * 4  # fresh for each batch of each epoch
    # The network sees zeros only, so the best it can do is the mean of the clean samples.
    zeros = np.zeros((1, 5))
    np.testing.assert_allclose(model.reconstruct(zeros)[0], cloud.mean(0), atol=0.1)


def test_a_linear_denoiser_trained_with_masking_approaches_the_closed_form():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2000, 3)) @ np.array([[1, 0.8, 0], [0, 0.6, 0.5], [0, 0, 0.8]])
    v, mu = 0.3, x.mean(0)
    best = autoencoders.masking_denoiser(x.T @ x / len(x), v, mu)
    with nnlite.default_dtype("float64"):
        model = Autoencoder(
            nn.Linear(3, 3, rng=0), nn.Identity(), corruption=Masking(v), epochs=40, lr=0.01, rng=3
        )
    model.fit(x)
    # Fresh masks leave an excess of about (number of weights) / (rows seen at the end): 1e-3.
    np.testing.assert_allclose(model.encoder.weight.data, best.A, atol=0.05)


def test_convolutional_autoencoder_keeps_the_image_shape_and_learns():
    x = np.random.default_rng(0).random((32, 1, 8, 8)).astype("float32")
    model = autoencoders.convolutional((1, 8, 8), (4, 8), 10, loss="cross_entropy", epochs=8, rng=0)
    model.fit(x)
    assert model.transform(x).shape == (32, 10)
    assert model.reconstruct(x).shape == x.shape
    assert model.n_features_in_ == 64
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_a_second_fit_goes_on_from_the_first(cloud):
    model = autoencoders.deep((5, 3), epochs=5, rng=0).fit(cloud)
    first = model.loss_curve_[-1]
    model.fit(cloud, epochs=20, validation=cloud)
    assert len(model.loss_curve_) == 25
    assert len(model.validation_curve_) == 20
    assert model.loss_curve_[-1] < first


def test_the_same_seed_gives_the_same_weights(cloud):
    runs = [
        autoencoders.denoising((5, 8), GaussianNoise(0.1), epochs=2, rng=7).fit(cloud)
        for _ in range(2)
    ]
    for a, b in zip(*(run.state_dict().values() for run in runs), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_a_wide_code_without_corruption_is_warned_of(cloud):
    with pytest.warns(UserWarning, match=r"8 numbers for 5 features.*copy"):
        autoencoders.deep((5, 8), epochs=1, rng=0).fit(cloud)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        autoencoders.denoising((5, 8), Masking(0.5), epochs=1, rng=0).fit(cloud)


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


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, x: m.transform(x), NotFittedError, "call fit"),
        (lambda m, x: m.inverse_transform([[0.0, 0.0]]), NotFittedError, "call fit"),
        (lambda m, x: m.fit(x[0]), ValueError, r"shape \(n, features\); got \(5,\)"),
        (lambda m, x: m.fit(x[:0]), ValueError, r"got \(0, 5\)"),
        (lambda m, x: m.fit(np.where(x > 3, np.nan, x)), ValueError, "NaN or infinity"),
        (lambda m, x: m.fit(x).transform(x[:, :3]), ValueError, r"\(3,\).*trained on \(5,\)"),
        (lambda m, x: m.fit(x).inverse_transform([0.0, 1.0]), ValueError, "n_components"),
        (lambda m, x: m.fit(x.astype(str)), TypeError, "numbers"),
        (lambda m, x: m.fit(x * 1e300), ValueError, "too large for float32"),
        (lambda m, x: m.fit(x * 1e30), FloatingPointError, "or the data are.*rescale"),
        (lambda m, x: m.fit(x, validation=x[:, :2]), ValueError, r"\(5,\), but validation.*\(2,\)"),
        (lambda m, x: m.fit(x, epochs=-1), ValueError, "epochs must be an integer of at least 0"),
        (lambda m, x: m.fit(x).transform(x[0]), ValueError, r"X = x\[None\]"),
        (lambda m, x: m.fit(x).inverse_transform([["a", "b"]]), TypeError, "real numbers"),
        (lambda m, x: m.n_features_in_, NotFittedError, "has not seen data"),
    ],
)
def test_bad_data_are_refused_with_the_reason(cloud, call, error, message):
    model = autoencoders.deep((5, 2), epochs=1, rng=0)
    with pytest.raises(error, match=message):
        call(model, cloud)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: autoencoders.deep((5,)), ValueError, r"got \(5,\)"),
        (lambda: autoencoders.deep((5, 0)), ValueError, "positive"),
        (
            lambda: autoencoders.deep((5, 2), loss="mse"),
            ValueError,
            "'squared_error' or 'cross_entropy'; got 'mse'",
        ),
        (lambda: autoencoders.deep((5, 2), corruption=0.3), TypeError, "function of"),
        (lambda: autoencoders.deep(5), ValueError, r"\(784, 256, 64\); got 5"),
        (lambda: autoencoders.deep((5, 2), batch_size=0), ValueError, "batch_size.*at least 1"),
        (lambda: autoencoders.deep((5, 2), epochs=1.5), TypeError, "epochs must be an integer"),
        (lambda: autoencoders.deep((5, 2), lr=-1), ValueError, "lr must be a finite number"),
        (lambda: autoencoders.convolutional((8, 8), (4,)), ValueError, "channels, height, width"),
        (lambda: autoencoders.convolutional((1, 30, 30), (4, 8)), ValueError, "divisible by 4"),
    ],
)
def test_impossible_networks_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_cross_entropy_refuses_targets_outside_0_and_1(cloud):
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\]; X ranges from"):
        autoencoders.deep((5, 2), loss="cross_entropy").fit(cloud)


def test_weights_saved_and_loaded_need_no_training(cloud, tmp_path):
    for build in (autoencoders.deep, autoencoders.tied):
        trained = build((5, 4, 2), epochs=1, rng=0).fit(cloud)
        nnlite.save(tmp_path / "weights.safetensors", trained)
        fresh = build((5, 4, 2), rng=9)
        fresh.load_state_dict(nnlite.load(tmp_path / "weights.safetensors"))
        np.testing.assert_array_equal(fresh.reconstruct(cloud), trained.reconstruct(cloud))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_goes_on_alone_and_exactly_as_the_original_would(cloud, duplicate):
    model = autoencoders.tied((5, 2), corruption=Masking(0.2), epochs=2, rng=0).fit(cloud)
    twin = duplicate(model)
    before = model.reconstruct(cloud)
    twin.fit(cloud)
    np.testing.assert_array_equal(model.reconstruct(cloud), before)
    model.fit(cloud)
    np.testing.assert_array_equal(model.reconstruct(cloud), twin.reconstruct(cloud))
    assert twin.decoder._layers[0] is twin.encoder[0]  # still tied


def test_zero_epochs_train_nothing(cloud):
    model = autoencoders.deep((5, 2), rng=0)
    before = model.state_dict()["encoder.0.weight"].copy()
    assert model.fit(cloud, epochs=0).loss_curve_ == []
    np.testing.assert_array_equal(model.state_dict()["encoder.0.weight"], before)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64", "bool"])
def test_numbers_of_any_dtype_are_taken_in_the_dtype_of_the_weights(dtype):
    x = (np.random.default_rng(0).random((70, 4)) > 0.5).astype(dtype)
    model = autoencoders.deep((4, 2), loss="cross_entropy", epochs=1, batch_size=1000, rng=0)
    assert model.fit(x).transform(x[:1]).dtype == np.float32
    assert model.inverse_transform(np.zeros((3, 2), "int64")).dtype == np.float32
    assert np.isfinite(model.score(x))


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


def test_a_decoder_of_another_shape_is_refused_before_training(cloud):
    with pytest.raises(ValueError, match=r"samples of shape \(5,\) into \(4,\)"):
        Autoencoder(nn.Linear(5, 2, rng=0), nn.Linear(2, 4, rng=0)).fit(cloud)


def test_colour_images_and_a_shared_generator():
    rng = np.random.default_rng(0)
    x = rng.random((9, 3, 8, 8))
    model = autoencoders.convolutional((3, 8, 8), (4,), 5, epochs=1, rng=rng).fit(x)
    assert model.reconstruct(x).shape == x.shape


# ---- nothing half done ---------------------------------------------------------------------------


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


# ---- data of other kinds -------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-300, 1e-40, 1e-42])
def test_data_below_the_range_of_the_weights_are_refused_and_not_zero(cloud, scale):
    with pytest.raises(ValueError, match="so small that float32 loses its digits; rescale"):
        autoencoders.deep((5, 2), epochs=1).fit(scale * cloud)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (np.ma.masked_greater(np.ones((4, 5)) * [1, 2, 3, 4, 5], 4), ValueError, "masked"),
        (np.ones((4, 5)).astype(object), TypeError, r"astype\(float\)"),
        (np.ones((4, 5)) + 1j, ValueError, "Complex"),
        (1.0, ValueError, r"x\[None\]"),
    ],
)
def test_odd_arrays_are_refused(data, error, message):
    with pytest.raises(error, match=message):
        autoencoders.deep((5, 2), epochs=1).fit(data)


def test_numbers_of_another_byte_order_and_lists_are_the_same_data(cloud):
    fits = [autoencoders.deep((5, 2), epochs=1, rng=0) for _ in range(3)]
    for model, data in zip(fits, (cloud, cloud.astype(">f8"), cloud.tolist()), strict=True):
        model.fit(data)
    assert fits[0].score(cloud) == fits[1].score(cloud) == fits[2].score(cloud)


def test_codes_of_another_length_are_refused(cloud):
    model = autoencoders.deep((5, 2), epochs=1).fit(cloud)
    with pytest.raises(ValueError, match=r"Z has 3 columns, but the code .* has 2"):
        model.inverse_transform(np.zeros((4, 3)))


def test_an_encoder_without_a_code_per_sample_is_refused():
    model = Autoencoder(nn.Identity(), nn.Identity(), epochs=1)
    with pytest.raises(ValueError, match=r"codes of shape \(n, n_components\)"):
        Autoencoder(nn.Conv2d(1, 1, 1), nn.Identity()).fit(np.ones((2, 1, 4, 4)))
    with pytest.raises(ValueError, match="no parameters"):
        model.fit(np.ones((3, 2)))


def test_an_autoencoder_with_a_lambda_survives_pickle_whole(cloud):
    model = autoencoders.deep((5, 4, 2), activation=lambda: nn.LeakyReLU(0.3), epochs=1, rng=0)
    model.fit(cloud)
    again = pickle.loads(pickle.dumps(model))
    assert again.score(cloud) == model.score(cloud)
    wider = again.set_params(sizes=(5, 4, 4, 2))  # made anew, by what the lambda made
    slopes = [m.negative_slope for m in wider.encoder if isinstance(m, nn.LeakyReLU)]
    assert slopes == [0.3, 0.3]
    assert copy.deepcopy(model).get_params()["activation"] is model.get_params()["activation"]


@pytest.mark.parametrize("activation", ["relu", nn.ReLU(), np.tanh, nn.functional.relu, None])
def test_an_activation_is_what_makes_a_layer(activation):
    with pytest.raises(TypeError, match=r"activation is a function .* makes a layer, such as nn.R"):
        autoencoders.deep((None, 4, 2), activation=activation)


def test_a_corruption_does_not_hand_over_masked_values(cloud):
    model = autoencoders.deep((5, 2), corruption=lambda x, rng: np.ma.masked_greater(x, 1), rng=0)
    with pytest.raises(ValueError, match="the result of the corruption has masked entries"):
        model.fit(cloud)


@pytest.mark.parametrize("sizes", [{"image_shape": 28}, {"channels": 4}, {"image_shape": (28, 28)}])
def test_sizes_of_images_and_channels_are_sequences(sizes):
    with pytest.raises(ValueError, match=r"image_shape is \(channels, height, width\), channels"):
        autoencoders.convolutional(**sizes)
