"""``nnlite doctor``: what is installed, whether it computes, and what to do about each problem."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from nnlite import __version__

__all__ = ["run", "self_test"]

_LECTURES = (
    "matplotlib",
    "jupyterlab",
    "nbclient",
    "nbconvert",
    "ipykernel",
    "scikit-learn",
    "scipy",
)

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def run(warmup: bool = False) -> int:
    """Print the report; return 1 if the self test fails, else 0."""
    advice: list[str] = []
    _say("nnlite", __version__)
    _say("Python", f"{platform.python_version()} ({sys.executable})")
    _say("platform", f"{platform.platform()}, {os.cpu_count()} cores")
    _say("NumPy", np.__version__)
    _report_numba(advice)
    _report_threads(advice)
    kernels_work = _report_kernels(advice)
    _report_lectures(advice)
    if warmup and kernels_work:
        from nnlite import kernels

        start = time.perf_counter()
        print("compiling kernels (once for all)...", flush=True)
        kernels.warmup()
        _say("warm-up", f"{time.perf_counter() - start:.1f} s")
    passed = _report_self_test(advice)
    for item in advice:
        print(f"\n! {item}")
    if not advice:
        print("\nEverything is in order.")
    return 0 if passed and kernels_work else 1


def _say(name: str, value: str) -> None:
    print(f"{name:<14} {value}")


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _report_numba(advice: list[str]) -> None:
    version = _version("numba")
    if version is None:
        _say("Numba", "not installed")
        advice.append(
            "Without Numba everything works, several times slower. Install it with:  "
            'python -m pip install "nnlite[fast]"'
        )
        return
    try:
        import numba

        _say("Numba", f"{version}, {numba.get_num_threads()} threads")
    except Exception as error:  # whatever a broken binary raises is the finding
        _say("Numba", f"{version}, does not import")
        advice.append(
            f"Numba {version} does not import ({type(error).__name__}: {error}). Upgrade it with:  "
            "python -m pip install --upgrade numba   or work without it: NNLITE_KERNELS=numpy"
        )


def _report_threads(advice: list[str]) -> None:
    limits = {k: os.environ[k] for k in _THREAD_VARIABLES if k in os.environ}
    if find_spec("threadpoolctl") is None:
        _say("BLAS", "unknown (threadpoolctl is not installed)")
    else:
        import threadpoolctl

        np.ones((2, 2)) @ np.ones((2, 2))  # a BLAS library may be loaded on first use
        pools: list[dict[str, Any]] = threadpoolctl.threadpool_info()
        for pool in pools:
            name = f"{pool['internal_api']} {pool.get('version') or ''}".strip()
            _say(pool["user_api"].upper(), f"{name}, {pool['num_threads']} threads")
        if not pools:
            _say("BLAS", "none that threadpoolctl knows")
        over = [p for p in pools if p["num_threads"] > (os.cpu_count() or 1)]
        if over:
            advice.append(
                "A thread pool has more threads than there are cores; they get in each other's "
                "way. Set OPENBLAS_NUM_THREADS (or OMP_NUM_THREADS) to the number of cores."
            )
    if limits:
        _say("limits set", ", ".join(f"{k}={v}" for k, v in limits.items()))


def _report_kernels(advice: list[str]) -> bool:
    from nnlite import kernels

    asked = os.environ.get("NNLITE_KERNELS", "")
    try:
        name = kernels.backend() + (f" (NNLITE_KERNELS={asked})" if asked else "")
    except (ImportError, ValueError) as error:
        _say("kernels", "none")
        advice.append(f"{error}.")
        return False
    x = np.linspace(-8.0, 8.0, 33)
    error_of_kernel = float(np.max(np.abs(kernels.sigmoid(x) - 1 / (1 + np.exp(-x)))))
    works = error_of_kernel < 1e-12
    _say("kernels", f"{name}, {'right' if works else 'WRONG'} to {error_of_kernel:.1e}")
    if not works:
        advice.append(
            "The compiled kernels compute wrong numbers. Remove the folders __pycache__ of nnlite, "
            "or work without Numba: NNLITE_KERNELS=numpy"
        )
    return works


def _report_lectures(advice: list[str]) -> None:
    versions = {name: _version(name) for name in _LECTURES}
    _say("for lectures", ", ".join(f"{k} {v or 'MISSING'}" for k, v in versions.items()))
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        advice.append(
            f"The lectures need {', '.join(missing)}. Install with:  "
            'python -m pip install "nnlite[lectures]"'
        )


def _report_self_test(advice: list[str]) -> bool:
    start = time.perf_counter()
    error = self_test()
    seconds = time.perf_counter() - start
    passed = error < 1e-6  # central differences with this step are good to about 1e-9
    verdict = "passed" if passed else "FAILED"
    _say("self test", f"{verdict}: gradient and slope differ by {error:.1e}, {seconds:.2f} s")
    if not passed:
        advice.append(
            "The self test failed: gradients computed here are wrong. Install afresh with:  "
            "python -m pip install --force-reinstall nnlite   and report it if that does not help."
        )
    return passed


def self_test(grad: Callable[..., Any] | None = None) -> float:
    """Compare the gradient of a two-layer network with central differences.

    Parameters
    ----------
    grad : callable, optional
        What computes gradients; default `nnlite.grad`.

    Returns
    -------
    float
        Largest relative difference over all entries.
    """
    import nnlite

    grad = grad or nnlite.grad
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 5))  # (N, D)
    parameters = [rng.standard_normal((5, 4)), rng.standard_normal((4, 3))]

    def loss(W: Any, V: Any) -> Any:
        return np.mean((np.tanh(x @ W) @ V) ** 2)

    tensors = [nnlite.Tensor(p, requires_grad=True) for p in parameters]
    gradients = grad(loss(*tensors), tensors)
    h = float(np.cbrt(np.finfo(np.float64).eps))
    differences = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        for index in np.ndindex(parameter.shape):
            kept = parameter[index]
            parameter[index] = kept + h
            above = loss(*parameters)
            parameter[index] = kept - h
            below = loss(*parameters)
            parameter[index] = kept
            slope = (above - below) / (2 * h)
            differences.append(abs(gradient[index] - slope) / max(abs(slope), 1.0))
    return float(np.max(differences))  # NaN if any of them is
