"""Initialisation: moments and bounds of the formulas."""

import math

import numpy as np
import pytest

from nnlite import nn

N = 200  # weights of 200 x 200: moments are known to about 1 %


def _check(weight, std, bound=None):
    n = weight.size
    # standard errors: of the mean std/sqrt(n), of the deviation less than that
    assert abs(weight.mean()) < 5 * std / math.sqrt(n)
    assert abs(weight.std() - std) < 5 * std / math.sqrt(n)
    if bound is not None:
        assert abs(weight).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize(
    ("function", "options", "std", "uniform"),
    [
        (nn.init.xavier_uniform_, {}, math.sqrt(1 / N), True),
        (nn.init.xavier_normal_, {"gain": 2.0}, 2 * math.sqrt(1 / N), False),
        (nn.init.kaiming_uniform_, {}, math.sqrt(2 / N), True),
        (nn.init.kaiming_normal_, {"nonlinearity": "relu"}, math.sqrt(2 / N), False),
        (nn.init.kaiming_normal_, {"a": 1.0, "mode": "fan_out"}, math.sqrt(1 / N), False),
        (nn.init.normal_, {"std": 0.02}, 0.02, False),
        (nn.init.uniform_, {"a": -1.0, "b": 1.0}, math.sqrt(1 / 3), True),
    ],
)
def test_random_weights_have_the_deviation_of_the_formula(function, options, std, uniform):
    weight = np.empty((N, N))
    assert function(weight, rng=0, **options) is weight
    _check(weight, std, math.sqrt(3) * std if uniform else None)


def test_default_of_dense_and_convolutional_layers_is_uniform_within_one_over_root_fan_in():
    dense = nn.Linear(N, N, rng=0)
    _check(dense.weight.data, 1 / math.sqrt(3 * N), 1 / math.sqrt(N))
    assert abs(dense.bias.data).max() <= 1 / math.sqrt(N)
    conv = nn.Conv2d(16, 32, 5, rng=0)
    _check(conv.weight.data, 1 / math.sqrt(3 * 400), 1 / math.sqrt(400))
    # the same as torch.nn writes it
    other = nn.init.kaiming_uniform_(np.empty((N, N)), a=math.sqrt(5), rng=0)
    assert abs(abs(other).max() - 1 / math.sqrt(N)) < 1e-3


def test_orthogonal_weights_have_orthonormal_rows_or_columns():
    w = nn.init.orthogonal_(np.empty((3, 5)), gain=2.0, rng=0)
    np.testing.assert_allclose(w @ w.T, 4 * np.eye(3), atol=1e-12)
    w = nn.init.orthogonal_(np.empty((6, 2, 1, 2)), rng=0).reshape(6, 4)
    np.testing.assert_allclose(w.T @ w, np.eye(4), atol=1e-12)


def test_truncated_normal_numbers_stay_inside():
    w = nn.init.trunc_normal_(np.empty(10_000), std=1.0, a=-1.0, b=0.5, rng=0)
    assert w.min() >= -1
    assert w.max() <= 0.5
    with pytest.raises(ValueError, match="next to nothing"):
        nn.init.trunc_normal_(np.empty(3), mean=100.0)


def test_dirac_filters_pass_images_on():
    conv = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    nn.init.dirac_(conv.weight)
    x = np.random.default_rng(0).normal(size=(1, 2, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(conv(x).data, x)


def test_initialisation_works_on_parameters_and_on_their_arrays():
    layer = nn.Linear(2, 2)
    assert nn.init.zeros_(layer.weight) is layer.weight
    nn.init.constant_(layer.bias.data, 3)
    nn.init.ones_(layer.weight.data)
    assert layer(np.ones(2)).tolist() == [5, 5]
    np.testing.assert_array_equal(nn.init.eye_(np.empty((2, 3))), np.eye(2, 3))


def test_initialisation_refuses_what_has_no_fan():
    with pytest.raises(ValueError, match=r"at least two axes; got shape \(3,\)"):
        nn.init.xavier_normal_(np.empty(3))
    with pytest.raises(TypeError, match="list"):
        nn.init.zeros_([1, 2])
    with pytest.raises(ValueError, match="'fan_avg'"):
        nn.init.kaiming_normal_(np.empty((2, 2)), mode="fan_avg")
    with pytest.raises(ValueError, match="'gelu'"):
        nn.init.calculate_gain("gelu")


def test_gains_are_the_recommended_ones():
    assert nn.init.calculate_gain("relu") == math.sqrt(2)
    assert nn.init.calculate_gain("tanh") == 5 / 3
    assert nn.init.calculate_gain("leaky_relu", 1.0) == 1
