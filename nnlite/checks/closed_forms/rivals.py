"""The power of a check: what else would have passed? Nothing that the lecture names, or it fails.

A check against a closed form proves something only where a wrong law, or a program with a bug,
gives another verdict. Each rival is held to the very tolerance of the check it stands beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlite.checks.closed_forms import compare
from nnlite.checks.closed_forms.digits import short
from nnlite.checks.closed_forms.values import as_numbers

__all__ = ["Rival", "named_rivals", "no_power"]


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Rival:
    """One rival of a check: the pair of numbers that stands in place of the true one.

    Attributes
    ----------
    name : str
        The wrong law or the planted bug, for the reader.
    law : bool
        Whether it is a wrong law, in place of ``expected``; else a bug, in place of ``measured``.
    numbers : ndarray
        What the law says, or what the buggy program measured, in the shape of what was measured.
    """

    name: str
    law: bool
    numbers: np.ndarray

    def passes(
        self, measured: np.ndarray, expected: np.ndarray, allowed: np.ndarray, relation: str
    ) -> bool:
        """Whether every entry keeps the claim with this rival in its place."""
        pair = (measured, self.numbers) if self.law else (self.numbers, expected)
        return compare.worst(*pair, allowed, relation)[1]


def named_rivals(
    claim: str, measured: np.ndarray, relation: str, wrong: Any, planted: Any
) -> list[Rival]:
    """The rivals of ``closed_form(wrong=, planted=)``, or a teaching error."""
    found = []
    for option, given in (("wrong", wrong), ("planted", planted)):
        if given is None:
            continue
        if not isinstance(given, Mapping) or not given:
            raise TypeError(
                f"closed_form({claim!r}): {option} must be a dict that names at least one rival, "
                f"such as {{'without 1/n': number}}, got {given!r:.60}."
            )
        for name, value in given.items():
            numbers = _numbers_of(claim, option, name, value, measured, relation)
            found.append(Rival(name.strip(), option == "wrong", numbers))
    names = [rival.name for rival in found]
    if len(set(names)) < len(names):
        raise ValueError(f"closed_form({claim!r}): two rivals have one name: {names}.")
    return found


def _numbers_of(
    claim: str, option: str, name: Any, value: Any, measured: np.ndarray, relation: str
) -> np.ndarray:
    if not isinstance(name, str) or not name.strip():
        raise TypeError(
            f"closed_form({claim!r}): {option} names each rival in words, got {name!r:.60}."
        )
    numbers = as_numbers(f"{option}[{name!r}]", value)
    where = f"closed_form({claim!r}): the rival {option}[{name!r}]"
    if numbers.shape not in ((), measured.shape):
        raise ValueError(
            f"{where} has shape {numbers.shape} and what was measured has shape {measured.shape}; "
            "give one number for each entry, or one for all."
        )
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"{where} holds NaN or infinity, which would fail whatever the tolerance: it shows "
            "nothing. Give the finite number that the wrong law or the bug leads to."
        )
    if relation != "==" and np.iscomplexobj(numbers):
        raise TypeError(f"{where} is complex, and complex numbers have no order for {relation!r}.")
    return np.broadcast_to(numbers, measured.shape)


def no_power(
    claim: str,
    rival: Rival,
    measured: np.ndarray,
    expected: np.ndarray,
    allowed: np.ndarray,
    relation: str,
) -> str:
    """The message of a rival that passes: the three numbers where they differ most."""
    against = expected if rival.law else measured
    difference = np.abs(rival.numbers - against)
    at = np.unravel_index(int(np.argmax(difference)), measured.shape)
    gives = "this law says" if rival.law else "with this bug one measures"
    entry = f" (entry {[int(i) for i in at]})" if measured.shape else ""
    return (
        f"closed_form({claim!r}): the check has no power against {rival.name!r}, which passes too."
        f"\n  measured  {measured[at]:.9g}{entry}"
        f"\n  expected  {relation} {expected[at]:.9g}"
        f"\n  rival     {rival.numbers[at]:.9g}: {gives}"
        f"\n  differs by {short(float(difference[at]))}, allowed are {short(float(allowed[at]))}"
        "\nNarrow the tolerance, or measure where the two differ by more."
    )
