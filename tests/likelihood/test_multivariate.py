"""The Gaussian in several dimensions."""

import numpy as np
import pytest
from scipy import stats

import nnlite
from nnlite.likelihood import MultivariateGaussian, UnboundedLikelihoodError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)) @ RNG.normal(size=(3, 3)) + 1


def test_log_density_is_that_of_scipy_for_any_leading_shape():
    fit = MultivariateGaussian(np.zeros(3)).fit(X)
    expected = stats.multivariate_normal(fit.mu, fit.Sigma).logpdf(X)
    # SciPy inverts by eigenvalues, we by Cholesky: they differ by eps times the condition of Sigma
    np.testing.assert_allclose(fit.log_prob(X), expected, rtol=1e-9)
    blocks = X.reshape(4, 15, 3)
    np.testing.assert_allclose(fit.log_prob(blocks), expected.reshape(4, 15), rtol=1e-9)
    assert fit.log_prob(X[0]).shape == ()


def test_fit_is_the_biased_covariance_and_reaches_the_closed_form_maximum():
    fit = MultivariateGaussian(np.zeros(3)).fit(X)
    S = np.cov(X.T, bias=True)
    np.testing.assert_allclose(fit.mu, X.mean(0))
    np.testing.assert_allclose(fit.Sigma, S, rtol=1e-12)
    maximum = -30 * (3 * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + 3)
    assert fit.log_prob(X).sum() == pytest.approx(maximum, rel=1e-12)


def test_gradient_in_the_mean_is_precision_times_deviation():
    S, mu0 = np.cov(X.T, bias=True), np.array([0.3, -1.0, 2.0])
    mu = nnlite.Tensor(mu0, requires_grad=True)
    g = nnlite.grad(np.mean(MultivariateGaussian(mu, S).log_prob(X)), mu)
    np.testing.assert_allclose(g, np.linalg.solve(S, X.mean(0) - mu0), rtol=1e-12)


def test_gradient_in_the_covariance_is_the_symmetric_formula():
    # d/dSigma of the mean log-likelihood: (P S P - P) / 2 with P = Sigma^-1, zero at Sigma = S
    S, mu, Sigma0 = np.cov(X.T, bias=True), X.mean(0), np.eye(3) + 0.2
    Sigma = nnlite.Tensor(Sigma0, requires_grad=True)
    g = nnlite.grad(np.mean(MultivariateGaussian(mu, Sigma).log_prob(X)), Sigma)
    P = np.linalg.inv(Sigma0)
    np.testing.assert_allclose(g, (P @ S @ P - P) / 2, rtol=1e-11, atol=1e-12)


def test_samples_have_mean_and_covariance():
    S = np.array([[2.0, 1.2], [1.2, 1.0]])
    s = MultivariateGaussian([1.0, -1.0], S).sample(20_000, rng=0)
    np.testing.assert_allclose(s.mean(0), [1, -1], atol=4 * np.sqrt(2 / 20_000))
    # standard error of an entry: sqrt((S_ii S_jj + S_ij^2) / n) <= sqrt(8 / n)
    np.testing.assert_allclose(np.cov(s.T), S, atol=4 * np.sqrt(8 / 20_000))


@pytest.mark.parametrize(
    "data",
    [X[:1], X[:3], X[:, [0, 1, 1]], np.c_[X[:, :2], np.ones(60)], np.ones((9, 3))],
    ids=["one sample", "more dimensions than samples", "duplicate", "constant", "all equal"],
)
def test_a_singular_covariance_has_no_maximum(data):
    with pytest.raises(UnboundedLikelihoodError, match=r"singular \(rank \d of 3.*without bound"):
        MultivariateGaussian(np.zeros(3)).fit(data)


def test_units_do_not_make_a_covariance_singular():
    fit = MultivariateGaussian(np.zeros(3)).fit(X * np.array([1e-9, 1.0, 1e9]))
    assert np.isfinite(fit.log_prob(X * np.array([1e-9, 1.0, 1e9]))).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MultivariateGaussian([0.0, 0.0], np.eye(3)), r"\(2,\) and \(3, 3\)"),
        (lambda: MultivariateGaussian([0.0, 0.0], [[1, 2], [2, 1]]), "singular"),
        (lambda: MultivariateGaussian([0.0, 0.0], [[1, 0.5], [0.1, 1]]), "not symmetric"),
        (lambda: MultivariateGaussian([0.0, 0.0]).log_prob(np.zeros((5, 3))), "the 2 features"),
        (lambda: MultivariateGaussian([0.0, 0.0]).fit(np.zeros(5)), r"reshape\(-1, 1\)"),
        (lambda: MultivariateGaussian([0.0, 0.0]).fit(np.full((5, 2), np.nan)), "nan at position"),
    ],
)
def test_bad_input_is_refused_with_the_reason(make, message):
    with pytest.raises(ValueError, match=message):
        make()
