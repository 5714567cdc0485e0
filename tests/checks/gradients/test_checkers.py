"""gradcheck rejects every planted bug and refuses what cannot be checked."""

import numpy as np
import pytest

import nnlite
from nnlite import Tensor
from nnlite.checks.gradients import (
    GradcheckError,
    assert_gradients,
    gradcheck,
    gradgradcheck,
)
from nnlite.ops import Operation

X = np.random.default_rng(5).standard_normal((3, 4))


def operation(forward, *vjps):
    """An operation of the engine with rules of our own, right or wrong."""
    return Operation(forward, *vjps, name="planted")


def rejected(f, inputs, **options):
    """The report of a check that must fail, with and without an exception."""
    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, inputs, **options)
    report = gradcheck(f, inputs, raise_exception=False, **options)
    assert not report
    assert str(report) == str(caught.value)
    return report


# ---- planted bugs --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_factor_2_001_instead_of_2_is_rejected(dtype):
    square = operation(lambda x: x**2, lambda g, _out, x: 2.001 * g * x)
    worst = rejected(square, X.astype(dtype)).worst
    assert worst.received / worst.expected == pytest.approx(2.001 / 2, rel=1e-6)


def test_the_worst_entry_is_named_with_argument_index_received_and_expected():
    def wrong_sign_in_one_entry(g, _out, x):
        gradient = g * np.cos(x)
        gradient[1, 2] *= -1
        return gradient

    sine = operation(np.sin, wrong_sign_in_one_entry)
    report = rejected(lambda c, x: np.sum(sine(x) * c), (Tensor(2.0), Tensor(X, True)))
    worst = report.worst
    assert (worst.argument, worst.index) == ("argument 1", (1, 2))
    assert worst.expected == pytest.approx(2 * np.cos(X[1, 2]))
    assert worst.received == pytest.approx(-2 * np.cos(X[1, 2]))
    assert len(report.failures) == 1
    assert "argument 1, index (1, 2): received" in str(report)


@pytest.mark.parametrize("analytic", [True, False])
def test_one_wrong_entry_of_five_thousand_is_found(analytic):
    """Random directions see it, halving finds it, with the complex step and without."""

    def one_percent_in_one_entry(g, W):
        gradient = np.ones((8, 1)) * g * (1 - np.tanh(W) ** 2)
        gradient.ravel()[4321] *= 1.01
        return gradient

    def f(W):
        y = np.tanh(W)
        return y if analytic else np.real(y)

    W = np.random.default_rng(0).standard_normal((8, 625))
    worst = rejected(f, W, vjp=one_percent_in_one_entry).worst
    assert worst.index == (6, 571)
    assert worst.received / worst.expected == pytest.approx(1.01, rel=1e-5)


def test_a_float64_gradient_of_a_float32_argument_is_rejected():
    x = X.astype("float32")
    report = rejected(np.sin, x, vjp=lambda g, x: np.float64(g * np.cos(x)))
    assert report.problems == [
        "argument 0: the gradient has dtype float64; the argument has float32"
    ]


def test_a_gradient_of_another_shape_is_rejected():
    b = np.ones((1, 4))
    report = rejected(lambda x, b: x + b, (X, b), vjp=lambda g, x, b: (g, g.sum(axis=0)))
    assert report.problems == [
        "argument 1: the gradient has shape (4,); the argument has shape (1, 4)"
    ]


def test_a_function_that_edits_its_input_is_rejected():
    def f(x):
        with nnlite.no_grad():
            x -= 1.0  # an in-place shift, hidden from the graph
        return np.exp(x)

    assert "argument 0 was changed by f" in str(rejected(f, X))


def test_a_vjp_that_edits_the_incoming_gradient_is_rejected():
    def vjp(g, x):
        g *= np.cos(x)
        return g

    assert "the incoming gradient was changed" in str(rejected(np.sin, X, vjp=vjp))


def test_the_users_arrays_are_never_touched():
    x = X.copy()

    def f(x):
        with nnlite.no_grad():
            x *= 0
        return x * 1.0

    gradcheck(f, x, raise_exception=False)
    assert np.array_equal(x, X)


