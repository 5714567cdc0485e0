"""When does a measured number agree with its closed form? The comparison behind ``closed_form``.

Arrays are compared entry by entry in double precision; the entry that keeps the claim worst is the
one reported. Questions that are not well posed are refused here. (Lecture 01.)
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from nnlite.checks.closed_forms.digits import short
from nnlite.checks.closed_forms.values import as_numbers, one_number

__all__ = ["allowance", "worst"]


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
    """The largest difference that passes, per entry, and its explanation."""
    where = f"closed_form({claim!r})"
    has_tolerance = rtol is not None or atol is not None
    if has_tolerance and stderr is not None:
        raise ValueError(
            f"{where}: give a tolerance (rtol=, atol=) or a standard error (stderr=, seeds=), not "
            "both: the first is for rounding and truncation, the second for chance."
        )
    rtol = None if rtol is None else one_number(f"{where}: rtol", rtol)
    atol = None if atol is None else one_number(f"{where}: atol", atol)
    z = one_number(f"{where}: z", z)
    if stderr is not None:
        return _by_chance(where, measured.shape, stderr, seeds, z)
    if seeds is not None:
        raise ValueError(f"{where}: seeds={seeds!r} belongs to stderr=, which is missing.")
    if not has_tolerance:
        raise ValueError(
            f"{where}: how near is near enough? Give rtol= or atol= (0 is exact), or stderr= "
            "and seeds= for an average over random seeds."
        )
    bound, words = _by_rounding(where, expected, rtol, atol)
    return np.broadcast_to(bound, measured.shape), words


def _by_rounding(
    where: str, expected: np.ndarray, rtol: float | None, atol: float | None
) -> tuple[np.ndarray, str]:
    parts = [("rtol", rtol), ("atol", atol)]
    for name, value in parts:
        if value is not None and not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{where}: {name} must be a finite number >= 0, got {value!r}.")
    bound = (atol or 0.0) + (rtol or 0.0) * np.abs(expected)
    if not np.all(np.isfinite(bound) | ~np.isfinite(expected)):
        raise ValueError(f"{where}: rtol={rtol!r} of {expected.max()!r} allows everything.")
    named = [f"{name} {short(v)}" for name, v in parts if v]
    return bound, " + ".join(named) or "exact"


def _by_chance(
    where: str, shape: tuple[int, ...], stderr: Any, seeds: int | None, z: float
) -> tuple[np.ndarray, str]:
    if seeds is None:
        raise ValueError(
            f"{where}: stderr= needs seeds=, the number of runs it was estimated from."
        )
    if isinstance(seeds, bool | np.bool) or not hasattr(seeds, "__index__"):
        raise TypeError(f"{where}: seeds is how many runs there were, got {seeds!r:.60}.")
    if operator.index(seeds) < 2:
        raise ValueError(f"{where}: a standard error needs at least 2 seeds, got seeds={seeds!r}.")
    if not (np.isfinite(z) and z > 0):
        raise ValueError(f"{where}: z must be a finite number > 0, got {z!r}.")
    s = as_numbers("stderr", stderr)
    if s.shape not in ((), shape):
        raise ValueError(
            f"{where}: stderr has shape {s.shape}, measured has shape {shape}; give one "
            "standard error for each entry, or one number for all."
        )
    if np.iscomplexobj(s) or not np.all(np.isfinite(s) & (s > 0)):
        raise ValueError(
            f"{where}: a standard error is finite and > 0, got {stderr!r}; if every seed gave the "
            "same number, chance plays no part: use rtol= or atol=."
        )
    low, high = short(s.min()), short(s.max())
    spread = low if low == high else f"{low} to {high}"
    words = f"{short(z)} × s.e. {spread} ({operator.index(seeds)} seeds)"
    return np.broadcast_to(z * s, shape), words


@np.errstate(all="ignore")
def worst(
    measured: np.ndarray, expected: np.ndarray, allowed: np.ndarray, relation: str
) -> tuple[tuple[Any, ...], bool]:
    """The index of the entry that keeps the claim worst, and whether all keep it.

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
