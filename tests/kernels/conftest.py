"""Every kernel test runs against both backends: ask for the fixture ``kernels``."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

BACKENDS = ["numpy", "numba"] if find_spec("numba") else ["numpy"]
MODULES = {"numpy": "nnlite.kernels.reference", "numba": "nnlite.kernels.fast"}


@pytest.fixture(params=BACKENDS)
def kernels(request):
    """The kernels of one backend."""
    return import_module(MODULES[request.param])


@pytest.fixture
def rng():
    return np.random.default_rng(20240408)


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return np.dtype(request.param)


@pytest.fixture
def random_sum_error(kernels):
    """A function: the relative error (rms) allowed to float32 sums of `n` random products.

    Added one after the other, as NumPy does where it has no BLAS (in the browser), rounding errors
    are a random walk: that of partial sum s has a variance of u^2 s^2/3 at most, s^2 grows as the
    number of terms, and so the sum is sqrt(n/6) u off, relative to its own size. The compiled
    kernels, and every BLAS, add blocks of a few hundred.
    """
    u = np.finfo(np.float32).eps / 2
    compiled = kernels.__name__ == MODULES["numba"]
    return lambda n: u * np.sqrt((n if not compiled else min(n, 1024)) / 6)
