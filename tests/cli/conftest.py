"""Tiny notebooks for the tests of the command line."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


@pytest.fixture(scope="session")
def write_lecture():
    """A function that writes a notebook with a title, one import cell and the given code cells."""

    def write(folder: Path, name: str, *cells: str, **metadata: float) -> Path:
        first = new_code_cell("from nnlite import closed_form, expected_failure, ledger")
        title = new_markdown_cell(f"# Title of {name}\n\nWhat you will learn.")
        notebook = new_notebook(
            cells=[title, first, *map(new_code_cell, cells)],
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
