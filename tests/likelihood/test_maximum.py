"""maximum_likelihood: right answers, right uncertainty, plain words where there is no answer."""

import sys

import numpy as np
import pytest
from scipy import stats

from nnlite.errors import ConvergenceWarning
from nnlite.likelihood import (
    Bernoulli,
    FlatLikelihoodWarning,
    Gamma,
    Gaussian,
    MultivariateGaussian,
    StudentT,
    UnboundedLikelihoodError,
    covariance,
    maximum_likelihood,
    positive,
    unit_interval,
)

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 3.0, 300)
METHODS = ["newton", "gradient", "lbfgs"]


def gaussian(x, mu, sigma):
    return Gaussian(mu, sigma).log_prob(x)


def by_hand(x, mu, sigma):
    return -np.log(sigma) - (x - mu) ** 2 / (2 * sigma**2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("start", [20.0, 0.3])
def test_the_gaussian_optimum_is_mean_and_biased_deviation(method, start):
    fit = maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(start)}, X, method)
    assert fit.converged
    np.testing.assert_allclose(
        [fit.params["mu"], fit.params["sigma"]], [X.mean(), X.std()], rtol=1e-7
    )
    assert fit.log_likelihood == pytest.approx(-150 * (np.log(2 * np.pi * X.var()) + 1), rel=1e-12)


def test_newton_is_exact_to_rounding():
    fit = maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(20.0)}, X)
    assert fit.params["mu"] == pytest.approx(X.mean(), rel=1e-12)
    assert fit.params["sigma"] == pytest.approx(X.std(), rel=1e-12)
    assert fit.iterations < 15


def test_standard_errors_are_those_of_the_fisher_information():
    fit = maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(1.0)}, X)
    n, v = X.size, X.var()
    np.testing.assert_allclose(fit.covariance, np.diag([v / n, v / (2 * n)]), rtol=1e-9, atol=1e-15)
    assert fit.standard_errors["mu"] == pytest.approx(np.sqrt(v / n), rel=1e-9)
    # in the coordinates of the search, (mu, log sigma), the information is (n / sigma^2, 2 n)
    np.testing.assert_allclose(fit.information, np.diag([n / v, 2 * n]), rtol=1e-9, atol=1e-9)


def test_standard_errors_of_a_covariance_are_wisharts():
    data = RNG.normal(size=(200, 2)) @ [[1.0, 0.7], [0.0, 0.5]]
    fit = maximum_likelihood(
        lambda x, mu, S: MultivariateGaussian(mu, S).log_prob(x),
        {"mu": np.zeros(2), "S": covariance(np.eye(2))},
        data,
    )
    S = np.cov(data.T, bias=True)
    np.testing.assert_allclose(fit.params["S"], S, rtol=1e-9)
    expected = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / 200)
    np.testing.assert_allclose(fit.standard_errors["S"], expected, rtol=1e-8)


def test_a_log_density_summed_over_samples_gives_the_same_answer():
    summed = maximum_likelihood(
        lambda x, mu, sigma: np.sum(gaussian(x, mu, sigma)), {"mu": 0.0, "sigma": positive(1.0)}, X
    )
    assert summed.params["sigma"] == pytest.approx(X.std(), rel=1e-10)
    assert summed.standard_errors["mu"] == pytest.approx(X.std() / np.sqrt(300), rel=1e-8)


def test_unconstrained_scales_work_as_long_as_the_search_can_step_back():
    fit = maximum_likelihood(by_hand, {"mu": 0.0, "sigma": 1.0}, X)
    assert fit.params["sigma"] == pytest.approx(X.std(), rel=1e-9)


