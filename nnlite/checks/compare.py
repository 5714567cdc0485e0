"""When does a measured number agree with its closed form? The comparison behind `closed_form`.

Arrays are compared entry by entry in double precision; the entry that keeps the claim worst is the
one reported. Questions that are not well posed are refused here. (Lecture 01.)
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from nnlite._arguments import as_array
from nnlite.checks import report

__all__ = ["allowance", "as_numbers", "worst"]

_EXACT = 2**53  # from here on double precision skips integers
_LARGEST = 2**1023  # and well below its overflow it ends


def as_numbers(name: str, value: Any) -> np.ndarray:
    """Return a non-empty float64 or complex128 array of what was given, or a teaching error."""
    name, value = f"closed_form: {name}", _without_graph(value)
    _refuse_long_integers(name, value)
    if _is_complex(value):
        real, imag = (as_array(part(value), name, np.float64) for part in (np.real, np.imag))
        array = np.empty(real.shape, np.complex128)
        array.real, array.imag = real, imag
    else:
        array = as_array(value, name, np.float64)
    if array.size == 0:
        raise ValueError(
            f"{name} is empty (shape {array.shape}): a claim about no number at all would always "
            "pass"
        )
    return array


def _refuse_long_integers(name: str, value: Any) -> None:
    """Refuse integers of which double precision, in which numbers are compared, drops digits."""
    if isinstance(value, list | tuple):
        for item in value:
            _refuse_long_integers(name, item)
        return
    if isinstance(value, int):
        whole = [value]
    elif getattr(getattr(value, "dtype", None), "kind", "") in ("i", "u"):
        numbers = np.asarray(value)
        whole = [int(x) for x in numbers[np.abs(numbers.astype(np.float64)) >= _EXACT]]
    else:
        return
    for number in whole:
        if abs(number) >= _EXACT and (abs(number) >= _LARGEST or int(float(number)) != number):
            digits = str(number) if abs(number) < _LARGEST else f"about 2**{number.bit_length()}"
            raise ValueError(
                f"{name} holds the integer {digits:.40}, which double precision, in which numbers "
                "are compared, cannot hold to its last digit. Compare differences or remainders "
                "of the integers, or logarithms if the last digits do not matter."
            )


def _is_complex(value: Any) -> bool:
    try:
        return bool(np.iscomplexobj(value))
    except ValueError:  # rows of different lengths: the gate says so, with advice
        return False


def _without_graph(value: Any) -> Any:
    """Tensors (ours, or torch's) give their array: a check is never differentiated."""
    if isinstance(value, list | tuple):
        return [_without_graph(item) for item in value]
    if hasattr(value, "detach"):
        value = value.detach()
        if isinstance(getattr(value, "data", None), np.ndarray):
            return value.data
    return value


def _one_number(name: str, value: Any) -> float:
    """Return a tolerance as float; also of an array or Tensor that holds one number."""
    if isinstance(value, bool | np.bool):
        raise TypeError(f"{name} must be a number, got {value!r}.")
    array = as_array(_without_graph(value), name, np.float64)
    if array.shape != ():
        raise TypeError(f"{name} must be one number for all entries, got shape {array.shape}.")
    return float(array)


@np.errstate(all="ignore")  # a lecture that lets NumPy raise does not mean the comparison
def allowance(
    claim: str,
    measured: np.ndarray,
    expected: np.ndarray,
    rtol: float | None,
    atol: float | None,
    stderr: Any,
    seeds: int | None,
    z: float,
) -> tuple[np.ndarray, str]:
    """Return the largest difference that passes, per entry, and its explanation."""
    where = f"closed_form({claim!r})"
    has_tolerance = rtol is not None or atol is not None
    if has_tolerance and stderr is not None:
        raise ValueError(
            f"{where}: give a tolerance (rtol=, atol=) or a standard error (stderr=, seeds=), not "
            "both: the first is for rounding and truncation, the second for chance"
        )
    rtol = None if rtol is None else _one_number(f"{where}: rtol", rtol)
    atol = None if atol is None else _one_number(f"{where}: atol", atol)
    z = _one_number(f"{where}: z", z)
    if stderr is None:
        if seeds is not None:
            raise ValueError(f"{where}: seeds={seeds!r} belongs to stderr=, which is missing")
        if not has_tolerance:
            raise ValueError(
                f"{where}: how near is near enough? Give rtol= or atol= (0 is exact), or stderr= "
                "and seeds= for an average over random seeds"
            )
        parts = [("rtol", rtol), ("atol", atol)]
        for name, value in parts:
            if value is not None and not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{where}: {name} must be a finite number >= 0, got {value!r}")
        bound = (atol or 0.0) + (rtol or 0.0) * np.abs(expected)
        if not np.all(np.isfinite(bound) | ~np.isfinite(expected)):
            raise ValueError(f"{where}: rtol={rtol!r} of {expected.max()!r} allows everything")
        named = [f"{name} {report.short(v)}" for name, v in parts if v]
        return np.broadcast_to(bound, measured.shape), " + ".join(named) or "exact"

    if seeds is None:
        raise ValueError(f"{where}: stderr= needs seeds=, the number of runs it was estimated from")
    if isinstance(seeds, bool | np.bool) or not hasattr(seeds, "__index__"):
        raise TypeError(f"{where}: seeds is how many runs there were, got {seeds!r:.60}.")
    if operator.index(seeds) < 2:
        raise ValueError(f"{where}: a standard error needs at least 2 seeds, got seeds={seeds!r}")
    if not (np.isfinite(z) and z > 0):
        raise ValueError(f"{where}: z must be a finite number > 0, got {z!r}")
    s = as_numbers("stderr", stderr)
    if s.shape not in ((), measured.shape):
        raise ValueError(
            f"{where}: stderr has shape {s.shape}, measured has shape {measured.shape}; give one "
            "standard error for each entry, or one number for all"
        )
    if np.iscomplexobj(s) or not np.all(np.isfinite(s) & (s > 0)):
        raise ValueError(
            f"{where}: a standard error is finite and > 0, got {stderr!r}; if every seed gave the "
            "same number, chance plays no part: use rtol= or atol="
        )
    low, high = report.short(s.min()), report.short(s.max())
    spread = low if low == high else f"{low} to {high}"
    bound = np.broadcast_to(z * s, measured.shape)
    return bound, f"{report.short(z)} × s.e. {spread} ({operator.index(seeds)} seeds)"


@np.errstate(all="ignore")
def worst(
    measured: np.ndarray, expected: np.ndarray, allowed: np.ndarray, relation: str
) -> tuple[tuple[Any, ...], bool]:
    """Return the index of the entry that keeps the claim worst, and whether all keep it.

    Where several keep it equally well (all are exact, say), it is the one of the largest numbers.
    """
    finite = np.isfinite(measured) & np.isfinite(expected)
    difference = measured - expected  # where that is not finite, `finite` judges
    excess = {"==": np.abs, "<=": np.positive, ">=": np.negative}[relation](difference)
    kept = finite & (excess <= allowed)
    # Relative to what is allowed, so that entries of different size compare fairly.
    badness = excess / np.maximum(allowed, 1e-30)
    if not finite.all():
        flat = int(np.argmin(finite))
    else:
        judged = np.where(~kept | kept.all(), badness, -np.inf)
        flat = int(np.argmax(np.where(judged == judged.max(), np.abs(expected), -1.0)))
    return np.unravel_index(flat, measured.shape), bool(kept.all())
