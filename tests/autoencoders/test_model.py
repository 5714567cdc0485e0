"""Autoencoders: what they learn on small problems with a known answer, and what they refuse."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import nnlite
from nnlite import autoencoders, gradcheck, nn
from nnlite.autoencoders import Autoencoder, GaussianNoise, Masking, entropy_floor


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


def test_a_decoder_of_another_shape_is_refused_before_training(cloud):
    with pytest.raises(ValueError, match=r"samples of shape \(5,\) into \(4,\)"):
        Autoencoder(nn.Linear(5, 2, rng=0), nn.Linear(2, 4, rng=0)).fit(cloud)


def test_colour_images_and_a_shared_generator():
    rng = np.random.default_rng(0)
    x = rng.random((9, 3, 8, 8))
    model = autoencoders.convolutional((3, 8, 8), (4,), 5, epochs=1, rng=rng).fit(x)
    assert model.reconstruct(x).shape == x.shape


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


@pytest.mark.parametrize("sizes", [{"image_shape": 28}, {"channels": 4}, {"image_shape": (28, 28)}])
def test_sizes_of_images_and_channels_are_sequences(sizes):
    with pytest.raises(ValueError, match=r"image_shape is \(channels, height, width\), channels"):
        autoencoders.convolutional(**sizes)
