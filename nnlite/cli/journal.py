"""What the kernel of a lecture wrote down, compared with what the executed notebook shows.

The journal is a file. ``nnlite.checks.closed_forms`` adds every check the moment it is made, and
``nnlite.cli.witness`` adds exceptions that were shown or captured and output without end. Neither
can be undone by what the lecture does afterwards.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.checks import Check
from nnlite.checks.closed_forms import compare, report
from nnlite.checks.closed_forms.recording import CHECK_MIME

__all__ = ["Fault", "Journal"]


@dataclass(frozen=True)
class Fault:
    """Something that makes a lecture fail although its last cell was reached.

    Attributes
    ----------
    status : str
        "failed check", "hidden check", "forged check", "hidden error" or "too much output".
    problem : str
        What was found, for people.
    cell : int or None
        In which cell, counted from 1.
    """

    status: str
    problem: str
    cell: int | None


class Journal:
    """A reader of a journal while its lecture runs: each entry gets the number of its cell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[tuple[int, dict[str, Any]]] = []
        self._read = 0

    def read(self, cell: int) -> None:
        """Take in what was written since the last call, while ``cell`` ran."""
        written = self.path.read_bytes() if self.path.exists() else b""
        # Up to the last whole line: a kernel that is killed may leave half of one.
        text = written[self._read : written.rfind(b"\n") + 1]
        try:
            if len(written) < self._read:
                raise ValueError("it has become shorter.")
            self.entries += [(cell, json.loads(line)) for line in text.splitlines()]
        except ValueError as error:  # somebody else has been at it
            message = f"the journal of this lecture was changed or removed: {error}"
            self.entries.append((cell, {"process": 0, "error": "JournalError", "message": message}))
        self._read = max(written.rfind(b"\n") + 1, 0)

    @property
    def kernel(self) -> int | None:
        """The process of the kernel."""
        return next((entry["process"] for _, entry in self.entries if "kernel" in entry), None)

    def checks(self) -> list[tuple[int, Check]]:
        """The checks made, each with the number of its cell.

        Those of the processes that a lecture starts are shown by these processes, not by the
        notebook, and count only if they fail.
        """
        made = [
            (cell, entry["process"], Check.from_json(entry["check"]))
            for cell, entry in self.entries
            if "check" in entry
        ]
        return [
            (cell, check)
            for cell, process, check in made
            if process == self.kernel or check.counts_as_failure
        ]

    def error_in(self, cell: int) -> str:
        """The last exception noted while a cell ran, as ``Name: message``."""
        errors = [_told(entry) for n, entry in self.entries if n == cell and "error" in entry]
        return errors[-1] if errors else ""

    def overflow(self, limit_in_cell: int) -> Fault | None:
        """The fault of a cell that wrote without end."""
        for cell, entry in self.entries:
            if "output" in entry:
                alone = entry["output"] > limit_in_cell
                what = (
                    f"cell {cell} wrote more than {limit_in_cell / 1e6:g} MB of output"
                    if alone
                    else f"the lecture wrote {entry['in_all'] / 1e6:.0f} MB of output"
                )
                return Fault(
                    "too much output",
                    f"{what} and was stopped; look for a loop that prints without end, or show "
                    "fewer or smaller figures.",
                    cell,
                )
        return None

    def faults(self, notebook: Any) -> list[Fault]:
        """Compare with an executed notebook: what failed, what it hides, what it made up."""
        checks = self.checks()
        forged = [
            Fault(
                "forged check",
                f"{report.line(check)}\nsays that it passed, but its numbers do not agree.",
                cell,
            )
            for cell, check in checks
            if check.passed and not _keeps(check)
        ]
        forged += [
            Fault(
                "forged check",
                f"what makes and records checks was changed: {changed} is not what nnlite "
                "defines, so nothing that this lecture shows is proved.",
                cell,
            )
            for cell, changed in self._noted("changed")
        ]
        failed = [
            Fault("failed check", report.mismatch(check), cell)
            for cell, check in checks
            if check.counts_as_failure
        ]
        failed += [Fault("failed check", faulty, cell) for cell, faulty in self._noted("faulty")]
        errors = self._hidden_errors(notebook)
        found = [*failed, *forged, *dict.fromkeys(errors)]
        return [*found, *self._unlike(notebook, checks), *self._missing()]

    def _noted(self, what: str) -> list[tuple[int, str]]:
        """What was written down under a name, each with the number of its cell."""
        return [(cell, entry[what]) for cell, entry in self.entries if what in entry]

    def _hidden_errors(self, notebook: Any) -> list[Fault]:
        """Exceptions that did not stop their cells, but for those that are meant."""
        allowed = {n for n, cell in enumerate(notebook.cells, start=1) if _may_raise(cell)}
        return [
            Fault(
                "hidden error",
                f"{_told(entry)}\nThis exception did not stop its cell: %%capture, %%time, %run, a "
                "thread, a task, a figure or a _repr_..._ kept it from doing so. If it is meant, "
                "tag the cell raises-exception.",
                cell,
            )
            for cell, entry in self.entries
            if "error" in entry and cell not in allowed and entry["error"] != "ClosedFormMismatch"
        ]

    def _missing(self) -> list[Fault]:
        """Lines that were written and are not there: each module numbers its own."""
        numbers: dict[tuple[int, str], list[int]] = {}
        cells: dict[tuple[int, str], int] = {}
        for cell, entry in self.entries:
            if "number" in entry:
                writer = (entry["process"], entry["module"])
                numbers.setdefault(writer, []).append(entry["number"])
                cells[writer] = cell
        faults = []
        for writer, seen in numbers.items():
            first = 0 if writer[0] == self.kernel else min(seen)  # a fork goes on counting
            lost = max(seen) + 1 - first - len(seen)
            if lost:
                message = f"{abs(lost)} line(s) of the lecture's journal were removed or added."
                faults.append(Fault("hidden check", message, cells[writer]))
        return faults

    def _unlike(self, notebook: Any, checks: list[tuple[int, Check]]) -> list[Fault]:
        """Rows that were recorded and are not shown, or are shown and were not recorded."""
        shown = [(n, row) for n, cell in enumerate(notebook.cells, start=1) for row in _rows(cell)]
        left = Counter(_key(row) for _, row in shown)
        hidden = []
        for cell, check in checks:
            if check.counts_as_failure:
                continue  # told already, with its numbers
            key = _key(check.to_json())
            if left[key] == 0:
                hidden.append(
                    Fault(
                        "hidden check",
                        f"{report.line(check)}\nwas checked but is not shown: its output was "
                        "captured or cleared, or went to a widget.",
                        cell,
                    )
                )
            left[key] -= 1
        recorded = Counter(_key(check.to_json()) for _, check in checks)
        forged = []
        for cell, row in shown:
            key = _key(row)
            if recorded[key] == 0:
                claim = row.get("claim") if isinstance(row, dict) else row
                forged.append(
                    Fault(
                        "forged check",
                        "the output shows a check that was not recorded when it was made (it is "
                        "made up, or nnlite was imported in another environment): "
                        f"{claim!s:.200}",
                        cell,
                    )
                )
            recorded[key] -= 1
        return hidden + forged


def _rows(cell: Any) -> list[Any]:
    """The machine-readable rows that a cell shows."""
    bundles = [output.get("data") or {} for output in cell.get("outputs", [])]
    return [bundle[CHECK_MIME] for bundle in bundles if CHECK_MIME in bundle]


def _key(row: Any) -> str:
    return json.dumps(row, sort_keys=True)


def _keeps(check: Check) -> bool:
    """Whether the numbers of a row keep its claim: the verdict is not taken on trust."""
    measured, expected, allowed = map(np.asarray, (check.measured, check.expected, check.allowed))
    _, kept = compare.worst(measured, expected, allowed, check.relation)
    return kept


def _told(entry: dict[str, Any]) -> str:
    return f"{entry['error']}: {entry['message']}"


def _may_raise(cell: Any) -> bool:
    """Whether a cell is meant to end in an exception, by Jupyter's own tag."""
    return "raises-exception" in cell.metadata.get("tags", [])
