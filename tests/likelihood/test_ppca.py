"""Probabilistic PCA is Tipping and Bishop's maximum; scikit-learn's PCA comes close to it."""

import numpy as np
import pytest
import sklearn.decomposition
from scipy import stats

import nnlite
from nnlite.likelihood import (
    MultivariateGaussian,
    ProbabilisticPCA,
    UnboundedLikelihoodError,
    maximum_likelihood,
    positive,
)

RNG = np.random.default_rng(10)
N, D, Q = 400, 6, 2
X = RNG.normal(size=(N, Q)) @ RNG.normal(size=(Q, D)) * 1.5 + 0.5 * RNG.normal(size=(N, D)) + 3
S = np.cov(X.T, bias=True)
LAM = np.linalg.eigvalsh(S)[::-1]


def test_noise_is_the_mean_of_the_dropped_eigenvalues_and_the_value_the_closed_form():
    fit = ProbabilisticPCA(Q).fit(X)
    noise = LAM[Q:].mean()
    assert fit.noise_variance_ == pytest.approx(noise, rel=1e-12)
    best = -0.5 * (np.log(LAM[:Q]).sum() + (D - Q) * np.log(noise) + D * np.log(2 * np.pi) + D)
    assert fit.score(X) == pytest.approx(best, rel=1e-12)


def test_log_density_is_that_of_the_full_gaussian():
    fit = ProbabilisticPCA(Q).fit(X)
    expected = stats.multivariate_normal(fit.mean_, fit.get_covariance()).logpdf(X)
    np.testing.assert_allclose(fit.log_prob(X), expected, rtol=1e-11)
    assert nnlite.gradcheck(fit.log_prob, [X[:3]])


@pytest.mark.parametrize("seed", range(2))
def test_a_search_by_autograd_from_random_starts_ends_at_the_closed_form(seed):
    start = np.random.default_rng(seed).normal(size=(D, Q))

    def log_prob(x, W, noise):
        return MultivariateGaussian(x.mean(0), W @ W.T + noise * np.eye(D)).log_prob(x)

    with pytest.warns(UserWarning, match="does not change along 1 direction"):  # W may be rotated
        found = maximum_likelihood(
            log_prob, {"W": start, "noise": positive(1.0)}, X, method="lbfgs", tol=1e-8
        )
    fit = ProbabilisticPCA(Q).fit(X)
    assert found.log_likelihood / N == pytest.approx(fit.score(X), rel=1e-9)
    assert found.params["noise"] == pytest.approx(fit.noise_variance_, rel=1e-5)
    W = found.params["W"]
    np.testing.assert_allclose(W @ W.T, fit.W_ @ fit.W_.T, atol=1e-4)


def test_scikit_learn_divides_by_n_minus_one_and_so_misses_the_maximum():
    fit, theirs = ProbabilisticPCA(Q).fit(X), sklearn.decomposition.PCA(Q).fit(X)
    r = N / (N - 1)
    assert theirs.noise_variance_ == pytest.approx(r * fit.noise_variance_, rel=1e-10)
    deficit = D / 2 * (np.log(r) + 1 / r - 1)
    assert fit.score(X) - theirs.score(X) == pytest.approx(deficit, abs=1e-12)


def test_zero_eigenvalues_count_when_there_are_fewer_samples_than_features():
    few = X[:4]
    lam = np.linalg.eigvalsh(np.cov(few.T, bias=True))[::-1]
    fit = ProbabilisticPCA(1).fit(few)
    assert fit.noise_variance_ == pytest.approx(lam[1:].sum() / (D - 1), rel=1e-10)
    expected = stats.multivariate_normal(fit.mean_, fit.get_covariance()).logpdf(few).mean()
    assert fit.score(few) == pytest.approx(expected, rel=1e-10)


def test_no_component_is_the_isotropic_gaussian():
    fit = ProbabilisticPCA(0).fit(X)
    np.testing.assert_allclose(fit.get_covariance(), np.trace(S) / D * np.eye(D), rtol=1e-12)


def test_one_component_short_of_all_is_the_full_gaussian():
    np.testing.assert_allclose(ProbabilisticPCA(D - 1).fit(X).get_covariance(), S, rtol=1e-10)


def test_hidden_variables_are_the_shrunken_scores_of_pca():
    fit = ProbabilisticPCA(Q).fit(X)
    scores = (X - fit.mean_) @ fit.components_.T
    lam = fit.explained_variance_
    expected = scores * np.sqrt(lam - fit.noise_variance_) / lam
    np.testing.assert_allclose(fit.transform(X), expected, rtol=1e-9, atol=1e-12)


def test_samples_have_the_covariance_of_the_model():
    fit = ProbabilisticPCA(Q).fit(X)
    s = fit.sample(50_000, rng=0)
    C = fit.get_covariance()
    error = np.sqrt((np.outer(np.diag(C), np.diag(C)) + C**2) / 50_000)
    assert (np.abs(np.cov(s.T) - C) < 4.5 * error).all()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ProbabilisticPCA(2).fit(X[:3]), UnboundedLikelihoodError, "only 2 dimensions"),
        (lambda: ProbabilisticPCA(1).fit(X[:1]), UnboundedLikelihoodError, "only 0 dimensions"),
        (lambda: ProbabilisticPCA(0).fit(np.ones((4, 3))), UnboundedLikelihoodError, "only 0"),
        (lambda: ProbabilisticPCA(6).fit(X), ValueError, "below the number of features, 6"),
        (lambda: ProbabilisticPCA(-1).fit(X), ValueError, "at least 0"),
        (lambda: ProbabilisticPCA(2).sample(3), ValueError, "not fitted yet"),
        (lambda: ProbabilisticPCA(2).fit(X).log_prob(X[:, :5]), ValueError, "the 6 features"),
    ],
)
def test_bad_input_is_refused_with_the_reason(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_precision_is_the_inverse_and_samples_are_scored_one_by_one():
    for q in (0, Q, D - 1):
        fit = ProbabilisticPCA(q).fit(X)
        np.testing.assert_allclose(
            fit.get_precision() @ fit.get_covariance(), np.eye(D), atol=1e-10
        )
        np.testing.assert_allclose(fit.score_samples(X), fit.log_prob(X), rtol=1e-14)


def test_hidden_variables_come_back_as_the_projection_of_pca():
    fit = ProbabilisticPCA(Q).fit(X)
    pca = nnlite.PCA(Q).fit(X)
    back = fit.inverse_transform(fit.transform(X))
    np.testing.assert_allclose(back, pca.inverse_transform(pca.transform(X)), rtol=1e-9)
    np.testing.assert_allclose(fit.transform(back), fit.transform(X), atol=1e-12)
    M = fit.W_.T @ fit.W_ + fit.noise_variance_ * np.eye(Q)
    by_formula = fit.transform(X) @ M @ np.linalg.inv(fit.W_.T @ fit.W_) @ fit.W_.T + fit.mean_
    np.testing.assert_allclose(back, by_formula, rtol=1e-9)
    with pytest.raises(ValueError, match="Z has 3 columns, but this model has 2"):
        fit.inverse_transform(np.zeros((4, 3)))


def test_a_tensor_stays_one_and_gets_the_gradient_of_the_projection():
    fit = ProbabilisticPCA(Q).fit(X)
    assert nnlite.gradcheck(fit.transform, [X[:3]])
    np.testing.assert_allclose(fit.transform(nnlite.Tensor(X)).data, fit.transform(X), rtol=1e-12)
