"""A module of experiments that worker processes can import."""

import importlib
import sys

import pytest

EXPERIMENTS = '''
"""Experiments: each notes in a file that it has run."""

import os
import time
from pathlib import Path

NOTES = Path(__file__).with_name("notes")


def square(a, seed, b=1):
    note(f"{a} {b} {seed}")
    return {"value": a * a * b + seed, "kind": "even" if seed % 2 == 0 else "odd"}


def threads(a, seed):
    time.sleep(0.3)
    return {"threads": int(os.environ["OMP_NUM_THREADS"]), "process": os.getpid()}


def often_fails(a, seed):
    note(f"{a} {seed}")
    if a == 2 and seed == 1 and not NOTES.with_name("mended").exists():
        raise ValueError("2 and 1 do not go together")
    return a + seed


def dies_once(a, seed):
    """The run of seed 3 takes its whole process with it, once."""
    time.sleep(0.05)
    marker = NOTES.with_name("dead")
    if seed == 3 and not marker.exists():
        marker.touch()
        os._exit(1)
    note(f"{a} {seed}")
    return a + seed


def slow(a, seed):
    time.sleep(0.2)
    note(f"{a} {seed}")
    return {"value": a + seed, "process": os.getpid()}


def note(text):
    with open(NOTES, "a") as file:
        file.write(text + "\\\\n")
'''


@pytest.fixture
def experiments(tmp_path, monkeypatch):
    """The module above, with ``ran()``: what its runs have noted so far."""
    (tmp_path / "experiments_of_a_sweep.py").write_text(EXPERIMENTS.replace("\\\\n", "\\n"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "experiments_of_a_sweep", raising=False)
    module = importlib.import_module("experiments_of_a_sweep")
    module.ran = lambda: module.NOTES.read_text().splitlines() if module.NOTES.exists() else []
    yield module
    sys.modules.pop("experiments_of_a_sweep", None)
