"""PCA against its closed forms, between its solvers, and beside scikit-learn."""

import numpy as np
import pytest

from nnlite.datasets import gaussian_cloud
from nnlite.errors import ConvergenceWarning
from nnlite.pca import PCA

SOLVERS = ["covariance_eigh", "full", "power", "gradient"]
GOOD = np.random.default_rng(0).standard_normal((6, 4))


def projector(pca):
    W = pca.components_.astype(np.float64)
    return W.T @ W


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_finds_the_known_axes_and_variances(cloud, solver):
    X, R = cloud
    pca = PCA(2, svd_solver=solver, rng=0, tol=1e-12).fit(X)
    # Direct solvers: eps * lambda_1 / gap ~ 1e-15. Iterative ones: tol * lambda_1 / gap ~ 3e-12.
    np.testing.assert_allclose(projector(pca), R[:, :2] @ R[:, :2].T, atol=1e-11)
    np.testing.assert_allclose(pca.explained_variance_ * 59 / 60, [6, 3], rtol=1e-11)
    np.testing.assert_allclose(pca.explained_variance_ratio_, np.array([6, 3]) / 10.6, rtol=1e-11)
    np.testing.assert_allclose(pca.singular_values_, np.sqrt(60 * np.array([6, 3])), rtol=1e-11)
    np.testing.assert_allclose(pca.mean_, [1, -2, 3, 0, 5], atol=1e-13)
    assert pca.noise_variance_ == pytest.approx(1.6 * 60 / 59 / 3, rel=1e-11)
    assert (pca.n_components_, pca.n_features_in_, pca.n_samples_) == (2, 5, 60)


@pytest.mark.parametrize("solver", SOLVERS)
def test_components_are_orthonormal_and_signs_follow_the_rule(cloud, solver):
    pca = PCA(3, svd_solver=solver, rng=3).fit(cloud[0])
    W = pca.components_
    np.testing.assert_allclose(W @ W.T, np.eye(3), atol=1e-13)
    assert (W[np.arange(3), np.abs(W).argmax(axis=1)] > 0).all()


def test_reconstruction_error_is_the_sum_of_dropped_eigenvalues(digits):
    n = len(digits)
    everything = PCA(svd_solver="full").fit(digits)
    for M in (0, 1, 10, 100):
        pca = PCA(M, svd_solver="covariance_eigh").fit(digits)
        error = np.mean(
            np.sum((digits - pca.inverse_transform(pca.transform(digits))) ** 2, axis=1)
        )
        assert error == pytest.approx(
            everything.explained_variance_[M:].sum() * (n - 1) / n, rel=1e-11
        )


def test_no_components_reconstructs_with_the_mean(cloud):
    X, _ = cloud
    pca = PCA(0).fit(X)
    np.testing.assert_array_equal(
        pca.inverse_transform(pca.transform(X)), np.tile(X.mean(0), (60, 1))
    )


def test_covariance_and_svd_agree_as_projectors_on_digits(digits):
    a, b = (PCA(16, svd_solver=s).fit(digits) for s in ("covariance_eigh", "full"))
    gap = a.explained_variance_[15] - PCA(17).fit(digits).explained_variance_[16]
    bound = 100 * np.finfo(float).eps * a.explained_variance_[0] / gap
    assert np.linalg.norm(projector(a) - projector(b), 2) < bound


