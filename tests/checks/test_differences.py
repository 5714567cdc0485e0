"""Difference quotients and the complex step have the errors that lecture 01 derives."""

import numpy as np
import pytest

from nnlite.checks.differences import Line, complex_step, finite_difference

X = np.linspace(0.1, 1.9, 50)


@pytest.mark.parametrize(
    ("scheme", "order", "constant"),
    [("forward", 1, 1 / 2), ("central", 2, 1 / 6), ("five-point", 4, -1 / 30)],
)
def test_the_truncation_error_has_its_order_and_constant(scheme, order, constant):
    h = 2.0**-6  # large enough that rounding, about 1e-14, does not show
    error = finite_difference(np.exp, X, h, scheme=scheme) - np.exp(X)
    assert np.allclose(error, constant * h**order * np.exp(X), rtol=2 * h)


def test_the_default_step_balances_truncation_and_rounding():
    for scheme, error in (("forward", 1e-7), ("central", 1e-9), ("five-point", 1e-11)):
        assert np.allclose(
            finite_difference(np.sin, X, scheme=scheme), np.cos(X), rtol=0, atol=error
        )


def test_the_precision_is_that_of_the_point():
    slope = finite_difference(np.sin, X.astype("float32"))
    assert slope.dtype == "float32"
    assert np.allclose(slope, np.cos(X), atol=3e-4)


@pytest.mark.parametrize("h", [1e-12, 1e-20, 1e-100, 1e-250])
def test_the_complex_step_is_exact_whatever_the_step(h):
    slope = complex_step(lambda x: np.exp(np.sin(x)) / x, X, h)
    exact = np.exp(np.sin(X)) / X * (np.cos(X) - 1 / X)
    scale = np.exp(np.sin(X)) / X * (np.abs(np.cos(X)) + 1 / X)  # the exact slope has a zero
    assert np.all(np.abs(slope - exact) <= 4e-15 * scale)


@pytest.mark.parametrize("derivative", [finite_difference, complex_step])
def test_a_direction_gives_the_jacobian_times_it(derivative):
    A, d = np.arange(12.0).reshape(3, 4), np.array([1.0, -2, 0, 3])
    assert np.allclose(derivative(lambda x: A @ x, np.ones(4), direction=d), A @ d, rtol=1e-9)


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="int64"):
        finite_difference(np.sin, np.arange(3, dtype="int64"))
    with pytest.raises(ValueError, match="scheme must be one of forward, central, five-point"):
        finite_difference(np.sin, X, scheme="backward")
    with pytest.raises(ValueError, match="must be a positive number; got 0"):
        finite_difference(np.sin, X, 0)
    with pytest.raises(ValueError, match="must be a positive number; got nan"):
        complex_step(np.sin, X, np.nan)
    with pytest.raises(ValueError, match="the step is lost"):
        finite_difference(np.sin, 1.0, 1e-20)
    with pytest.raises(ValueError, match=r"direction has shape \(2,\), x has shape \(50,\)"):
        complex_step(np.sin, X, direction=[1.0, 2.0])


def line(y, u):
    y0 = np.asarray(y(0.0), float)
    return Line(lambda t: np.asarray(y(t), float), np.asarray(u, float), y0, (1.0,), 2.0**-52)


def test_kinks_that_cancel_in_the_sum_are_still_seen():
    kink = line(lambda t: [max(t, 0), -max(-t, 0)], [1, 1]).kink()
    assert (kink.low, kink.high) == pytest.approx((0, 2))


@pytest.mark.parametrize(
    "y", [np.exp, np.cos, np.square, lambda t: 1e6 * t**3, lambda t: 7.0 + 0 * t]
)
def test_smooth_functions_have_no_kink(y):
    assert line(lambda t: [y(t)], [1.0]).kink() is None


def test_a_jump_and_a_border_allow_any_slope():
    assert line(lambda t: [np.sign(t)], [1.0]).kink() == (-np.inf, np.inf)
    with np.errstate(invalid="ignore"):
        assert line(lambda t: [np.sqrt(t)], [1.0]).kink() == (-np.inf, np.inf)


def test_points_of_any_making():
    big = np.array([0.5, 1.0]).astype(">f8")
    np.testing.assert_allclose(finite_difference(np.sin, big), np.cos([0.5, 1.0]), rtol=1e-9)
    np.testing.assert_allclose(complex_step(np.sin, big), np.cos([0.5, 1.0]), rtol=1e-15)
    with pytest.raises(ValueError, match="masked entries"):
        finite_difference(np.sin, np.ma.masked_array([1.0, 2.0], [0, 1]))
