"""Gradient clipping and spectral normalisation."""

import numpy as np
import pytest

import nnlite
from nnlite import nn


def _parameters(*gradients):
    params = [nnlite.Tensor(np.zeros(len(g)), requires_grad=True) for g in gradients]
    for p, g in zip(params, gradients, strict=True):
        p.grad = np.array(g)
    return params


def test_clipping_scales_all_gradients_by_one_factor():
    params = _parameters([3.0, 0.0], [4.0])
    assert nn.utils.clip_grad_norm_(params, 1.0).item() == 5
    np.testing.assert_allclose(params[0].grad, [0.6, 0], rtol=1e-6)
    np.testing.assert_allclose(params[1].grad, [0.8], rtol=1e-6)
    assert nn.utils.clip_grad_norm_(params, 10.0) == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(params[1].grad, [0.8], rtol=1e-6)


def test_clipping_takes_other_norms_and_missing_gradients():
    params = [*_parameters([3.0, -7.0]), nnlite.Tensor([1.0], requires_grad=True)]
    assert nn.utils.clip_grad_norm_(params, 100, norm_type=float("inf")) == 7
    assert nn.utils.clip_grad_norm_(params[1:], 1.0) == 0


def test_values_are_clipped_entry_by_entry():
    params = _parameters([3.0, -0.5, -4.0])
    nn.utils.clip_grad_value_(params, 1.0)
    np.testing.assert_array_equal(params[0].grad, [1, -0.5, -1])


def test_a_norm_that_is_not_finite_is_an_error_on_request():
    with pytest.raises(RuntimeError, match="nan"):
        nn.utils.clip_grad_norm_(_parameters([np.nan]), 1.0, error_if_nonfinite=True)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(5, 3, rng=0, dtype="float64"),
        nn.Conv2d(2, 3, 3, rng=0, dtype="float64"),
        nn.ConvTranspose2d(2, 3, 2, rng=0, dtype="float64"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_spectral_norm_makes_the_largest_singular_value_one(layer):
    name = type(layer).__name__
    nn.utils.spectral_norm(layer, n_power_iterations=200, rng=0)
    assert layer.__class__.__name__ == name
    w = layer.weight.data
    w = np.moveaxis(w, 1, 0) if name == "ConvTranspose2d" else w
    largest = np.linalg.svd(w.reshape(len(w), -1), compute_uv=False)[0]
    assert largest == pytest.approx(1, rel=1e-9)
    keys = list(layer.state_dict())
    assert sorted(keys) == ["bias", "weight_orig", "weight_u", "weight_v"]


def test_the_gradient_of_a_spectrally_normalised_layer_is_that_of_the_formula():
    layer = nn.utils.spectral_norm(nn.Linear(3, 2, rng=0, dtype="float64"), rng=1).eval()
    x = np.random.default_rng(2).normal(size=(4, 3))
    u, v = layer.weight_u, layer.weight_v
    assert nnlite.gradcheck(lambda w: x @ (w / (u @ w @ v)).T, layer.weight_orig.data)
    assert nnlite.gradcheck(layer, x)
    before = layer.weight_u.copy()
    layer(x)
    np.testing.assert_array_equal(layer.weight_u, before)
    layer.train()(x)
    assert (layer.weight_u != before).any()


def test_a_normalised_critic_is_trained_by_two_uses_in_one_loss():
    net = nn.Sequential(nn.utils.spectral_norm(nn.Linear(2, 4, rng=0), rng=0), nn.ReLU())
    loss = net(np.ones((3, 2))).sum() - net(np.zeros((3, 2))).sum()
    loss.backward()
    assert net[0].weight_orig.grad.shape == (4, 2)


def test_spectral_norm_needs_a_matrix():
    with pytest.raises(ValueError, match="BatchNorm1d has no parameter 'weight' with two"):
        nn.utils.spectral_norm(nn.BatchNorm1d(2))


@pytest.mark.parametrize("order", [1.5, 2, 3, "inf"])
@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_a_norm_whose_powers_leave_the_range_of_floats_is_right(size, order):
    params = _parameters([size, size], [size])
    expected = size * (1 if order == "inf" else 3 ** (1 / order))
    assert nn.utils.clip_grad_norm_(params, 1.0, order, True) == pytest.approx(
        expected, 1e-9, abs=0
    )
    np.testing.assert_allclose(params[1].grad, [min(size, size / expected)], rtol=1e-6)


def test_gradients_that_cannot_be_scaled_are_refused_and_none_is_clipped():
    for odd in (np.array([3, 4]), [3.0, 4.0]):
        params = _parameters([3.0, 4.0], [0.0, 0.0])
        params[1]._grad = odd
        for clip in (nn.utils.clip_grad_norm_, nn.utils.clip_grad_value_):
            with pytest.raises(TypeError, match="an array of floats that can be written to"):
                clip(params, 1.0)
        np.testing.assert_array_equal(params[0].grad, [3, 4])
    for what in (None, np.ones(3), 3.0):
        with pytest.raises(TypeError, match=r"takes parameters.*model\.parameters\(\)"):
            nn.utils.clip_grad_norm_(what, 1.0)
