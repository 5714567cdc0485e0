"""What came of the lectures: a few lines for the terminal, JSON and Markdown for the rest."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import __version__
from nnlite.checks.closed_forms import tables
from nnlite.cli.progress import duration

if TYPE_CHECKING:
    from nnlite.cli.execute import Result

__all__ = ["Mode", "as_json", "as_markdown", "as_text", "closing", "rows", "where"]


@dataclass(frozen=True)
class Mode:
    """How much of the lectures ran: the seeded studies in full or not, all or the core paths."""

    full: bool = False
    core: bool = False

    def __str__(self) -> str:
        studies = "full studies" if self.full else "short mode"
        return f"{studies}, core paths only" if self.core else studies


def as_json(results: Sequence[Result], mode: Mode, seconds: float) -> dict[str, Any]:
    """Everything for programs, as strict JSON can hold it."""
    return {
        "nnlite": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "full": mode.full,
        "core": mode.core,
        "seconds": round(seconds, 2),
        "passed": all(result.passed for result in results),
        "lectures": [
            {
                "name": result.lecture.name,
                "title": result.lecture.title,
                "status": result.status,
                "problem": result.problem,
                "cell": result.cell,
                "seconds": round(result.seconds, 2),
                "expected_seconds": result.lecture.expected_seconds(mode.full),
                "checks": [{"cell": n, **check.to_json()} for n, check in result.checks],
            }
            for result in results
        ],
    }


def as_markdown(results: Sequence[Result], mode: Mode) -> str:
    """The ledger of all lectures, every row of it."""
    parts = ["# The ledger", versions(mode), closing(results) + "."]
    for result in results:
        parts.append(f"## {result.lecture.title or result.lecture.name}")
        if not result.passed:
            parts.append(f"**{where(result)}**\n\n```text\n{result.problem}\n```")
        if result.checks:
            parts.append(tables.markdown([check for _, check in result.checks]))
    return "\n\n".join(parts)


def as_text(results: Sequence[Result], seconds: float, output: Path) -> str:
    """A line for each lecture, what failed in full, and where everything is."""
    width = max((len(result.lecture.name) for result in results), default=0)
    lines = [""]
    for result in results:
        counts = tables.summary([check for _, check in result.checks])
        counts = counts.replace(", caught as it should be", "")
        what = counts if result.passed else f"{result.status.upper()}; {counts}"
        symbol = "✓" if result.passed else "✗"
        took = duration(result.seconds)
        lines.append(f"{symbol} {result.lecture.name:<{width}}  {took:>11}  {what}")
    for result in results:
        if not result.passed:
            indented = result.problem.replace("\n", "\n    ")
            lines.append(f"\n✗ {where(result)}\n    {indented}")
    lines.append(
        f"\n{closing(results)}, {duration(seconds)}.\n"
        f"Pages and all rows: {output / 'index.html'} "
        f"(also {output / 'ledger.md'}, {output / 'ledger.json'}; on the terminal with --rows)"
    )
    return "\n".join(lines)


def rows(results: Sequence[Result], width: int) -> str:
    """The table of each lecture's checks."""
    parts = []
    for result in results:
        heading = f"{result.lecture.name}  {result.lecture.title}".rstrip()
        parts.append(f"\n{heading}\n{'=' * len(heading)}")
        if result.checks:
            parts.append(tables.text([check for _, check in result.checks], width))
        else:
            parts.append(f"no checks ({result.status})")
    return "\n".join(parts)


def where(result: Result) -> str:
    """Lecture, cell and status of what went wrong."""
    if result.cell is None:
        return f"{result.lecture.name}: {result.status}"
    # People count cells from the top, notebooks count executions: say both.
    code = [c for c in result.notebook.cells[: result.cell] if c.cell_type == "code" and c.source]
    return f"{result.lecture.name}, cell {result.cell} (In [{len(code)}]): {result.status}"


def closing(results: Sequence[Result]) -> str:
    """The sentence that sums up all lectures."""
    ran = sum(result.passed for result in results)
    checks = [check for result in results for _, check in result.checks]
    return f"{ran} of {len(results)} lectures passed; {tables.summary(checks)}"


def versions(mode: Mode) -> str:
    """What the numbers were found with."""
    return (
        f"nnlite {__version__}, Python {platform.python_version()}, NumPy {np.__version__}, {mode}."
    )
