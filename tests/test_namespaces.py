"""The imported package: every name leads to what it says, and importing costs next to nothing."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import nnlite

IMPORT_MEGABYTES = 4.0


def modules_of(package):
    """The package and all its modules, imported."""
    infos = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    names = [info.name for info in infos if not info.name.endswith("__main__")]
    return {package.__name__: package} | {name: importlib.import_module(name) for name in names}


@pytest.fixture(scope="module")
def modules():
    pytest.importorskip("matplotlib")
    pytest.importorskip("numba")
    return modules_of(nnlite)


def hidden(modules):
    """Modules whose name in their package means something else."""
    for name, module in modules.items():
        parent, _, last = name.rpartition(".")
        if parent in modules and getattr(modules[parent], last) is not module:
            yield name


def undocumented(modules):
    """Public classes, functions and operations without a docstring of their own."""
    for name, module in modules.items():
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public)
            inherited = None if inspect.isfunction(value) else type(value).__doc__
            text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
            if callable(value) and (not text or text == inherited):
                yield f"{name}.{public}"


def test_no_module_is_hidden_by_something_of_its_name(modules):
    assert list(hidden(modules)) == []


def test_every_public_name_says_what_it_is(modules):
    assert list(undocumented(modules)) == []


PLANTED = """
from planted_package.walk import walk
from planted_package.other import said

class Silent(ValueError): pass

class Callable:
    "An instance is no documentation of itself."
    def __call__(self): ...

silent = Callable()
__all__ = ["Callable", "Silent", "said", "silent", "walk"]
"""


def test_a_hidden_module_and_names_without_a_docstring_are_noticed(tmp_path, monkeypatch):
    folder = tmp_path / "planted_package"
    folder.mkdir()
    (folder / "walk.py").write_text("def walk(): ...", "utf-8")
    (folder / "other.py").write_text("def said():\n    'It says.'", "utf-8")
    (folder / "__init__.py").write_text(PLANTED, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    modules = modules_of(importlib.import_module("planted_package"))
    assert list(hidden(modules)) == ["planted_package.walk"]
    found = [name.removeprefix("planted_package.") for name in undocumented(modules)]
    assert found == ["Silent", "silent", "walk"]


def peak_megabytes(statement):
    """What a statement allocates in a fresh Python that has imported NumPy."""
    code = f"import numpy, tracemalloc\ntracemalloc.start()\n{statement}\n"
    code += "print(tracemalloc.get_traced_memory()[1] / 2**20)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_importing_allocates_nothing_big():
    assert peak_megabytes("import nnlite") < IMPORT_MEGABYTES


def test_an_array_made_at_import_is_noticed():
    assert peak_megabytes("x = numpy.empty(2**20)") > IMPORT_MEGABYTES
