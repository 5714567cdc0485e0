"""What a thread has switched on: recording, and the default dtype of parameters."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class _ThreadState(threading.local):
    recording = True
    dtype = np.dtype("float32")


STATE = _ThreadState()


class no_grad(ContextDecorator):
    """Context manager (or decorator) inside which operations are not recorded.

    Results do not require grad and keep nothing alive. It holds for the current thread only.

    Examples
    --------
    >>> w = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    >>> with nnlite.no_grad():
    ...     w -= 0.1
    """

    def __init__(self) -> None:
        self._before: list[bool] = []

    def _recreate_cm(self) -> no_grad:
        """A decorated function may run in several threads at once: each call gets its own."""
        return no_grad()

    def __enter__(self) -> None:
        self._before.append(STATE.recording)
        STATE.recording = False

    def __exit__(self, *exc: object) -> None:
        STATE.recording = self._before.pop()


class recording:
    """Switch recording on or off for a block, whatever it was before."""

    __slots__ = ("_before", "_on")

    def __init__(self, on: bool) -> None:
        self._on = on

    def __enter__(self) -> None:
        self._before, STATE.recording = STATE.recording, self._on

    def __exit__(self, *exc: object) -> None:
        STATE.recording = self._before


class default_dtype:
    """Set the dtype of new parameters, for good or for a ``with`` block (this thread only).

    Parameters
    ----------
    dtype : {"float32", "float64"} or NumPy dtype
        float32 is for speed, float64 for proofs.

    Raises
    ------
    TypeError
        If the dtype is not float32 or float64.

    Examples
    --------
    >>> with nnlite.default_dtype("float64"):
    ...     layer = nnlite.nn.Linear(3, 2)
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._before, STATE.dtype = STATE.dtype, float_dtype(dtype)

    def __enter__(self) -> np.dtype[Any]:
        return STATE.dtype

    def __exit__(self, *exc: object) -> None:
        STATE.dtype = self._before


def float_dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    """``dtype`` as a floating-point NumPy dtype; None gives the default dtype."""
    if dtype is None:
        return STATE.dtype
    found = np.dtype(dtype)
    if found not in (np.dtype("float32"), np.dtype("float64")):
        raise TypeError(f"parameters are float32 or float64; got dtype {found}.")
    return found
