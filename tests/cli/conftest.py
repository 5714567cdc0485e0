"""Tiny notebooks for the tests of the command line."""

import os
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

# Python in a browser runs no notebooks: there only what needs no package for it is tested.
_NEED_NO_JUPYTER = {"test_doctor.py", "test_find.py"}
collect_ignore = []
if not find_spec("nbclient"):
    here = Path(__file__).parent
    collect_ignore = [p for p in here.glob("test_*.py") if p.name not in _NEED_NO_JUPYTER]


@pytest.fixture(scope="session", autouse=True)
def own_signatures(tmp_path_factory):
    """Sign notebooks with a secret of these tests, and leave the user's own alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(tmp_path_factory.mktemp("jupyter")))
        yield


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


@pytest.fixture
def has_ended():
    """A function that says whether a process has ended, even if nobody has asked how."""

    def ended(process: int) -> bool:
        for _ in range(1200):  # a busy machine takes its time
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                return True
            state = Path(f"/proc/{process}/stat")
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            time.sleep(0.05)
        return False

    return ended