def test_a_missing_factor_in_the_second_derivative_only_is_rejected():
    # d/dx of the rule is -sin x: the constant below hides half of it from the second pass
    def rule(g, _out, x):
        half = np.cos(x.data if isinstance(x, Tensor) else x) / 2
        return g * (np.cos(x) / 2 + half)

    sine = operation(np.sin, rule)
    assert gradcheck(sine, X)
    with pytest.raises(GradcheckError, match="gradgradcheck FAILED") as caught:
        gradgradcheck(sine, X)
    worst = caught.value.report.worst
    assert worst.received / worst.expected == pytest.approx(0.5)
    with pytest.raises(GradcheckError):
        assert_gradients(sine, X, order=2)


def test_a_leaky_relu_whose_slope_differs_between_forward_and_backward_is_rejected():
    leaky = operation(
        lambda x: np.where(x > 0, x, 0.2 * x), lambda g, _out, x: g * np.where(x > 0, 1, 0.01)
    )
    report = rejected(leaky, X)
    assert len(report.failures) == np.sum(X < 0)  # and only there
    assert report.worst.received / report.worst.expected == pytest.approx(0.05)


def test_a_dropped_gradient_of_a_used_argument_is_rejected():
    report = rejected(lambda x, y: x * y.detach(), (X, X + 1))
    assert {c.argument for c in report.failures} == {"argument 1"}
    assert "received None" in str(report)


def test_a_rule_that_ignores_the_incoming_gradient_is_rejected_even_for_one_number():
    loss = operation(lambda x: np.sum(x**2), lambda _g, _out, x: 2 * x)
    rejected(loss, X)


def test_a_gradient_that_is_nan_is_rejected():
    power = operation(lambda x: x**2, lambda g, _out, x: g * np.where(x > 1, np.nan, 2 * x))
    worst = rejected(power, np.array([0.5, 1.5])).worst
    assert np.isnan(worst.received)
    assert worst.index == (1,)


def test_one_nan_in_a_large_gradient_is_found():
    gradient = np.ones(1000)
    gradient[777] = np.nan
    assert rejected(
        lambda x: x * 1.0, np.ones(1000), vjp=lambda g, x: g * gradient
    ).worst.index == (777,)


def test_a_gradient_outside_the_two_slopes_of_a_kink_is_rejected():
    relu = operation(
        lambda x: np.maximum(x, 0), lambda g, _out, x: g * np.where(x == 0, 1.5, x > 0)
    )
    rejected(relu, np.array([0.0, 1.0]))


def test_two_kinks_that_cancel_are_no_excuse():
    # relu(x) - relu(-x) = x has slope 1 at 0; the rule relu'(0) = 0 gives 0
    def f(x):
        return x.relu() - (-x).relu()

    assert rejected(f, np.array([0.0])).worst.expected == pytest.approx(1)


def test_a_wrong_rule_is_rejected_where_complex_numbers_agree_with_it():
    # np.abs of a complex number drops the derivative, exactly as this rule does
    absolute = operation(np.abs, lambda g, _out, x: g * 0.0)
    rejected(absolute, X)


def test_a_wrong_gradient_at_a_tiny_argument_is_rejected():
    log = operation(np.log, lambda g, _out, x: 1.001 * g / x)
    rejected(log, np.array([1e-9]))
    rejected(lambda x: log(x) + 0 * np.real(x.data), np.array([1e-9]))


def test_a_random_function_is_rejected_with_advice():
    rng = np.random.default_rng(0)
    report = rejected(lambda x: x * rng.standard_normal(), X)
    assert "different results for the same inputs" in str(report)
    assert "model.eval()" in str(report)


# ---- bad input -----------------------------------------------------------------------------


