"""Tiny notebooks for the tests of the command line."""

from importlib.util import find_spec
from pathlib import Path

import pytest

# In a browser there is nothing to run notebooks with, and so nothing that these could test.
collect_ignore = [] if find_spec("nbclient") else ["test_lectures.py", "test_progress.py"]


@pytest.fixture(scope="session")
def write_lecture():
    """A function that writes a notebook with a title, one import cell and the given code cells."""
    nbformat = pytest.importorskip("nbformat")  # in the browser there is none
    v4 = nbformat.v4

    def write(folder: Path, name: str, *cells: str, **metadata: float) -> Path:
        first = v4.new_code_cell("from nnlite import closed_form, expected_failure, ledger")
        title = v4.new_markdown_cell(f"# Title of {name}\n\nWhat you will learn.")
        notebook = v4.new_notebook(
            cells=[title, first, *map(v4.new_code_cell, cells)],
            metadata={
                "kernelspec": {"name": "no-such-kernel", "display_name": "nobody installed it"},
                "nnlite": metadata,
            },
        )
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    return write
