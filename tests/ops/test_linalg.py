"""Linear algebra: precision, rank, and errors that do not depend on the platform."""

import numpy as np
import pytest

import nnlite
from nnlite.ops import decompositions, linalg, norms

rng = np.random.default_rng(3)


def leaf(x):
    return nnlite.Tensor(np.asarray(x, float), requires_grad=True)


def of_rank(r, m, n):
    return rng.normal(size=(m, r)) @ rng.normal(size=(r, n))


@pytest.mark.parametrize(("r", "m", "n"), [(3, 5, 3), (3, 3, 5), (2, 5, 4), (1, 3, 3), (0, 3, 2)])
def test_the_pseudo_inverse_is_numpys_whatever_the_rank(r, m, n):
    x = of_rank(r, m, n)
    for t in (leaf(x), nnlite.Tensor(x)):
        for options in ({}, {"rcond": 1e-6}, {"rtol": 1e-8}, {"rtol": None}):
            found, expected = np.linalg.pinv(t, **options).data, np.linalg.pinv(x, **options)
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("r", "m", "n"), [(3, 5, 3), (3, 3, 5), (2, 5, 4), (1, 3, 3)])
def test_its_derivative_is_that_among_matrices_of_the_same_rank(r, m, n):
    """Golub & Pereyra (1973): against differences along changes that keep the rank."""
    left, right, g = rng.normal(size=(m, r)), rng.normal(size=(r, n)), rng.normal(size=(n, m))
    u, v = rng.normal(size=(m, r)), rng.normal(size=(r, n))

    def f(h):
        return np.sum(g * np.linalg.pinv((left + h * u) @ (right + h * v), rcond=1e-6))

    x = leaf(left @ right)
    np.sum(np.linalg.pinv(x, rcond=1e-6) * g).backward()
    h = 1e-4
    slope = (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)
    assert np.sum(x.grad * (u @ right + left @ v)) == pytest.approx(slope, rel=1e-7)


def test_the_pseudo_inverse_does_not_square_the_condition():
    u, v = np.linalg.qr(rng.normal(size=(6, 3)))[0], np.linalg.qr(rng.normal(size=(3, 3)))[0]
    x = u @ np.diag([1.0, 1e-4, 1e-8]) @ v.T
    error = np.linalg.pinv(leaf(x)).data @ x - np.eye(3)
    assert np.abs(error).max() < 1e-6  # by the normal equations it is 1


def test_a_least_squares_problem_by_the_pseudo_inverse():
    A, b = rng.normal(size=(7, 3)), rng.normal(size=7)
    np.testing.assert_allclose((np.linalg.pinv(leaf(A)) @ b).data, np.linalg.lstsq(A, b)[0])


def test_a_symmetric_matrix_may_say_so():
    x = of_rank(2, 4, 4)
    x = x @ x.T
    np.testing.assert_array_equal(
        np.linalg.pinv(leaf(x), hermitian=True).data, np.linalg.pinv(x, hermitian=True)
    )


@pytest.mark.parametrize("f", [np.linalg.inv, np.linalg.det, np.linalg.cholesky, np.linalg.eigvalsh,
                               np.linalg.pinv, np.linalg.svdvals, np.linalg.norm,
                               lambda x: np.linalg.solve(x, x), lambda x: np.linalg.slogdet(x)[1],
                               lambda x: np.linalg.matrix_power(x, -2)])  # fmt: skip
@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "i8"])
def test_integer_matrices_give_what_numpy_gives(f, dtype):
    x = np.array([[100, 1], [1, 100]], dtype)
    found, expected = f(nnlite.Tensor(x)), f(x)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.data, expected)


LOST = np.full((2, 2), np.nan)


@pytest.mark.parametrize(
    "f",
    [
        linalg.inv,
        lambda t: linalg.solve(t, np.ones(2)),
        linalg.cholesky,
        lambda t: linalg.matrix_power(t, -1),
        decompositions.eigh,
        decompositions.eigvalsh,
        decompositions.svd,
        decompositions.svdvals,
        lambda t: norms.norm(t, "nuc"),
    ],
)
def test_what_has_no_finite_answer_raises_where_numpy_does_not_notice(f, monkeypatch):
    """In the browser LAPACK's failures do not reach NumPy, which returns NaN."""
    monkeypatch.setattr(np.linalg, "eigh", lambda x, UPLO="L": (LOST[0], LOST))
    monkeypatch.setattr(np.linalg, "svd", lambda x, full_matrices=True: (LOST, LOST[0], LOST))
    for op in (linalg.inv, linalg._solve, linalg.cholesky):
        monkeypatch.setattr(op, "forward", linalg._finite(lambda *_: LOST))
    with pytest.raises(np.linalg.LinAlgError, match=r"no finite answer|did not converge"):
        f(leaf(np.ones((2, 2))))


def test_matrices_that_are_not_finite_have_no_finite_answer_and_do_not_raise():
    silent = linalg._finite(lambda *_: LOST)
    assert silent(np.diag([np.nan, 1.0])) is LOST


def test_the_gradient_of_logdet_of_a_singular_matrix_raises_too(monkeypatch):
    t = leaf(np.ones((2, 2)))
    y = np.linalg.slogdet(t)[1]
    silent = linalg._finite(lambda *_: np.full((2, 2), np.nan))
    monkeypatch.setattr(linalg.inv, "forward", silent)
    with pytest.raises(np.linalg.LinAlgError, match="no finite answer"):
        y.backward()
