"""EM for mixtures: monotone, agreeing with scikit-learn, sober about collapse."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as SklearnMixture

import nnlite
from nnlite import datasets
from nnlite.errors import ConvergenceWarning
from nnlite.likelihood import CollapseWarning, GaussianMixture, UnboundedLikelihoodError

RNG = np.random.default_rng(7)
ONE = np.r_[RNG.normal(-2, 1, 120), RNG.normal(2.5, 0.7, 80)][:, None]
TWO = np.r_[
    RNG.normal(size=(150, 2)) @ [[1.0, 0.5], [0.0, 0.4]],
    RNG.normal(size=(100, 2)) * [0.5, 1.5] + [4, 1],
]
HELD_OUT = np.r_[
    RNG.normal(size=(150, 2)) @ [[1.0, 0.5], [0.0, 0.4]],
    RNG.normal(size=(100, 2)) * [0.5, 1.5] + [4, 1],
]


@pytest.mark.parametrize("X", [ONE, TWO], ids=["1-D", "2-D"])
def test_em_never_lowers_the_likelihood(X):
    path = GaussianMixture(2, n_init=1, tol=1e-12, rng=0).fit(X).log_likelihood_path_
    assert np.diff(path).min() > -1e-12  # rounding of a mean near -3


def test_em_agrees_with_scikit_learn_on_held_out_data():
    ours = GaussianMixture(2, tol=1e-12, rng=0).fit(TWO)
    theirs = SklearnMixture(2, tol=1e-12, max_iter=2000, reg_covar=0.0, random_state=0).fit(TWO)
    assert ours.score(HELD_OUT) == pytest.approx(theirs.score(HELD_OUT), abs=1e-6)
    order = np.argsort(ours.means_[:, 0]), np.argsort(theirs.means_[:, 0])
    for name in ("weights_", "means_", "covariances_"):
        a, b = getattr(ours, name)[order[0]], getattr(theirs, name)[order[1]]
        # the value is flat at the top: parameters agree to about the square root of tol
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_fit_is_a_stationary_point_of_the_likelihood():
    fit = GaussianMixture(2, tol=1e-15, rng=0).fit(ONE)

    def log_likelihood(t):
        parts = [
            np.log(t[k])
            - np.log(t[4 + k])
            - 0.5 * np.log(2 * np.pi)
            - 0.5 * ((ONE[:, 0] - t[2 + k]) / t[4 + k]) ** 2
            for k in (0, 1)
        ]
        return np.mean(np.logaddexp(*parts))

    theta = np.r_[fit.weights_, fit.means_[:, 0], np.sqrt(fit.covariances_[:, 0, 0])]
    leaf = nnlite.Tensor(theta, requires_grad=True)
    g = nnlite.grad(log_likelihood(leaf), leaf)
    np.testing.assert_allclose(g[2:], 0, atol=1e-6)
    assert g[0] == pytest.approx(g[1], abs=1e-6)  # along the simplex only the difference counts


def test_one_component_is_the_gaussian():
    fit = GaussianMixture(1, rng=0).fit(TWO)
    np.testing.assert_allclose(fit.means_[0], TWO.mean(0), rtol=1e-12)
    np.testing.assert_allclose(fit.covariances_[0], np.cov(TWO.T, bias=True), rtol=1e-10)


def test_responsibilities_sum_to_one_and_density_works_on_tensors():
    fit = GaussianMixture(3, rng=0).fit(TWO)
    np.testing.assert_allclose(fit.predict_proba(TWO).sum(1), 1, rtol=1e-12)
    assert nnlite.gradcheck(fit.log_prob, [TWO[:4]])


def test_samples_come_from_the_fitted_density():
    fit = GaussianMixture(2, rng=0).fit(TWO)
    s = fit.sample(20_000, rng=1)
    mean = fit.weights_ @ fit.means_
    error = s.std(0) / np.sqrt(20_000)
    assert (np.abs(s.mean(0) - mean) < 4 * error).all()


def test_the_fit_does_not_depend_on_units():
    units = np.array([1e-6, 1e6])
    one, other = (GaussianMixture(2, rng=0).fit(X) for X in (TWO, TWO * units))
    np.testing.assert_allclose(other.means_, one.means_ * units, rtol=1e-6)


def test_collapse_is_reported_and_bounded_by_the_floor():
    X = np.array([[0.0], [0.0], [1.0], [5.0]])
    with pytest.warns(CollapseWarning, match="in all 5 starts a component shrank"):
        fit = GaussianMixture(3, rng=0).fit(X)
    assert fit.covariances_.min() >= 0.999e-6 * X.var()
    assert np.isfinite(fit.log_prob(X)).all()


def test_a_sound_run_is_preferred_to_a_collapsed_one():
    X = np.r_[ONE, ONE[0] + 1e-9 * np.arange(1, 4)[:, None]]  # four nearly equal samples: a trap
    fit = GaussianMixture(2, n_init=20, rng=0).fit(X)
    assert fit.covariances_.min() > 0.1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: GaussianMixture(5).fit([[0.0], [0.0], [1.0]]), ValueError, "X has 2"),
        (
            lambda: GaussianMixture(2).fit(np.c_[ONE, np.ones(200)]),
            UnboundedLikelihoodError,
            "feature 1 has the same value",
        ),
        (
            lambda: GaussianMixture(0).fit(ONE),
            ValueError,
            "n_components must be an integer of at least 1",
        ),
        (lambda: GaussianMixture(2, covariance_floor=0).fit(ONE), ValueError, "unbounded"),
        (lambda: GaussianMixture(2).fit(ONE[:, 0]), ValueError, r"reshape\(-1, 1\)"),
        (lambda: GaussianMixture(2).log_prob(ONE), ValueError, "not fitted yet"),
        (lambda: GaussianMixture(2, rng=0).fit(TWO).log_prob(ONE), ValueError, "the 2 features"),
    ],
)
def test_bad_input_is_refused_with_the_reason(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_stopping_early_is_reported():
    with pytest.warns(ConvergenceWarning, match="stopped after max_iter=2"):
        GaussianMixture(2, n_init=1, max_iter=2, rng=0).fit(TWO)


def test_labels_probabilities_and_criteria_agree_with_scikit_learn():
    theirs = pytest.importorskip("sklearn.mixture").GaussianMixture(2, random_state=0)
    fit = GaussianMixture(2, rng=0).fit(TWO)
    theirs.fit(TWO)  # then given our parameters, so that the formulas are compared
    theirs.weights_, theirs.means_, theirs.covariances_ = fit.weights_, fit.means_, fit.covariances_
    theirs.precisions_cholesky_ = np.array(
        [np.linalg.inv(np.linalg.cholesky(S)).T for S in fit.covariances_]
    )
    np.testing.assert_allclose(fit.score_samples(TWO), theirs.score_samples(TWO), rtol=1e-9)
    np.testing.assert_allclose(fit.predict_proba(TWO), theirs.predict_proba(TWO), atol=1e-10)
    np.testing.assert_array_equal(fit.predict(TWO), theirs.predict(TWO))
    np.testing.assert_array_equal(GaussianMixture(2, rng=0).fit_predict(TWO), fit.predict(TWO))
    assert fit.bic(TWO) == pytest.approx(theirs.bic(TWO), rel=1e-12)
    assert fit.aic(TWO) == pytest.approx(theirs.aic(TWO), rel=1e-12)
    assert fit.predict(TWO).dtype == np.intp
    assert np.bincount(fit.predict(TWO)).sum() == len(TWO)


def test_the_fitted_mixture_is_the_one_with_these_parameters_given():
    fit = GaussianMixture(2, rng=0).fit(TWO)
    given = datasets.GaussianMixture(fit.weights_, fit.means_, fit.covariances_)
    np.testing.assert_allclose(fit.log_prob(TWO), given.log_density(TWO), rtol=1e-11)
    np.testing.assert_allclose(fit.predict_proba(TWO), given.responsibilities(TWO), atol=1e-11)
    x = nnlite.Tensor(TWO[:5], requires_grad=True)
    score = nnlite.grad(np.sum(fit.log_prob(x)), x)
    np.testing.assert_allclose(score, given.score(TWO[:5]), rtol=1e-9)


@pytest.mark.parametrize("option", ["n_init", "max_iter", "tol", "covariance_floor"])
@pytest.mark.parametrize("value", [None, "a", -1, np.nan, True, np.inf])
def test_impossible_options_are_refused_by_name(option, value):
    counts = option in ("n_init", "max_iter")
    right_kind = type(value) is int or (type(value) is float and not counts)
    with pytest.raises(ValueError if right_kind else TypeError, match=f"{option} must be"):
        GaussianMixture(2, **{option: value}).fit(TWO)


@pytest.mark.parametrize("name", ["aic", "bic", "predict", "predict_proba", "score", "log_prob"])
def test_an_unfitted_mixture_says_so(name):
    with pytest.raises(nnlite.errors.NotFittedError, match=r"call fit\(X\) first"):
        getattr(GaussianMixture(2), name)(ONE)
