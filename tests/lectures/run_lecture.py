"""Run a lecture in this process, its core cells alone in a copy of it, and each bug in another.

``python run_lecture.py NOTEBOOK BUGS RESULT`` writes what came of them to RESULT, as JSON. A copy
is made by ``fork`` just before the cell that a bug is planted in, so that what came before is not
run again. Nothing is drawn in a copy, and a check that fails there lets the lecture go on until the
claim that must turn red is made.
"""

import json
import os
import runpy
import select
import signal
import sys
import time
import warnings
from pathlib import Path

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from lecture_form import Notebook
from traitlets.config import Config

import nnlite
from nnlite.checks import ClosedFormMismatch
from nnlite.checks.closed_forms import claims, recording

LONGEST = 300  # seconds that a copy may take

_figures = []


def _is_figure(data):
    return "image/png" in data or "<img" in str(data.get("text/html", ""))


class _Publisher(DisplayPublisher):
    def publish(self, data, *arguments, **options):
        _figures.append(_is_figure(data))


class _Hook(DisplayHook):
    def write_format_data(self, format_dict, md_dict=None):
        _figures.append(_is_figure(format_dict))


class _Shell(InteractiveShell):
    displayhook_class = _Hook
    display_pub_class = _Publisher


def _shell():
    config = Config()
    config.HistoryManager.enabled = False
    shell = _Shell.instance(config=config)
    shell.showtraceback = lambda *arguments, **options: None  # the result holds the exception
    return shell


def _run(shell, cell, source=None):
    """Run a cell; return what stopped it, as text."""
    done = shell.run_cell(source or cell.source, store_history=True)
    error = done.error_before_exec or done.error_in_exec
    if error is None or "raises-exception" in cell.tags:
        return ""
    return f"{cell}: {type(error).__name__}: {error}"


def main(notebook, bugs):
    """Run everything; return what came of it."""
    shell = _shell()
    told = {"error": "", "rows": [], "figures": {}, "core": None, "bugs": []}
    told["bugs"] += [_misplaced(notebook, bug) for bug in bugs if _misplaced(notebook, bug)]
    start = time.monotonic()
    for place, cell in enumerate(notebook.code):
        rest = notebook.code[place:]
        if cell.is_optional and told["core"] is None:
            told["core"] = _in_a_copy(_core_alone, shell, rest)
        for bug in bugs:
            if bug[0] == cell.id and not _misplaced(notebook, bug):
                red = _in_a_copy(_with_bug, shell, rest, bug)
                told["bugs"].append({"claim": bug[3], "problem": red, "bug": bug[2]})
        before = len(recording.recorded())
        _figures.clear()
        told["error"] = _run(shell, cell)
        told["figures"][str(cell)] = [sum(_figures), len(cell.alt)]
        for check in recording.recorded()[before:]:
            row = {**check.to_json(), "cell": str(cell), "optional": cell.is_optional}
            told["rows"].append({**row, "solution": "solution" in cell.tags})
        if told["error"]:
            break
    return {**told, "seconds": time.monotonic() - start}


def _misplaced(notebook, bug):
    """What is wrong with a row of BUGS, if anything is."""
    cell_id, old, new, claim = bug
    cells = [cell for cell in notebook.code if cell.id == cell_id]
    if not cells:
        problem = f"there is no code cell {cell_id}"
    elif cells[0].source.count(old) != 1:
        problem = f"{old!r} stands {cells[0].source.count(old)} times in the cell {cell_id}"
    elif old == new:
        problem = f"{old!r} is replaced by itself"
    else:
        return None
    return {"claim": claim, "problem": problem, "bug": new}


def _core_alone(shell, rest):
    """Run the cells that are left without the optional ones."""
    for cell in rest:
        problem = "" if cell.is_optional else _run(shell, cell)
        if problem:
            return problem
    return ""


def _with_bug(shell, rest, bug):
    """Run the cells that are left, the first with a bug, until the claim is made and is red."""
    _, old, new, claim = bug
    verdicts = []
    keep = claims.record

    def watch(check):
        keep(check)
        if check.claim == claim and not check.on_purpose and not check.task:
            verdicts.append(check.passed)
            if not check.passed:
                raise _RedError

    def go_on(*arguments, **options):
        try:
            return strict(*arguments, **options)
        except ClosedFormMismatch as error:
            return error.check

    strict = nnlite.closed_form
    claims.record = watch
    nnlite.closed_form = go_on
    for cell in rest:
        if "closed_form" in shell.user_ns:
            shell.user_ns["closed_form"] = go_on
        source = cell.source.replace(old, new) if cell is rest[0] else cell.source
        problem = _run(shell, cell, source)
        if False in verdicts:
            return ""
        if verdicts:
            return "it stays green"
        if problem:
            return f"the bug stops the lecture before the claim: {problem}"
    return "the claim is never made"


class _RedError(BaseException):
    """The claim is red, and nothing more of the lecture has to run."""


def _in_a_copy(work, shell, *arguments):
    """Return what a function returns in a fork of this process."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        answer = "it died"
        try:
            shell.display_formatter.active_types = ["text/plain"]  # no figure is drawn
            answer = work(shell, *arguments)
        finally:  # whatever happens, a copy does not go on as if it were the lecture
            os.write(writing, json.dumps(answer[:2000]).encode())
            os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], LONGEST)
    said = os.read(reading, 65_536) if ready else b""
    if not said:
        os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(reading)
    if said:
        return json.loads(said)
    return "it died" if ready else f"it ran longer than {LONGEST} s"


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message="This process was forked")
    lecture, planted, result = map(Path, sys.argv[1:])
    rows = runpy.run_path(str(planted))["BUGS"] if planted.exists() else []
    os.chdir(lecture.parent)
    result.write_text(json.dumps(main(Notebook(lecture), rows)), "utf-8")
