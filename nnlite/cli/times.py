"""How long lectures take: measured here by the last run, or stated by the notebook."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnlite.cli.find import Lecture

if TYPE_CHECKING:
    from nnlite.cli.execute import Result

__all__ = ["expected", "measured", "remembered", "slowness"]

# What `slowness` takes on the machine of which the notebooks state their times.
_REFERENCE = 0.009


def measured(output: Path, full: bool) -> dict[str, float]:
    """The seconds that lectures took here, by name, from the ledger under ``output``."""
    return _times(output).get(_mode(full), {})


def remembered(output: Path, results: Sequence[Result], full: bool) -> dict[str, Any]:
    """All times measured so far, those of ``results`` taken in, for the next ledger."""
    times = _times(output)
    new = {x.lecture.name: round(x.seconds, 2) for x in results if x.passed}
    return {**times, _mode(full): {**times.get(_mode(full), {}), **new}}


def expected(
    lectures: Sequence[Lecture], full: bool, known: Mapping[str, float]
) -> dict[str, float]:
    """The seconds that lectures will take, as far as anything is known about them.

    Parameters
    ----------
    lectures : sequence of Lecture
    full : bool
        Whether the seeded studies run in full.
    known : mapping of str to float
        What was ``measured``; the others take what they state, in proportion to this machine.
    """
    stated = {x.name: x.expected_seconds(full) for x in lectures if x.name not in known}
    factor = slowness() if any(stated.values()) else 1.0
    times = {name: seconds * factor for name, seconds in stated.items() if seconds is not None}
    return times | {x.name: known[x.name] for x in lectures if x.name in known}


def slowness() -> float:
    """How much longer than stated things take here, by a short test; 0.25 to 30.

    It is the time of this thread alone, so that what else runs at the moment does not count; the
    progress of the lectures shows that soon enough.
    """
    best = math.inf
    for _ in range(3):
        start, total = time.thread_time(), 0
        for i in range(200_000):
            total += i * i
        best = min(best, time.thread_time() - start)
    return min(max(best / _REFERENCE, 0.25), 30.0)


def _mode(full: bool) -> str:
    return "full" if full else "short"


def _times(output: Path) -> dict[str, dict[str, float]]:
    """Read the times in a ledger; one that is missing, or was not written by us, has none."""
    try:
        times = json.loads((output / "ledger.json").read_text("utf-8"))["measured_seconds"]
        return {
            mode: {name: float(s) for name, s in times[mode].items() if 0 < float(s) < math.inf}
            for mode in ("short", "full")
            if mode in times
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
