"""Numba, BLAS and threads on this machine, for ``nnlite doctor``.

Each function says what it found, adds advice, and returns whether what it looked at works.
"""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from importlib.util import find_spec
from typing import Any

import numpy as np

from nnlite.cli.findings import BROWSER, cores, say, short, version
from nnlite.cli.problems import how_to_install

__all__ = ["blas", "load", "numba", "threading_layer"]

_BLAS_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

# Numba's newest release with wheels for Macs with Intel processors.
_INTEL_MAC_NUMBA = "0.62.1"


def numba(advice: list[str]) -> bool:
    """Say whether Numba is there, imports, and may compile."""
    installed = version("numba")
    if installed is None:
        say("Numba", "not installed")
        reason = _no_wheel_of_numba()
        if reason:
            say("", f"({reason}: the NumPy kernels give the same answers, several times slower)")
        else:
            install = how_to_install("numba", extra="fast")
            advice.append(f"Without Numba everything works, several times slower. {install}")
        return True
    wrong = _wrong_number_of_threads()
    if wrong:
        advice.append(wrong)
    try:
        import numba as package

        threads = package.get_num_threads()
    except Exception as error:  # whatever a broken binary raises is the finding
        say("Numba", f"{installed}, does not import")
        if not wrong:
            advice.append(_does_not_import(installed, error))
        return True  # NumPy's kernels may still do; the next section says
    off = ", switched off by NUMBA_DISABLE_JIT" if package.config.DISABLE_JIT else ""
    say("Numba", f"{installed}, {threads} threads{off}")
    if off:
        advice.append(
            "NUMBA_DISABLE_JIT is set, so nothing is compiled and everything is several times "
            "slower. Unset it, or say NNLITE_KERNELS=numpy if the NumPy kernels are what you want."
        )
    if threads > cores():
        advice.append(
            f"The kernels use {threads} threads on {cores()} cores, so they wait for each other. "
            f"Unset NUMBA_NUM_THREADS, or set it to {cores()} at most."
        )
    return True


def _no_wheel_of_numba() -> str:
    """Say why no wheel of Numba can be installed here, if that is so."""
    machine = platform.machine()
    libc = f"{sysconfig.get_config_var('HOST_GNU_TYPE')} {sysconfig.get_config_var('SOABI')}"
    if BROWSER:
        return "there is none for the browser"
    if "musl" in libc:
        return "it has no wheel for Linux with musl"
    if sys.platform == "win32" and machine == "ARM64" and sys.version_info < (3, 12):
        return "on Windows for ARM it needs Python 3.12"
    if machine not in ("x86_64", "AMD64", "aarch64", "arm64", "ARM64") or sys.maxsize < 2**32:
        return f"it has no wheel for {machine} with {sys.maxsize.bit_length() + 1} bits"
    if sys.version_info >= (3, 16) or (_intel_mac() and sys.version_info >= (3, 14)):
        return "it has no wheel for this Python yet; an older one is faster"
    return ""


def _intel_mac() -> bool:
    return sys.platform == "darwin" and platform.machine() == "x86_64"


def _wrong_number_of_threads() -> str:
    value = os.environ.get("NUMBA_NUM_THREADS", "1").strip()
    if value.isdecimal() and int(value) > 0:
        return ""
    return (
        f"NUMBA_NUM_THREADS={value!r} is not a number of threads. Unset it, or set it to 1 up to "
        f"{cores()}, the number of cores."
    )


def _does_not_import(installed: str, error: Exception) -> str:
    said = f"Numba {installed} does not import ({short(error)})."
    switches = sorted(k for k in os.environ if k.startswith("NUMBA_"))
    if switches:
        return f"{said} Perhaps because of {', '.join(switches)}: unset that and try again."
    wanted = "numba"
    if _intel_mac():
        wanted = f'"numba<={_INTEL_MAC_NUMBA}"'  # the last one for these machines
    return (
        f"{said} Install it again, with what it needs:  python -m pip install --upgrade "
        f"--force-reinstall {wanted}   or work without it: NNLITE_KERNELS=numpy"
    )


def blas(advice: list[str]) -> bool:
    """Name the thread pools of BLAS and OpenMP."""
    if find_spec("threadpoolctl") is None:
        say("BLAS", "unknown (threadpoolctl is not installed)")
    else:
        import threadpoolctl

        np.ones((2, 2)) @ np.ones((2, 2))  # a BLAS library may be loaded on first use
        pools: list[dict[str, Any]] = threadpoolctl.threadpool_info()
        for pool in pools:
            name = f"{pool['internal_api']} {pool.get('version') or ''}".strip()
            say(pool["user_api"].upper(), f"{name}, {pool['num_threads']} threads")
        if not pools:
            say("BLAS", "none that threadpoolctl knows")
        if any(p["user_api"] == "blas" and p["num_threads"] > cores() for p in pools):
            advice.append(
                "The BLAS library has more threads than there are cores; they get in each other's "
                f"way. Set {' and '.join(_BLAS_VARIABLES)} to {cores()} at most."
            )
    limits = {k: os.environ[k] for k in _BLAS_VARIABLES if k in os.environ}
    if limits:
        say("limits set", ", ".join(f"{k}={v}" for k, v in limits.items()))
    return True


def load(advice: list[str]) -> bool:
    """Say how busy the machine is."""
    if not hasattr(os, "getloadavg"):
        return True
    try:
        waiting = os.getloadavg()[0]
    except OSError:  # not to be had in some containers
        return True
    say("load", f"{waiting:.1f} on {cores()} cores")
    if waiting > 1.5 * cores():
        advice.append(
            f"The machine is busy: {waiting:.1f} processes want its {cores()} cores, so everything "
            "takes longer than it should. Close other programs, or set NUMBA_NUM_THREADS=1: "
            "threads that wait for each other are slower than one."
        )
    return True


def threading_layer(advice: list[str]) -> bool:
    """Say how compiled kernels share the cores; known once one of them has run."""
    compiling = sys.modules.get("nnlite.kernels.fast.compiling")
    if compiling is None:
        return True
    import numba as package

    layer = package.threading_layer()
    if layer == "workqueue":
        say("threads", "workqueue: one Python thread at a time")
        say("", "nnlite's kernels take turns by themselves; a prange loop of your own in a second")
        say("", "thread would end the process, so do not run one beside them")
    else:
        say("threads", f"{layer}: kernels may run in several Python threads at once")
    if compiling.crowded():
        say("", "other programs keep the cores busy: the kernels use one thread for now")
    return True
