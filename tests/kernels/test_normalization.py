"""Batch normalisation: statistics, the derivative, and what must be refused."""

import numpy as np
import pytest

SHAPES = [(16, 5), (6, 3, 4, 5), (2, 40, 3, 3), (300, 1), (64, 128)]


def batch(rng, shape, dtype):
    x = rng.standard_normal(shape) * 2 + 3
    weight, bias = rng.uniform(0.5, 2, shape[1]), rng.standard_normal(shape[1])
    return tuple(a.astype(dtype) for a in (x, weight, bias))


def columns(x):
    """(N, C, H, W) -> (N·H·W, C)"""
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("slope", [None, 0.0, 0.2])
def test_output_is_the_standardised_input(kernels, dtype, rng, shape, slope):
    x, weight, bias = batch(rng, shape, dtype)
    y, mean, var = kernels.batch_norm_forward(x, weight, bias, 1e-3, slope)
    x64 = columns(x).astype(np.float64)
    m, v = x64.mean(axis=0), x64.var(axis=0)
    expected = (x64 - m) / np.sqrt(v + 1e-3) * weight + bias
    if slope is not None:
        expected = np.where(expected > 0, expected, slope * expected)
    tol = 60 * float(np.finfo(dtype).eps)
    assert y.dtype == mean.dtype == var.dtype == dtype
    assert y.shape == x.shape
    np.testing.assert_allclose(mean, m, rtol=tol)
    np.testing.assert_allclose(var, v, rtol=tol)
    np.testing.assert_allclose(columns(y), expected, rtol=tol, atol=tol)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("slope", [None, 0.0, 0.2])
def test_backward_is_the_derivative(kernels, dtype, rng, shape, slope):
    from nnlite.kernels import reference

    x, weight, bias = batch(rng, shape, dtype)
    g = rng.standard_normal(shape).astype(dtype)
    eps = 1e-2
    y, mean, var = kernels.batch_norm_forward(x, weight, bias, eps, slope)
    dx, dweight, dbias = kernels.batch_norm_backward(g, x, weight, mean, var, eps, y, slope)
    assert dx.dtype == dweight.dtype == dbias.dtype == dtype
    x64, w64, b64, g64 = (a.astype(np.float64) for a in (x, weight, bias, g))

    def loss(x, w, b):
        """Linear in the cotangent; a complex step through it is exact."""
        return np.sum(g64 * reference.batch_norm_forward(x, w, b, eps, slope)[0])

    h = 1e-30
    vx, vw, vb = (rng.standard_normal(a.shape) for a in (x, weight, bias))
    tol = float(200 * np.finfo(dtype).eps * np.sqrt(g.size))
    assert np.sum(dx * vx) == pytest.approx(
        loss(x64 + 1j * h * vx, w64, b64).imag / h, abs=tol, rel=tol
    )
    assert np.sum(dweight * vw) == pytest.approx(
        loss(x64, w64 + 1j * h * vw, b64).imag / h, abs=tol, rel=tol
    )
    assert np.sum(dbias * vb) == pytest.approx(
        loss(x64, w64, b64 + 1j * h * vb).imag / h, abs=tol, rel=tol
    )


