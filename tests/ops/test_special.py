"""Log-gamma and polygamma against SciPy and known values."""

import numpy as np
import pytest
from scipy import special

import nnlite
from nnlite.ops.special import digamma, gammaln, polygamma

X = np.array([1e-8, 0.01, 0.3, 1.0, 2.0, 2.5, 9.9, 14.999, 15.0, 77.0, 1e6])


def test_log_gamma_is_that_of_scipy():
    np.testing.assert_allclose(gammaln(X), special.gammaln(X), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("n", range(6))
def test_polygamma_is_exact_to_rounding(n):
    np.testing.assert_allclose(polygamma(X, n=n), special.polygamma(n, X), rtol=1e-14)


def test_known_values():
    assert digamma(1.0) == pytest.approx(-np.euler_gamma, rel=1e-14)
    assert polygamma(1.0, n=1) == pytest.approx(np.pi**2 / 6, rel=1e-15)
    assert gammaln(0.5) == pytest.approx(np.log(np.pi) / 2, rel=1e-15)


def test_derivatives_chain_to_any_order():
    x = np.array([0.4, 2.0, 20.0])
    assert nnlite.gradcheck(gammaln, [x])
    assert nnlite.gradgradcheck(gammaln, [x])
    H = nnlite.hessian(lambda t: np.sum(gammaln(t)), x)
    np.testing.assert_allclose(H, np.diag(special.polygamma(1, x)), rtol=1e-14)


def test_dtype_stays():
    assert gammaln(np.float32([1.5])).dtype == np.float32
    assert polygamma(np.array([2, 3])).dtype == np.float64


@pytest.mark.parametrize("f", [gammaln, digamma])
def test_arguments_must_be_positive(f):
    with pytest.raises(ValueError, match=r"x > 0 only; got -1\.0"):
        f(np.array([1.0, -1.0]))
