"""The examples in the docstrings of the engine and its operations are true."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import nnlite
import nnlite.engine
import nnlite.ops

MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (nnlite.engine, nnlite.ops)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    w = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    module = importlib.import_module(name)
    found = doctest.DocTestFinder(exclude_empty=True).find(
        module, globs={"np": np, "nnlite": nnlite, "w": w}
    )
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for test in found:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_some_examples_exist():
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(name) for name in MODULES]
    assert sum(len(t.examples) for m in modules for t in finder.find(m)) >= 10
