"""What is in the repository and in the wheel: notebooks without outputs, no leftovers."""

import contextlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import nnlite
from nnlite.cli.find import lectures_in

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOTEBOOKS = sorted([*ROOT.glob("lectures/*.ipynb"), *ROOT.glob("exercises/**/*.ipynb")])
LECTURES = lectures_in(ROOT / "lectures")


def _tracked_files() -> list[Path]:
    """Files of the repository, or of the unpacked source distribution."""
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        paths = [p for p in ROOT.rglob("*") if not {".venv", "build"} & set(p.parts)]
    return [p for p in paths if p.is_file()]


def _texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file but this one, which quotes what it looks for."""
    for path in _tracked_files():
        if path != Path(__file__).resolve():
            with contextlib.suppress(UnicodeDecodeError):  # data
                yield path, path.read_text(encoding="utf-8")


def test_there_are_lectures():
    assert LECTURES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_is_committed_without_outputs_and_with_stable_cell_ids(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in code), "clear all outputs, then commit"
    assert all(cell["execution_count"] is None for cell in code), "clear all outputs, then commit"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert (notebook["nbformat"], notebook["metadata"]["kernelspec"]["name"]) == (4, "python3")


@pytest.mark.parametrize("path", [x.path for x in LECTURES], ids=lambda p: p.name)
def test_a_lecture_says_how_long_it_takes(path):
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert metadata["nnlite"]["budget_seconds"] > 0


def _rows(text: str) -> dict[str, list[str]]:
    """Return number of a lecture -> title and minutes, from the table of a page."""
    row = re.compile(r"^\| \[?(\d\d)(?: \|)? ([^|\]]+?)(?:\]\(\S+\))? \| (\d+) \|", re.MULTILINE)
    return {number: [title, minutes] for number, title, minutes in row.findall(text)}


def test_every_lecture_is_in_the_tables_of_the_readme_and_of_the_welcome_page():
    welcome = json.loads((ROOT / "lectures" / "Welcome.ipynb").read_text(encoding="utf-8"))
    page = "\n".join("".join(cell["source"]) for cell in welcome["cells"])
    rows = _rows((ROOT / "README.md").read_text(encoding="utf-8"))
    assert list(rows) == [lecture.name[:2] for lecture in LECTURES]
    assert _rows(page) == rows
    assert all(f"]({lecture.path.name})" in page for lecture in LECTURES)
    for lecture in LECTURES:
        assert rows[lecture.name[:2]][0] in lecture.title


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_link_of_a_notebook_stays_among_the_notebooks(path):
    """They are copied, without what lies beside them."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [link for link in links if not re.match(r"https?:|#|attachment:", link)]
    assert [x for x in local if not (path.parent / x).exists() or ".." in x] == []


def test_no_text_file_holds_a_path_of_somebodys_machine_or_a_merge_conflict():
    leftovers = re.compile(
        r"(?<![\w.])/(?:home|Users|root|tmp|work)/\w|[A-Z]:\\Users\\|^(?:<{7}|>{7}) ", re.MULTILINE
    )
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in _texts()
        for match in leftovers.finditer(text)
    ]
    assert found == []


def test_text_files_are_utf8_with_unix_line_ends():
    for path in _tracked_files():
        if path.suffix in {".py", ".md", ".toml", ".cff", ".ipynb", ".yml"}:
            assert b"\r" not in path.read_bytes(), path
            path.read_text(encoding="utf-8")


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert nnlite.__version__ == PROJECT["version"]
    assert f"\nversion: {PROJECT['version']}\n" in citation
    try:
        installed = importlib.metadata.version(PROJECT["name"])
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("nnlite runs from its folder here, not installed")
    assert installed == PROJECT["version"]


def test_nothing_tells_to_install_a_strangers_package():
    """The name nnlite belongs to somebody else on the package index, and ours is not there yet."""
    command = re.compile(r"\b(?:install|download|index versions)\b[^\n`]*")
    name = re.compile(r"""[\s"'](?:nnlite|nnlite-course)(?=["'\s\[<=>~!;]|$)""")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in _texts()
        for match in command.finditer(text)
        if "pip" in text[max(match.start() - 12, 0) : match.start()] and name.search(match[0])
    ]
    assert found == []


def test_the_core_needs_numpy_only():
    names = [re.split(r"[<>=; ]", requirement)[0] for requirement in PROJECT["dependencies"]]
    assert names == ["numpy"]


@pytest.mark.parametrize(
    ("platform", "machine", "python", "wanted"),
    [
        ("linux", "x86_64", "3.11", ">=0.60"),
        ("linux", "aarch64", "3.14", ">=0.60"),
        ("linux", "riscv64", "3.12", None),
        ("darwin", "arm64", "3.13", ">=0.60"),
        ("darwin", "x86_64", "3.13", "<=0.62.1,>=0.60"),
        ("darwin", "x86_64", "3.14", None),
        ("win32", "AMD64", "3.13", ">=0.60"),
        ("win32", "ARM64", "3.11", None),
        ("win32", "ARM64", "3.12", ">=0.60"),
        ("win32", "x86", "3.12", None),
        ("emscripten", "wasm32", "3.12", None),
        ("linux", "x86_64", "3.16", None),
    ],
)
def test_numba_is_asked_for_where_it_has_a_wheel(platform, machine, python, wanted):
    requirements = pytest.importorskip("packaging.requirements")
    here = {"sys_platform": platform, "platform_machine": machine, "python_version": python}
    listed = map(requirements.Requirement, PROJECT["optional-dependencies"]["fast"])
    found = [str(r.specifier) for r in listed if r.name == "numba" and r.marker.evaluate(here)]
    assert found == ([] if wanted is None else [wanted])


@pytest.mark.parametrize("extra", ["fast", "lectures", "test", "dev"])
def test_pytorch_is_needed_for_benchmarks_only(extra):
    assert not any(r.startswith("torch") for r in PROJECT["optional-dependencies"][extra])


def test_importing_nnlite_imports_no_optional_package():
    heavy = ("numba", "matplotlib", "scipy", "sklearn", "IPython", "torch", "nbclient")
    code = f"import sys, nnlite, nnlite.cli; print([m for m in {heavy!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_data_travels_with_its_attribution():
    folder = ROOT / "nnlite" / "datasets" / "data"
    attribution = (folder / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for path in folder.glob("*.npz"):
        assert path.name in attribution
        assert path.name in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_without_docstrings_and_assertions_everything_imports_and_trains():
    code = """
import importlib, pkgutil
import numpy as np
import nnlite
from nnlite import nn, optim
for module in pkgutil.walk_packages(nnlite.__path__, "nnlite."):
    if not module.name.endswith("__main__") and not module.name.startswith("nnlite.kernels.fast"):
        importlib.import_module(module.name)
model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
optimiser = optim.Adam(model.parameters(), lr=0.1)
loss = nn.functional.mse_loss(model(np.eye(3, dtype=np.float32)), np.ones((3, 1), np.float32))
loss.backward()
optimiser.step()
print(nnlite.PCA(1).fit(np.eye(3)).n_components_)
"""
    run = subprocess.run(
        [sys.executable, "-OO", "-c", code],
        env={**os.environ, "NNLITE_KERNELS": "numpy"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "1"


@pytest.mark.parametrize("module", ["nnlite", "nnlite.cli"])
def test_the_command_runs_as_a_module(module):
    run = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"nnlite {nnlite.__version__}\n"
