"""Pointwise functions, and losses whose gradients come with them."""

import math

import numpy as np
import pytest

EDGES = [0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 20.0, -20.0, 90.0, -90.0, 1e4, -1e4]


def test_bce_is_accurate_from_end_to_end(kernels, dtype, rng):
    """One loss at a time, so that a large one does not hide the digits of a small one."""
    z = np.concatenate([EDGES, rng.uniform(-30, 30, 500)]).astype(dtype)
    tol = 6 * float(np.finfo(dtype).eps)
    tiny = 2e-38 if dtype == np.float32 else 1e-300  # below: flushed to zero on either side
    for v in z:
        e = math.exp(-abs(float(v)))
        softplus = max(float(v), 0.0) + math.log1p(e)
        sigmoid = (1.0 if v >= 0 else e) / (1 + e)
        total, gradient = kernels.bce_with_logits(np.array([v]), np.zeros(1, dtype))
        np.testing.assert_allclose(total, softplus, rtol=tol, atol=tiny)
        np.testing.assert_allclose(gradient, [sigmoid], rtol=tol, atol=tiny)


def test_leaky_relu_keeps_nan_and_shapes(kernels, dtype):
    x = np.zeros((3, 5, 7), dtype)
    x[1, 2, 3] = np.nan
    for view in (x, x.T, x[::-1, ::2], x[:, :, :0]):
        y = kernels.leaky_relu(view)
        assert y.dtype == dtype
        assert y.shape == view.shape
        np.testing.assert_array_equal(np.isnan(y), np.isnan(view))


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0, 2.0])
def test_leaky_relu_satisfies_eulers_identity(kernels, dtype, rng, slope):
    # Homogeneous of degree one: f(x) = x f'(x), which a mismatched backward slope breaks.
    x = rng.standard_normal((40, 30)).astype(dtype)
    y = kernels.leaky_relu(x, slope)
    np.testing.assert_allclose(y, np.where(x > 0, x, slope * x), rtol=1e-6)
    np.testing.assert_allclose(kernels.leaky_relu_grad(x, y, slope), y, rtol=1e-6)


@pytest.mark.parametrize("shape", [(9, 4), (3, 4, 5, 6), (500, 64)])
@pytest.mark.parametrize("slope", [None, 0.0, 0.2])
def test_activation_and_bias_go_back_together(kernels, dtype, rng, shape, slope):
    g, y = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    gz, gb = kernels.leaky_relu_bias_grad(g, y, slope)
    expected = g if slope is None else np.where(y > 0, g, slope * g)
    np.testing.assert_allclose(gz, expected, rtol=1e-6)
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(gb, expected.astype(float).sum(axes), rtol=1e-5, atol=1e-4)


def test_relu_keeps_infinities_apart(kernels, dtype):
    x = np.array([np.inf, -np.inf], dtype)
    np.testing.assert_array_equal(kernels.leaky_relu(x), [np.inf, 0])


@pytest.mark.parametrize("shape", [(1, 1), (64, 1), (7, 11), (33, 784)])
def test_bce_is_the_negative_log_likelihood(kernels, dtype, rng, shape):
    z, t = (rng.standard_normal(shape) * 4).astype(dtype), rng.random(shape).astype(dtype)
    total, gradient = kernels.bce_with_logits(z, t)
    p = 1 / (1 + np.exp(-z.astype(float)))
    t64 = t.astype(float)
    expected = np.sum(t64 * np.logaddexp(0, -z.astype(float)) + (1 - t64) * np.logaddexp(0, z))
    assert isinstance(total, float)
    assert gradient.dtype == dtype
    assert total == pytest.approx(expected, rel=30 * float(np.finfo(dtype).eps))
    np.testing.assert_allclose(gradient, p - t, atol=4 * float(np.finfo(dtype).eps))


def test_bce_survives_certainty(kernels, dtype):
    z = np.array([1e4, -1e4, 1e4, -1e4], dtype)
    t = np.array([1, 0, 0, 1], dtype)
    total, gradient = kernels.bce_with_logits(z, t)
    assert total == pytest.approx(2e4)
    np.testing.assert_allclose(gradient, [0, 0, 1, -1], atol=1e-30)
    total, gradient = kernels.bce_with_logits(np.full(70, 80, dtype), np.zeros(70, dtype))
    assert total == pytest.approx(5600, rel=1e-6)


