"""Settings for all tests: headless figures, reproducible hypothesis, a ledger of their own.

The suite says something at least every ten seconds, and compiles the kernels once, before processes
of pytest-xdist would each begin to.
"""

import os

# Before anything imports NumPy: small problems on shared machines run fastest on one thread, and
# the processes of a parallel run should not spin while they wait for their threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MPLBACKEND", "agg")

import subprocess
import sys
import threading
import time

import pytest
from hypothesis import settings

from nnlite.checks.closed_forms.recording import reset

# Machines differ in speed and claims do not: no deadlines. In CI every run draws the same examples,
# at home each run tries new ones.
settings.register_profile("home", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "home")

SIGN_OF_LIFE = 10.0  # seconds


@pytest.fixture(autouse=True)
def _own_ledger():
    """No test sees the checks of another one."""
    reset()
    yield
    reset()


# What Python in a browser says where a process, a thread or an event loop is to be started.
_NOT_IN_A_BROWSER = ("not support processes", "can't start new thread", "stack switching not supp")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip a test that needs what no browser has, and so let what fails there be a fault."""
    try:
        return (yield)
    except (OSError, RuntimeError) as error:
        if sys.platform == "emscripten" and any(what in str(error) for what in _NOT_IN_A_BROWSER):
            pytest.skip(f"in a browser: {error}")
        raise


def pytest_configure(config):
    # What reports to people: the only process, or the one that hands tests to the others.
    if not hasattr(config, "workerinput") and sys.platform != "emscripten":  # no threads there
        config.pluginmanager.register(_SignsOfLife(config), "signs-of-life")


class _SignsOfLife:
    """Says which tests are running when none has ended for ten seconds."""

    def __init__(self, config):
        self._config = config
        self._running = {}  # name of a test -> when it began
        self._last = time.monotonic()
        self._over = threading.Event()
        # Where dots go; while a test runs, what we print would be taken for what it prints.
        with config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
            self._terminal = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")

    @pytest.hookimpl(tryfirst=True)  # before pytest-xdist starts its processes
    def pytest_sessionstart(self):
        if self._config.option.collectonly:
            return
        threading.Thread(target=self._watch, daemon=True).start()
        if getattr(self._config.option, "numprocesses", None):
            self._running["compiling the kernels, if that was not done yet"] = time.monotonic()
            code = "from nnlite import kernels; kernels.warmup()"
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
            self._running.clear()

    def pytest_runtest_logstart(self, nodeid):
        self._running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid):
        self._running.pop(nodeid, None)
        self._last = time.monotonic()

    def pytest_sessionfinish(self):
        self._over.set()

    def _watch(self):
        while not self._over.wait(0.5):
            now = time.monotonic()
            if now - self._last >= SIGN_OF_LIFE:
                self._last = now
                running = list(self._running.items())
                self._say([f"... {now - began:.0f} s: {name}" for name, began in running])

    def _say(self, lines):
        print("", *(lines or ["..."]), sep="\n", file=self._terminal, flush=True)
