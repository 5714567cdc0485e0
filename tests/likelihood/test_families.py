"""Distributions whose fit is a formula: densities, samples, fits, and what they refuse."""

import numpy as np
import pytest
from scipy import stats

import nnlite
from nnlite.likelihood import (
    Bernoulli,
    Gamma,
    Gaussian,
    Laplace,
    Logistic,
    StudentT,
    UnboundedLikelihoodError,
)

RNG = np.random.default_rng(0)
X = RNG.normal(1.0, 2.0, 50)

PAIRS = {
    "Gaussian": (Gaussian(0.3, 1.7), stats.norm(0.3, 1.7)),
    "Laplace": (Laplace(0.3, 1.7), stats.laplace(0.3, 1.7)),
    "Logistic": (Logistic(0.3, 1.7), stats.logistic(0.3, 1.7)),
    "Student": (StudentT(3.5, 0.3, 1.7), stats.t(3.5, 0.3, 1.7)),
    "Gamma": (Gamma(2.5, 1.7), stats.gamma(2.5, scale=1.7)),
    "Gamma with a pole at 0": (Gamma(0.4, 1.7), stats.gamma(0.4, scale=1.7)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_log_density_is_that_of_scipy(name):
    ours, theirs = PAIRS[name]
    x = np.abs(X) if "Gamma" in name else np.r_[X, 80.0, -80.0]
    np.testing.assert_allclose(ours.log_prob(x), theirs.logpdf(x), rtol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_samples_follow_the_distribution(name):
    ours, theirs = PAIRS[name]
    # Kolmogorov-Smirnov; a right sampler is rejected once in 10,000 seeds, and the seed is fixed
    assert stats.kstest(ours.sample(4000, rng=1), theirs.cdf).pvalue > 1e-4


def test_sampling_is_repeatable_and_takes_a_generator():
    np.testing.assert_array_equal(Gaussian().sample(5, rng=3), Gaussian().sample(5, rng=3))
    generator = np.random.default_rng(3)
    first = Gaussian().sample(5, rng=generator)
    assert not np.array_equal(first, Gaussian().sample(5, rng=generator))


@pytest.mark.parametrize("name", PAIRS)
def test_log_density_of_tensors_has_the_gradient_of_the_density(name):
    ours, _ = PAIRS[name]
    x = np.abs(X[:6]) + 0.1
    assert nnlite.gradcheck(ours.log_prob, [x])


def test_gaussian_fit_is_mean_and_biased_deviation():
    fit = Gaussian().fit(X)
    np.testing.assert_allclose([fit.mu, fit.sigma], stats.norm.fit(X), rtol=1e-14)
    assert fit.log_prob(X).sum() == pytest.approx(
        -25 * (np.log(2 * np.pi * X.var()) + 1), rel=1e-13
    )


def test_gaussian_hessian_at_the_optimum_is_minus_n_and_minus_two_n_over_the_variance():
    n, m, s = X.size, X.mean(), X.std()
    H = nnlite.hessian(lambda t: np.sum(Gaussian(t[0], t[1]).log_prob(X)), np.array([m, s]))
    np.testing.assert_allclose(H, np.diag([-n / s**2, -2 * n / s**2]), rtol=1e-9, atol=1e-9)


def test_parameters_may_be_arrays_as_in_a_regression():
    f = RNG.normal(size=50)
    expected = stats.norm.logpdf(X, f, 0.8)
    np.testing.assert_allclose(Gaussian(f, 0.8).log_prob(X), expected, rtol=1e-12)
    assert Gaussian(f, 0.8).sample(3, rng=0).shape == (3, 50)


def test_laplace_fit_is_that_of_scipy():
    x = stats.laplace.rvs(1, 2, size=101, random_state=0)
    fit = Laplace().fit(x)
    np.testing.assert_allclose([fit.mu, fit.b], stats.laplace.fit(x), rtol=1e-13)


def test_bernoulli_fit_is_the_share_of_ones_and_its_likelihood_the_cross_entropy():
    y = np.array([0.0, 1, 1, 1])
    fit = Bernoulli().fit(y)
    assert fit.p == 0.75
    np.testing.assert_allclose(fit.log_prob(y), stats.bernoulli.logpmf(y.astype(int), 0.75))
    logits = np.array([-800.0, -2, 0, 800])
    log_p = Bernoulli(logits=logits).log_prob(y)
    np.testing.assert_allclose(-log_p, np.logaddexp(0, logits) - y * logits, rtol=1e-14)


def test_bernoulli_gradient_in_the_logit_is_observed_minus_probable():
    y, a = np.array([0.0, 1, 1]), nnlite.Tensor(np.array([-1.0, 0.5, 2]), requires_grad=True)
    g = nnlite.grad(np.sum(Bernoulli(logits=a).log_prob(y)), a)
    np.testing.assert_allclose(g, y - 1 / (1 + np.exp(-a.data)), rtol=1e-14)


def test_bernoulli_samples_are_zeros_and_ones_at_the_right_rate():
    s = Bernoulli(0.3).sample(10_000, rng=0)
    assert set(np.unique(s)) == {0.0, 1.0}
    assert abs(s.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 10_000)


@pytest.mark.parametrize(
    ("distribution", "x"),
    [
        (Gamma(2, 1), [-1.0, 0.0]),
        (Bernoulli(0.3), [0.5, 2.0]),
        (Bernoulli(logits=0.3), [0.5, -1.0]),
        (Bernoulli(0.0), [1.0, 1.0]),
    ],
)
def test_points_outside_the_support_have_log_density_minus_infinity(distribution, x):
    assert (distribution.log_prob(x) == -np.inf).all()


@pytest.mark.parametrize("distribution", [Gaussian(), Laplace(), StudentT(), Logistic(), Gamma()])
@pytest.mark.parametrize("x", [[2.0], [2.0, 2.0, 2.0]])
def test_one_sample_and_constant_samples_have_no_maximum(distribution, x):
    what = "all" if isinstance(distribution, Gamma) or len(x) > 1 else "one sample"
    with pytest.raises(UnboundedLikelihoodError, match=f"{what}.*grows without bound"):
        distribution.fit(x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gaussian(0, 0), "sigma must be positive; got 0.0"),
        (lambda: Gaussian(np.nan, 1), "mu must be finite; got nan"),
        (lambda: Laplace(0, -1), "b must be positive; got -1.0"),
        (lambda: StudentT(0), "nu must be positive"),
        (lambda: Bernoulli(1.5), "p is a probability.*1.5.*logits"),
        (lambda: Gaussian("a"), "mu must be a real number"),
        (lambda: Gaussian().fit([[1.0, 2.0]]), r"vector of samples; got shape \(1, 2\).*ravel"),
        (lambda: Gaussian().fit([]), "empty"),
        (lambda: Gaussian().fit([1.0, np.nan]), "nan at position 1"),
        (lambda: Gaussian().fit([1e200, -1e200]), "leave the range of float64"),
        (lambda: Gaussian().fit([1e-200, -1e-200]), "leave the range of float64"),
        (lambda: Gaussian().log_prob(np.inf), "inf at position"),
        (lambda: Bernoulli().fit([0, 1, 2]), r"x\[2\] = 2.0"),
        (lambda: Gamma().fit([1.0, 0.0]), r"x\[1\] = 0.0"),
        (lambda: Gaussian().sample(-1), "n must be an integer of at least 0; got -1"),
    ],
)
def test_bad_input_is_refused_with_the_reason(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_number_of_samples_is_an_integer():
    with pytest.raises(TypeError, match="n must be an integer; got 2"):
        Gaussian().sample(2.5)
    assert Gaussian().sample(np.array(3)).shape == Gaussian().sample(np.int8(3)).shape == (3,)


def test_no_gradient_is_dropped_silently():
    x = nnlite.Tensor(np.array([0.0, 1.0]), requires_grad=True)
    with pytest.raises(TypeError, match="no gradient in x"):
        Bernoulli(0.3).log_prob(x)
    with pytest.raises(RuntimeError, match="detach"):
        Gaussian().fit(x)
    assert Gaussian().fit(x.detach()).mu == 0.5


def test_repr_shows_the_parameters():
    assert repr(Gaussian(0, 1)) == "Gaussian(mu=0.0, sigma=1.0)"
    assert repr(Gaussian(np.zeros(3), 1)) == "Gaussian(mu=array (3,), sigma=1.0)"


def test_a_coin_with_both_p_and_logits_is_refused():
    with pytest.raises(ValueError, match="either p or logits"):
        Bernoulli(0.3, logits=1.0)
    assert Bernoulli(logits=0.0).p == Bernoulli().p == 0.5
