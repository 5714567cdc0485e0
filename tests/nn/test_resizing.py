"""Resizing and padding: which old pixels the new ones are, recorded from PyTorch or exact."""

import numpy as np
import pytest

from nnlite import nn
from nnlite.nn import functional as F


def _row(n):
    return np.arange(float(n)).reshape(1, 1, 1, n)


@pytest.mark.parametrize(("old", "new"), [(28, 36), (24, 21), (23, 46), (14, 46), (7, 7), (5, 1)])
def test_nearest_pixels_are_counted_in_whole_numbers(old, new):
    exact = [i * old // new for i in range(new)]
    np.testing.assert_array_equal(F.interpolate(_row(old), size=(1, new)).data[0, 0, 0], exact)
    centred = [(2 * i + 1) * old // (2 * new) for i in range(new)]
    y = F.interpolate(_row(old), size=(1, new), mode="nearest-exact")
    np.testing.assert_array_equal(y.data[0, 0, 0], centred)


@pytest.mark.parametrize(
    ("old", "factor", "mode", "expected"),
    [  # recorded from PyTorch 2.13
        (2, 1.4, "nearest", [0, 1]),
        (2, 2.3, "nearest", [0, 0, 1, 1]),
        (3, 1.4, "nearest", [0, 0, 1, 2]),
        (5, 0.5, "nearest", [0, 2]),
        (4, 1.2, "nearest-exact", [0, 1, 2, 2]),
    ],
)
def test_factors_pick_the_pixels_that_pytorch_picks(old, factor, mode, expected):
    y = nn.Upsample(scale_factor=(1, factor), mode=mode)(_row(old))
    np.testing.assert_array_equal(y.data[0, 0, 0], expected)


def test_recomputed_factors_place_pixels_by_the_ratio_of_the_sizes():
    layer = nn.Upsample(scale_factor=1.4, recompute_scale_factor=True)
    np.testing.assert_array_equal(layer(_row(4)).data, F.interpolate(_row(4), size=(1, 5)).data)
    y = F.interpolate(_row(4), scale_factor=1.3, mode="bilinear", recompute_scale_factor=True)
    np.testing.assert_allclose(y.data, F.interpolate(_row(4), size=(1, 5), mode="bilinear").data)
    with pytest.raises(ValueError, match="antialias=True is not offered"):
        F.interpolate(_row(4), size=2, mode="bilinear", antialias=True)


@pytest.mark.parametrize(
    ("pad", "mode", "expected"),
    [
        ((2, -1), "constant", [0, 0, 0, 1, 2]),
        ((2, -1), "reflect", [2, 1, 0, 1, 2]),
        ((-1, 2), "reflect", [1, 2, 3, 2, 1]),
        ((-2, 2), "replicate", [2, 3, 3, 3]),
        ((2, -1), "circular", [1, 2, 0, 1, 2]),
        ((-1, 2), "circular", [1, 2, 3, 1, 2]),
        ((-1, -1), "constant", [1, 2]),
    ],
)
def test_negative_widths_take_pixels_away(pad, mode, expected):  # recorded from PyTorch 2.13
    np.testing.assert_array_equal(F.pad(_row(4), pad, mode).data[0, 0, 0], expected)
    if mode == "constant":
        np.testing.assert_array_equal(nn.ZeroPad2d((*pad, 0, 0))(_row(4)).data[0, 0, 0], expected)


def test_impossible_frames_are_refused():
    for pad, mode, message in (
        ((-3, -2), "constant", "take away more than the 4 pixels"),
        ((5, 0), "circular", "needs more than 4 pixels"),
        ((1, 1.5), "constant", "pairs of integers"),
        ((1,), "constant", "pairs of integers"),
        ((1, 1), "mirror", "mode must be .constant., .reflect."),
    ):
        with pytest.raises(ValueError, match=message):
            F.pad(_row(4), pad, mode)
    with pytest.raises(ValueError, match="and no value"):
        F.pad(_row(4), (1, 1), "reflect", 3.0)


def test_adaptive_pooling_leaves_an_axis_alone_on_request():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    np.testing.assert_allclose(
        nn.AdaptiveAvgPool2d((1, None))(x).data, x.mean(axis=2, keepdims=True), rtol=1e-12
    )
    np.testing.assert_allclose(nn.AdaptiveAvgPool2d(None)(x).data, x, rtol=1e-12)
    with pytest.raises(TypeError, match="None keeps an axis; got"):
        nn.AdaptiveAvgPool2d((3, None, 2))


def test_a_transposed_convolution_takes_the_size_it_shall_reach():
    up = nn.ConvTranspose2d(1, 1, 3, stride=2, rng=0)
    x = np.random.default_rng(0).normal(size=(1, 1, 4, 4))
    for size in (9, (9, 10), (1, 1, 10, 9)):
        y = up(x, output_size=size)
        assert y.shape[2:] == (size, size)[:2] if isinstance(size, int) else size[-2:]
    twin = nn.ConvTranspose2d(1, 1, 3, stride=2, output_padding=1)
    twin.load_state_dict(up.state_dict())
    np.testing.assert_array_equal(up(x, output_size=[10, 10]).data, twin(x).data)
    with pytest.raises(ValueError, match=r"become 9 to 10 rows.*got output_size=\(11, 9\)"):
        up(x, output_size=(11, 9))
