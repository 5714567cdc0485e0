"""Layers: closed forms, shapes, errors."""

import math

import numpy as np
import pytest

import nnlite
from nnlite import nn
from nnlite.nn import functional as F

RNG = np.random.default_rng(0)


def test_linear_is_an_affine_map_of_the_last_axis():
    layer = nn.Linear(3, 2, rng=0, dtype="float64")
    x = RNG.normal(size=(4, 5, 3))
    np.testing.assert_allclose(layer(x).data, x @ layer.weight.data.T + layer.bias.data, rtol=1e-12)
    np.testing.assert_allclose(layer(x[0, 0]).data, layer(x).data[0, 0], rtol=1e-12)


def test_linear_says_what_it_takes():
    with pytest.raises(ValueError, match=r"must have 3 entries.*\(2, 3, 1, 1\).*Flatten"):
        nn.Linear(3, 2)(np.ones((2, 3, 1, 1)))
    with pytest.raises(ValueError, match=r"out_features must be an integer of at least 1; got 0"):
        nn.Linear(3, 0)
    with pytest.raises(TypeError, match="real numbers"):
        nn.Linear(1, 1)(np.array([["a"]]))


def test_layers_with_one_seed_start_equal():
    a, b = nn.Linear(3, 2, rng=7), nn.Linear(3, 2, rng=7)
    np.testing.assert_array_equal(a.weight.data, b.weight.data)
    nnlite.seed(1)
    c = nn.Conv2d(1, 2, 3)
    nnlite.seed(1)
    np.testing.assert_array_equal(c.weight.data, nn.Conv2d(1, 2, 3).weight.data)


def test_convolution_with_one_pixel_picks_from_the_image():
    layer = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    layer.weight.data[...] = 0
    layer.weight.data[0, 0, 0, 2] = 1  # looks up and to the right
    x = np.arange(12.0).reshape(1, 1, 3, 4)
    expected = np.zeros((3, 4))
    expected[1:, :3] = x[0, 0, :2, 1:]
    np.testing.assert_array_equal(layer(x).data[0, 0], expected)


@pytest.mark.parametrize("seed", range(8))
def test_transposed_convolution_is_the_adjoint_of_convolution(seed):
    # <conv(x), y> = <x, conv_transpose(y)> with one weight, whatever the geometry
    rng = np.random.default_rng(seed)
    groups = int(rng.integers(1, 3))
    kernel, stride, dilation = rng.integers(1, 4, 2), rng.integers(1, 4, 2), rng.integers(1, 3, 2)
    padding = rng.integers(0, 3, 2)
    geometry = {"stride": tuple(map(int, stride)), "padding": tuple(map(int, padding)),
                "dilation": tuple(map(int, dilation)), "groups": groups}  # fmt: skip
    w = rng.normal(size=(2 * groups, 3, *kernel))
    x = rng.normal(size=(2, 3 * groups, *rng.integers(7, 10, 2)))
    y = F.conv2d(x, w, **geometry).data
    g = rng.normal(size=y.shape)
    extra = tuple(
        int((n + 2 * p - d * (k - 1) - 1) % s)
        for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    back = F.conv_transpose2d(g, w, output_padding=extra, **geometry).data
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(y * g), np.sum(x * back), rtol=1e-12, atol=1e-12)


def test_generator_upsampling_has_the_sizes_of_the_field():
    # DCGAN: 4x4 stride 2 padding 1 doubles; a convolution of the same geometry halves
    up, down = nn.ConvTranspose2d(2, 3, 4, 2, 1), nn.Conv2d(3, 2, 4, 2, 1)
    assert up(np.zeros((1, 2, 7, 5))).shape == (1, 3, 14, 10)
    assert down(np.zeros((1, 3, 14, 10))).shape == (1, 2, 7, 5)
    assert up.weight.shape == (2, 3, 4, 4)
    assert nn.Conv2d(4, 6, 3, groups=2).weight.shape == (6, 2, 3, 3)
    assert nn.ConvTranspose2d(4, 6, 3, groups=2).weight.shape == (4, 3, 3, 3)