def test_the_optimum_does_not_depend_on_the_parametrisation():
    # in the coordinates log sigma, sigma^2 and precision (Zehna 1966)
    start = {"mu": 0.0, "t": positive(1.0)}
    variance = maximum_likelihood(lambda x, mu, t: gaussian(x, mu, np.sqrt(t)), start, X)
    precision = maximum_likelihood(lambda x, mu, t: gaussian(x, mu, t**-0.5), start, X)
    assert variance.params["t"] == pytest.approx(X.var(), rel=1e-10)
    assert precision.params["t"] == pytest.approx(1 / X.var(), rel=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_gamma_and_student_with_unknown_shape_agree_with_scipy(method):
    x = np.random.default_rng(1).gamma(2.0, 3.0, 300)
    fit = maximum_likelihood(
        lambda x, k, theta: Gamma(k, theta).log_prob(x),
        {"k": positive(1.0), "theta": positive(1.0)},
        x,
        method,
    )
    exact = Gamma().fit(x)
    np.testing.assert_allclose(
        [fit.params["k"], fit.params["theta"]], [exact.k, exact.theta], rtol=1e-6
    )
    t = stats.t.rvs(4, loc=1.5, scale=2.0, size=300, random_state=6)
    fit = maximum_likelihood(
        lambda x, nu, mu, sigma: StudentT(nu, mu, sigma).log_prob(x),
        {"nu": positive(3.0), "mu": 0.0, "sigma": positive(1.0)},
        t,
        method,
    )
    # stats.t.fit stops at 1e-4 or so: its likelihood must not be higher than ours
    assert fit.log_likelihood >= stats.t.logpdf(t, *stats.t.fit(t)).sum() - 1e-9
    np.testing.assert_allclose(list(fit.params.values()), stats.t.fit(t), rtol=1e-3)


def test_regressions_take_their_data_as_a_tuple():
    z = RNG.normal(size=(200, 2))
    p = 1 / (1 + np.exp(-z @ [1.0, -2.0]))
    y = (RNG.random(200) < p).astype(float)
    fit = maximum_likelihood(
        lambda data, w: Bernoulli(logits=data[0] @ w).log_prob(data[1]), {"w": np.zeros(2)}, (z, y)
    )
    p = 1 / (1 + np.exp(-z @ fit.params["w"]))
    np.testing.assert_allclose(z.T @ p, z.T @ y, atol=1e-8)  # the score equations


def test_path_runs_from_start_to_optimum():
    fit = maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(20.0)}, X)
    assert len(fit.path["mu"]) == fit.iterations + 1
    assert fit.path["mu"][0] == 0.0
    assert fit.path["sigma"][0] == pytest.approx(20.0)
    assert fit.path["sigma"][-1] == fit.params["sigma"]


def test_report_says_what_was_found():
    text = str(maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(1.0)}, X))
    assert "converged after" in text
    assert "mu " in text
    assert "±" in text


# ---- no maximum ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["newton", "gradient"])
def test_constant_data_are_reported_as_unbounded(method):
    with pytest.raises(UnboundedLikelihoodError, match=r"as sigma goes to 0.*rises by 5 nats"):
        maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(1.0)}, np.ones(5), method)


@pytest.mark.parametrize("method", METHODS)
def test_a_mixture_component_on_a_sample_is_reported_as_unbounded(method):
    def mixture(x, mu, s):
        narrow, wide = Gaussian(x[0], s).log_prob(x), Gaussian(mu, 3.0).log_prob(x)
        return np.logaddexp(narrow, wide) - np.log(2)

    with pytest.raises(UnboundedLikelihoodError, match="as s goes to 0"):
        maximum_likelihood(mixture, {"mu": 0.0, "s": positive(0.01)}, X[:40], method)


def test_a_pole_of_the_density_on_a_sample_is_reported_as_unbounded():
    def pole(x, mu):  # exp(-|x - mu|) / sqrt|x - mu|, a density that is infinite at mu
        return -np.abs(x - mu) - 0.5 * np.log(np.abs(x - mu))

    with pytest.raises(UnboundedLikelihoodError, match=r"\+infinity at mu=1"):
        maximum_likelihood(pole, {"mu": 1.0}, np.array([1.0, 2.0, 4.0]))


def test_fewer_samples_than_dimensions_are_reported_as_unbounded():
    data = RNG.normal(size=(3, 3))
    with pytest.raises(UnboundedLikelihoodError, match=r"no maximum|without bound"):
        maximum_likelihood(
            lambda x, mu, S: MultivariateGaussian(mu, S).log_prob(x),
            {"mu": np.zeros(3), "S": covariance(np.eye(3))},
            data,
        )


