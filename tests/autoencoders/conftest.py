"""A cloud of points that two components describe well."""

import numpy as np
import pytest


@pytest.fixture
def cloud():
    """400 points in five dimensions, most of the variance in two, mean far from 0."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 5)) * [2.0, 1.0, 0.3, 0.2, 0.1]
    return x @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 1.0
