"""Density estimation by maximum likelihood: lecture 07.

* :class:`Gaussian`, :class:`Laplace`, :class:`Bernoulli`, :class:`MultivariateGaussian`: the fit is
  a formula.
* :class:`Gamma`, :class:`StudentT`, :class:`Logistic`: it is not, and is computed.
* :class:`GaussianMixture` (EM) and :class:`ProbabilisticPCA`: with hidden variables.
* :func:`maximum_likelihood`: for any log-density written in NumPy operations, with
  :func:`positive`, :func:`unit_interval` and :func:`covariance` for constrained parameters.
* :class:`LikelihoodExplorer`: the Gaussian likelihood to drag, without a kernel.
"""

from nnlite.likelihood.errors import (
    CollapseWarning,
    FlatLikelihoodWarning,
    UnboundedLikelihoodError,
)
from nnlite.likelihood.explorer import LikelihoodExplorer
from nnlite.likelihood.families import Bernoulli, Gaussian, Laplace
from nnlite.likelihood.maximum import maximum_likelihood
from nnlite.likelihood.mixture import GaussianMixture
from nnlite.likelihood.multivariate import MultivariateGaussian
from nnlite.likelihood.numeric import Gamma, Logistic, StudentT
from nnlite.likelihood.parameters import covariance, positive, real, unit_interval
from nnlite.likelihood.ppca import ProbabilisticPCA
from nnlite.likelihood.result import MaximumLikelihoodResult

__all__ = [
    "Bernoulli",
    "CollapseWarning",
    "FlatLikelihoodWarning",
    "Gamma",
    "Gaussian",
    "GaussianMixture",
    "Laplace",
    "LikelihoodExplorer",
    "Logistic",
    "MaximumLikelihoodResult",
    "MultivariateGaussian",
    "ProbabilisticPCA",
    "StudentT",
    "UnboundedLikelihoodError",
    "covariance",
    "maximum_likelihood",
    "positive",
    "real",
    "unit_interval",
]
