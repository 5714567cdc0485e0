"""Likelihoods at the edges: shapes that pair, constant columns, extreme shapes, odd arrays."""

import numpy as np
import pytest
from scipy import special

import nnlite
from nnlite.errors import ConvergenceWarning
from nnlite.likelihood import (
    Bernoulli,
    FlatLikelihoodWarning,
    Gamma,
    Gaussian,
    GaussianMixture,
    Laplace,
    Logistic,
    MultivariateGaussian,
    ProbabilisticPCA,
    StudentT,
    UnboundedLikelihoodError,
    covariance,
    maximum_likelihood,
    positive,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2))
Y = X @ [2.0, 1.0] + 0.1 * RNG.normal(size=40)
FAMILIES = [Gaussian, Laplace, Logistic, lambda mu, s: StudentT(4.0, mu, s)]

# ---- one density per sample ----------------------------------------------------------------------


def test_a_regression_with_a_column_of_weights_is_refused_and_with_a_vector_is_right():
    def regression(d, w, s):
        return Gaussian(d[0] @ w, s).log_prob(d[1])

    with pytest.raises(ValueError, match=r"40 x 40 densities.*ravel\(\).*weight vector of shape"):
        maximum_likelihood(regression, {"w": np.zeros((2, 1)), "s": positive(1.0)}, (X, Y))
    fit = maximum_likelihood(regression, {"w": np.zeros(2), "s": positive(1.0)}, (X, Y))
    np.testing.assert_allclose(fit.params["w"], np.linalg.lstsq(X, Y)[0], rtol=1e-9)


@pytest.mark.parametrize("make", FAMILIES)
def test_a_column_against_a_vector_is_refused_by_every_family_both_ways(make):
    column, vector = Y[:, None], np.arange(40.0)
    for call in (
        lambda: make(column, 1.0).log_prob(vector),
        lambda: make(vector, 1.0).log_prob(column),
        lambda: make(0.0, np.abs(column) + 1).log_prob(vector),
        lambda: make(nnlite.Tensor(column, requires_grad=True), 1.0).log_prob(vector),
    ):
        with pytest.raises(ValueError, match="one for every pair"):
            call()
    assert make(column, 1.0).log_prob(vector[None, :]).shape == (40, 40)  # asked for
    assert make(column[:3], 1.0).log_prob(vector).shape == (3, 40)  # a grid of parameters
    assert make(vector[:3], 1.0).log_prob(column).shape == (40, 3)  # components of a mixture
    assert make(column, 1.0).log_prob(column).shape == (40, 1)


def test_other_distributions_refuse_it_too():
    with pytest.raises(ValueError, match="every pair"):
        Bernoulli(logits=Y[:, None]).log_prob(np.ones(40))
    with pytest.raises(ValueError, match="every pair"):
        Bernoulli(np.full((40, 1), 0.5)).log_prob(np.ones(40))
    with pytest.raises(ValueError, match="every pair"):
        Gamma(np.ones((40, 1)), 1.0).log_prob(np.ones(40))


@pytest.mark.parametrize(
    ("log_prob", "data", "message"),
    [
        (lambda d, w: -((d[1] - d[0] @ w) ** 2), (X, Y), r"shape \(40, 40\).*ravel"),
        (lambda d, w: -((d[0] - w.ravel()) ** 2), (X, Y), r"shape \(40, 2\).*np.sum\(.*axis=1"),
        (lambda d, w: -((d[0].T - w) ** 2), (X, Y), r"shape \(2, 40\).*first axis"),
    ],
)
def test_a_density_written_by_hand_gives_one_number_per_sample(log_prob, data, message):
    with pytest.raises(ValueError, match=message):
        maximum_likelihood(log_prob, {"w": np.zeros((2, 1))}, data)


def test_one_column_of_densities_is_one_number_per_sample():
    fit = maximum_likelihood(lambda x, m: -((x - m) ** 2), {"m": 0.0}, Y[:, None])
    assert fit.params["m"] == pytest.approx(Y.mean(), rel=1e-9)


# ---- columns that do not vary --------------------------------------------------------------------