def test_float32_stays_float32_and_is_as_good_as_its_digits(digits):
    X = digits.astype(np.float32)
    for solver in ("covariance_eigh", "full"):
        pca = PCA(8, svd_solver=solver).fit(X)
        exact = PCA(8, svd_solver="full").fit(X.astype(np.float64))
        for name in ("components_", "explained_variance_", "mean_", "singular_values_"):
            assert getattr(pca, name).dtype == np.float32, name
        assert pca.transform(X).dtype == np.float32
        assert pca.inverse_transform(pca.transform(X)).dtype == np.float32
        lam = exact.explained_variance_
        gap = lam[7] - PCA(9, svd_solver="full").fit(digits).explained_variance_[8]
        # X'X sums n products, none negative here. A BLAS adds them in blocks; NumPy without one, as
        # in the browser, one after the other, which costs sqrt(n) u X'X where roundings are
        # independent (Higham and Mary 2019, A New Approach to Probabilistic Rounding Error
        # Analysis). No eigenvalue moves farther than the norm of that (Weyl), no projector farther
        # than norm / gap (Davis and Kahan).
        u = np.finfo(np.float32).eps / 2
        moved = np.sqrt(len(X)) * u * np.linalg.norm(digits.T @ digits, 2) / (len(X) - 1)
        np.testing.assert_allclose(pca.explained_variance_, lam, atol=moved)
        assert np.linalg.norm(projector(pca) - projector(exact), 2) < moved / gap


def test_large_mean_does_not_cost_the_variance_its_digits():
    X = gaussian_cloud(3000, covariance=[3.0, 1.0, 0.1], exact=True, rng=0)
    for shift, dtype, rtol in ((1e4, np.float32, 5e-3), (1e7, np.float64, 1e-8)):
        # In this dtype the shifted data are exact to shift * eps, so that is the honest limit;
        # X'X - n mu mu' would lose all digits: shift**2 * eps is 12 (float32) and 0.02 (float64).
        pca = PCA(svd_solver="covariance_eigh").fit((X + shift).astype(dtype))
        np.testing.assert_allclose(pca.explained_variance_ * 2999 / 3000, [3, 1, 0.1], rtol=rtol)


def test_lauchli_matrix_needs_the_svd():
    e = 1e-9
    X = np.array([[1, 1], [e, 0], [0, e]])
    X = np.vstack([X, -X])  # mean zero, so that the covariance is the Gram matrix
    small = np.sqrt(2) * e
    assert PCA(svd_solver="full").fit(X).singular_values_[1] == pytest.approx(small, rel=1e-6)
    assert PCA().fit(X).singular_values_[1] == pytest.approx(small, rel=1e-6)
    lost = PCA(svd_solver="covariance_eigh").fit(X).singular_values_[1]
    assert abs(lost / small - 1) > 0.5


def test_share_of_variance_keeps_the_fewest_components_that_exceed_it(cloud):
    X, _ = cloud  # shares 0.566, 0.849, 0.943, 0.991, 1
    assert [PCA(s).fit(X).n_components_ for s in (0.5, 0.6, 0.9, 0.95, 0.999)] == [1, 2, 3, 4, 5]


