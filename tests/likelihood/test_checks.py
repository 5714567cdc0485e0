"""Bad input that all distributions of several dimensions refuse in the same way."""

import numpy as np
import pytest

from nnlite.likelihood import Gaussian, GaussianMixture, MultivariateGaussian, ProbabilisticPCA


@pytest.mark.parametrize(
    "model", [MultivariateGaussian(), GaussianMixture(2, rng=0), ProbabilisticPCA(1)], ids=repr
)
@pytest.mark.parametrize("shape", [(50, 5), (4, 5)])
def test_data_whose_squares_overflow_are_refused(model, shape):
    X = 1e200 * np.random.default_rng(0).standard_normal(shape)
    with pytest.raises(ValueError, match="overflow float64; rescale X"):
        model.fit(X)


def test_masked_entries_are_refused_and_not_taken_for_data():
    with pytest.raises(ValueError, match="masked entries"):
        Gaussian().fit(np.ma.array([1.0, 2.0, 1e9], mask=[False, False, True]))
