"""Settings for all tests: headless figures, reproducible hypothesis, a ledger of their own."""

import os
import subprocess
import sys
import threading

# Before anything imports NumPy: small problems on shared machines run fastest on one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")

import pytest
from hypothesis import settings

from nnlite.checks.ledger import reset

# Machines differ in speed and claims do not: no deadlines. In CI every run draws the same examples,
# at home each run tries new ones.
settings.register_profile("home", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "home")


@pytest.fixture(autouse=True)
def _own_ledger():
    """No test sees the checks of another one."""
    reset()
    yield
    reset()


@pytest.fixture(scope="session", autouse=sys.platform == "emscripten")
def _skip_what_a_browser_cannot_start():
    """Python in a browser has one thread and one process: a test that starts another is skipped."""
    patch = pytest.MonkeyPatch()

    def skip(self, *_, **__):
        pytest.skip(f"a browser starts no {type(self).__name__}")

    patch.setattr(subprocess.Popen, "__init__", skip)
    patch.setattr(threading.Thread, "start", skip)
    yield
    patch.undo()
