"""What gradients are where there is a choice: kinks, ties, zeros, and where there is none."""

import numpy as np
import pytest

import nnlite
from nnlite import ops


def gradient(f, x):
    t = nnlite.Tensor(np.array(x, float), requires_grad=True)
    return nnlite.grad(np.sum(f(t)), t)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.abs, [0.0, -2.0], [0, -1]),
        (ops.relu, [0.0, 1.0], [0, 1]),
        (np.sign, [0.0, 3.0], [0, 0]),
        (lambda t: np.maximum(t, 1.0), [1.0, 2.0], [0.5, 1]),  # a tie is shared
        (lambda t: np.minimum(t, 1.0), [1.0, 2.0], [0.5, 0]),
        (lambda t: np.clip(t, -1, 1), [-1.0, 0.0, 1.0, 2.0], [1, 1, 1, 0]),  # bounds are inside
        (np.max, [3.0, 1.0, 3.0], [0.5, 0, 0.5]),
        (np.min, [3.0, 1.0, 3.0], [0, 1, 0]),
        (np.sort, [1.0, 1.0, 0.0], [1, 1, 1]),
        (np.linalg.norm, [0.0, 0.0], [0, 0]),  # the shortest subgradient
        (lambda t: np.hypot(t, 0.0), [0.0], [0]),
        (np.std, [2.0, 2.0], [0, 0]),
        (lambda t: t**0, [0.0, 2.0], [0, 0]),
        (lambda t: t**2, [0.0, -2.0], [0, -4]),
        (lambda t: 0.0**t, [1.0, 2.0], [0, 0]),
        (np.prod, [2.0, 0.0, 3.0], [0, 6, 0]),
        (np.prod, [2.0, 0.0, 0.0], [0, 0, 0]),
        (np.cumprod, [2.0, 0.0, 3.0], [1, 8, 0]),
        (np.median, [1.0, 4.0, 2.0, 8.0], [0, 0.5, 0.5, 0]),
        (np.sinc, [0.0], [0]),
        (lambda t: np.nan_to_num(t), [np.nan, 2.0, np.inf], [0, 1, 0]),
        (lambda t: np.where(t > 0, t, 0.0), [0.0, 1.0], [0, 1]),
        (lambda t: np.linalg.norm(t, 3), [0.0, 0.0], [0, 0]),
        (lambda t: np.linalg.norm(t, 1.5), [0.0, -2.0], [0, -1]),
        (lambda t: np.linalg.norm(t, 0.5), [0.0, 2.0], [0, 1]),
        (lambda t: np.linalg.norm(t, -1), [0.0, 2.0], [0, 0]),
        (lambda t: np.linalg.norm(t, np.inf), [0.0, 0.0], [0, 0]),
        (lambda t: np.linalg.norm(t, 3, axis=1), [[0.0, 0.0], [3.0, 0.0]], [[0, 0], [1, 0]]),
        (lambda t: np.linalg.vector_norm(t, ord=3), [[0.0, 0.0], [2.0, 0.0]], [[0, 0], [1, 0]]),
        (np.std, [0.1, 0.1, 0.1], [0, 0, 0]),  # though rounding gives them a std of 1e-17
        (np.var, [2.0, 2.0], [0, 0]),
        (lambda t: np.arctan2(t, 0.0), [0.0], [0]),
        (lambda t: np.arctan2(0.0, t), [0.0], [0]),
        (lambda t: np.arctan2(t, 1e-200), [1e-200], [5e199]),  # r^2 underflows
        (lambda t: t ** np.zeros(2), [0.0, 2.0], [0, 0]),
        (lambda t: 0.0**t, [0.0, 0.5], [0, 0]),
        (lambda t: np.zeros(2) ** t, [0.0, 0.5], [0, 0]),
        (lambda t: np.copysign(t, -1.0), [0.0, 2.0], [0, -1]),
        (lambda t: np.prod(t), [1e-200, 1e-200, 2.0], [2e-200, 2e-200, 0]),  # out underflows
        (lambda t: np.prod(t), [2.0, np.inf, 3.0], [np.inf, 6, np.inf]),
        (lambda t: np.prod(t), 3.0, 1),
        (lambda t: np.prod(t, axis=0), 3.0, 1),
        (lambda t: np.cumprod(t), [2.0, 0.0, 3.0, 0.0], [1, 8, 0, 0]),
        (lambda t: np.clip(t, -1, 1), [np.inf, -np.inf, np.nan], [0, 0, 0]),
        (np.tanh, [1e4, -np.inf], [0, 0]),
        (ops.sigmoid, [np.inf, -1e4], [0, 0]),
        (ops.softplus, [np.inf, -np.inf], [1, 0]),
        (ops.logsumexp, [0.0, np.inf], [0, 1]),
        (ops.logsumexp, [-np.inf, np.inf, np.inf], [0, 0.5, 0.5]),
        (ops.logsumexp, [-np.inf, 0.0], [0, 1]),
        (ops.logsumexp, [-np.inf, -np.inf], [0.5, 0.5]),
        (lambda t: np.logaddexp(*t), [-np.inf, -np.inf], [0.5, 0.5]),
        (lambda t: np.logaddexp(*t), [np.inf, np.inf], [0.5, 0.5]),
        (lambda t: np.logaddexp(*t), [np.inf, -np.inf], [1, 0]),
        (lambda t: np.logaddexp(*t), [-np.inf, 3.0], [0, 1]),
        (lambda t: np.logaddexp2(*t), [-np.inf, -np.inf], [0.5, 0.5]),
        (lambda t: np.modf(t)[0], [np.inf, 1.5], [0, 1]),
        (lambda t: np.nanmean(t), [np.nan, 1.0, 3.0], [0, 0.5, 0.5]),
        (lambda t: np.nansum(t), [np.nan, 1.0], [0, 1]),
        (lambda t: np.nanprod(t), [np.nan, 2.0, 3.0], [0, 3, 2]),
        (lambda t: np.transpose(t, 0), [1.0, 2.0], [1, 1]),
    ],
)  # fmt: skip
def test_gradients_at_kinks_and_ties(f, x, expected):
    with np.errstate(invalid="raise"):
        np.testing.assert_allclose(gradient(f, x), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda t: np.linalg.norm(t), [0.0, 0.0]),
        (lambda t: np.linalg.norm(t, 3), [0.0, 0.0]),
        (lambda t: np.linalg.norm(t, 3), [0.0, 2.0]),
        (lambda t: np.linalg.norm(t, 1.5), [0.0, 2.0]),
        (lambda t: np.hypot(*t), [0.0, 0.0]),
        (lambda t: np.arctan2(*t), [0.0, 0.0]),
        (np.std, [0.1, 0.1, 0.1]),
        (np.var, [2.0, 2.0]),
        (np.prod, [2.0, 0.0, 0.0]),
        (np.cumprod, [2.0, 0.0, 3.0, 0.0]),
        (np.max, [1.0, 1.0]),
        (np.sinc, [0.0]),
        (lambda t: t**2, [0.0]),
        (lambda t: t ** np.array([2.0, 1.0, 0.0]), [0.0, 0.0, 0.0]),
        (lambda t: np.logaddexp(*t), [-np.inf, -np.inf]),
        (lambda t: np.logaddexp(*t), [1e6, 1e6]),
        (ops.logsumexp, [0.0, np.inf]),
        (ops.logsumexp, [-np.inf, -np.inf]),
        (ops.log_softmax, [-np.inf, 0.0]),
        (ops.softplus, [1e4, -1e4]),
        (ops.sigmoid, [1e4, -1e4]),
        (np.tanh, [1e4, -1e4]),
    ],
)  # fmt: skip
def test_second_derivatives_are_finite_where_the_first_are(f, x):
    t = nnlite.Tensor(np.array(x), requires_grad=True)
    first = nnlite.grad(np.sum(f(t)), t, create_graph=True)
    assert np.isfinite(first.data).all()
    if first.requires_grad:
        second = nnlite.grad(np.sum(first * np.arange(1.0, 1 + t.size)), t, allow_unused=True)
        assert second is None or np.isfinite(second).all()


