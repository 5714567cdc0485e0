"""The student's copy of the lectures: brought up to date without touching what was edited.

In a hidden folder of the copy lies each file as it was handed out. A file that still equals it was
never edited and may be replaced; one that does not is the student's, and stays.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnlite.cli.problems import Problem

__all__ = ["HANDED_OUT", "Update", "changed_cells", "update"]

#: Folder inside a working copy with the files as they were handed out. It marks a working copy.
HANDED_OUT = ".handed-out"


@dataclass
class Update:
    """What was done to a working copy.

    Attributes
    ----------
    copied, replaced, kept : list of Path
        Files that were not there; that were there, unedited, and are newer now; that were edited
        and left alone.
    beside : list of (Path, Path, list of str)
        Edited files of which there is a newer version: the student's, the new one beside it, and
        what is new in it.
    """

    copied: list[Path] = field(default_factory=list)
    replaced: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    beside: list[tuple[Path, Path, list[str]]] = field(default_factory=list)

    @property
    def written(self) -> list[Path]:
        """Files that come from nnlite as they are."""
        return [*self.copied, *self.replaced, *(new for _, new, _ in self.beside)]


def update(source: Path, target: Path) -> Update:
    """Bring the files of ``source`` into ``target``; whatever was edited there stays as it is.

    Raises
    ------
    Problem
        If the target cannot be written.
    """
    done = Update()
    try:
        for path in _files(source):
            relative = path.relative_to(source)
            _update_file(path.read_bytes(), target / relative, target / HANDED_OUT / relative, done)
    except OSError as error:
        raise Problem(
            f"cannot copy the lectures to {target}: {error}. Choose a folder that you may write to "
            "with --work DIR."
        ) from error
    return done


def _files(folder: Path) -> list[Path]:
    """The files of a folder but hidden ones and Jupyter's checkpoints."""
    found = (p for p in folder.rglob("*") if p.is_file())
    return sorted(
        p
        for p in found
        if not any(x.startswith((".", "__pycache__")) for x in p.relative_to(folder).parts)
    )


def _update_file(new: bytes, mine: Path, handed_out: Path, done: Update) -> None:
    here = mine.read_bytes() if mine.exists() else None
    before = handed_out.read_bytes() if handed_out.exists() else None
    if here is None:
        _write(mine, new)
        done.copied.append(mine)
    elif here == new:
        pass
    elif here == before:
        _write(mine, new)
        done.replaced.append(mine)
    elif before == new:
        done.kept.append(mine)
    else:
        beside = _free_name(mine, new)
        _write(beside, new)
        changes = changed_cells(here if before is None else before, new)
        done.beside.append((mine, beside, changes))
    if before != new:  # last: if we are stopped before, the next start does it all again
        _write(handed_out, new)


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _free_name(path: Path, content: bytes) -> Path:
    """A dated name beside ``path`` that is free, or has this content already."""
    today = datetime.date.today().isoformat()
    number = 1
    while True:
        which = today if number == 1 else f"{today}, {number}"
        candidate = path.with_name(f"{path.stem} (new {which}){path.suffix}")
        if not candidate.exists() or candidate.read_bytes() == content:
            return candidate
        number += 1


def changed_cells(old: bytes, new: bytes) -> list[str]:
    """Say in a line each which cells of a notebook are new, changed or gone.

    Cells are told apart by their ids, and compared by what is written in them, not by outputs. What
    is not a notebook has no cells: the list is empty.
    """
    try:
        before, after = _cells(old), _cells(new)
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    lines = []
    for number, (name, text) in enumerate(after.items(), start=1):
        if name not in before:
            lines.append(f"cell {number} is new: {_first_line(text)}")
        elif before[name] != text:
            lines.append(f"cell {number} is changed: {_first_line(text)}")
    lines += [f"gone: {_first_line(text)}" for name, text in before.items() if name not in after]
    return lines


def _cells(content: bytes) -> dict[str, str]:
    """A dict id -> text of the cells of a notebook; of a cell without id the text is its id."""
    cells: list[dict[str, Any]] = json.loads(content)["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    return {cell.get("id", text): text for cell, text in zip(cells, texts, strict=True)}


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:60] if lines else "(empty)"
