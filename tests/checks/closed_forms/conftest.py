"""A notebook's kernel, as far as a check sees one."""

import sys
from types import SimpleNamespace

import pytest

from nnlite.checks.closed_forms import notebook


class _Shell:
    execution_count = 1
    cell = "a1b2"

    def get_parent(self):
        return {"metadata": {"cellId": self.cell}}


@pytest.fixture(name="notebook")
def _notebook(monkeypatch):
    """A stand-in for a kernel: collects what is displayed."""
    shown = []
    shell = _Shell()
    monkeypatch.setattr(notebook, "_shell", lambda: shell)
    display = SimpleNamespace(display=lambda thing: shown.append(thing._repr_mimebundle_()))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    shell.shown = shown
    return shell
