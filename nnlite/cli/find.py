"""Where the lectures are: in the checkout, beside an editable install, or inside the wheel."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlite.cli.problems import Problem
from nnlite.cli.reading import UnreadableError, text_of

__all__ = ["Lecture", "choose", "lectures_folder", "lectures_in", "packaged_folder"]

# Letters of any alphabet, spaces and hyphens; not the copies that JupyterLab makes.
_NAME = re.compile(r"\d\d_(?!.*-Copy\d+\.)[\w -]+\.ipynb")


@dataclass(frozen=True)
class Lecture:
    """A notebook, and what its first cells and metadata say about it."""

    path: Path
    title: str = ""
    budget: float | None = None
    full_budget: float | None = None

    @property
    def name(self) -> str:
        """File name without its ending: ``01_gradients_you_can_trust``."""
        return self.path.stem

    def expected_seconds(self, full: bool) -> float | None:
        """Seconds the lecture says it takes, None if it does not say."""
        return self.full_budget if full else self.budget


def packaged_folder() -> Path:
    """Folder of the notebooks that travel inside the wheel (absent from a checkout)."""
    return Path(__file__).resolve().parent.parent / "_lectures"


def lectures_folder(given: Path | None = None) -> Path:
    """The folder of the lectures.

    The one ``given``, else ``lectures/`` in the current folder or one above it, else beside the
    package, else inside the package.

    Raises
    ------
    Problem
        If there is none; the message says where it was looked for.
    """
    if given is not None:
        if not given.is_dir():
            raise Problem(f"--lectures-dir {given}: there is no such folder.")
        if not _notebooks(given):
            raise Problem(f"--lectures-dir {given}: no notebook named like 01_title.ipynb in it.")
        return given.resolve()
    try:
        here = Path.cwd()
    except FileNotFoundError as error:
        raise Problem("the folder you are in has been deleted; cd to another.") from error
    beside = Path(__file__).resolve().parent.parent.parent
    candidates = [folder / "lectures" for folder in (here, *here.parents, beside)]
    for folder in [*candidates, packaged_folder()]:
        if any(_is_ours(path) for path in _notebooks(folder)):
            return folder
    raise Problem(
        f"no lectures found: neither in a folder lectures/ in {here} or above it, nor inside the "
        "installed package. Run it in a checkout of nnlite, or say where they are "
        "with --lectures-dir DIR."
    )


def _notebooks(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.ipynb") if _NAME.fullmatch(p.name))


def _is_ours(path: Path) -> bool:
    """Whether a notebook uses nnlite: other courses have a folder called lectures too."""
    try:
        return "nnlite" in text_of(path)
    except UnreadableError:
        return False


def lectures_in(folder: Path) -> list[Lecture]:
    """The lectures of a folder in order; a broken notebook is listed without a title."""
    return [_describe(path) for path in _notebooks(folder)]


def _describe(path: Path) -> Lecture:
    """What a notebook says of itself; running it says what is wrong with an odd one."""
    try:
        notebook = json.loads(text_of(path))
    except (UnreadableError, ValueError, RecursionError):
        return Lecture(path)
    notebook = notebook if isinstance(notebook, dict) else {}
    metadata = notebook.get("metadata")
    budgets = metadata.get("nnlite") if isinstance(metadata, dict) else None
    budgets = budgets if isinstance(budgets, dict) else {}
    return Lecture(
        path,
        title=_title(notebook.get("cells")),
        budget=_seconds(budgets.get("budget_seconds")),
        full_budget=_seconds(budgets.get("full_budget_seconds")),
    )


def _title(cells: Any) -> str:
    """The first heading, without what a terminal could take for a command."""
    for cell in cells if isinstance(cells, list) else []:
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown":
            source = cell.get("source")
            lines = source if isinstance(source, list) else [source]
            text = "".join(line for line in lines if isinstance(line, str))
            heading = re.search(r"^#[ \t]+(.+)$", text, flags=re.MULTILINE)
            if heading:
                return "".join(c for c in heading[1] if c.isprintable()).strip()[:200]
    return ""


def _seconds(value: Any) -> float | None:
    """A budget that makes sense, else None."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 < value < 1e6 else None


def choose(lectures: Sequence[Lecture], which: Sequence[str]) -> list[Lecture]:
    """The lectures asked for by number (``3``, ``03``) or name; all if none is asked for.

    Raises
    ------
    Problem
        If a request fits no lecture.
    """
    if not which:
        return list(lectures)
    chosen: list[Lecture] = []
    for request in which:
        word = request.removesuffix(".ipynb")
        fits = [x for x in lectures if word == x.name]
        if word.isdecimal() and len(word) < 10:
            fits = fits or [x for x in lectures if int(x.name[:2]) == int(word)]
        fits = fits or [x for x in lectures if word and not word.isdigit() and word in x.name]
        if not fits:
            known = ", ".join(x.name for x in lectures)
            raise Problem(f"no lecture fits {request!r}; there are: {known}.")
        chosen += [x for x in fits if x not in chosen]
    return sorted(chosen, key=lambda x: x.name)