CONSTANT = {
    "0.1": lambda a, b: np.full(a.size, 0.1),
    "1/3, far": lambda a, b: np.full(a.size, 1e9 / 3),
    "rounding": lambda a, b: 0.3 + 1e-16 * np.sign(a),
    "sum": lambda a, b: 0.1 * a + 0.2 * b,
    "sum, far": lambda a, b: (a + 1e9) + 2 * (b + 1e9),
}


@pytest.mark.parametrize("kind", CONSTANT)
@pytest.mark.parametrize("n", [10, 400, 2001])
def test_what_varies_by_rounding_only_has_no_density(kind, n):
    a, b = np.random.default_rng(n).normal(size=(2, n))
    far = 1e9 if "sum, far" in kind else 0.0
    data = np.c_[a + far, b + far, CONSTANT[kind](a, b)]
    with pytest.raises(UnboundedLikelihoodError, match="singular"):
        MultivariateGaussian(np.zeros(3)).fit(data)
    if "sum" not in kind:
        with pytest.raises(UnboundedLikelihoodError, match="feature 2 has the same value"):
            GaussianMixture(1, rng=0).fit(data)


def test_a_constant_column_of_a_tenth_is_like_one_of_one():
    a = RNG.normal(size=(400, 2))
    for model in (ProbabilisticPCA(1), nnlite.PCA(2)):
        tenth, one = (
            type(model)(model.n_components).fit(np.c_[a, np.full(400, v)]) for v in (0.1, 1.0)
        )
        assert tenth.noise_variance_ == pytest.approx(one.noise_variance_, rel=1e-12, abs=0)
        assert (tenth.components_[:, 2] == 0).all()
    with pytest.raises(UnboundedLikelihoodError, match="0 dimensions"):
        ProbabilisticPCA(0).fit(np.full((400, 3), 0.1))


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-300, 1e300, -7.3])
def test_equal_numbers_have_no_maximum_in_any_family(value):
    for family in (Gaussian(), Laplace(), Logistic(), StudentT(), Gamma()):
        if isinstance(family, Gamma) and value < 0:
            continue
        with pytest.raises(UnboundedLikelihoodError, match="grows without bound"):
            family.fit(np.full(7, value))


def test_gamma_fit_of_numbers_that_differ_by_one_rounding_is_the_limit():
    # c = d^2 / 8 for two samples that differ by the share d, and k = 1 / (2 c)
    for d in (np.finfo(float).eps, 1e-13, 1e-8):
        fit = Gamma().fit([1.0, 1.0 + d])
        assert fit.k == pytest.approx(4 / d**2, rel=1e-2 if d < 1e-12 else 1e-6)
        assert fit.k * fit.theta == pytest.approx(1 + d / 2, rel=1e-12)


# ---- large and small units -----------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("model", [GaussianMixture(1, rng=0), ProbabilisticPCA(1)], ids=repr)
def test_units_whose_squares_leave_the_range_are_named(model, scale):
    with pytest.raises(ValueError, match=r"underflow|overflow"):
        model.fit(scale * X)
    with pytest.raises(ValueError, match=r"underflow|overflow"):
        MultivariateGaussian().fit(scale * X)


@pytest.mark.parametrize("scale", [1e-150, 1e-100, 1e100, 1e150])
def test_units_whose_squares_do_not_change_nothing_but_the_units(scale):
    one, other = GaussianMixture(1, rng=0).fit(X), GaussianMixture(1, rng=0).fit(scale * X)
    np.testing.assert_allclose(other.means_ / scale, one.means_, rtol=1e-9)
    assert other.score(scale * X) == pytest.approx(one.score(X) - 2 * np.log(scale), rel=1e-12)
    for make in (MultivariateGaussian, lambda: ProbabilisticPCA(1)):
        one, other = make().fit(X), make().fit(scale * X)
        np.testing.assert_allclose(
            other.log_prob(scale * X), one.log_prob(X) - 2 * np.log(scale), rtol=1e-9
        )


