"""The convolution trio: against its definition, as adjoints, and on geometry drawn at random."""

import numpy as np
import pytest

from nnlite.kernels import reference
from nnlite.kernels.geometry import output_size


def convolution_by_definition(x, w, stride, padding, dilation, groups):
    """Compute the sum over channels and taps, one output pixel at a time, in float64."""
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    n, c, h, wd = x.shape
    f, cg, kh, kw = w.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(wd, kw, sw, pw, dw)
    xp = np.zeros((n, c, h + 2 * ph, wd + 2 * pw))
    xp[:, :, ph : ph + h, pw : pw + wd] = x
    y = np.zeros((n, f, oh, ow))
    for k in range(f):
        first = k // (f // groups) * cg
        for u in range(oh):
            for v in range(ow):
                rows = slice(u * sh, u * sh + dh * (kh - 1) + 1, dh)
                columns = slice(v * sw, v * sw + dw * (kw - 1) + 1, dw)
                patch = xp[:, first : first + cg, rows, columns]
                y[:, k, u, v] = np.sum(patch * w[k], axis=(1, 2, 3))
    return y


def random_geometry(rng):
    """Draw a convolution: channels, sizes, kernel, stride, padding, dilation and groups."""
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    channels, filters = groups * int(rng.integers(1, 5)), groups * int(rng.integers(1, 6))
    if rng.random() < 0.3:
        groups, channels, filters = 1, int(rng.integers(1, 40)), int(rng.integers(1, 70))
    kernel = tuple(int(k) for k in rng.integers(1, 6, 2))
    stride = tuple(int(s) for s in rng.integers(1, 4, 2))
    padding = tuple(int(p) for p in rng.integers(0, 4, 2))
    dilation = tuple(int(d) for d in rng.integers(1, 4, 2))
    size = [
        max(1, d * (k - 1) + 1 - 2 * p) + int(rng.integers(0, 9))
        for k, p, d in zip(kernel, padding, dilation, strict=True)
    ]
    batch = int(rng.integers(1, 6))
    window = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (batch, channels, *size), (filters, channels // groups, *kernel), window


def inner(a, b):
    return float(np.sum(a.astype(np.float64) * b.astype(np.float64)))


def norms(a, b):
    return float(np.linalg.norm(a.ravel()) * np.linalg.norm(b.ravel()))


def tolerance(dtype, terms=1):
    """Rounding error of a sum of ``terms`` products, relative to the norms of the factors."""
    return 4 * float(np.finfo(dtype).eps) * max(1.0, terms**0.5)


@pytest.mark.parametrize("seed", range(40))
def test_convolution_is_the_sum_over_channels_and_taps(kernels, dtype, seed):
    rng = np.random.default_rng(seed)
    x_shape, w_shape, window = random_geometry(rng)
    x, w = (rng.standard_normal(s).astype(dtype) for s in (x_shape, w_shape))
    y = kernels.conv2d(x, w, **window)
    expected = convolution_by_definition(x, w, **window)
    assert y.dtype == dtype
    assert y.shape == expected.shape
    scale = np.sqrt(np.prod(w_shape[1:])) * 4
    np.testing.assert_allclose(y, expected, atol=scale * tolerance(dtype), rtol=tolerance(dtype))


@pytest.mark.parametrize("seed", range(40))
def test_transposed_convolution_and_weight_gradient_are_the_adjoints(kernels, dtype, seed):
    rng = np.random.default_rng(1000 + seed)
    x_shape, w_shape, window = random_geometry(rng)
    x, w = (rng.standard_normal(s).astype(dtype) for s in (x_shape, w_shape))
    y = kernels.conv2d(x, w, **window)
    g = rng.standard_normal(y.shape).astype(dtype)
    dx = kernels.conv2d_input_grad(g, w, x_shape, **window)
    dw = kernels.conv2d_weight_grad(x, g, w_shape, **window)
    assert (dx.shape, dw.shape) == (x_shape, w_shape)
    assert dx.dtype == dw.dtype == dtype
    slack = tolerance(dtype, 4) * norms(y, g)
    assert inner(y, g) == pytest.approx(inner(x, dx), abs=slack)
    assert inner(y, g) == pytest.approx(inner(w, dw), abs=slack)


@pytest.mark.parametrize("seed", range(20))
def test_every_entry_of_both_gradients_is_the_one_of_the_reference(kernels, seed):
    rng = np.random.default_rng(2000 + seed)
    x_shape, w_shape, window = random_geometry(rng)
    x, w = (rng.standard_normal(s) for s in (x_shape, w_shape))
    g = rng.standard_normal(reference.conv2d(x, w, **window).shape)
    x32, w32, g32 = (a.astype(np.float32) for a in (x, w, g))
    dx = kernels.conv2d_input_grad(g32, w32, x_shape, **window)
    dw = kernels.conv2d_weight_grad(x32, g32, w_shape, **window)
    dx64 = reference.conv2d_input_grad(g, w, x_shape, **window)
    dw64 = reference.conv2d_weight_grad(x, g, w_shape, **window)
    np.testing.assert_allclose(dx, dx64, atol=3e-6 * np.abs(dx64).max(), rtol=1e-5)
    np.testing.assert_allclose(dw, dw64, atol=3e-6 * np.abs(dw64).max(), rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3, 12, 16, 31, 33, 64])