def test_bad_input_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="nothing to check"):
        gradcheck(np.sin, np.arange(3))
    with pytest.raises(ValueError, match="argument 0 contains NaN"):
        gradcheck(np.sin, np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="result at this point is NaN"):
        gradcheck(np.log, np.array([-1.0]))
    with pytest.raises(TypeError, match=r"returned ndarray, no floating-point Tensor.*detach"):
        gradcheck(lambda x: x.data * 2, X)
    with pytest.raises(TypeError, match="must be a function or a Module; got ndarray"):
        gradcheck(X, X)
    with pytest.raises(TypeError, match="float16"):
        gradcheck(np.sin, X.astype("float16"))
    with pytest.raises(ValueError, match="rtol must be a number >= 0"):
        gradcheck(np.sin, X, rtol=-1)
    with pytest.raises(ValueError, match="eps must be positive"):
        gradcheck(np.sin, X, eps=0.0)
    with pytest.raises(ValueError, match="max_entries"):
        gradcheck(np.sin, X, max_entries=-1)
    with pytest.raises(ValueError, match="vjp returned 1 gradients for 2 checked arguments"):
        gradcheck(lambda x, y: x * y, (X, X), vjp=lambda g, x, y: g * y)
    with pytest.raises(ValueError, match="order must be 1 or 2"):
        assert_gradients(np.sin, X, order=3)


# ---- how arguments may come -------------------------------------------------------------------


def _square(x):
    return np.sin(x) * x


@pytest.mark.parametrize(
    "x",
    [
        np.array([0.3, 2.0]).astype(">f8"),
        np.array([0.3, 2.0]).astype(">f4"),
        np.ma.masked_array([0.3, 2.0], [0, 0]),
        np.asmatrix([[0.3, 2.0]]),
        np.array(0.3),
        np.float32(0.3),
        0.3,
        np.zeros((0, 3)),
        np.ones((3, 4))[:, ::2],
        np.broadcast_to(np.ones(3), (2, 3)),
    ],
    ids=lambda x: f"{type(x).__name__}-{getattr(x, 'dtype', '')}",
)
def test_arrays_of_any_making_are_checked(x):
    n = np.size(x)
    assert str(nnlite.gradcheck(_square, x)).startswith(f"gradcheck passed: {n} slope")
    assert nnlite.gradgradcheck(_square, x)

    def vjp(g, x):
        return g * (np.sin(x) + x * np.cos(x))

    assert nnlite.gradcheck(_square, x, vjp=vjp)
    assert nnlite.gradcheck(_square, x, vjp=lambda g, x: np.asarray(vjp(g, x)))


def test_a_gradient_in_another_byte_order_is_one():
    assert nnlite.gradcheck(
        _square, np.ones(2), vjp=lambda g, x: (g * (np.sin(x) + x * np.cos(x))).astype(">f8")
    )


def test_masked_entries_are_refused_also_in_constants():
    masked = np.ma.masked_array([1.0, 2.0], [0, 1])
    x = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    for inputs in (masked, (np.ones(2), masked), (x, masked), {"a": [masked]}):
        with pytest.raises(ValueError, match=r"masked entries.*filled"):
            nnlite.gradcheck(lambda *_: x, inputs)


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.array([1, 2], np.int64), "ndarray of dtype int64"),
        (np.array([1.0, 2.0], object), "ndarray of dtype object"),
        (np.array([1j]), "ndarray of dtype complex128"),
        ("text", "str"),
        (None, "NoneType"),
    ],
)
def test_nothing_to_check_says_what_was_given(x, kind):
    with pytest.raises(ValueError, match=rf"nothing to check.*got {kind}\."):
        nnlite.gradcheck(_square, x)


def test_gradients_are_checked_inside_no_grad_too():
    with nnlite.no_grad():
        assert nnlite.gradcheck(_square, np.ones(2))
        assert nnlite.gradgradcheck(_square, np.ones(2))
        assert not (nnlite.Tensor([1.0], requires_grad=True) * 2).requires_grad


@pytest.mark.parametrize(
    ("option", "error", "words"),
    [
        ({"rtol": "a"}, ValueError, "rtol must be a number >= 0; got 'a'"),
        ({"atol": float("nan")}, ValueError, "atol must be a number"),
        ({"directions": "a"}, TypeError, "directions must be an integer"),
        ({"max_entries": 2.5}, TypeError, "max_entries must be an integer"),
    ],
)
def test_options_that_are_no_numbers(option, error, words):
    with pytest.raises(error, match=words):
        nnlite.gradcheck(_square, np.ones(2), **option)
