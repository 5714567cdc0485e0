"""The ledger: the rows of all checks so far, shown, kept, and written down for ``nnlite lectures``.

``nnlite lectures`` names a journal, a file in which every check of the kernel and its children is
written down the moment it is made. What a notebook shows is compared with it afterwards, so that no
``%%capture``, ``try`` or ``clear_output()`` hides a row.
"""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

from nnlite.checks.closed_forms import report, tables
from nnlite.checks.closed_forms.check import Check
from nnlite.checks.closed_forms.notebook import Run, current_run, show, shown_as

__all__ = ["CHECK_MIME", "ledger", "record", "recorded", "reset", "show_again", "write_down"]

CHECK_MIME = "application/vnd.nnlite.check+json"

# The rows so far, each with the run of a cell that it came from.
_rows: list[tuple[Run, Check]] = []
# Read once: a lecture that empties os.environ is recorded all the same.
_journal = os.environ.get("NNLITE_JOURNAL")
# Lines are numbered by the module that wrote them, so that a line taken out later is missed.
_module = os.urandom(8).hex()
_lines = itertools.count()


def ledger() -> None:
    """Show the table of all checks so far: the last code cell of a lecture.

    The checks of the story come first, then those of each ``more_checks`` section.
    """
    checks = recorded()
    show(tables.text(checks), tables.html(checks))


def recorded() -> tuple[Check, ...]:
    """The checks so far, oldest first."""
    return tuple(check for _, check in _rows)


def reset() -> None:
    """Forget all checks so far."""
    _rows.clear()


def record(check: Check) -> None:
    """Show a row and keep it; running a cell again replaces its rows instead of repeating them."""
    write_down(check=check.to_json())
    current = current_run()
    if current.cell is not None:
        _rows[:] = [(run, c) for run, c in _rows if run.cell != current.cell or run == current]
    first = not any(run == current for run, _ in _rows)
    _rows.append((current, check))
    shown_as(Check, show_again)
    show(report.line(check), tables.row(check, heading=first), **{CHECK_MIME: check.to_json()})


def show_again(check: Check) -> None:
    """Show a row once more, unless it belongs to the cell that runs and has just shown it."""
    if not any(c is check and run == current_run() for run, c in _rows):
        show(report.line(check), tables.row(check))


def write_down(**entry: Any) -> None:
    """Add a line to the journal of ``nnlite lectures``, if it runs us."""
    if _journal:
        of = {"process": os.getpid(), "module": _module, "number": next(_lines)}
        line = json.dumps({**of, **entry})
        with open(_journal, "ab", buffering=0) as file:  # one write, so that no line is torn
            file.write(line.encode() + b"\n")