def test_same_padding_keeps_the_size():
    assert nn.Conv2d(1, 1, 5, padding="same", dilation=2)(np.zeros((1, 1, 7, 6))).shape[2:] == (
        7,
        6,
    )
    with pytest.raises(ValueError, match="odd"):
        nn.Conv2d(1, 1, 4, padding="same")


def test_impossible_convolutions_are_explained():
    with pytest.raises(ValueError, match="batch axis"):
        nn.Conv2d(1, 1, 3)(np.zeros((1, 5, 5)))
    with pytest.raises(ValueError, match="channels"):
        nn.Conv2d(2, 1, 3)(np.zeros((1, 3, 5, 5)))
    with pytest.raises(ValueError, match="does not fit"):
        nn.Conv2d(1, 1, 7)(np.zeros((1, 1, 5, 5)))
    with pytest.raises(ValueError, match="groups must divide"):
        nn.Conv2d(3, 4, 3, groups=2)
    with pytest.raises(ValueError, match="output_padding must be smaller"):
        nn.ConvTranspose2d(1, 1, 3, output_padding=1)(np.zeros((1, 1, 4, 4)))
    with pytest.raises(ValueError, match="takes 2"):
        nn.ConvTranspose2d(2, 1, 3)(np.zeros((1, 1, 4, 4)))
    with pytest.raises(ValueError, match="padding_mode"):
        nn.Conv2d(1, 1, 3, padding_mode="mirror")
    with pytest.raises(TypeError, match="kernel_size must be an integer"):
        nn.Conv2d(1, 1, 2.5)


def test_activations_have_their_formulas():
    x = np.linspace(-3, 3, 13)
    expected = {
        "ReLU": np.maximum(x, 0),
        "LeakyReLU": np.where(x > 0, x, 0.01 * x),
        "PReLU": np.where(x > 0, x, 0.25 * x),
        "ELU": np.where(x > 0, x, np.exp(x) - 1),
        "Sigmoid": 1 / (1 + np.exp(-x)),
        "Tanh": np.tanh(x),
        "Softplus": np.log(1 + np.exp(x)),
        "LogSigmoid": -np.log1p(np.exp(-x)),
        "SiLU": x / (1 + np.exp(-x)),
        "GELU": x * [(1 + math.erf(v / math.sqrt(2))) / 2 for v in x],
        "Identity": x,
    }
    for name, y in expected.items():
        # PReLU has a float32 parameter, to which it casts data
        rtol = 1e-6 if name == "PReLU" else 1e-12
        np.testing.assert_allclose(
            getattr(nn, name)()(x).data, y, rtol=rtol, atol=1e-7, err_msg=name
        )
    np.testing.assert_allclose(F.logsigmoid(x).data, -np.log(1 + np.exp(-x)))
    np.testing.assert_allclose(nn.Softmax(dim=1)(x[None]).data.sum(), 1)
    with pytest.raises(ValueError, match="3 slopes"):
        nn.PReLU(3)(np.ones((2, 4)))


def test_activations_neither_overflow_nor_hide_nan():
    x = np.array([-1000.0, 1000.0, np.nan], dtype=np.float32)
    for layer in (nn.ReLU(), nn.LeakyReLU(), nn.ELU(), nn.Sigmoid(), nn.Tanh(), nn.Softplus()):
        t = nnlite.Tensor(x, requires_grad=True)
        y = layer(t)
        y.backward(np.ones(3))
        assert np.isfinite(y.data[:2]).all(), layer
        assert np.isfinite(t.grad[:2]).all(), layer
        assert np.isnan(y.data[2]), layer