@pytest.mark.parametrize("slope", [None, 0.0, 0.2])
def test_bias_and_activation_are_those_of_separate_steps(kernels, rng, channels, slope):
    x = rng.standard_normal((3, 5, 8, 7)).astype(np.float32)
    w = rng.standard_normal((channels, 5, 3, 3)).astype(np.float32)
    b = rng.standard_normal(channels).astype(np.float32)
    window = {"stride": (2, 1), "padding": (1, 1)}

    def by_hand(y, b):
        y = y + b[:, None, None]
        return y if slope is None else np.where(y > 0, y, slope * y)

    plain = kernels.conv2d(x, w, **window)
    fused = kernels.conv2d(x, w, **window, bias=b, slope=slope)
    np.testing.assert_allclose(fused, by_hand(plain, b), rtol=1e-5, atol=1e-5)

    back = w.transpose(
        1, 0, 2, 3
    )  # filters whose transposed convolution returns `channels` channels
    g = kernels.conv2d(x, w[:5].reshape(5, 5, 3, 3), **window) if channels >= 5 else x[:, :, :4]
    shape = (3, channels, 8, 7)
    plain = kernels.conv2d_input_grad(g, back, shape, **window)
    fused = kernels.conv2d_input_grad(g, back, shape, **window, bias=b, slope=slope)
    np.testing.assert_allclose(fused, by_hand(plain, b), rtol=1e-5, atol=1e-5)


def test_any_strides_give_the_same_answer(kernels, rng):
    base = rng.standard_normal((4, 6, 9, 8)).astype(np.float32)
    views = {
        "channels last": np.ascontiguousarray(base.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
        "fortran": np.asfortranarray(base),
        "every other": np.repeat(base, 2, axis=3)[..., ::2],
        "negative": np.ascontiguousarray(base[::-1, :, ::-1, ::-1])[::-1, :, ::-1, ::-1],
        "read-only": base.copy(),
    }
    views["read-only"].flags.writeable = False
    w = rng.standard_normal((5, 6, 3, 3)).astype(np.float32)
    strided_w = np.ascontiguousarray(w[:, :, ::-1])[:, :, ::-1]
    y = kernels.conv2d(base, w, padding=(1, 1))
    g = rng.standard_normal(y.shape).astype(np.float32)
    dw = kernels.conv2d_weight_grad(base, g, w.shape, padding=(1, 1))
    dx = kernels.conv2d_input_grad(base, w.transpose(1, 0, 2, 3), (4, 5, 9, 8), padding=(1, 1))

    def close(got, expected, name):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-5, err_msg=name)

    for name, x in views.items():
        assert np.array_equal(x, base), name
        close(kernels.conv2d(x, strided_w, padding=(1, 1)), y, name)
        got = kernels.conv2d_weight_grad(x, g, w.shape, padding=(1, 1))
        close(got, dw, name)
        back = kernels.conv2d_input_grad(x, w.transpose(1, 0, 2, 3), (4, 5, 9, 8), padding=(1, 1))
        close(back, dx, name)


