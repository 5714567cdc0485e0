"""Run every kernel in float32 against its NumPy twin in float64 (for ``nnlite doctor``).

The compiled kernels are float32 only: whatever else they are given goes to their twins.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlite import kernels
from nnlite.kernels import reference
from nnlite.kernels.examples import examples

__all__ = ["TOLERANCE", "Finding", "probe"]

#: Largest difference, relative to the largest value of a result, that is rounding.
TOLERANCE = 2e-5


@dataclass(frozen=True)
class Finding:
    """What running a kernel showed.

    Attributes
    ----------
    name : str
        The kernel.
    error : float
        Largest difference from the twin, relative to the largest value; infinite if it raised.
    raised : str
        Type and message of the exception, empty if there was none.
    seconds : float
        Time of the calls, compilation included.
    """

    name: str
    error: float
    raised: str
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the kernel agrees with its twin. NaN does not."""
        return self.error <= TOLERANCE


def probe(
    begin: Callable[[str], None] = lambda name: None, names: Sequence[str] = kernels.KERNELS
) -> list[Finding]:
    """Run kernels of the backend in use; ``begin`` is told the name of each before it runs."""
    arguments = examples()
    findings = []
    for name in names:
        if name != "warmup":
            begin(name)
            findings.append(_examine(name, arguments[name]))
    return findings


def _examine(name: str, cases: list[tuple[Any, ...]]) -> Finding:
    start = time.perf_counter()
    try:
        errors = [
            _difference(getattr(kernels, name), getattr(reference, name), case) for case in cases
        ]
    except Exception as error:  # whatever a broken kernel raises is the finding
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        return Finding(name, np.inf, message, time.perf_counter() - start)
    # np.max keeps NaN, which Python's max may lose.
    return Finding(name, float(np.max(errors)), "", time.perf_counter() - start)


def _difference(ours: Callable[..., Any], twin: Callable[..., Any], case: tuple[Any, ...]) -> float:
    """Compare what two kernels return, and what they leave in their arguments."""
    mine, theirs = copy.deepcopy(case), _map_arrays(case, np.float64)
    pairs = zip(
        _leaves((ours(*mine), mine)),
        _leaves((twin(*theirs), theirs)),
        strict=True,
    )
    return float(np.max([_relative(a, b) for a, b in pairs]))


def _relative(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return float("inf")
    largest = max(float(np.max(np.abs(b), initial=0.0)), 1e-3)
    return float(np.max(np.abs(a - b), initial=0.0)) / largest


def _map_arrays(value: Any, dtype: type) -> Any:
    """A copy of nested arguments with float32 arrays in another type."""
    if isinstance(value, list | tuple):
        return type(value)(_map_arrays(x, dtype) for x in value)
    if isinstance(value, np.ndarray):
        return value.astype(dtype if value.dtype == np.float32 else value.dtype)
    return value


def _leaves(value: Any) -> Iterator[np.ndarray]:
    """Yield the arrays and numbers of a nested result in order."""
    if isinstance(value, list | tuple):
        for x in value:
            yield from _leaves(x)
    elif value is not None:
        yield np.asarray(value, dtype=np.float64)
