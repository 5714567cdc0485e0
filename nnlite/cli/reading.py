"""Read a lecture's notebook, or say in a sentence why it is none."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

__all__ = ["UnreadableError", "keep_core", "read", "text_of"]

_LARGEST = 100_000_000  # bytes; ours have 60,000


class UnreadableError(Exception):
    """A file that is not a notebook; the message says why."""


def text_of(path: Path) -> str:
    """The text of a notebook's file, with or without a byte order mark.

    Raises
    ------
    UnreadableError
        If it is no file of text, or one too large for a notebook.
    """
    try:
        if not path.is_file():  # and a pipe would be waited for without end
            kind = "a folder" if path.is_dir() else "a link to nothing, or no file of text"
            raise UnreadableError(f"not a notebook but {kind}.")
        if path.stat().st_size > _LARGEST:
            raise UnreadableError(f"larger than {_LARGEST // 10**6} MB, so hardly a notebook.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"cannot read the file: {error}") from error


def read(path: Path) -> Any:
    """The notebook of format 4 in a file, without outputs.

    Raises
    ------
    UnreadableError
        If there is none.
    """
    import nbformat

    text = text_of(path)
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(
            f"not a notebook: invalid JSON at line {error.lineno}, column {error.colno} "
            f"({error.msg}); take a fresh copy of the file."
        ) from error
    except RecursionError as error:
        raise UnreadableError("not a notebook: nested too deeply.") from error
    if not isinstance(raw, dict) or raw.get("nbformat") != 4:
        raise UnreadableError("not a notebook of format 4: open and save it with JupyterLab.")
    try:
        if isinstance(raw.get("metadata"), dict):
            with warnings.catch_warnings():  # of missing ids, which are thereby there
                warnings.simplefilter("ignore")
                _, raw = nbformat.validator.normalize(nbformat.from_dict(raw))
        for fault in nbformat.validator.iter_validate(raw):
            raise fault
        notebook = nbformat.v4.reads(json.dumps(raw))
    except Exception as error:  # nbformat raises of all kinds on JSON that is not a notebook
        said = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise UnreadableError(f"not a valid notebook: {said[:300]}") from error
    # Outputs that came with the file prove nothing: only what this run shows counts.
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def keep_core(notebook: Any) -> None:
    """Take the cells tagged ``optional`` out of a notebook; where they began, it then says so."""
    import nbformat

    optional = [i for i, x in enumerate(notebook.cells) if "optional" in x.metadata.get("tags", [])]
    if not optional:
        return
    note = nbformat.v4.new_markdown_cell(
        f"*This is the core path: {len(optional)} cells of the ★ sections were left out. "
        "`nnlite lectures` without `--core` runs them as well.*"
    )
    kept = [x for i, x in enumerate(notebook.cells) if i not in optional]
    notebook.cells = [*kept[: optional[0]], note, *kept[optional[0] :]]