def test_constant_channels_broadcast_without_a_copy_are_accepted(kernels):
    x = np.broadcast_to(np.float32(1), (2, 3, 4, 4))
    w = np.ones((2, 3, 3, 3), np.float32)
    y = kernels.conv2d(x, w, padding=(1, 1))
    # 27 ones inside, 12 in the corner, 18 on an edge
    assert y[1, 1, 1, 1] == 27
    assert y[0, 0, 0, 0] == 12
    assert y[0, 1, 0, 2] == 18


def test_empty_batches_give_empty_images_and_zero_gradients(kernels):
    x = np.zeros((0, 3, 8, 8), np.float32)
    w = np.ones((4, 3, 3, 3), np.float32)
    y = kernels.conv2d(x, w, bias=np.ones(4, np.float32), slope=0.0)
    assert y.shape == (0, 4, 6, 6)
    assert kernels.conv2d_input_grad(y, w, x.shape).shape == x.shape
    np.testing.assert_array_equal(kernels.conv2d_weight_grad(x, y, w.shape), np.zeros_like(w))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("slope", [None, 0.0, 0.2])
def test_nan_and_infinity_reach_exactly_the_windows_that_see_them(kernels, bad, slope):
    x = np.zeros((2, 3, 8, 8), np.float32)
    x[1, 2, 4, 4] = bad
    y = kernels.conv2d(x, np.ones((20, 3, 3, 3), np.float32), padding=(1, 1), slope=slope)
    seen = np.zeros((2, 20, 8, 8), bool)
    seen[1, :, 3:6, 3:6] = True
    np.testing.assert_array_equal(np.isfinite(y), ~seen)
    if np.isnan(bad):
        assert np.all(np.isnan(y[seen]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("filters", [1, 2, 20])
@pytest.mark.parametrize("channels", [1, 16])
def test_a_weight_that_is_not_finite_reaches_the_same_pixels_with_every_kernel(
    kernels, rng, bad, filters, channels
):
    # The border too: there the weight meets padding, and NaN times zero is NaN.
    x = rng.standard_normal((2, channels, 9, 9)).astype(np.float32)
    w = rng.standard_normal((filters, channels, 3, 3)).astype(np.float32)
    w[-1, -1, 0, 2] = bad
    with np.errstate(invalid="ignore"):
        check_borders(kernels, x, w, rng)


def check_borders(kernels, x, w, rng):
    y = kernels.conv2d(x, w, padding=(1, 1))
    g = rng.standard_normal(y.shape).astype(np.float32)
    assert np.all(np.isnan(y[:, -1, 0]))
    dx = kernels.conv2d_input_grad(g, w, x.shape, padding=(1, 1))
    exact = reference.conv2d_input_grad(g, w, x.shape, padding=(1, 1))
    np.testing.assert_array_equal(np.isfinite(dx), np.isfinite(exact))
    np.testing.assert_allclose(dx, exact, rtol=1e-3, atol=1e-4)


def test_relu_of_minus_infinity_is_zero(kernels):
    x = np.full((1, 1, 2, 2), -np.inf, np.float32)
    w = np.ones((1, 1, 1, 1), np.float32)
    assert np.all(kernels.conv2d(x, w, slope=0.0) == 0)
    assert np.all(kernels.conv2d(x, w, slope=0.5) == -np.inf)


def test_long_reductions_in_float32_keep_their_digits(kernels, rng, random_sum_error):
    x = rng.standard_normal((1, 1024, 2, 2)).astype(np.float32)
    w = rng.standard_normal((16, 1024, 2, 2)).astype(np.float32)
    exact = np.einsum("ncij,fcij->nf", x.astype(float), w.astype(float))
    y = kernels.conv2d(x, w)[:, :, 0, 0]
    error = np.sqrt(np.mean((y - exact) ** 2) / np.mean(exact**2))
    assert error < random_sum_error(4096)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": (2, 3, 8)}, ValueError, r"takes images \(N, C, H, W\)"),
        ({"w": (4, 2, 3, 3)}, ValueError, "have 3 channels, but filters .* read 2"),
        ({"w": (4, 3, 9, 3)}, ValueError, "a window of 9×3 pixels .* does not fit"),
        ({"dilation": (4, 1)}, ValueError, "a window of 9×3 pixels .* does not fit"),
        ({"stride": (0, 1)}, ValueError, "stride and dilation must be at least 1"),
        ({"padding": (-1, 0)}, ValueError, "padding at least 0"),
        ({"groups": 2}, ValueError, "groups must divide the 3 channels"),
        ({"bias": np.zeros(3, np.float32)}, ValueError, r"bias must have shape \(4,\)"),
        ({"bias": np.zeros(4)}, TypeError, "bias is float64"),
        ({"slope": -0.1}, ValueError, "slope for negative values must be at least 0"),
    ],
)
def test_impossible_convolutions_say_what_is_wrong(kernels, change, error, message):
    shapes = {"x": (2, 3, 8, 8), "w": (4, 3, 3, 3)}
    arrays = {k: np.zeros(change.get(k, shape), np.float32) for k, shape in shapes.items()}
    with pytest.raises(error, match=message):
        kernels.conv2d(**{**change, **arrays})


