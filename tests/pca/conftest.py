"""Data whose principal components are known, and digits."""

import numpy as np
import pytest

from nnlite.datasets import gaussian_cloud, mnist


@pytest.fixture(scope="module")
def digits():
    return mnist(dtype="float64").X[:1500]


@pytest.fixture
def cloud():
    """60 points with covariance (1/n) exactly diag(6, 3, 1, 0.5, 0.1) along rotated axes."""
    R = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5))).Q
    C = (R * [6.0, 3.0, 1.0, 0.5, 0.1]) @ R.T
    X = gaussian_cloud(60, mean=[1, -2, 3, 0, 5], covariance=C, exact=True, rng=1)
    return X, R