def test_batch_norm_normalises_and_follows_the_running_statistics():
    layer = nn.BatchNorm2d(3, momentum=0.25, dtype="float64")
    x = RNG.normal(2, 3, size=(4, 3, 5, 5))
    y = layer(x).data
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    # var / (var + eps)
    np.testing.assert_allclose(y.var(axis=(0, 2, 3)), 1, rtol=2e-5)
    np.testing.assert_allclose(layer.running_mean, 0.25 * x.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(layer.running_var, 0.75 + 0.25 * x.var(axis=(0, 2, 3), ddof=1))
    assert layer.num_batches_tracked == 1
    layer.eval()
    shape = (1, 3, 1, 1)
    expected = (x - layer.running_mean.reshape(shape)) / np.sqrt(
        layer.running_var.reshape(shape) + 1e-5
    )
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-10)
    assert layer.num_batches_tracked == 1


def test_batch_norm_without_momentum_averages_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None, dtype="float64")
    x = RNG.normal(size=(3, 6, 2))
    for batch in x:
        layer(batch)
    np.testing.assert_allclose(layer.running_mean, x.mean(axis=(0, 1)), rtol=1e-12)
    layer.reset_running_stats()
    assert not layer.running_mean.any()


def test_batch_norm_needs_more_than_one_value():
    with pytest.raises(ValueError, match="more than one value"):
        nn.BatchNorm1d(3)(np.ones((1, 3)))
    with pytest.raises(ValueError, match="more than one value"):
        nn.BatchNorm1d(3)(np.ones((0, 3)))
    with pytest.raises(ValueError, match="C = 3 channels"):
        nn.BatchNorm2d(3)(np.ones((2, 4, 2, 2)))
    assert nn.BatchNorm1d(3).eval()(np.ones((1, 3))).shape == (1, 3)


def test_layer_and_instance_norm_have_zero_mean_and_unit_variance():
    x = RNG.normal(2, 3, size=(2, 3, 4, 5))
    y = nn.LayerNorm((4, 5), dtype="float64")(x).data
    np.testing.assert_allclose(y.mean(axis=(2, 3)), 0, atol=1e-12)
    z = nn.InstanceNorm2d(3)(x).data
    np.testing.assert_allclose(y, z, rtol=1e-10)
    assert nn.InstanceNorm2d(3).state_dict() == {}
    with pytest.raises(ValueError, match="last axes"):
        nn.LayerNorm(3)(x)
    with pytest.raises(ValueError, match="more than one pixel"):
        nn.InstanceNorm2d(3)(np.ones((2, 3, 1, 1)))


def test_dropout_keeps_the_mean_and_does_nothing_in_evaluation():
    n, p = 100_000, 0.3
    y = nn.Dropout(p, rng=0)(np.ones(n)).data
    assert set(np.unique(y.round(12))) == {0.0, round(1 / (1 - p), 12)}
    # standard error of the mean of n values 0 or 1/(1-p): sqrt(p/(1-p)/n)
    assert abs(y.mean() - 1) < 4 * np.sqrt(p / (1 - p) / n)
    x = np.ones((2, 3))
    np.testing.assert_array_equal(nn.Dropout(p).eval()(x).data, x)
    images = nn.Dropout2d(0.5, rng=0)(np.ones((4, 8, 3, 3))).data
    assert all(len(np.unique(c)) == 1 for c in images.reshape(-1, 9))
    assert not nn.Dropout(1.0, rng=0)(x).data.any()
    with pytest.raises(ValueError, match="p must be a number from 0 to 1; got 1"):
        nn.Dropout(1.5)


def test_a_dropout_layer_with_a_seed_draws_new_masks_each_time():
    layer = nn.Dropout(rng=0)
    x = np.ones(100)
    first, second = layer(x).data, layer(x).data
    assert (first != second).any()
    np.testing.assert_array_equal(nn.Dropout(rng=0)(x).data, first)


