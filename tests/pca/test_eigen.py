"""Leading eigenpairs: the fast path for float32, and where it gives up."""

import numpy as np
import pytest

from nnlite.pca import PCA, eigen


def symmetric(lam, seed=0):
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(lam), len(lam)))).Q
    return ((Q * lam) @ Q.T).astype(np.float32), Q


def test_chebyshev_iteration_finds_the_leading_eigenpairs():
    lam = 1 / (1 + np.arange(300.0)) ** 1.5
    C, Q = symmetric(lam)
    found, V = eigen.chebyshev_iteration(C, 10)
    eps = np.finfo(np.float32).eps
    np.testing.assert_allclose(found, lam[:10], atol=4 * eps)  # rounding C itself costs eps
    gap = lam[9] - lam[10]
    assert np.linalg.norm(V @ V.T - Q[:, :10] @ Q[:, :10].T, 2) < 10 * eps / gap
    np.testing.assert_allclose(V.T @ V, np.eye(10), atol=1e-10)


@pytest.mark.parametrize(
    "lam",
    [np.linspace(1, 0.9, 300), np.r_[5.0, 4, 3, np.zeros(297)], np.zeros(300)],
    ids=["flat", "rank3", "zero"],
)
def test_leading_eigenpairs_are_right_where_the_iteration_gives_up(lam):
    C, _ = symmetric(lam)
    with np.errstate(invalid="ignore"):
        found, V = eigen.leading_eigenpairs(C, 5)
    np.testing.assert_allclose(found, lam[:5], atol=1e-5)
    np.testing.assert_allclose(V.T @ V, np.eye(5), atol=1e-10)


def test_wide_float32_data_give_the_same_answer_as_the_full_solver(digits):
    X = digits.astype(np.float32)
    few, full = PCA(10, svd_solver="covariance_eigh").fit(X), PCA(10, svd_solver="full").fit(digits)
    assert X.shape[1] >= 6 * (10 + eigen._GUARD)  # the Chebyshev path is the one taken
    # Entry by entry: signs and order agree too. Smallest gap among the first 11 eigenvalues:
    lam = PCA(11, svd_solver="full").fit(digits).explained_variance_
    bound = 20 * np.finfo(np.float32).eps * lam[0] / -np.diff(lam).max()
    np.testing.assert_allclose(few.components_, full.components_, atol=bound)