def test_a_spread_far_from_zero_keeps_its_digits():
    x = 1e9 + np.array([0.0, 1.0, 2.0, 3.0]) / 1024
    assert Gaussian().fit(x).sigma == pytest.approx(np.sqrt(1.25) / 1024, rel=1e-15)
    assert Gaussian().fit(x).mu == pytest.approx(1e9 + 1.5 / 1024, rel=1e-16)


# ---- extreme shapes ------------------------------------------------------------------------------


def test_densities_keep_their_digits_for_extreme_shapes():
    mp = pytest.importorskip("mpmath")
    with mp.workdps(60):
        for nu in (1e-5, 0.3, 3.0, 29.9, 30.0, 31.0, 1e4, 1e8, 1e15):
            for x in (0.0, 1e-200, 0.5, 1.0, 30.0, 1e10, 1e200):
                n, z = mp.mpf(nu), mp.mpf(x)
                exact = mp.loggamma((n + 1) / 2) - mp.loggamma(n / 2) - mp.log(n * mp.pi) / 2
                exact -= (n + 1) / 2 * mp.log1p(z * z / n)
                assert float(StudentT(nu).log_prob(x)) == pytest.approx(
                    float(exact), rel=2e-14, abs=2e-14
                )
        for k in (1e-5, 0.3, 3.0, 14.9, 15.0, 100.0, 1e6, 1e12):
            for theta in (1e-200, 1.0, 1e200):
                for r in (0.4, 1.0, 1.3, 100.0):
                    x = k * theta * r
                    a, t, z = map(mp.mpf, (k, theta, x))
                    exact = (a - 1) * mp.log(z) - z / t - a * mp.log(t) - mp.loggamma(a)
                    # moving x by one rounding moves the answer by (r - 1) k eps
                    bound = 1e-13 + 4e-16 * k * abs(r - 1)
                    assert abs(Gamma(k, theta).log_prob(x) - float(exact)) < max(
                        bound, 2e-13 * abs(float(exact))
                    )


def test_student_becomes_the_normal_as_nu_grows():
    x = np.linspace(-3, 3, 13)
    gap = StudentT(1e15).log_prob(x) - Gaussian().log_prob(x)
    np.testing.assert_allclose(gap, (x**4 - 2 * x**2 - 1) / 4e15, atol=4e-15)
    # the first term of the difference: (z^4 - 2 z^2 - 1) / (4 nu)
    gap = StudentT(1e6).log_prob(x) - Gaussian().log_prob(x)
    np.testing.assert_allclose(gap, (x**4 - 2 * x**2 - 1) / 4e6, atol=1e-10)


@pytest.mark.parametrize("nu", [1.0, 29.0, 31.0, 1e5])
def test_gradients_in_the_shape_are_right_on_both_sides_of_the_series(nu):
    special = pytest.importorskip("scipy.special")
    t = nnlite.Tensor(np.array(nu), requires_grad=True)
    g = nnlite.grad(StudentT(t).log_prob(1.5), t)
    w = 2.25 / nu
    exact = 0.5 * (special.digamma((nu + 1) / 2) - special.digamma(nu / 2) - 1 / nu)
    exact += -0.5 * np.log1p(w) + (nu + 1) / 2 * w / nu / (1 + w)
    assert g == pytest.approx(exact, rel=1e-10, abs=1e-15)
    g = nnlite.grad(Gamma(t, 2.0).log_prob(3.0), t)
    assert g == pytest.approx(np.log(1.5) - special.digamma(nu), rel=1e-12)


def test_the_shape_of_normal_data_is_reported_as_not_fixed():
    normal = np.random.default_rng(2).normal(2.0, 3.0, 300)  # less heavy in the tails than a normal
    for method in ("newton", "lbfgs"):
        with pytest.warns((ConvergenceWarning, FlatLikelihoodWarning)):
            fit = maximum_likelihood(
                lambda x, nu, mu, sigma: StudentT(nu, mu, sigma).log_prob(x),
                {"nu": positive(3.0), "mu": 0.0, "sigma": positive(1.0)},
                normal,
                method,
            )
        assert not fit.converged or fit.standard_errors["nu"] == np.inf
        assert fit.params["sigma"] == pytest.approx(normal.std(), rel=1e-4)


