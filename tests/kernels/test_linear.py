"""Dense layers are matrix products, in every shape and memory order."""

import numpy as np
import pytest

SHAPES = [
    (1, 1, 1),
    (5, 3, 2),
    (128, 784, 32),
    (64, 100, 130),
    (17, 33, 65),
    (256, 2, 128),
    (200, 40, 70),
    (9, 6, 700),
    (3, 2000, 7),
]


@pytest.mark.parametrize(("batch", "inputs", "outputs"), SHAPES)
def test_products_agree_with_float64(kernels, dtype, rng, batch, inputs, outputs):
    x = rng.standard_normal((batch, inputs)).astype(dtype)
    w = rng.standard_normal((outputs, inputs)).astype(dtype)
    g = rng.standard_normal((batch, outputs)).astype(dtype)
    eps = float(np.finfo(dtype).eps)

    def close(got, expected, terms):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, atol=8 * eps * terms**0.75, rtol=4 * eps)

    x64, w64, g64 = (a.astype(np.float64) for a in (x, w, g))
    close(kernels.linear_forward(x, w), x64 @ w64.T, inputs)
    close(kernels.matmul_nn(g, w), g64 @ w64, outputs)
    close(kernels.matmul_tn(g, x), g64.T @ x64, batch)


@pytest.mark.parametrize("slope", [None, 0.0, 0.2, 1.0])
@pytest.mark.parametrize(("batch", "inputs", "outputs"), [*SHAPES, (40, 300, 1), (0, 5, 6)])
def test_the_backward_pass_of_a_layer(kernels, dtype, rng, batch, inputs, outputs, slope):
    x = rng.standard_normal((batch, inputs)).astype(dtype)
    w = rng.standard_normal((outputs, inputs)).astype(dtype)
    g, y = rng.standard_normal((2, batch, outputs)).astype(dtype)
    kept = g.copy()
    gz = g.astype(float) * np.where(y > 0, 1.0, 1.0 if slope is None else slope)
    expected = gz @ w.astype(float), gz.T @ x.astype(float), gz.sum(0)
    for wanted in ((0, 1, 2), (0,), (1, 2), (2,)):
        got = kernels.linear_backward(g, y, x, w, slope, wanted)
        for i, terms in enumerate((outputs, batch, batch)):
            if i not in wanted:
                assert got[i] is None
                continue
            assert got[i].dtype == dtype
            eps = float(np.finfo(dtype).eps)
            np.testing.assert_allclose(
                got[i], expected[i], atol=8 * eps * max(terms, 1) ** 0.75, rtol=4 * eps
            )
    np.testing.assert_array_equal(g, kept)  # the gradient is the caller's


@pytest.mark.parametrize("slope", [None, 0.0, 0.2])
@pytest.mark.parametrize("outputs", [1, 15, 16, 40])
def test_bias_and_activation_follow_the_product(kernels, dtype, rng, slope, outputs):
    x, w = rng.standard_normal((20, 9)), rng.standard_normal((outputs, 9))
    b = rng.standard_normal(outputs)
    x, w, b = (a.astype(dtype) for a in (x, w, b))
    y = x @ w.T + b
    expected = y if slope is None else np.where(y > 0, y, slope * y)
    tol = 20 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(kernels.linear_forward(x, w, b, slope), expected, rtol=tol, atol=tol)


def test_any_strides_are_accepted(kernels, rng):
    x = rng.standard_normal((30, 20)).astype(np.float32)
    w = rng.standard_normal((10, 20)).astype(np.float32)
    y = kernels.linear_forward(x, w)
    gradients = kernels.linear_backward(y, y, x, w, 0.5)
    for order in (np.asfortranarray, lambda a: np.repeat(a, 2, 1)[:, ::2], lambda a: a[::-1][::-1]):
        np.testing.assert_allclose(
            kernels.linear_forward(order(x), order(w)), y, rtol=1e-5, atol=1e-5
        )
        again = kernels.linear_backward(order(y), order(y), order(x), order(w), 0.5)
        for got, expected in zip(again, gradients, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-4)
    flipped = np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    np.testing.assert_allclose(kernels.linear_forward(flipped, w), y, rtol=1e-5, atol=1e-5)


def test_nan_and_infinity_stay_in_their_rows(kernels):
    x = np.ones((40, 50), np.float32)
    x[7, 3], x[9, 4] = np.nan, np.inf
    y = kernels.linear_forward(x, np.ones((33, 50), np.float32), np.zeros(33, np.float32), 0.0)
    assert np.all(np.isnan(y[7]))
    assert np.all(np.isinf(y[9]))
    assert np.all(np.delete(y, [7, 9], axis=0) == 50)


def test_empty_batches_and_no_inputs(kernels):
    assert kernels.linear_forward(
        np.ones((0, 3), np.float32), np.ones((4, 3), np.float32)
    ).shape == (0, 4)
    zero = kernels.matmul_tn(np.ones((0, 4), np.float32), np.ones((0, 3), np.float32))
    np.testing.assert_array_equal(zero, np.zeros((4, 3)))
    only_bias = kernels.linear_forward(
        np.ones((2, 0), np.float32), np.ones((3, 0), np.float32), np.ones(3, np.float32)
    )
    np.testing.assert_array_equal(only_bias, np.ones((2, 3)))


def test_long_sums_in_float32_keep_their_digits(kernels, rng, random_sum_error):
    x = rng.standard_normal((8, 4096)).astype(np.float32)
    w = rng.standard_normal((16, 4096)).astype(np.float32)
    exact = x.astype(float) @ w.T.astype(float)
    error = kernels.linear_forward(x, w) - exact
    assert np.sqrt(np.mean(error**2) / np.mean(exact**2)) < random_sum_error(4096)


def test_shapes_that_do_not_fit_are_named(kernels):
    x, w = np.ones((4, 3), np.float32), np.ones((5, 2), np.float32)
    with pytest.raises(
        ValueError, match=r"linear takes x \(B, K\) and w \(O, K\), got shapes \(4, 3\)"
    ):
        kernels.linear_forward(x, w)
    with pytest.raises(ValueError, match="matmul_nn takes"):
        kernels.matmul_nn(x, w)
    with pytest.raises(ValueError, match="matmul_tn takes"):
        kernels.matmul_tn(x, w)
    with pytest.raises(ValueError, match="bias must have shape"):
        kernels.linear_forward(x, x, np.ones(3, np.float32))
    with pytest.raises(ValueError, match=r"must have the output's shape \(4, 5\), got \(4, 3\)"):
        kernels.linear_backward(x, x, x, np.ones((5, 3), np.float32))
    with pytest.raises(TypeError, match="x is float32 but w is float64"):
        kernels.linear_forward(x, np.ones((5, 3)))