def test_mixed_and_integer_dtypes_are_refused(kernels):
    x, w = np.zeros((1, 1, 4, 4), np.float32), np.zeros((1, 1, 3, 3))
    with pytest.raises(TypeError, match="x is float32 but w is float64"):
        kernels.conv2d(x, w)
    with pytest.raises(TypeError, match=r"got x of dtype uint8; convert it with x\.astype"):
        kernels.conv2d(x.astype(np.uint8), w)


def test_gradients_of_the_wrong_shape_are_refused(kernels):
    g, w = np.zeros((2, 4, 5, 6), np.float32), np.zeros((4, 3, 3, 3), np.float32)
    with pytest.raises(ValueError, match=r"takes \(2, 3, 8, 8\) to \(2, 4, 6, 6\)"):
        kernels.conv2d_input_grad(g, w, (2, 3, 8, 8))
    with pytest.raises(ValueError, match=r"in the output's place"):
        kernels.conv2d_weight_grad(np.zeros((2, 3, 8, 8), np.float32), g, (4, 3, 3, 3))


def test_complex_steps_pass_through(kernels, rng):
    x, w = rng.standard_normal((1, 2, 5, 5)), rng.standard_normal((3, 2, 3, 3))
    direction = rng.standard_normal(x.shape)
    slope_of_y = kernels.conv2d(x + 1e-30j * direction, w).imag / 1e-30
    np.testing.assert_allclose(slope_of_y, kernels.conv2d(direction, w), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("images", "channels", "size", "filters", "kernel"),
    [(3, 65, 4, 270, 4), (2, 132, 4, 128, 4), (5, 300, 1, 900, 1), (1, 40, 9, 800, 3)],
)
def test_weight_gradients_larger_than_a_cache(
    kernels, rng, images, channels, size, filters, kernel
):
    """Threads share out the filters of these, not the images."""
    window = {"stride": (2, 2), "padding": (kernel // 2, kernel // 2)}
    out = (size + 2 * (kernel // 2) - kernel) // 2 + 1
    x = rng.standard_normal((images, channels, size, size)).astype(np.float32)
    g = rng.standard_normal((images, filters, out, out)).astype(np.float32)
    shape = (filters, channels, kernel, kernel)
    got = kernels.conv2d_weight_grad(x, g, shape, **window)
    exact = reference.conv2d_weight_grad(x.astype(float), g.astype(float), shape, **window)
    np.testing.assert_allclose(got, exact, atol=3e-6 * np.abs(exact).max())
