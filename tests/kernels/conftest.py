"""Every kernel test runs against both backends: ask for the fixture ``kernels``."""

import os
import subprocess
import sys
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
    """A function: the relative error (rms) allowed to float32 sums of ``n`` random products.

    Added one after the other, as NumPy does where it has no BLAS (in the browser), rounding errors
    are a random walk: that of partial sum s has a variance of u^2 s^2/3 at most, s^2 grows as the
    number of terms, and so the sum is sqrt(n/6) u off, relative to its own size. The compiled
    kernels, and every BLAS, add blocks of a few hundred.
    """
    u = np.finfo(np.float32).eps / 2
    compiled = kernels.__name__ == MODULES["numba"]
    return lambda n: u * np.sqrt((n if not compiled else min(n, 1024)) / 6)


SETUP = """
import sys, warnings
import numpy as np
from numba.core import event

class Compiled(event.Listener):
    names = []
    def on_start(self, event):
        self.names.append(event.data["dispatcher"].py_func.__name__)
    def on_end(self, event):
        pass

event.register("numba:compile", Compiled())
from nnlite.kernels import fast, reference
rng = np.random.default_rng(0)
x = rng.standard_normal((8, 6, 20, 20)).astype(np.float32)
w = rng.standard_normal((20, 6, 3, 3)).astype(np.float32)
expected = reference.conv2d(x, w, padding=(1, 1))

def check():
    np.testing.assert_allclose(fast.conv2d(x, w, padding=(1, 1)), expected, rtol=1e-4, atol=1e-4)
"""


def run_fresh(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", SETUP + code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=1800,  # ends what hangs; nothing is claimed about speed
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def fresh():
    """A function: run code after SETUP in a new interpreter, and return the finished process.

    Compiled code comes from Numba's cache.
    """
    return run_fresh