def test_far_points_and_far_logits_are_exact():
    assert StudentT(2.0).log_prob(1e200) == pytest.approx(-3 * np.log(1e200), rel=1e-15)
    assert Logistic().log_prob(1e300) == -1e300
    assert Logistic().log_prob(-1e300) == -1e300
    assert Laplace(0.0, 1e308).log_prob(0.0) == pytest.approx(-np.log(2) - np.log(1e308))
    np.testing.assert_allclose(
        Bernoulli(logits=[40.0, -40.0]).log_prob([1.0, 0.0]), -np.exp(-40.0), rtol=1e-12
    )
    assert Bernoulli(1e-20).log_prob(0.0) == pytest.approx(-1e-20)


def test_one_far_sample_counts_the_same_however_far_it_is():
    # one of seven: below the share 1 / (nu + 1) of far samples that carries sigma away with it
    near, far, farther = (
        StudentT().fit([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, x]) for x in (1e9, 1e100, 1e200)
    )
    assert far.sigma == pytest.approx(near.sigma, rel=1e-8)
    assert farther.sigma == pytest.approx(far.sigma, rel=1e-12)
    assert farther.mu == pytest.approx(far.mu, rel=1e-12)
    carried = StudentT().fit([1.0, 2.0, 3.0, 1e200])
    assert carried.sigma == pytest.approx(1e100 * StudentT().fit([1.0, 2.0, 3.0, 1e100]).sigma)


def test_a_density_below_all_floats_is_minus_infinity_without_a_warning():
    for family in (Gaussian(1.0, 1e-300), Laplace(1.0, 1e-300), Logistic(1.0, 1e-300)):
        assert family.log_prob(1e100) == -np.inf
    assert MultivariateGaussian(np.zeros(2)).log_prob([1e200, 0.0]) == -np.inf
    with pytest.raises(ValueError, match="row 0 of X lies so far from every component"):
        GaussianMixture(2, rng=0).fit(X).predict([[1e200, 0.0]])


def test_gradients_are_finite_where_the_density_is():
    p = nnlite.Tensor(np.array([1.0, 0.0, 0.5]), requires_grad=True)
    g = nnlite.grad(np.sum(Bernoulli(p).log_prob(np.array([1.0, 0.0, 1.0]))), p)
    np.testing.assert_array_equal(g, [1.0, -1.0, 2.0])
    x = nnlite.Tensor(np.array([1e200, -1e-200, 0.0, 3.0]), requires_grad=True)
    for family in (Laplace(), Logistic(), StudentT(2.0), StudentT(1e15)):
        assert np.isfinite(nnlite.grad(np.sum(family.log_prob(x)), x)).all(), family


# ---- arrays of other kinds -----------------------------------------------------------------------

MASKED = np.ma.masked_array([1.0, 2, 3, 999], [0, 0, 0, 1])


@pytest.mark.parametrize(
    "call",
    [
        lambda: maximum_likelihood(lambda x, m: -((x - m) ** 2), {"m": 0.0}, MASKED),
        lambda: maximum_likelihood(lambda d, m: -((d[1] - m) ** 2), {"m": 0.0}, (Y[:4], MASKED)),
        lambda: Gaussian(MASKED, 1.0),
        lambda: Gaussian().log_prob(MASKED),
        lambda: positive(MASKED),
        lambda: StudentT().fit(MASKED),
        lambda: MultivariateGaussian(np.zeros(2)).log_prob(MASKED.reshape(2, 2)),
        lambda: GaussianMixture(1).fit(MASKED.reshape(2, 2)),
        lambda: ProbabilisticPCA(1).fit(MASKED.reshape(2, 2)),
    ],
)
def test_masked_entries_are_refused_everywhere(call):
    with pytest.raises(ValueError, match="masked entries"):
        call()