@pytest.mark.parametrize("method", METHODS)
def test_only_the_sum_of_two_parameters_is_identified(method):
    with pytest.warns(FlatLikelihoodWarning, match=r"1 direction.*involve a, b"):
        fit = maximum_likelihood(
            lambda x, a, b, c: Gaussian(a + b, c).log_prob(x),
            {"a": 0.0, "b": 1.0, "c": positive(1.0)},
            X,
            method,
        )
    assert fit.params["a"] + fit.params["b"] == pytest.approx(X.mean(), rel=1e-6)
    assert fit.standard_errors["a"] == np.inf
    assert fit.standard_errors["c"] == pytest.approx(X.std() / np.sqrt(600), rel=1e-6)


def test_a_parameter_without_influence_is_named():
    with pytest.warns(FlatLikelihoodWarning, match="involve b:"):
        fit = maximum_likelihood(
            lambda x, a, b: Gaussian(a, 1.0).log_prob(x), {"a": 0.0, "b": 1.0}, X
        )
    assert np.isfinite(fit.standard_errors["a"])


@pytest.mark.parametrize("method", METHODS)
def test_a_probability_on_its_way_to_one_has_not_converged(method):
    with pytest.warns(ConvergenceWarning, match="levels off"):
        fit = maximum_likelihood(
            lambda x, p: Bernoulli(p).log_prob(x), {"p": unit_interval(0.4)}, np.ones(5), method
        )
    assert not fit.converged
    assert "NOT converged" in str(fit)


def test_separable_classes_have_no_maximum():
    z = np.r_[-np.ones(5), np.ones(5)]
    with pytest.warns(ConvergenceWarning, match="separable"):
        maximum_likelihood(
            lambda d, w: Bernoulli(logits=d[0] * w).log_prob(d[1]), {"w": 0.0}, (z, (z > 0) * 1.0)
        )


def test_a_minimum_is_not_taken_for_a_maximum():
    with pytest.warns(ConvergenceWarning, match="not curved downwards"):
        fit = maximum_likelihood(lambda x, a: (a - np.mean(x)) ** 2 + 0 * x, {"a": X.mean()}, X)
    assert fit.standard_errors["a"] == np.inf


def test_stopping_early_is_reported():
    with pytest.warns(ConvergenceWarning, match="max_iter=3 gradient steps"):
        maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(9.0)}, X, "gradient", max_iter=3)


