"""``nnlite doctor``: what is installed, whether it computes, and what to do about each problem.

Each section says what it found and adds advice; the others run even if one of them raises.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from nnlite import __version__
from nnlite.cli import threads
from nnlite.cli.findings import BROWSER, cores, say, short, version
from nnlite.cli.problems import how_to_install

__all__ = ["run", "self_test"]

# distribution -> module that a lecture imports, or None where to look for the version is enough
_LECTURES: dict[str, str | None] = {
    "matplotlib": "matplotlib.pyplot",
    "scipy": "scipy.optimize",
    "scikit-learn": None,
    "jupyterlab": None,
    "ipykernel": None,
    "ipywidgets": None,
    "latex2mathml": None,
    "nbclient": None,
    "nbconvert": None,
    "nbformat": None,
    "tqdm": None,
    "ziamath": None,
}
_IN_THE_BROWSER = ("matplotlib", "scipy", "scikit-learn")

_SIGN_OF_LIFE = 10.0  # seconds


def run(warmup: bool = False) -> int:
    """Print the report; return 1 if the kernels or the self test fail, else 0."""
    advice: list[str] = []
    sections = [
        _python,
        threads.numba,
        threads.blas,
        threads.load,
        _kernels,
        threads.threading_layer,
        _digits,
        _lectures,
    ]
    if warmup:
        sections.append(_warmup)
    sections.append(_self_test)
    works = [_heard(section, advice) for section in sections]
    for item in dict.fromkeys(advice):  # each once
        print(f"\n! {item}")
    if not advice:
        print("\nEverything is in order.")
    return 0 if all(works) else 1


def _heard(section: Callable[[list[str]], bool], advice: list[str]) -> bool:
    """Run a section; whatever it raises is a finding, and the next one runs all the same."""
    try:
        return section(advice)
    except Exception as error:
        name = section.__name__.strip("_").replace("_", " ")
        say(name, f"could not be examined: {short(error)}")
        advice.append(f"Examining {name} failed with {short(error)}.")
        return False


def _python(advice: list[str]) -> bool:
    say("nnlite", __version__)
    say("Python", f"{platform.python_version()} ({sys.executable or 'in the browser'})")
    say("platform", f"{platform.platform()}, {cores()} cores")
    say("NumPy", np.__version__)
    return True


def _kernels(advice: list[str]) -> bool:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        works = _run_kernels(advice)
    advice += [str(w.message) for w in caught if str(w.message).startswith("nnlite")]
    return works


def _run_kernels(advice: list[str]) -> bool:
    from nnlite import kernels

    asked = os.environ.get("NNLITE_KERNELS", "")
    try:
        name = kernels.backend()
    except Exception as error:  # whatever a broken Numba raises is the finding
        say("kernels", "none")
        named = "NNLITE_KERNELS" in str(error)
        said = str(error) if named else f"The kernels cannot be chosen ({short(error)})"
        advice.append(f"{said.rstrip('.')}. With NNLITE_KERNELS=numpy Numba is not needed.")
        return False
    from nnlite.cli.probe import probe

    with _SignOfLife() as sign, _compilations(name) as compiled:
        findings = probe(sign.begin)
        wrong = [f for f in findings if not f.right]
        sign.begin("the rest")
        seconds = sum(f.seconds for f in findings) + (0.0 if wrong else kernels.warmup())
    worst = max((f.error for f in findings if f.right), default=0.0)
    say(
        "kernels",
        f"{name}{asked and f' (NNLITE_KERNELS={asked})'}, "
        f"{len(findings) - len(wrong)} of {len(findings)} agree with NumPy to {worst:.0e}",
    )
    if compiled is not None:
        before = f"{len(compiled.buffer) // 2} functions compiled, once for all"
        say("", f"{before if compiled.buffer else 'compiled before'}, {seconds:.1f} s")
    for finding in wrong:
        say("", f"{finding.name} is WRONG: {finding.raised or f'off by {finding.error:.1e}'}")
    if wrong:
        advice.append(
            f"These kernels do not compute what NumPy does: {', '.join(f.name for f in wrong)}. "
            "Remove the folders __pycache__ in nnlite/kernels, or work without Numba: "
            "NNLITE_KERNELS=numpy"
        )
    return not wrong


def _compilations(backend: str) -> AbstractContextManager[Any]:
    """Record what Numba compiles: two events each, its begin and its end."""
    if backend != "numba":
        return nullcontext()
    from numba.core import event

    recorder: AbstractContextManager[Any] = event.install_recorder("numba:compile")
    return recorder


class _SignOfLife:
    """Say every ten seconds which kernel is at work: the first time they are compiled."""

    def __init__(self) -> None:
        self._name = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def begin(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> _SignOfLife:
        if not BROWSER:  # no threads there, and nothing is compiled
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()

    def _speak(self) -> None:
        start = time.monotonic()
        while not self._over.wait(_SIGN_OF_LIFE):
            say("", f"compiling {self._name}, {time.monotonic() - start:.0f} s so far")


def _warmup(advice: list[str]) -> bool:
    from nnlite import kernels

    say("warm-up", f"{kernels.warmup():.1f} s")
    return True


def _digits(advice: list[str]) -> bool:
    from nnlite import datasets

    try:
        sizes = [len(datasets.mnist(split).X) for split in ("train", "test")]
    except (OSError, ValueError) as error:
        say("digits", "MISSING or damaged")
        advice.append(
            f"The digits that come with nnlite cannot be read ({short(error)}). Fetch them again: "
            "git checkout nnlite/datasets/data in a checkout, or install the wheel once more."
        )
        return False
    say("digits", f"{sizes[0]} and {sizes[1]}, with the right checksum")
    return True


def _lectures(advice: list[str]) -> bool:
    names = _IN_THE_BROWSER if BROWSER else tuple(_LECTURES)
    versions = {name: version(name) for name in names}
    say("for lectures", ", ".join(f"{k} {v or 'MISSING'}" for k, v in versions.items()))
    missing = [name for name, found in versions.items() if found is None]
    if missing:
        install = how_to_install(*missing, extra="lectures")
        advice.append(f"The lectures need {', '.join(missing)}. {install}")
    for name in names:
        module = _LECTURES[name]
        if module is None or name in missing:
            continue
        try:
            importlib.import_module(module)
        except Exception as error:  # whatever a broken binary raises is the finding
            advice.append(
                f"{name} {versions[name]} does not import ({short(error)}). Install it again:  "
                f"python -m pip install --force-reinstall {name}"
            )
    return True


def _self_test(advice: list[str]) -> bool:
    start = time.perf_counter()
    error = self_test()
    seconds = time.perf_counter() - start
    passed = error < 1e-6  # central differences with this step are good to about 1e-9
    verdict = "passed" if passed else "FAILED"
    say("self test", f"{verdict}: gradient and slope differ by {error:.1e}, {seconds:.2f} s")
    if not passed:
        advice.append(
            "The self test failed: gradients computed here are wrong. Take a fresh checkout, or "
            "install the wheel again with:  python -m pip install --force-reinstall FILE.whl   and "
            "report it if that does not help."
        )
    return passed


def self_test(grad: Callable[..., Any] | None = None) -> float:
    """Compare the gradient of a two-layer network with central differences.

    Parameters
    ----------
    grad : callable, optional
        What computes gradients; default ``nnlite.grad``.

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
