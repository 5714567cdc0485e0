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
    """Those written in a module that calls kernels: they have float32 cases of their own."""
    return {op for op in operations if hasattr(sys.modules[_home(op)], "kernels")}


@pytest.fixture(scope="session")
def operations_on_numpy(operations, operations_on_kernels):
    """All others."""
    return operations - operations_on_kernels


def _home(op):
    """The module in which the first rule of an operation is written."""
    rules = (op.joint, *op.vjps, op.forward)
    return next(rule for rule in rules if rule is not None).__module__
