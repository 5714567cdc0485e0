"""Which runs a sweep consists of: every combination of settings, with every seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnlite._arguments import as_integer, as_python, is_integer, wrong_kind

Cell = bool | int | float | str | None
Run = dict[str, Cell]


def plan(grid: Mapping[str, Sequence[Any]], seeds: int | Iterable[int]) -> list[Run]:
    """Settings of all runs, the seeds of one combination beside each other.

    Raises
    ------
    TypeError
        If the grid is no mapping from names to lists, or a value cannot stand in a table.
    ValueError
        If a list is empty, a name is taken, or two runs are the same.
    """
    if not isinstance(grid, Mapping):
        raise wrong_kind(grid, "sweep: grid", "a mapping from names to lists of values")
    values = [_values(name, grid[name]) for name in grid]
    chosen = _seeds(seeds)
    runs = [
        {**dict(zip(grid, combination, strict=True)), "seed": seed}
        for combination in itertools.product(*values)
        for seed in chosen
    ]
    seen: set[tuple[Cell, ...]] = set()
    for run in runs:
        if key(run) in seen:
            raise ValueError(
                f"sweep: all runs must differ, got {told(run)} twice; remove the second one from "
                "the grid or the seeds."
            )
        seen.add(key(run))
    return runs


def key(run: Run) -> tuple[Cell, ...]:
    """What a run is recognised by: its settings as a table gives them back."""
    return tuple(from_text(to_text(value)) for value in run.values())


def told(run: Run) -> str:
    """The settings in words, for messages."""
    return ", ".join(f"{name}={value!r}" for name, value in run.items())


def cell(value: Any, name: str) -> Cell:
    """``value`` if it can stand in a table: a number, text of one line, True, False or None."""
    value = as_python(value)
    if not isinstance(value, bool | int | float | str | None):
        raise wrong_kind(value, name, "a number, text, True, False or None")
    if isinstance(value, str) and len(value.splitlines()) > 1:
        raise ValueError(f"{name} must be text of one line, got {value!r}.")
    return value


def to_text(value: Cell) -> str:
    """A cell as it is written; floats with all their digits."""
    return "" if value is None else str(value)


def from_text(text: str) -> Cell:
    """A cell as it is read, also if a spreadsheet has rewritten it."""
    if text == "":
        return None
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _values(name: Any, values: Any) -> list[Cell]:
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"sweep: grid must have names of arguments of train, got {name!r}.")
    if name == "seed":
        raise ValueError("sweep: grid must be without 'seed', which has an argument of its own.")
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(
            f"sweep: grid[{name!r}] must be a list of values, got {values!r}; for a single one "
            f"[{values!r}]."
        )
    cells = [cell(value, f"sweep: grid[{name!r}]") for value in values]
    if not cells:
        raise ValueError(f"sweep: grid[{name!r}] must hold at least one value, got none.")
    if any(isinstance(value, float) and not math.isfinite(value) for value in cells):
        raise ValueError(f"sweep: grid[{name!r}] must be finite, got {cells}.")
    return cells


def _seeds(seeds: Any) -> list[int]:
    if is_integer(seeds):
        return list(range(as_integer(seeds, "sweep: seeds", 1)))
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise wrong_kind(seeds, "sweep: seeds", "a number of seeds or a list of them")
    chosen = [as_integer(seed, "sweep: a seed", 0) for seed in seeds]
    if not chosen:
        raise ValueError("sweep: seeds must hold at least one seed, got none.")
    return chosen