@pytest.mark.parametrize("confident", [1e3, 1e5, 1e8, -1e8, 1e30])
def test_a_confident_right_answer_takes_no_digits_of_the_others(kernels, rng, confident):
    z = rng.standard_normal(4096).astype(np.float32)
    t = (rng.random(4096) < 0.5).astype(np.float32)
    exact = np.sum(np.logaddexp(0, z[1::2].astype(float)) - t[1::2] * z[1::2].astype(float))
    z[::2], t[::2] = confident, float(confident > 0)
    total, _ = kernels.bce_with_logits(z, t)
    assert total == pytest.approx(exact, rel=1e-6)


def test_bce_passes_nan_on(kernels, dtype):
    z = np.zeros(200, dtype)
    z[150] = np.nan
    total, gradient = kernels.bce_with_logits(z, np.zeros_like(z))
    assert math.isnan(total)
    np.testing.assert_array_equal(np.isnan(gradient), np.isnan(z))


def test_squared_error_and_its_gradient(kernels, dtype, rng):
    x, t = (rng.standard_normal((13, 57)).astype(dtype) for _ in range(2))
    total, gradient = kernels.squared_error(x, t)
    difference = x.astype(float) - t
    assert total == pytest.approx(np.sum(difference**2), rel=30 * float(np.finfo(dtype).eps))
    np.testing.assert_allclose(gradient, 2 * difference, atol=8 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("classes", [1, 2, 10, 300])
def test_cross_entropy_of_classes_and_of_probabilities(kernels, dtype, rng, classes):
    z = (rng.standard_normal((37, classes)) * 5).astype(dtype)
    labels = rng.integers(0, classes, 37)
    log_p = z - np.log(np.sum(np.exp(z.astype(float)), axis=1, keepdims=True))
    total, gradient = kernels.softmax_cross_entropy(z, labels)
    tol = 60 * float(np.finfo(dtype).eps)
    assert total == pytest.approx(-log_p[np.arange(37), labels].sum(), rel=tol, abs=tol)
    np.testing.assert_allclose(gradient, np.exp(log_p) - np.eye(classes)[labels], atol=tol)

    t = rng.dirichlet(np.ones(classes), 37).astype(dtype)
    total, gradient = kernels.softmax_cross_entropy(z, t)
    assert total == pytest.approx(-np.sum(t * log_p), rel=tol, abs=tol)
    np.testing.assert_allclose(gradient, np.exp(log_p) - t, atol=tol)


def test_cross_entropy_of_huge_and_impossible_logits(kernels, dtype):
    z = np.array([[1e4, 0, -np.inf]], dtype)
    total, gradient = kernels.softmax_cross_entropy(z, np.array([0]))
    assert total == 0
    np.testing.assert_array_equal(gradient, np.zeros((1, 3)))
    total, _ = kernels.softmax_cross_entropy(np.array([[0, np.nan]], dtype), np.array([0]))
    assert math.isnan(total)


def test_losses_refuse_what_would_broadcast_or_index_out_of_range(kernels):
    z = np.zeros((4, 1), np.float32)
    for loss in (kernels.bce_with_logits, kernels.squared_error):
        with pytest.raises(ValueError, match=r"one shape, got \(4, 1\) and \(4,\)"):
            loss(z, np.zeros(4, np.float32))
        with pytest.raises(TypeError, match="float32 but t is float64"):
            loss(z, np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"classes must lie in 0\.\.2"):
        kernels.softmax_cross_entropy(np.zeros((2, 3), np.float32), np.array([0, 3]))
    with pytest.raises(ValueError, match=r"classes must lie in 0\.\.2"):
        kernels.softmax_cross_entropy(np.zeros((2, 3), np.float32), np.array([0, -1]))
    with pytest.raises(ValueError, match="need classes of shape"):
        kernels.softmax_cross_entropy(np.zeros((2, 3), np.float32), np.array([[0, 1]]))
    with pytest.raises(ValueError, match="slope for negative values"):
        kernels.leaky_relu(z, -1.0)


@pytest.mark.parametrize("name", ["bce_with_logits", "squared_error", "softmax_cross_entropy"])
def test_a_scale_multiplies_loss_and_gradient(kernels, dtype, rng, name):
    loss = getattr(kernels, name)
    x, t = rng.random((2, 70, 9)).astype(dtype)
    total, gradient = loss(x, t)
    mean, of_mean = loss(x, t, 0.25)
    assert mean == pytest.approx(total / 4, rel=1e-12)
    assert of_mean.dtype == dtype
    np.testing.assert_allclose(of_mean, gradient / 4, rtol=4 * float(np.finfo(dtype).eps))