@pytest.mark.parametrize("ord", ["fro", 1, np.inf])
def test_a_matrix_norm_has_the_gradient_0_at_0(ord):
    np.testing.assert_array_equal(
        gradient(lambda t: np.linalg.norm(t, ord), np.zeros((2, 3))), np.zeros((2, 3))
    )


@pytest.mark.parametrize(("ord", "dual"), [("nuc", 2), (2, "nuc")])
def test_norms_of_singular_values_have_a_subgradient_at_0(ord, dual):
    """One of those that lie in the unit ball of the dual norm; which, the vectors found decide."""
    G = gradient(lambda t: np.linalg.norm(t, ord), np.zeros((2, 3)))
    assert np.linalg.norm(G, dual) == pytest.approx(1)


def test_the_second_derivative_of_logaddexp_is_a_quarter_where_both_are_equal():
    t = nnlite.Tensor([1e6, 1e6], requires_grad=True)
    H = nnlite.hessian(lambda t: np.logaddexp(t[0], t[1]), t.data)
    np.testing.assert_allclose(H, [[0.25, -0.25], [-0.25, 0.25]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("far", [0.0, 1e4, 1e6, -1e6])
def test_shares_sum_to_one_however_large_the_numbers(far, dtype):
    x, y = (nnlite.Tensor(np.array(v, dtype), requires_grad=True) for v in (far, far + 1))
    expected = 1 / (1 + np.exp(np.array([1.0, -1.0])))
    tolerance = 4 * np.finfo(dtype).eps
    for f in (np.logaddexp, lambda x, y: ops.logsumexp(np.stack([x, y]))):
        np.testing.assert_allclose(nnlite.grad(f(x, y), [x, y]), expected, rtol=tolerance)
    log_shares = ops.log_softmax(np.stack([x, y]))
    np.testing.assert_allclose(log_shares.data, np.log(expected), rtol=tolerance)


def test_a_variance_without_degrees_of_freedom_has_no_gradient():
    """NumPy warns of the value, which is NaN; so is the gradient, as PyTorch's."""
    t = nnlite.Tensor([2.0], requires_grad=True)
    for f in (np.var, np.std):
        with pytest.warns(RuntimeWarning, match="Degrees of freedom"):
            y = f(t, ddof=1)
        assert np.isnan(nnlite.grad(y, t)).all()


def test_the_median_of_nothing_is_what_numpy_says_of_it():
    t = nnlite.Tensor(np.zeros(0), requires_grad=True)
    with pytest.warns(RuntimeWarning):
        assert np.isnan(np.median(t).data)


def test_nan_makes_the_median_nan():
    t = nnlite.Tensor([[1.0, np.nan, 2.0], [3.0, 1.0, 2.0]], requires_grad=True)
    np.testing.assert_array_equal(np.median(t, axis=1).data, [np.nan, 2.0])


def test_a_choice_between_bounds_goes_to_the_one_passed_on():
    x, low, high = (
        nnlite.Tensor(v, requires_grad=True) for v in ([0.0, 2.0, 5.0], [1.0] * 3, [3.0] * 3)
    )
    np.sum(np.clip(x, low, high) * np.array([1.0, 10.0, 100.0])).backward()
    np.testing.assert_array_equal(x.grad, [0, 10, 0])
    np.testing.assert_array_equal(low.grad, [1, 0, 0])
    np.testing.assert_array_equal(high.grad, [0, 0, 100])


@pytest.mark.parametrize("x", [0.0, 1.0, -700.0, 700.0, 1e4, -1e4])
def test_activations_neither_overflow_nor_lose_their_gradient(x):
    with np.errstate(all="raise", under="ignore"):
        for f in (
            ops.sigmoid,
            ops.softplus,
            lambda t: ops.log_softmax(np.stack([t, -t]), 0),
            lambda t: ops.logsumexp(np.stack([t, 2 * t])),
            lambda t: ops.softmax(np.stack([t, 0 * t]), 0),
        ):
            assert np.isfinite(gradient(f, x)).all()
    assert gradient(ops.softplus, x) == pytest.approx(
        1 / (1 + np.exp(np.clip(-x, -700, 700))), abs=1e-300
    )


def left_vectors(t):
    return np.linalg.svd(t, full_matrices=False)[0] ** 2


def test_logsumexp_of_nothing_is_minus_infinity():
    assert ops.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf


def test_a_determinant_has_a_gradient_at_singular_matrices():
    """d det / dX is the matrix of cofactors; X^-T det X only says so where X can be inverted."""
    np.testing.assert_allclose(
        gradient(np.linalg.det, [[1.0, 2.0], [2.0, 4.0]]), [[4, -2], [-2, 1]]
    )
    np.testing.assert_allclose(gradient(np.linalg.det, np.zeros((3, 3))), np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("f", "x", "message"),
    [
        (lambda t: np.linalg.eigh(t)[1] ** 2, np.eye(2), "two of their values are equal"),
        (left_vectors, np.eye(2), "two of their values are equal"),
        (left_vectors, np.diag([1.0, 0.0]), "singular value of 0"),
        (np.linalg.inv, np.zeros((2, 2)), "inv of shape .* failed: .*[Ss]ingular"),
        (lambda t: np.linalg.cholesky(-t), np.eye(2), "cholesky of shape .* failed"),
        (lambda t: np.linalg.slogdet(t)[1], np.zeros((2, 2)), "[Ss]ingular"),
    ],
)  # fmt: skip
def test_where_no_gradient_exists_linear_algebra_raises(f, x, message):
    with pytest.raises(np.linalg.LinAlgError, match=message), np.errstate(invalid="ignore"):
        gradient(f, x)


def test_equal_eigenvalues_have_a_gradient_of_their_own_and_of_what_they_span():
    np.testing.assert_allclose(
        gradient(lambda t: np.linalg.eigvalsh(t), np.eye(2)), np.eye(2), atol=1e-12
    )

    def trace_of_exponential(t):
        return np.sum(np.exp(np.linalg.eigh(t)[0]))

    np.testing.assert_allclose(
        gradient(trace_of_exponential, np.eye(3)), np.e * np.eye(3), atol=1e-12
    )