def test_whitened_scores_have_unit_covariance_and_invert(cloud):
    X, _ = cloud
    pca = PCA(whiten=True).fit(X)
    Z = pca.transform(X)
    np.testing.assert_allclose(Z.T @ Z / 59, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(pca.inverse_transform(Z), X, atol=1e-12)


def test_score_is_the_gaussian_log_likelihood_of_the_model_covariance(cloud):
    X, _ = cloud
    for M in (0, 2, 5):
        pca = PCA(M).fit(X)
        C = pca.get_covariance()
        d = X - X.mean(0)
        log_p = -0.5 * (
            np.sum(d @ np.linalg.inv(C) * d, 1) + np.linalg.slogdet(C)[1] + 5 * np.log(2 * np.pi)
        )
        np.testing.assert_allclose(pca.score_samples(X), log_p, rtol=1e-11)
        assert pca.score(X) == pytest.approx(log_p.mean(), rel=1e-12)
    np.testing.assert_allclose(C, np.cov(X.T), atol=1e-12)  # all kept: the sample covariance


def test_fit_leaves_the_data_alone_and_fit_transform_is_both_steps(digits):
    X = digits[:600].copy()
    Z = PCA(5).fit_transform(X)
    np.testing.assert_array_equal(X, digits[:600])
    np.testing.assert_array_equal(Z, PCA(5).fit(X).transform(X))


def test_more_features_than_samples():
    X = np.random.default_rng(0).standard_normal((8, 700))
    pca = PCA().fit(X)
    assert pca.components_.shape == (8, 700)
    np.testing.assert_allclose(pca.inverse_transform(pca.transform(X)), X, atol=1e-12)


def test_iterations_need_more_steps_when_the_gap_is_small():
    def steps(gap, solver):
        X = gaussian_cloud(50, covariance=[2 + gap, 2.0, 1.0], exact=True, rng=0)
        return PCA(1, svd_solver=solver, rng=0).fit(X).n_iter_

    # Orthogonal iteration falls by lambda_2/lambda_1 a step, gradient descent by
    # 1 - (lambda_1 - lambda_2)/(4 lambda_1); both need ~ log(1/tol)/(rate of decay) steps.
    for solver in ("power", "gradient"):
        assert steps(0.1, solver) > 3 * steps(1.0, solver)


def test_an_iteration_that_did_not_converge_says_so(cloud):
    for solver in ("power", "gradient"):
        with pytest.warns(ConvergenceWarning, match=r"max_iter=3 steps.*tol"):
            PCA(2, svd_solver=solver, max_iter=3, rng=0).fit(cloud[0])


def test_constant_data_have_zero_variance_in_every_solver():
    X = np.full((10, 3), 7.0)
    for solver in SOLVERS:
        pca = PCA(2, svd_solver=solver).fit(X)
        np.testing.assert_array_equal(pca.explained_variance_, 0)
        np.testing.assert_array_equal(pca.explained_variance_ratio_, 0)
        np.testing.assert_allclose(pca.inverse_transform(pca.transform(X)), X)


def test_interface_agrees_with_scikit_learn(digits):
    sklearn = pytest.importorskip("sklearn.decomposition")
    X = digits[:400]
    ours, theirs = PCA(6).fit(X), sklearn.PCA(6, svd_solver="full").fit(X)
    for name in (
        "components_",
        "explained_variance_",
        "explained_variance_ratio_",
        "singular_values_",
        "mean_",
        "noise_variance_",
    ):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-11, err_msg=name
        )
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), atol=1e-10)
    np.testing.assert_allclose(ours.score(X), theirs.score(X), rtol=1e-9)
    np.testing.assert_allclose(ours.get_covariance(), theirs.get_covariance(), atol=1e-12)
    assert PCA(0.8).fit(X).n_components_ == sklearn.PCA(0.8).fit(X).n_components_


# ---- relatives of scikit-learn's tests ---------------------------------------------------------


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("k", [0, 2, 5])
def test_precision_is_the_inverse_of_the_covariance(cloud, k, whiten):
    pca = PCA(k, whiten=whiten).fit(cloud[0])
    np.testing.assert_allclose(pca.get_precision() @ pca.get_covariance(), np.eye(5), atol=1e-11)
    # Whitening changes the scores, and not what the model says about the data.
    theirs = pytest.importorskip("sklearn.decomposition").PCA(k).fit(cloud[0])
    np.testing.assert_allclose(pca.get_precision(), theirs.get_precision(), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (GOOD[0], r"one sample is X.reshape\(1, -1\)"),
        (GOOD[:, 0], "rows of 4 features"),
        (np.float64(3.0), "a single number"),
    ],
)
def test_a_vector_is_one_sample_if_it_has_as_many_entries_as_features(X, message):
    with pytest.raises(ValueError, match=message):
        PCA(2).fit(GOOD).transform(X)


def test_a_vector_is_one_feature_for_a_model_of_one_feature():
    with pytest.raises(ValueError, match=r"one feature is X.reshape\(-1, 1\)"):
        PCA(1).fit(GOOD[:, :1]).transform(GOOD[:, 0])


