"""What PCA must refuse, and the spellings of its options."""

import numpy as np
import pytest

from nnlite.errors import NotFittedError
from nnlite.pca import PCA

GOOD = np.random.default_rng(0).standard_normal((6, 4))


def with_entry(value):
    X = GOOD.copy()
    X[2, 1] = value
    return X


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(5), r"two axes.*\(5,\).*reshape\(-1, 1\)"),
        (np.zeros((3, 4, 5)), r"\(3, 4, 5\).*len\(X\), -1"),
        (np.zeros((0, 4)), r"empty.*\(0, 4\)"),
        (np.zeros((4, 0)), r"empty.*\(4, 0\)"),
        (np.zeros((1, 4)), "at least two samples"),
        (with_entry(np.nan), "NaN or infinity.*row 2, column 1"),
        (with_entry(-np.inf), "NaN or infinity.*row 2, column 1"),
        (GOOD.astype(complex), "complex128"),
        (np.array([[1.7e308, 1], [1.7e308, 2.0]]), "overflow"),
    ],
)
def test_bad_data_are_refused_with_what_was_seen(X, message):
    with pytest.raises(ValueError, match=message):
        PCA().fit(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([["a", "b"]]), "real numbers"),
        (GOOD.astype(object), r"astype\(float\)"),
        (None, "X is None"),
    ],
)
def test_what_holds_no_numbers_is_refused(X, message):
    with pytest.raises(TypeError, match=message):
        PCA().fit(X)


def test_squares_that_overflow_float32_are_refused():
    X = np.random.default_rng(0).standard_normal((600, 3)).astype(np.float32) * 1e30
    with pytest.raises(ValueError, match="overflow float32"), np.errstate(all="ignore"):
        PCA(1).fit(X)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_components": 5}, r"n_components=5.*min\(6, 4\) = 4"),
        ({"n_components": -1}, "n_components=-1"),
        ({"n_components": 1.5}, r"share.*\(0, 1\).*1.5"),
        ({"svd_solver": "randomized"}, "randomized.*covariance_eigh"),
        ({"n_components": 0.5, "svd_solver": "power"}, "fixed number"),
    ],
)
def test_bad_parameters_are_refused_at_fit(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PCA(**kwargs).fit(GOOD)


def test_using_an_unfitted_pca_says_fit_first():
    for method in ("transform", "inverse_transform", "score", "score_samples"):
        with pytest.raises(NotFittedError, match="fit"):
            getattr(PCA(2), method)(GOOD)
    with pytest.raises(NotFittedError):
        PCA(2).get_covariance()


def test_wrong_number_of_features_or_codes_is_refused():
    pca = PCA(2).fit(GOOD)
    with pytest.raises(ValueError, match=r"3 features.*fitted with 4"):
        pca.transform(GOOD[:, :3])
    with pytest.raises(ValueError, match=r"3 columns.*keeps 2"):
        pca.inverse_transform(np.zeros((5, 3)))
    with pytest.raises(ValueError, match="NaN"):
        pca.transform(with_entry(np.nan))


def test_density_and_whitening_need_a_variance_in_every_direction():
    X = np.column_stack([GOOD, GOOD[:, 0]])  # a duplicated feature: one zero eigenvalue
    with pytest.raises(ValueError, match=r"variance 0.*density"):
        PCA(4).fit(X).score(X)
    with pytest.raises(ValueError, match="whiten component 4"):
        PCA(whiten=True).fit_transform(X)


def test_parameters_can_be_read_set_and_shown():
    pca = PCA(3, whiten=True)
    assert repr(pca) == "PCA(n_components=3, whiten=True)"
    assert pca.set_params(n_components=2).get_params()["n_components"] == 2
    with pytest.raises(ValueError, match="no parameter 'k'"):
        pca.set_params(k=2)


@pytest.mark.parametrize("solver", ["covariance_eigh", "full", "power", "gradient"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("power", "message"), [(0.7, "overflow"), (-0.7, "underflow")])
def test_data_whose_squares_leave_the_range_are_refused(solver, dtype, power, message):
    scale = float(np.finfo(dtype).max) ** power
    X = (scale * np.random.default_rng(0).standard_normal((20, 4))).astype(dtype)
    with pytest.raises(ValueError, match=f"{message} {dtype}; rescale"):
        PCA(2, svd_solver=solver).fit(X)


def test_masked_entries_are_refused_and_not_taken_for_data():
    X = np.ma.array(np.eye(3), mask=np.eye(3) > 0)
    with pytest.raises(ValueError, match="masked entries"):
        PCA(1).fit(X)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tol": np.nan}, ValueError, "tol must be a finite number greater than 0; got nan"),
        ({"tol": 0.0}, ValueError, "tol must be a finite number greater than 0; got 0.0"),
        ({"tol": "small"}, TypeError, "tol must be a number; got 'small'"),
        ({"tol": True}, TypeError, "tol must be a number; got True"),
        ({"max_iter": 0}, ValueError, "max_iter must be an integer of at least 1; got 0"),
        ({"max_iter": None}, TypeError, "max_iter must be an integer; got None"),
        ({"max_iter": 2.5}, TypeError, "max_iter must be an integer; got 2.5"),
    ],
)
def test_an_iteration_that_cannot_end_or_begin_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        PCA(1, svd_solver="power", **options).fit(np.eye(3))


@pytest.mark.parametrize("value", [True, np.True_, "many", [2]])
def test_what_is_no_number_is_no_number_of_components(value):
    with pytest.raises(TypeError, match="n_components must be an int"):
        PCA(value).fit(np.eye(3))


@pytest.mark.parametrize("array", [np.array, np.asarray, lambda value: np.array([value])[0]])
def test_a_number_of_components_is_what_it_is_in_numpy_too(array):
    assert PCA(array(2)).fit(GOOD).n_components_ == 2
    share = PCA(array(0.9)).fit(GOOD)
    assert share.n_components_ == PCA(0.9).fit(GOOD).n_components_


@pytest.mark.parametrize("solver", ["randomized", "arpack"])
def test_solvers_of_scikit_learn_are_refused_with_ours_named(solver):
    with pytest.raises(ValueError, match=f'"{solver}" is not offered; here "covariance_eigh"'):
        PCA(2, svd_solver=solver).fit(GOOD)


def test_minkas_choice_is_refused_by_name():
    with pytest.raises(ValueError, match="not offered; give a number, or a share"):
        PCA("mle").fit(GOOD)


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_whitening_is_true_or_false(value):
    with pytest.raises(TypeError, match="whiten must be True or False"):
        PCA(2, whiten=value).fit(GOOD)
