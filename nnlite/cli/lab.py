"""``nnlite lab``: open the lectures in JupyterLab."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from nnlite.cli.find import lectures_folder, packaged_folder
from nnlite.cli.problems import Problem, require

__all__ = ["copy_new", "run"]

COPY = Path("nnlite-lectures")


def run(lectures_dir: Path | None, options: Sequence[str] = ()) -> int:
    """Start JupyterLab on the lectures and return its exit code.

    Raises
    ------
    Problem
        If JupyterLab or the lectures are missing.
    """
    require("jupyterlab", "ipykernel", "matplotlib", extra="lectures")
    folder = lectures_folder(lectures_dir)
    if folder == packaged_folder():
        # Nobody should edit files inside site-packages, nor lose edits when nnlite is upgraded.
        copied, kept = copy_new(folder, COPY)
        print(f"Lectures are in {COPY}: {len(copied)} copied, {len(kept)} already there and kept.")
        folder = COPY.resolve()
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", *options]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:  # how one leaves JupyterLab
        return 0


def copy_new(source: Path, target: Path) -> tuple[list[Path], list[Path]]:
    """Copy the files of `source` that `target` does not have yet.

    Returns
    -------
    copied, kept : list of Path
        Files written, and files that were there already and were left as they are.

    Raises
    ------
    Problem
        If the target cannot be written.
    """
    copied, kept = [], []
    try:
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            goal = target / path.relative_to(source)
            if goal.exists():
                kept.append(goal)
                continue
            goal.parent.mkdir(parents=True, exist_ok=True)
            part = goal.with_name(f".{goal.name}.part")
            shutil.copyfile(path, part)
            part.replace(goal)
            copied.append(goal)
    except OSError as error:
        raise Problem(f"cannot copy the lectures to {target}: {error}") from error
    return copied, kept
