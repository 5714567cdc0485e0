"""What an autoencoder takes as samples and codes, and what it refuses."""

import numpy as np
import pytest

from nnlite import autoencoders
from nnlite.autoencoders import NotFittedError


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


def test_cross_entropy_refuses_targets_outside_0_and_1(cloud):
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\]; X ranges from"):
        autoencoders.deep((5, 2), loss="cross_entropy").fit(cloud)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64", "bool"])
def test_numbers_of_any_dtype_are_taken_in_the_dtype_of_the_weights(dtype):
    x = (np.random.default_rng(0).random((70, 4)) > 0.5).astype(dtype)
    model = autoencoders.deep((4, 2), loss="cross_entropy", epochs=1, batch_size=1000, rng=0)
    assert model.fit(x).transform(x[:1]).dtype == np.float32
    assert model.inverse_transform(np.zeros((3, 2), "int64")).dtype == np.float32
    assert np.isfinite(model.score(x))


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
