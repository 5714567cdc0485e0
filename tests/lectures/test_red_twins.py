"""Every check of a lecture has power: a wrong law or a planted bug turns it red.

A claim names its rivals in the call (``wrong=``, ``planted=``), or a row of ``bugs/lecture_NN.py``
plants a bug in a cell: ``(cell id, old text, new text, claim that must turn red)``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import lecture_form
import pytest

pytest.importorskip("IPython")
pytest.importorskip("matplotlib_inline")

HERE = Path(__file__).parent
SCRIPT = HERE / "run_lecture.py"


def _result(notebook, bugs, folder):
    """What came of running a lecture, its core path alone and its bugs."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot copy a process: there is no fork")
    result = folder / "result.json"
    environment = {
        **os.environ,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OPENBLAS_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",  # the lectures run side by side
        "IPYTHONDIR": str(folder),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")])),
    }
    environment.pop("NNLITE_FULL", None)
    run = subprocess.run(
        [sys.executable, "-X", "utf8", SCRIPT, notebook.path, bugs, result],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=1200,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    return json.loads(result.read_text("utf-8"))


def _problems(told):
    """All that is wrong with a lecture that has run, in sentences."""
    if told["error"]:
        yield f"it does not run: {told['error']}"
        return
    if told["core"] is None:
        yield "there is no optional cell, so no core path"
    elif told["core"]:
        yield f"the core path alone does not run: {told['core']}"
    rows = told["rows"]
    yield from _without_power(rows, told["bugs"])
    story = [row for row in rows if row["passed"] and not row["section"] and not row["optional"]]
    if not 8 <= len(story) <= 18:
        yield f"{len(story)} story checks on the core path, 8 to 18 are wanted"
    for row in rows:
        if row["optional"] != row["section"].startswith("★"):
            yield f"{row['claim']!r} ({row['cell']}) is in the section {row['section']!r}"
    tasks = [row for row in rows if row["task"]]
    solved = [row["claim"] for row in rows if row["solution"] and row["passed"]]
    if len(tasks) != 1 or not solved:
        yield f"{len(tasks)} open tasks and {len(solved)} solutions, one of each is wanted"
    for cell, (figures, texts) in told["figures"].items():
        if figures != texts:
            yield f"{cell} shows {figures} figures and has {texts} alternative texts"


def _without_power(rows, bugs):
    for bug in bugs:
        if bug["problem"]:
            yield f"{bug['claim']!r} is not red with {bug['bug']!r}: {bug['problem']}"
    red = {bug["claim"] for bug in bugs if not bug["problem"]}
    needy = [row for row in rows if row["passed"] and not row["ruled_out"]]
    silent = [row for row in needy if row["claim"] not in red]
    yield from dict.fromkeys(f"{row['claim']!r} ({row['cell']}) names no rival" for row in silent)
    made = {row["claim"] for row in rows}
    yield from (f"no check claims {bug['claim']!r}" for bug in bugs if bug["claim"] not in made)


@pytest.mark.power
def test_the_core_path_runs_alone_and_every_check_has_power(lecture, tmp_path):
    told = _result(lecture, HERE / "bugs" / f"lecture_{lecture.number}.py", tmp_path)
    assert list(_problems(told)) == []


# --- a lecture of one's own -----------------------------------------------------------------------

CELLS = [
    ("a", "from nnlite import closed_form, expected_failure, more_checks, your_turn", []),
    ("b", "def f(x):\n    return 2 * x", []),
    ("c", "closed_form('first', f(1), 2, atol=0)\nclosed_form('double', f(3), 6, atol=0)", []),
    ("d", "with your_turn('triple'):\n    closed_form('triple', ..., 3, atol=0)", []),
    ("e", "closed_form('triple', 3, 3, atol=0, wrong={'double': 2})", ["solution"]),
    ("g", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);", []),
    (
        "h",
        "extra = 1\nwith more_checks('★ S'):\n    closed_form('s', extra, 1, atol=0)",
        ["optional"],
    ),
    ("i", "closed_form('named', f(2), 4, atol=0, wrong={'square of 3': 9})", []),
]


def _own(folder, cells=CELLS):
    raw = {
        "cells": [
            {
                "id": name,
                "cell_type": "code",
                "source": source,
                "metadata": {"tags": tags, "nnlite": {"alt": "A line."} if name == "g" else {}},
            }
            for name, source, tags in cells
        ],
        "metadata": {},
    }
    path = folder / "00_own.ipynb"
    path.write_text(json.dumps(raw), "utf-8")
    return lecture_form.Notebook(path)


def _told(folder, bugs, cells=CELLS):
    path = folder / "bugs.py"
    path.write_text(f"BUGS = {bugs!r}", "utf-8")
    return _result(_own(folder, cells), path, folder)


def test_a_bug_turns_the_named_claim_red_whatever_fails_before_it(tmp_path):
    told = _told(
        tmp_path,
        [
            ("b", "2 * x", "2 + x", "double"),  # "first" is red as well, in the same cell
            ("b", "2 * x", "x + x", "double"),
            ("b", "2 * x", "2 * y", "double"),
            ("b", "2 * x", "3 * x", "never claimed"),
            ("b", "not there", "3 * x", "double"),
            ("z", "2 * x", "3 * x", "double"),
            ("h", "extra = 1", "extra = 2", "s"),
        ],
    )
    assert told["error"] == ""
    assert told["core"] == ""
    problems = [bug["problem"] for bug in told["bugs"]]
    wanted = [
        "stands 0 times",
        "no code cell z",
        "",
        "stays green",
        "stops the lecture before the claim: cell 3",
        "never made",
        "",
    ]
    assert len(problems) == len(wanted)
    for problem, words in zip(problems, wanted, strict=True):
        assert (words in problem) if words else problem == ""


def test_a_claim_without_a_rival_is_told(tmp_path):
    told = _told(tmp_path, [("b", "2 * x", "2 + x", "double")])
    problems = list(_problems(told))
    assert "'first' (cell 3 (c)) names no rival" in problems
    assert "'s' (cell 7 (h)) names no rival" in problems
    assert not any("double" in x or "named" in x or "triple" in x for x in problems)
    assert told["figures"]["cell 6 (g)"] == [1, 1]


def test_a_core_path_that_needs_an_optional_cell_is_told(tmp_path):
    needy = [*CELLS, ("j", "closed_form('needs it', extra, 1, atol=0)", [])]
    told = _told(tmp_path, [], needy)
    assert told["error"] == ""
    assert "NameError: name 'extra'" in told["core"]


def test_a_lecture_that_fails_is_told(tmp_path):
    told = _told(tmp_path, [], [*CELLS, ("j", "closed_form('bad', 1, 2, atol=0)", [])])
    assert "ClosedFormMismatch: bad" in next(_problems(told))