@pytest.mark.parametrize("dtype", [">f8", "float16", "int16", "uint8"])
def test_numbers_of_any_dtype_give_the_same_answer(dtype):
    x = np.array([1, 2, 3, 7]).astype(dtype)
    assert Gaussian().fit(x).mu == 3.25
    fit = maximum_likelihood(lambda x, m: -((x - m) ** 2), {"m": 0.0}, x)
    assert fit.params["m"] == pytest.approx(3.25)
    assert Gamma(2.0, 3.0).log_prob(x).dtype.kind == "f"
    np.testing.assert_allclose(Gamma(2.0, 3.0).log_prob(x)[0], np.log(1 / 9) - 1 / 3, rtol=1e-3)


@pytest.mark.parametrize(
    "data", [np.array([1.0, "2"], dtype=object), None, ["a"], [1 + 2j]], ids=repr
)
def test_what_holds_no_numbers_is_refused(data):
    for call in (Gaussian().fit, Gaussian().log_prob):
        with pytest.raises(TypeError):
            call(data)
    with pytest.raises(TypeError, match="data"):
        maximum_likelihood(lambda x, m: -((x - m) ** 2), {"m": 0.0}, data)


# ---- where NumPy does not raise ------------------------------------------------------------------


def test_an_indefinite_covariance_is_refused_in_a_browser_too(monkeypatch):
    right = np.linalg.cholesky

    def silent(A):
        try:
            return right(A)
        except np.linalg.LinAlgError:
            return np.full(np.shape(A), np.nan)

    monkeypatch.setattr(np.linalg, "cholesky", silent)
    indefinite = np.array([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match="singular"):
        MultivariateGaussian(np.zeros(2), indefinite)
    with pytest.raises(ValueError, match="smallest eigenvalue is -1"):
        covariance(indefinite)
    broken = GaussianMixture(1, rng=0).fit(X)
    broken.covariances_ = indefinite[None]
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        broken.sample(3)


@pytest.mark.parametrize(("nu", "x"), [(1.0, 1e150), (0.1, 1e300), (30.0, 1e200)])
def test_students_t_reaches_points_whose_distance_in_scales_overflows(nu, x):
    # For z = x / sigma beyond 1e8: log p = c(nu) - log sigma - (nu + 1) (log z - log(nu) / 2).
    at = [nnlite.Tensor(v, requires_grad=True) for v in (x, 1e-300)]
    log_p = StudentT(nu, 0.0, at[1]).log_prob(at[0])
    near = StudentT(nu, 0.0, 1.0).log_prob(1e10)  # the same tail, where nothing overflows
    log_sigma = -300 * np.log(10)
    right = near - log_sigma - (nu + 1) * (np.log(x) - log_sigma - np.log(1e10))
    np.testing.assert_allclose(log_p.item(), right, rtol=1e-12)
    log_p.backward()
    np.testing.assert_allclose(at[0].grad, -(nu + 1) / x, rtol=1e-12)
    np.testing.assert_allclose(at[1].grad, nu / 1e-300, rtol=1e-12)


@pytest.mark.parametrize("k", [15.0, 40.0, 1e6])
@pytest.mark.parametrize(("x", "theta"), [(1e100, 7.0), (1e5, 1e-10), (1e-10, 7.0), (200.0, 3.0)])
def test_the_slope_of_gamma_in_its_shape_keeps_its_digits_far_out(k, x, theta):
    shape = nnlite.Tensor(k, requires_grad=True)
    Gamma(shape, theta).log_prob(x).backward()
    right = np.log(x) - np.log(theta) - special.digamma(k)
    np.testing.assert_allclose(shape.grad, right, rtol=1e-9)


@pytest.mark.parametrize("family", [Gaussian, Laplace, Logistic, StudentT, Gamma])
@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_densities_of_short_floats_are_those_of_the_numbers_they_hold(family, dtype):
    x = np.array([0.1, 0.7, 2.0, np.finfo(dtype).max], dtype)
    for parameters in ((0.7, 0.3), (np.full(4, 0.7, dtype), np.full(4, 0.3, dtype))):
        exact = [np.asarray(p, np.float64) for p in parameters]
        log_p = family(*parameters).log_prob(x)
        assert log_p.dtype == np.float64
        np.testing.assert_array_equal(log_p, family(*exact).log_prob(x.astype(np.float64)))