def test_pooling_takes_the_largest_and_the_mean():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(nn.MaxPool2d(2)(x).data[0, 0], [[5, 7], [13, 15]])
    np.testing.assert_array_equal(nn.AvgPool2d(2)(x).data[0, 0], [[2.5, 4.5], [10.5, 12.5]])
    np.testing.assert_array_equal(
        nn.MaxPool2d(3, ceil_mode=True)(x).data[0, 0], [[10, 11], [14, 15]]
    )
    np.testing.assert_array_equal(nn.MaxPool2d(2, 1, dilation=3)(x).data[0, 0], [[15]])
    np.testing.assert_array_equal(
        nn.AvgPool2d(2, divisor_override=1)(x).data[0, 0], [[10, 18], [42, 50]]
    )
    y, index = nn.MaxPool2d(2, return_indices=True)(nnlite.Tensor(x, requires_grad=True))
    np.testing.assert_array_equal(index.data[0, 0], [[5, 7], [13, 15]])
    assert y.requires_grad
    assert index.dtype == np.int64
    with pytest.raises(
        ValueError, match="divisor_override must be an integer of at least 1; got 0"
    ):
        nn.AvgPool2d(2, divisor_override=0)(x)


def test_upsampling_repeats_pixels_or_draws_lines_between_them():
    x = np.array([[[[0.0, 1.0]]]])
    np.testing.assert_array_equal(
        nn.Upsample(scale_factor=2)(x).data[0, 0], [[0, 0, 1, 1], [0, 0, 1, 1]]
    )
    np.testing.assert_allclose(
        nn.Upsample(size=(1, 4), mode="bilinear")(x).data[0, 0], [[0, 0.25, 0.75, 1]]
    )
    np.testing.assert_allclose(
        nn.Upsample(size=(1, 3), mode="bilinear", align_corners=True)(x).data[0, 0], [[0, 0.5, 1]]
    )
    with pytest.raises(ValueError, match="either size= or scale_factor="):
        nn.Upsample()(x)
    with pytest.raises(ValueError, match="'bicubic'; got 'area'"):
        nn.Upsample(size=2, mode="area")
    # along an axis that stays as long as it was, pixels stay, whatever the factor
    np.testing.assert_array_equal(nn.Upsample(scale_factor=1.4, mode="bilinear")(x).data, x)


def test_cubic_upsampling_weighs_four_pixels():
    flat = nn.Upsample(scale_factor=(2.5, 3), mode="bicubic")(np.full((1, 1, 4, 5), 7.0))
    np.testing.assert_allclose(flat.data, np.full((1, 1, 10, 15), 7.0), rtol=1e-14)
    x = np.array([[[[0.0, 1.0, 0.0]]]])
    y = nn.Upsample(size=(1, 5), mode="bicubic", align_corners=True)(x).data[0, 0, 0]
    a = -0.75  # half-way between two pixels, four of them weigh a/8, 1/2 - a/8, 1/2 - a/8, a/8
    np.testing.assert_allclose(y, [0, 0.5 - a / 8, 1, 0.5 - a / 8, 0], atol=1e-15)


def test_pixel_shuffle_places_channel_crr_plus_ir_plus_j_at_row_i_column_j():
    x = np.arange(4.0).reshape(1, 4, 1, 1)
    np.testing.assert_array_equal(nn.PixelShuffle(2)(x).data[0, 0], [[0, 1], [2, 3]])


def test_padding_mirrors_or_fills():
    x = np.array([[[[1.0, 2.0, 3.0]]]])
    np.testing.assert_array_equal(nn.ZeroPad2d((1, 2, 0, 0))(x).data[0, 0], [[0, 1, 2, 3, 0, 0]])
    y = np.concatenate([x, 10 * x], axis=2)
    np.testing.assert_array_equal(
        nn.ReflectionPad2d(1)(y).data[0, 0],
        [[20, 10, 20, 30, 20], [2, 1, 2, 3, 2], [20, 10, 20, 30, 20], [2, 1, 2, 3, 2]],
    )
    with pytest.raises(ValueError, match="needs more than 3 pixels"):
        nn.ReflectionPad2d(3)(y)


