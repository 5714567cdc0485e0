"""Pooling and the kernels that only move numbers."""

import numpy as np
import pytest

WINDOWS = [
    ((2, 2), None, (0, 0)),
    ((3, 3), (2, 2), (1, 1)),
    ((3, 2), (1, 3), (1, 0)),
    ((1, 4), (2, 1), (0, 2)),
]


def inner(a, b):
    return float(np.sum(a.astype(np.float64) * b.astype(np.float64)))


def windows_of(x, kernel, stride, padding, fill):
    """Yield (u, v, window, mask inside the image) for every position, by definition."""
    stride = kernel if stride is None else stride
    h, w = x.shape[2:]
    xp = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=fill)
    inside = np.pad(np.ones((h, w), bool), ((padding[0],) * 2, (padding[1],) * 2))
    for u, a in enumerate(range(0, xp.shape[2] - kernel[0] + 1, stride[0])):
        for v, b in enumerate(range(0, xp.shape[3] - kernel[1] + 1, stride[1])):
            area = (..., slice(a, a + kernel[0]), slice(b, b + kernel[1]))
            yield u, v, xp[area], inside[area]


@pytest.mark.parametrize(("kernel", "stride", "padding"), WINDOWS)
def test_max_pool_takes_the_largest_and_remembers_where(
    kernels, dtype, rng, kernel, stride, padding
):
    x = rng.standard_normal((2, 3, 9, 8)).astype(dtype)
    y, index = kernels.max_pool2d(x, kernel, stride, padding)
    for u, v, window, _ in windows_of(x, kernel, stride, padding, -np.inf):
        np.testing.assert_array_equal(y[:, :, u, v], window.max(axis=(2, 3)))
    found = np.take_along_axis(x.reshape(2, 3, -1), index.reshape(2, 3, -1), axis=2)
    np.testing.assert_array_equal(found.reshape(y.shape), y)
    assert y.dtype == dtype

    g = rng.standard_normal(y.shape).astype(dtype)
    dx = kernels.max_pool2d_backward(g, index, x.shape)
    # The map x -> y is linear where no maximum changes hands, so <g, y> = <dx, x>.
    assert inner(dx, x) == pytest.approx(inner(g, y), rel=1e-5)
    assert dx.sum() == pytest.approx(g.sum(), rel=1e-4, abs=1e-4)


def test_max_pool_of_ties_infinities_and_nan(kernels, dtype):
    x = np.zeros((1, 1, 2, 4), dtype)
    y, index = kernels.max_pool2d(x, (2, 2))
    assert index.ravel().tolist() == [0, 2]  # of equals, the first
    x[0, 0, 0, 1], x[0, 0, :, 2:] = np.nan, -np.inf
    y, index = kernels.max_pool2d(x, (2, 2))
    assert np.isnan(y[0, 0, 0, 0])
    assert y[0, 0, 0, 1] == -np.inf
    assert index.ravel().tolist() == [1, 2]
    _, index = kernels.max_pool2d(np.full((1, 1, 3, 3), -np.inf, dtype), (2, 2), (1, 1), (1, 1))
    assert index.min() >= 0
    assert index.max() < 9


@pytest.mark.parametrize(("kernel", "stride", "padding"), WINDOWS)
@pytest.mark.parametrize("count_include_pad", [True, False])
def test_avg_pool_takes_the_mean_and_its_backward_is_the_adjoint(
    kernels, dtype, rng, kernel, stride, padding, count_include_pad
):
    x = rng.standard_normal((2, 3, 9, 8)).astype(dtype)
    y = kernels.avg_pool2d(x, kernel, stride, padding, count_include_pad)
    for u, v, window, inside in windows_of(x, kernel, stride, padding, 0):
        count = inside.size if count_include_pad else inside.sum()
        np.testing.assert_allclose(y[:, :, u, v], window.sum((2, 3)) / count, rtol=1e-4, atol=1e-6)
    g = rng.standard_normal(y.shape).astype(dtype)
    dx = kernels.avg_pool2d_backward(g, x.shape, kernel, stride, padding, count_include_pad)
    assert dx.dtype == dtype
    slack = float(20 * np.finfo(dtype).eps * np.linalg.norm(g) * np.linalg.norm(y))
    assert inner(dx, x) == pytest.approx(inner(g, y), abs=slack)