def test_lbfgs_without_scipy_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match=r'needs SciPy.*method="newton"'):
        maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(1.0)}, X, "lbfgs")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: maximum_likelihood(gaussian, {"mu": 0.0}, X, "bfgs"), ValueError, "newton"),
        (lambda: maximum_likelihood(gaussian, [0.0, 1.0], X), TypeError, "dict of starting values"),
        (
            lambda: maximum_likelihood(lambda x, a: x.copy(), {"a": 0.0}, X),
            TypeError,
            "returned ndarray.*Tensors",
        ),
        (
            lambda: maximum_likelihood(lambda x, a: a * x[:3], {"a": 0.0}, X),
            ValueError,
            r"each of the 300 samples.*\(3,\)",
        ),
        (
            lambda: maximum_likelihood(
                lambda x, k: Gamma(k, 1.0).log_prob(x), {"k": positive(1.0)}, [1.0, -2.0]
            ),
            ValueError,
            "-inf for sample 1: the sample is outside the support",
        ),
        (
            lambda: maximum_likelihood(by_hand, {"mu": 0.0, "sigma": -1.0}, X),
            ValueError,
            "at the start, mu=0, sigma=-1, is nan",
        ),
        (
            lambda: maximum_likelihood(gaussian, {"mu": 0.0, "sigma": positive(1.0)}, [1, np.nan]),
            ValueError,
            r"nan at position \(1,\)",
        ),
        (lambda: maximum_likelihood(gaussian, {"mu": 0.0}, []), ValueError, "empty"),
        (lambda: positive(0.0), ValueError, "above 0; got 0.0"),
        (lambda: positive(np.inf), ValueError, "finite"),
        (lambda: unit_interval(1.0), ValueError, "strictly between 0 and 1"),
        (lambda: covariance([[1.0, 2.0], [2.0, 1.0]]), ValueError, "smallest eigenvalue is -1"),
        (lambda: covariance([[1.0, 0.0], [0.5, 1.0]]), ValueError, "symmetric"),
        (lambda: covariance([1.0]), ValueError, "square matrix"),
    ],
)
def test_bad_input_is_refused_with_the_reason(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_newton_is_not_held_up_by_a_flat_direction():
    data = RNG.normal(size=(100, 4)) @ np.diag([3.0, 2.0, 1.0, 1.0])
    with pytest.warns(FlatLikelihoodWarning, match="1 direction"):  # W may be rotated
        fit = maximum_likelihood(
            lambda x, W, v: MultivariateGaussian(x.mean(0), W @ W.T + v * np.eye(4)).log_prob(x),
            {"W": RNG.normal(size=(4, 2)), "v": positive(1.0)},
            data,
        )
    assert fit.converged
    assert fit.iterations < 50


def _line(d, w, s):
    return -np.log(s) - (d[1] - d[0] @ w) ** 2 / (2 * s**2)


def _autoregression(x, a):
    return np.sum(-((x[1:] - a * x[:-1]) ** 2)) / 2


@pytest.mark.parametrize("axis", [None, 1])  # (n, n), summed by the user
def test_a_sum_over_all_pairs_is_refused(axis):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    start = {"w": np.zeros((2, 1)), "s": positive(1.0)}
    with pytest.raises(ValueError, match=r"sums over all pairs .* a column \(n, 1\) met a vector"):
        maximum_likelihood(lambda d, w, s: np.sum(_line(d, w, s), axis=axis), start, (X, X[:, 0]))


def test_a_mean_over_the_samples_is_noticed():
    with pytest.warns(UserWarning, match="returns a mean over the samples, return np.sum"):
        fit = maximum_likelihood(
            lambda x, mu: np.mean(Gaussian(mu, 2.0).log_prob(x)), {"mu": 0.0}, X
        )
    assert fit.params["mu"] == pytest.approx(X.mean())


def test_a_prior_a_markov_chain_a_profile_and_a_known_number_of_samples_are_no_fault(recwarn):
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    a = maximum_likelihood(_autoregression, {"a": 0.5}, x).params["a"]
    assert a == pytest.approx(x[1:] @ x[:-1] / (x[:-1] @ x[:-1]))
    with_prior = maximum_likelihood(
        lambda x, mu: np.sum(Gaussian(mu, 1.0).log_prob(x)) + Gaussian().log_prob(mu),
        {"mu": 0.0},
        x,
    )
    assert with_prior.params["mu"] == pytest.approx(x.sum() / 51)
    profile = maximum_likelihood(
        lambda x, s: Gaussian(x.mean(), s).log_prob(x), {"s": positive(2.0)}, x
    )
    assert profile.params["s"] == pytest.approx(x.std())
    inputs = rng.normal(size=50)
    slope = maximum_likelihood(
        lambda x, b: np.sum(Gaussian(b * inputs, 1.0).log_prob(x)), {"b": 0.0}, x
    )
    assert slope.params["b"] == pytest.approx(inputs @ x / (inputs @ inputs))
    assert not recwarn.list


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"tol": float("nan")}, ValueError, "tol must be a finite number"),
        ({"max_iter": 2.5}, TypeError, "max_iter must be an integer; got 2.5"),
        ({"max_iter": -1}, ValueError, "max_iter must be an integer of at least 1; got -1"),
        ({"method": ["newton"]}, TypeError, r"method must be .*; got \['newton'\] \(list\)"),
        ({"method": "Newton"}, ValueError, "method must be 'gradient', 'newton' or 'lbfgs'"),
        ({"log_prob": Gaussian()}, TypeError, "log_prob must be a function"),
        ({"log_prob": lambda x, mu: None}, TypeError, r"None. \(Does it have a return"),
        ({"params": {0: 1.0}}, TypeError, "params must be a dict .* got {0: 1.0}"),
        ({"data": ()}, ValueError, "got an empty one"),
        ({"data": (1.0, 2.0)}, ValueError, "got numbers: pass a list"),
    ],
)
def test_arguments_of_another_kind_are_named(change, error, words):
    right = {
        "log_prob": lambda x, mu: Gaussian(mu, 1.0).log_prob(x),
        "params": {"mu": 0.0},
        "data": [1.0, 2.0, 4.0],
    }
    with pytest.raises(error, match=words):
        maximum_likelihood(**(right | change))
