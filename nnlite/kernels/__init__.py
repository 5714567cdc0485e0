"""Kernels: the loops under the layers, arrays in and arrays out (lecture 08).

Every kernel exists twice with one signature:

* ``nnlite.kernels.reference`` is NumPy, written to be read: lecture 08 explains these functions.
* ``nnlite.kernels.fast`` is Numba, written to be fast, and tested against the first.

Write ``from nnlite import kernels`` and call ``kernels.conv2d(...)``: the backend is chosen when a
kernel is first used, so importing this package imports neither. Numba is taken if it works, NumPy
otherwise; the environment variable ``NNLITE_KERNELS`` (``numpy`` or ``numba``) decides for you.
There is no autograd here: derivatives are kernels of their own, and the rules that connect them
live in ``nnlite.ops``.
"""

import os
import threading
import warnings
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the two backends have the same functions; type checkers read the NumPy ones
    from nnlite.kernels.reference import *  # noqa: F403

#: Backend name -> the module that implements it.
_BACKENDS = {"numpy": "nnlite.kernels.reference", "numba": "nnlite.kernels.fast"}

_lock = threading.RLock()
_chosen: tuple[str, ModuleType] | None = None

__all__ = ["backend"]


def _choose() -> tuple[str, ModuleType]:
    """The backend that ``NNLITE_KERNELS`` names, or the fastest that can be used."""
    wanted = os.environ.get("NNLITE_KERNELS", "").strip().lower()
    if wanted and wanted not in _BACKENDS:
        raise ValueError(
            f"NNLITE_KERNELS={os.environ['NNLITE_KERNELS']!r} names no kernel backend; "
            "set it to 'numpy' or 'numba', or leave it unset to use Numba where it is installed."
        )
    if wanted != "numpy":
        try:
            return "numba", _import_numba()
        except Exception as error:
            if wanted == "numba":
                raise ImportError(_why_not(error)) from error
            if not isinstance(error, ImportError):  # it is installed, but does not work
                warnings.warn(_why_not(error), RuntimeWarning, stacklevel=4)
    return "numpy", import_module(_BACKENDS["numpy"])


def _import_numba() -> ModuleType:
    """The compiled kernels; ImportError where Numba is missing or told not to compile."""
    if import_module("numba").config.DISABLE_JIT:
        raise ImportError("NUMBA_DISABLE_JIT is set, and nothing can run uncompiled.")
    return import_module(_BACKENDS["numba"])


def _why_not(error: Exception) -> str:
    """What keeps Numba from working, with the settings that may be the cause."""
    settings = [f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith("NUMBA_")]
    correct = f" Correct or unset {', '.join(settings)}, if that is the cause." if settings else ""
    return (
        f"Numba cannot be used ({type(error).__name__}: {str(error).strip().rstrip('.')})."
        f"{correct} The NumPy kernels give the same answers, several times slower: "
        "NNLITE_KERNELS=numpy selects them; pip install numba installs the other."
    )


def _backend_module() -> ModuleType:
    global _chosen
    with _lock:
        if _chosen is None:
            _chosen = _choose()
    return _chosen[1]


def backend() -> str:
    """The name of the backend in use: ``"numba"`` or ``"numpy"``.

    The first call (or the first use of a kernel) chooses it.

    Raises
    ------
    ValueError
        If ``NNLITE_KERNELS`` is set to anything but ``numpy`` or ``numba``.
    ImportError
        If ``NNLITE_KERNELS=numba`` and Numba cannot be used.

    Warns
    -----
    RuntimeWarning
        If Numba is installed but does not work, and NumPy takes its place.
    """
    _backend_module()
    assert _chosen is not None
    return _chosen[0]


def __getattr__(name: str) -> Any:
    if name == "KERNELS":  #: what both backends offer: the list stands in the NumPy one
        value: Any = tuple(import_module(_BACKENDS["numpy"]).__all__)
    elif name.startswith("_") or name not in __getattr__("KERNELS"):
        raise AttributeError(f"module 'nnlite.kernels' has no attribute {name!r}.")
    else:
        value = getattr(_backend_module(), name)
    globals()[name] = value  # from now on an ordinary attribute, at no cost
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("KERNELS")})
