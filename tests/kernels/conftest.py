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
