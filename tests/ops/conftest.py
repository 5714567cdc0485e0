"""Which operations there are: the tables of cases are held against the package itself."""

import importlib
import pkgutil
import sys

import pytest

import nnlite
from nnlite.ops import Operation


@pytest.fixture(scope="session")
def operations():
    """Every operation of the package, wherever it is kept."""
    for package in ("nnlite.ops", "nnlite.engine", "nnlite.nn"):
        path = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(path, f"{package}."):
            importlib.import_module(found.name)
    modules = [m for name, m in sys.modules.items() if name.split(".")[0] == nnlite.__name__]
    return {op for m in modules for op in vars(m).values() if isinstance(op, Operation)}


@pytest.fixture(scope="session")
def operations_on_kernels(operations):
    """Those whose forward function calls kernels: they have float32 cases of their own."""
    return {op for op in operations if _calls_kernels(op.forward)}


@pytest.fixture(scope="session")
def operations_on_numpy(operations, operations_on_kernels):
    """All others."""
    return operations - operations_on_kernels


def _calls_kernels(function):
    """Whether the code of a function, or of a function it closes over, names the kernels."""
    code = getattr(function, "__code__", None)  # NumPy's own have none
    if code is None:
        return False
    inner = [cell.cell_contents for cell in function.__closure__ or ()]
    return "kernels" in code.co_names or any(_calls_kernels(f) for f in inner if callable(f))