def test_flatten_reads_in_the_order_of_the_index_whatever_the_memory():
    x = RNG.normal(size=(2, 3, 4, 5))
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(nn.Flatten()(last).data, x.reshape(2, -1))
    assert nn.Flatten(0, 1)(x).shape == (6, 4, 5)
    np.testing.assert_array_equal(nn.Unflatten(1, (3, 4, 5))(x.reshape(2, -1)).data, x)
    assert nn.Unflatten(1, (3, -1))(np.zeros((2, 12))).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="has 60"):
        nn.Unflatten(1, (3, 4, 4))(x.reshape(2, -1))


def test_strided_and_reversed_arrays_are_taken_as_they_are():
    layer = nn.Conv2d(2, 3, 3, rng=0)
    x = RNG.normal(size=(2, 2, 6, 6)).astype(np.float32)
    np.testing.assert_array_equal(layer(x[:, :, ::-1]).data, layer(x[:, :, ::-1].copy()).data)
    dense = nn.Linear(3, 2, rng=0)
    rows = RNG.normal(size=(8, 6)).astype(np.float32)
    np.testing.assert_allclose(
        dense(rows[::-2, ::2]).data, dense(rows[::-2, ::2].copy()).data, rtol=1e-6
    )


def test_embedding_refuses_what_is_not_a_row():
    table = nn.Embedding(3, 2)
    with pytest.raises(IndexError, match=r"0\.\.2; got 0 to 3"):
        table(np.array([0, 3]))
    with pytest.raises(TypeError, match="integer"):
        table(np.array([0.5]))
    np.testing.assert_array_equal(F.one_hot([0, 2]).data, [[1, 0, 0], [0, 0, 1]])


def test_zero_images_pass_through_in_evaluation():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 1)).eval()
    assert net(np.zeros((0, 1, 5, 5))).shape == (0, 1)


def test_adaptive_pooling_takes_the_mean_of_tiles_that_cover_the_image():
    x = RNG.normal(size=(2, 3, 5, 7))
    np.testing.assert_allclose(
        nn.AdaptiveAvgPool2d(1)(x).data[..., 0, 0], x.mean(axis=(2, 3)), rtol=1e-12
    )
    np.testing.assert_allclose(nn.AdaptiveAvgPool2d((5, 7))(x).data, x, rtol=1e-12)
    # 5 rows in 2 tiles: rows 0..2 and 2..4 (floor and ceiling of 2.5)
    y = nn.AdaptiveAvgPool2d((2, 1))(x).data[..., 0]
    np.testing.assert_allclose(y[..., 0], x[:, :, :3].mean(axis=(2, 3)), rtol=1e-12)
    np.testing.assert_allclose(y[..., 1], x[:, :, 2:].mean(axis=(2, 3)), rtol=1e-12)


def test_functions_take_their_input_by_torchs_name():
    x = np.ones((1, 4, 4, 4), np.float32)
    w = np.ones((2, 4, 1, 1), np.float32)
    assert F.interpolate(input=x, scale_factor=2).shape == (1, 4, 8, 8)
    assert F.pad(input=x, pad=(1, 1)).shape == (1, 4, 4, 6)
    assert F.relu(input=x).shape == F.softmax(input=x, dim=1).shape == x.shape
    assert F.max_pool2d(input=x, kernel_size=2).shape == (1, 4, 2, 2)
    assert F.conv2d(input=x, weight=w).shape == (1, 2, 4, 4)
    assert F.embedding(input=[1, 0], weight=np.eye(3)).shape == (2, 3)


def test_gelu_keeps_the_digits_of_its_tail_and_its_approximation_is_recorded():
    assert F.gelu(np.array([-10.0])).item() == pytest.approx(-10 * math.erfc(10 / 2**0.5) / 2)
    # PyTorch 2.13
    recorded = [-0.1588080093917233, -0.04540230591222494, 0.8411919906082768]
    y = F.gelu(np.array([-1.0, -2.0, 1.0]), approximate="tanh").data
    np.testing.assert_allclose(y, recorded, rtol=1e-12)
    z = nnlite.Tensor(np.array([-1e30, 1e30], np.float32), requires_grad=True)
    F.gelu(z, "tanh").sum().backward()
    np.testing.assert_allclose(z.grad, [0, 1], atol=1e-6)
