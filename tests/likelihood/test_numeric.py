"""Fits without a formula agree with SciPy, or with the rare exact answers."""

import numpy as np
import pytest
from scipy import optimize, special, stats

from nnlite.errors import ConvergenceWarning
from nnlite.likelihood import Gamma, Logistic, StudentT, UnboundedLikelihoodError


@pytest.mark.parametrize("k", [0.05, 0.5, 2.0, 50.0, 1e4])
def test_gamma_shape_solves_its_equation(k):
    x = np.random.default_rng(int(k * 100)).gamma(k, 3.0, 400)
    x = x[x > 0]
    fit = Gamma().fit(x)
    c = np.log(x.mean()) - np.log(x).mean()
    root = optimize.brentq(lambda u: u - special.digamma(np.exp(u)) - c, -12, 12, xtol=1e-14)
    # SciPy's side subtracts digamma from log and loses eps * 2 k log k
    assert fit.k == pytest.approx(np.exp(root), rel=1e-11 + 1e-14 * k)
    assert fit.k * fit.theta == pytest.approx(x.mean(), rel=1e-14)


def test_gamma_fit_is_that_of_scipy():
    x = np.random.default_rng(1).gamma(2.0, 3.0, 500)
    shape, _, scale = stats.gamma.fit(x, floc=0)
    fit = Gamma().fit(x)
    np.testing.assert_allclose([fit.k, fit.theta], [shape, scale], rtol=1e-6)


def test_gamma_shape_of_nearly_equal_samples_keeps_its_digits():
    # two samples m(1 - e), m(1 + e): c = -log(1 - e^2)/2, and k = 1/(2c) + 1/6 + O(c) (asymptotics)
    e = 1e-5
    fit = Gamma().fit([1 - e, 1 + e])
    c = -0.5 * np.log1p(-(e**2))
    assert fit.k == pytest.approx(1 / (2 * c) + 1 / 6, rel=1e-6)


@pytest.mark.parametrize("nu", [1.0, 4.0, 30.0])
def test_student_fit_is_the_maximum_scipy_finds(nu):
    x = stats.t.rvs(nu, loc=1.5, scale=2.0, size=300, random_state=6)
    best = optimize.minimize(
        lambda t: -stats.t.logpdf(x, nu, t[0], np.exp(t[1])).sum(),
        [1.0, 0.5],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000},
    ).x
    fit = StudentT(nu).fit(x)
    # a simplex resolves the argument to about sqrt(fatol)
    np.testing.assert_allclose([fit.mu, fit.sigma], [best[0], np.exp(best[1])], rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_cauchy_fit_of_three_and_four_samples_is_fergusons_formula(seed):
    rng = np.random.default_rng(seed)
    a, b = np.sort(rng.normal(size=3) * 3), np.sort(rng.normal(size=4) * 3)
    d = np.array([a[2] - a[1], a[2] - a[0], a[1] - a[0]])
    three = [np.sum(a * d**2) / np.sum(d**2), np.sqrt(3) * d.prod() / np.sum(d**2)]
    mu = (b[1] * b[3] - b[0] * b[2]) / (b[1] + b[3] - b[0] - b[2])
    four = [mu, np.sqrt(-(mu - b[0]) * (mu - b[2]))]
    for x, expected in ((a, three), (b, four)):
        fit = StudentT(1.0).fit(x)
        np.testing.assert_allclose([fit.mu, fit.sigma], expected, rtol=1e-9)


def test_logistic_fit_is_that_of_scipy():
    x = stats.logistic.rvs(0.7, 1.3, size=400, random_state=2)
    fit = Logistic().fit(x)
    np.testing.assert_allclose([fit.mu, fit.s], stats.logistic.fit(x), rtol=1e-6)


@pytest.mark.parametrize("family", [StudentT, Logistic])
def test_fits_follow_a_change_of_units(family):
    x = stats.t.rvs(4, size=60, random_state=3)
    scale = "sigma" if family is StudentT else "s"
    one, other = family().fit(x), family().fit(1e6 * x - 3e6)
    assert other.mu == pytest.approx(1e6 * one.mu - 3e6, rel=1e-9)
    assert getattr(other, scale) == pytest.approx(1e6 * getattr(one, scale), rel=1e-9)


def test_too_many_ties_leave_the_student_likelihood_without_a_maximum():
    with pytest.raises(UnboundedLikelihoodError, match="2 of 3 samples coincide"):
        StudentT(1.0).fit([1.0, 1.0, 3.0])
    fit = StudentT(3.0).fit([1.0, 1.0, 3.0])  # 2/3 < 3/4: a maximum exists
    assert fit.sigma > 0.1


def test_student_says_when_em_was_cut_short():
    with pytest.warns(ConvergenceWarning, match="stopped after 2 steps"):
        StudentT(1.0).fit([0.0, 1.0, 5.0, 9.0], max_iter=2)