@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16", ">f4", "longdouble"])
def test_numbers_of_any_dtype_give_the_answer_of_float64(solver, dtype):
    X = (20 * np.abs(np.random.default_rng(0).standard_normal((30, 3)))).astype(dtype)
    ours, exact = PCA(1, svd_solver=solver, rng=0).fit(X), PCA(1).fit(X.astype(np.float64))
    rtol = 1e-5 if dtype == ">f4" else 1e-9
    np.testing.assert_allclose(ours.explained_variance_, exact.explained_variance_, rtol=rtol)
    assert ours.components_.dtype == (np.float32 if dtype == ">f4" else np.float64)


@pytest.mark.parametrize("solver", SOLVERS)
def test_memory_order_and_read_only_data_make_no_difference(solver):
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((40, 6)))
    X.flags.writeable = False
    ours, plain = (PCA(2, svd_solver=solver, rng=0).fit(a) for a in (X, np.ascontiguousarray(X)))
    np.testing.assert_allclose(ours.components_, plain.components_, atol=1e-7)
    strided = np.repeat(X, 2, axis=0)[::2]
    np.testing.assert_allclose(ours.transform(strided), ours.transform(X), rtol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("dtype", "scales"), [("f8", (1e-150, 1e150)), ("f4", (1e-17, 1e17))])
def test_units_at_the_ends_of_the_range_change_nothing_else(solver, dtype, scales):
    X = np.random.default_rng(0).standard_normal((50, 4)) * [4.0, 2.0, 1.0, 0.5]
    exact = PCA(2, svd_solver="full").fit(X)
    for scale in scales:
        pca = PCA(2, svd_solver=solver, rng=0).fit((scale * X).astype(dtype))
        bound = 1e-5 if dtype == "f4" else 1e-7
        np.testing.assert_allclose(projector(pca), projector(exact), atol=bound)
        np.testing.assert_allclose(
            pca.explained_variance_ / dtype_of(dtype)(scale) ** 2,
            exact.explained_variance_,
            rtol=bound,
        )


def dtype_of(name):
    return np.dtype(name).type


@pytest.mark.parametrize("solver", ["full", "covariance_eigh"])
@pytest.mark.parametrize("column", ["0.1", "copy", "sum"])
def test_no_variance_up_to_rounding_is_no_density_and_is_not_whitened(solver, column):
    a, b = np.random.default_rng(0).standard_normal((2, 700))
    third = {"0.1": np.full(700, 0.1), "copy": a, "sum": 0.1 * a + 0.2 * b}[column]
    X = np.c_[a, b, third]
    with pytest.raises(ValueError, match=r"variance 0.*density"):
        PCA(2, svd_solver=solver).fit(X).score(X)
    with pytest.raises(ValueError, match=r"variance 0.*density"):
        PCA(3, svd_solver=solver).fit(X).get_precision()
    with pytest.raises(ValueError, match="whiten component 2"):
        PCA(3, svd_solver=solver, whiten=True).fit_transform(X)


def test_data_of_equal_numbers_have_variance_0_whatever_the_number():
    for value in (0.1, 1 / 3, 1e9 / 7, 1e-300):
        pca = PCA(2).fit(np.full((1000, 3), value))
        np.testing.assert_array_equal(pca.explained_variance_, 0)
        np.testing.assert_array_equal(pca.explained_variance_ratio_, 0)


def test_a_failed_fit_keeps_the_one_before():
    pca = PCA(2).fit(GOOD)
    before = pca.transform(GOOD)
    with pytest.raises(ValueError, match="NaN"):
        pca.fit(np.full((6, 3), np.nan))
    np.testing.assert_array_equal(pca.transform(GOOD), before)


def test_one_name_in_the_place_of_all_is_compared_with_the_names_of_the_fit():
    pca = PCA(1).fit(np.arange(6.0).reshape(3, 2) ** 2)
    assert pca.get_feature_names_out("ab").tolist() == ["pca0"]  # nothing to compare with
    pca.feature_names_in_ = np.array(["a", "b"], dtype=object)
    with pytest.raises(ValueError, match="input_features are not the names"):
        pca.get_feature_names_out("ab")
