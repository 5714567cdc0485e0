"""gradcheck accepts every right function, however its arguments come and its results look."""

import numpy as np
import pytest

from nnlite import Tensor
from nnlite.checks.gradients import (
    assert_gradients,
    gradcheck,
    gradgradcheck,
)

X = np.random.default_rng(5).standard_normal((3, 4))


# ---- right functions -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "f",
    [
        np.tanh,
        lambda x: np.log(np.sum(np.exp(x), axis=1)),
        lambda x: x @ x.T,
        lambda x: x[[0, 0, 2], 1:] / 3,
        lambda x: np.linalg.norm(x),
        lambda x: np.abs(x).sigmoid(),
        lambda x: (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5),
    ],
)
def test_right_functions_pass_to_second_order(f, dtype):
    assert_gradients(f, X.astype(dtype), order=2)


def test_the_complex_step_compares_to_machine_precision():
    report = gradcheck(lambda x: np.sin(x) * np.exp(x), X)
    assert report.worst.how == "complex step"
    assert max(c.error for c in report.comparisons) < 1e-14
    assert gradcheck(lambda x: np.sin(x) * np.exp(x), X, rtol=1e-13, atol=1e-14)


def test_the_complex_step_is_not_trusted_where_code_is_not_analytic():
    assert {c.how[:11] for c in gradcheck(np.abs, X).comparisons} == {"differences"}


def test_a_kink_is_reported_and_not_held_against_the_function():
    report = gradcheck(lambda x: x.relu(), np.array([[1.0, 0.0], [-2.0, 3.0]]))
    assert report
    assert len(report.comparisons) == 3
    comparison, low, high = report.kinks[0]
    assert comparison.index == (0, 1)
    assert sorted([abs(low), abs(high)])[0] == 0
    assert "non-differentiable near argument 0, index (0, 1)" in str(report)


def test_a_kink_is_reported_even_where_the_mean_of_both_slopes_agrees():
    assert len(gradcheck(np.abs, np.array([1.0, 0.0])).kinks) == 1


@pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
def test_kinks_nearby_do_no_harm(distance):
    x = np.array([distance, -distance, 1.0])
    assert gradcheck(lambda x: x.relu() + np.abs(x - 1 - distance), x)


def test_an_argument_at_the_border_of_the_domain_is_reported():
    report = gradcheck(np.sqrt, np.array([4.0, 0.0]))
    assert "non-differentiable near argument 0, index (1,)" in str(report)


def test_a_jump_is_reported():
    assert gradcheck(lambda x: np.sign(x) * 1.0, np.array([0.0, 2.0])).kinks


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1e4, 1e9])
def test_large_and_small_inputs_pass(scale):
    assert gradcheck(lambda x: np.log(x) + x**2 / scale, scale * np.array([0.7, 1.3]))


def test_a_large_constant_costs_digits_but_not_the_verdict():
    assert gradcheck(lambda x: 1e10 + np.sin(x), X)


def test_large_arguments_are_checked_along_directions():
    report = gradcheck(
        lambda x: np.mean((x @ x.T).relu()), np.random.default_rng(1).random((40, 50))
    )
    assert [c.index for c in report.comparisons] == [None] * 8
    report = gradcheck(np.sin, np.ones(300), max_entries=300)
    assert len(report.comparisons) == 300


def test_structured_results_and_arguments():
    def f(parameters, pair):
        z = parameters["W"] @ pair[0]
        return {"value": np.tanh(z), "parts": (z[0], np.sum(pair[1] ** 2), 7, "label")}

    report = gradcheck(f, ({"W": X}, [X[0], np.array(2.0)]))
    assert {c.argument for c in report.comparisons} == {
        "argument 0['W']",
        "argument 1[0]",
        "argument 1[1]",
    }


def test_integers_and_other_objects_are_passed_on():
    index = np.array([0, 2, 0])
    report = gradcheck(lambda x, i, n, how: x[i] ** n if how else x, (X, index, 3, True))
    assert report.arguments == 1


def test_only_tensors_that_require_grad_are_checked_if_there_are_any():
    report = gradcheck(lambda x, w, c: x * w * c, (X, Tensor(X, requires_grad=True), Tensor(X)))
    assert {c.argument for c in report.comparisons} == {"argument 1"}


def test_the_same_array_twice_counts_as_two_arguments():
    report = gradcheck(lambda x, y, z: x * np.exp(y) + z.T @ y, (X, X, X[:, :3].T))
    assert report.arguments == 3


def test_broadcast_and_strided_arguments():
    assert gradcheck(lambda x: x**3, np.broadcast_to(X[0], (5, 4)))
    assert gradcheck(lambda x: x**3, X.T[::-2])


def test_an_argument_without_influence_may_have_no_gradient():
    assert gradcheck(lambda x, y: np.sin(x), (X, X))
    assert gradcheck(lambda x: np.floor(x) + 0.0, X)


def test_python_numbers_and_empty_arrays():
    assert gradcheck(lambda x, y: x**2 * y, (3.0, 2.0))
    assert gradcheck(lambda x, y: np.sum(x) * y, (np.ones((0, 3)), 2.0))


def test_a_function_that_cannot_run_in_float64_is_checked_in_float32():
    def f(x):
        return (np.sin(x).astype("float32") * 1.5).astype(x.dtype)

    x = X.astype("float32")
    assert gradcheck(f, x)
    report = gradcheck(lambda x: np.sin(x.astype("float32")), x)
    assert report.notes[0].startswith("slopes are taken in float32")


def test_a_linear_function_has_a_right_second_derivative():
    assert gradgradcheck(lambda x, y: x @ y.T, (X, X))
    assert gradgradcheck(lambda x: 3 * x, X)


def test_checks_are_repeatable_and_follow_rng():
    a, b = (gradcheck(np.sin, X, rng=r).comparisons[0].received for r in (3, 3))
    assert a == b
    assert gradcheck(np.sin, X, rng=4).comparisons[0].received != a


def test_one_step_can_be_asked_for():
    report = gradcheck(np.abs, X, eps=1e-3)
    assert {c.how for c in report.comparisons} == {"differences, h=1.0e-03"}