def test_the_gradient_along_x_hat_shows_eps_exactly(kernels, rng):
    # <dx, x_hat> = weight / sqrt(v + eps) <g, x_hat> eps / (v + eps)
    x = rng.standard_normal((50, 4))
    weight, eps = rng.uniform(0.5, 2, 4), 0.05
    g = rng.standard_normal(x.shape)
    _, mean, var = kernels.batch_norm_forward(x, weight, np.zeros(4), eps)
    dx, _, _ = kernels.batch_norm_backward(g, x, weight, mean, var, eps)
    x_hat = (x - mean) / np.sqrt(var + eps)
    along = weight / np.sqrt(var + eps) * np.sum(g * x_hat, 0) * eps / (var + eps)
    np.testing.assert_allclose(np.sum(dx * x_hat, 0), along, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(dx.sum(0), 0, atol=1e-12)


def test_no_value_exceeds_the_square_root_of_its_fellows(kernels, rng):
    # Samuelson (1968): |x_hat| <= sqrt(m - 1), reached by a single spike.
    spike = np.zeros((33, 2), np.float32)
    spike[5] = 1e3
    cauchy = rng.standard_cauchy((33, 200)).astype(np.float32)
    for x, slack in ((spike, 1e-5), (cauchy, 1e-5)):
        one, zero = np.ones(x.shape[1], np.float32), np.zeros(x.shape[1], np.float32)
        y, _, _ = kernels.batch_norm_forward(x, one, zero, 0.0)
        assert np.abs(y).max() <= np.sqrt(32) * (1 + slack)
    one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
    y, _, _ = kernels.batch_norm_forward(spike, one, zero, 0.0)
    np.testing.assert_allclose(y[5], np.sqrt(32), rtol=1e-6)


def test_a_large_mean_does_not_spoil_the_variance(kernels, rng):
    x = (rng.standard_normal((4096, 3)) + 1000).astype(np.float32)
    _, _, var = kernels.batch_norm_forward(x, np.ones(3, np.float32), np.zeros(3, np.float32), 0.0)
    np.testing.assert_allclose(var, x.astype(np.float64).var(axis=0), rtol=1e-5)


def test_memory_order_does_not_matter(kernels, rng):
    x, weight, bias = batch(rng, (5, 6, 4, 3), np.float32)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    odd = np.repeat(x, 2, axis=2)[:, :, ::2][::-1][::-1]
    y = kernels.batch_norm_forward(x, weight, bias, 1e-5)[0]
    for other in (last, odd):
        got = kernels.batch_norm_forward(other, weight, bias, 1e-5)[0]
        np.testing.assert_allclose(got, y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("row", [0, 60])
def test_the_mean_of_an_infinite_value_is_infinite(kernels, row):
    x = np.ones((64, 3), np.float32)
    x[row, 1] = np.inf
    one = np.ones(3, np.float32)
    with np.errstate(invalid="ignore"):
        y, mean, var = kernels.batch_norm_forward(x, one, one, 1e-5)
    np.testing.assert_array_equal(mean, [1, np.inf, 1])
    np.testing.assert_array_equal(np.isnan(var), [False, True, False])
    assert np.all(np.isnan(y[:, 1]))


def test_nan_spreads_through_its_channel_only(kernels):
    x = np.random.default_rng(0).standard_normal((8, 3, 4, 4)).astype(np.float32)
    x[2, 1, 0, 0] = np.nan
    one, zero = np.ones(3, np.float32), np.zeros(3, np.float32)
    y, mean, var = kernels.batch_norm_forward(x, one, zero, 1e-5, 0.0)
    assert np.all(np.isnan(y[:, 1]))
    assert np.all(np.isfinite(y[:, [0, 2]]))
    np.testing.assert_array_equal(np.isnan(mean), [False, True, False])
    np.testing.assert_array_equal(np.isnan(var), [False, True, False])


@pytest.mark.parametrize("shape", [(7, 5), (3, 5, 4, 6)])
@pytest.mark.parametrize("slope", [None, 0.0, 0.3])
def test_affine_scales_and_shifts_each_channel(kernels, dtype, rng, shape, slope):
    x, scale, shift = batch(rng, shape, dtype)
    y = columns(x) * scale + shift
    expected = y if slope is None else np.where(y > 0, y, slope * y)
    got = kernels.channel_affine(x, scale, shift, slope)
    assert got.dtype == dtype
    np.testing.assert_allclose(columns(got), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(7, 5), (3, 5, 4, 6), (0, 5), (1000, 33)])
def test_channel_sums_sum_everything_else(kernels, dtype, rng, shape):
    x = rng.standard_normal(shape).astype(dtype)
    got = kernels.channel_sums(x)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, columns(x).astype(float).sum(0), rtol=1e-5, atol=1e-4)


def test_what_has_no_statistics_is_refused(kernels):
    v = np.ones(3, np.float32)
    with pytest.raises(ValueError, match="has no values"):
        kernels.batch_norm_forward(np.ones((0, 3), np.float32), v, v, 1e-5)
    with pytest.raises(ValueError, match=r"weight must have shape \(4,\)"):
        kernels.batch_norm_forward(np.ones((2, 4), np.float32), v, v, 1e-5)
    with pytest.raises(ValueError, match="the output y is needed"):
        kernels.batch_norm_backward(
            np.ones((2, 3), np.float32), np.ones((2, 3), np.float32), v, v, v, 0.1, slope=0.1
        )
    with pytest.raises(TypeError, match="x is float64 but weight is float32"):
        kernels.batch_norm_forward(np.ones((2, 3)), v, v, 1e-5)