def pixels_of(n, o, k, s, p, d):
    """Return the pixels of each of o windows on an axis of n, and where the padding ends for it."""
    return [[i for i in range(u * s - p, u * s - p + k * d, d) if i < n + p] for u in range(o)]


@pytest.mark.parametrize("seed", range(12))
def test_max_pool_of_spread_windows_that_reach_beyond_the_image(kernels, dtype, seed):
    rng = np.random.default_rng(seed)
    h, w = rng.integers(5, 12, 2)
    kernel, stride, dilation = (tuple(map(int, rng.integers(1, 4, 2))) for _ in range(3))
    padding = tuple(k // 2 for k in kernel)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if h + 2 * padding[0] < reach[0] or w + 2 * padding[1] < reach[1]:
        kernel, dilation = (2, 2), (1, 1)
        padding = (1, 1)
    x = rng.standard_normal((2, 3, h, w)).astype(dtype)
    y, index = kernels.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode=True)
    rows, columns = (
        pixels_of(*of_axis)
        for of_axis in zip((h, w), y.shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    for n, o, s, p, axis in zip((h, w), y.shape[2:], stride, padding, (rows, columns), strict=True):
        assert (o - 1) * s < n + p  # the last window begins inside, and the next one would not,
        assert o * s >= n + p or max(axis[-1]) + s >= n  # or all pixels are in a window already
    for u, i in enumerate(rows):
        for v, j in enumerate(columns):
            inside = np.ix_([a for a in i if 0 <= a < h], [b for b in j if 0 <= b < w])
            best = x[:, :, *inside].max(axis=(2, 3))
            np.testing.assert_array_equal(y[:, :, u, v], best)
    found = np.take_along_axis(x.reshape(2, 3, -1), index.reshape(2, 3, -1), axis=2)
    np.testing.assert_array_equal(found.reshape(y.shape), y)


@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("divisor", [None, 3])
def test_avg_pool_does_not_count_what_lies_beyond_the_padding(
    kernels, dtype, rng, count_include_pad, divisor
):
    x = rng.standard_normal((2, 3, 6, 7)).astype(dtype)
    how = ((3, 2), (3, 2), (1, 1), count_include_pad, True, divisor)
    y = kernels.avg_pool2d(x, *how)
    assert y.shape == (2, 3, 3, 4)
    rows, columns = pixels_of(6, 3, 3, 3, 1, 1), pixels_of(7, 4, 2, 2, 1, 1)
    for u, i in enumerate(rows):
        for v, j in enumerate(columns):
            real = [a for a in i if 0 <= a < 6], [b for b in j if 0 <= b < 7]
            counted = (i, j) if count_include_pad else real
            total = x[:, :, *np.ix_(*real)].sum(axis=(2, 3))
            expected = total / (divisor or len(counted[0]) * len(counted[1]))
            np.testing.assert_allclose(y[:, :, u, v], expected, rtol=1e-4, atol=1e-6)
    g = rng.standard_normal(y.shape).astype(dtype)
    dx = kernels.avg_pool2d_backward(g, x.shape, *how)
    slack = float(20 * np.finfo(dtype).eps * np.linalg.norm(g) * np.linalg.norm(y))
    assert inner(dx, x) == pytest.approx(inner(g, y), abs=slack)


def test_a_window_larger_than_the_image_may_be_the_last_one(kernels, dtype):
    x = np.arange(4, dtype=dtype).reshape(1, 1, 2, 2)
    y, index = kernels.max_pool2d(x, (3, 3), (2, 2), ceil_mode=True)
    assert (y.item(), index.item()) == (3, 3)
    with pytest.raises(ValueError, match="does not fit into an image of 2×2"):
        kernels.max_pool2d(x, (4, 4), (2, 2), ceil_mode=True)
    with pytest.raises(ValueError, match="does not fit"):
        kernels.max_pool2d(x, (3, 3), (2, 2))


def test_images_without_pixels_are_refused_where_padding_would_give_them_windows(kernels, dtype):
    for shape in ((1, 1, 0, 5), (1, 1, 3, 0)):
        x = np.zeros(shape, dtype)
        for pool in (kernels.max_pool2d, kernels.avg_pool2d):
            with pytest.raises(ValueError, match="of at least one pixel, got shape"):
                pool(x, (2, 2), (1, 1), (1, 1))
    y, _ = kernels.max_pool2d(np.zeros((0, 1, 4, 4), dtype), (2, 2))
    assert y.shape == (0, 1, 2, 2)  # a batch may be empty


def test_impossible_pooling_is_refused(kernels):
    with pytest.raises(ValueError, match=r"with dilation .* see nothing of an image of 1×9"):
        kernels.max_pool2d(np.zeros((1, 1, 1, 9), np.float32), (3, 3), None, (1, 1), (2, 2), True)
    with pytest.raises(ValueError, match="stride and dilation must be at least 1"):
        kernels.max_pool2d(np.zeros((1, 1, 4, 4), np.float32), (2, 2), (0, 1), ceil_mode=True)
    x = np.zeros((1, 1, 4, 4), np.float32)
    with pytest.raises(ValueError, match="more than half of the kernel"):
        kernels.max_pool2d(x, (2, 2), padding=(2, 0))
    with pytest.raises(ValueError, match="does not fit"):
        kernels.avg_pool2d(x, (5, 5))
    with pytest.raises(ValueError, match="do not belong together"):
        kernels.max_pool2d_backward(x, np.zeros((1, 1, 2, 2), np.int64), (1, 1, 8, 8))
    with pytest.raises(ValueError, match="got a gradient of shape"):
        kernels.avg_pool2d_backward(x, (1, 1, 4, 4), (2, 2))


@pytest.mark.parametrize(
    "shape", [(2, 3, 4, 5), (1, 1, 7, 7), (5, 40, 3, 2), (0, 3, 2, 2), (3, 128, 7, 7)]
)
def test_flattening_follows_the_index_and_not_the_memory(kernels, dtype, rng, shape):
    x = rng.standard_normal(shape).astype(dtype)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    for images in (x, last, np.asfortranarray(x)):
        rows = kernels.flatten_images(images)
        np.testing.assert_array_equal(rows, x.reshape(len(x), int(np.prod(shape[1:]))))
        assert rows.flags.c_contiguous
    back = kernels.unflatten_images(kernels.flatten_images(last), shape[1:])
    np.testing.assert_array_equal(back, x)
    assert back.transpose(0, 2, 3, 1).flags.c_contiguous


@pytest.mark.parametrize("r", [1, 2, 3])
def test_pixel_shuffle_puts_channel_ijc_where_it_belongs(kernels, dtype, rng, r):
    x = rng.standard_normal((2, 3 * r * r, 4, 5)).astype(dtype)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    for images in (x, last):
        y = kernels.pixel_shuffle(images, r)
        assert y.shape == (2, 3, 4 * r, 5 * r)
        for c in range(3):
            for i in range(r):
                for j in range(r):
                    np.testing.assert_array_equal(y[:, c, i::r, j::r], x[:, c * r * r + i * r + j])
        np.testing.assert_array_equal(kernels.pixel_unshuffle(y, r), x)


def test_impossible_layouts_are_refused(kernels):
    x = np.zeros((2, 6, 3, 4), np.float32)
    with pytest.raises(ValueError, match="a multiple of 4 channels"):
        kernels.pixel_shuffle(x, 2)
    with pytest.raises(ValueError, match="divisible by 2"):
        kernels.pixel_unshuffle(x, 2)
    with pytest.raises(ValueError, match="cannot become images"):
        kernels.unflatten_images(np.zeros((2, 5), np.float32), (1, 2, 2))
    with pytest.raises(ValueError, match="flatten_images takes images"):
        kernels.flatten_images(np.zeros((2, 5), np.float32))
