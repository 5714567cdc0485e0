"""Run one notebook in a fresh kernel and say what came of it.

The kernel is this very Python: no kernelspec has to be installed, and none of another
environment can be picked up by mistake.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from nnlite.checks import report
from nnlite.checks.ledger import CHECK_MIME, Check
from nnlite.cli.find import Lecture

__all__ = ["Result", "Runner", "cores", "kernel_environment"]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# One thread for BLAS, whatever the cores: its threads spin while they wait, and beside those of the
# compiled kernels that makes both many times slower. The kernels have the cores.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass
class Result:
    """What came of a lecture.

    Attributes
    ----------
    lecture : Lecture
        Which.
    status : str
        "passed", "failed check", "error", "timeout", "kernel died", "unreadable" or "no checks".
    problem : str
        What went wrong, with its numbers; empty if nothing did.
    cell : int or None
        Cell in which it went wrong, counted from 1 over all cells.
    seconds : float
        Wall-clock time.
    checks : list of (int, Check)
        Number of the cell and check, in the order of the notebook.
    notebook : NotebookNode or None
        The executed notebook, as far as it came.
    """

    lecture: Lecture
    status: str = "passed"
    problem: str = ""
    cell: int | None = None
    seconds: float = 0.0
    checks: list[tuple[int, Check]] = field(default_factory=list)
    notebook: Any = None

    @property
    def passed(self) -> bool:
        """Whether the lecture ran to its end with at least one check and none failed."""
        return self.status == "passed"


def cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kernel_environment(jobs: int, full: bool) -> dict[str, str]:
    """Return the environment of a kernel, one of `jobs` that share the cores.

    A limit that the user has set is kept: the kernels together may then use fewer cores.
    """
    environment = dict(os.environ)
    environment.pop("NNLITE_FULL", None)
    if full:
        environment["NNLITE_FULL"] = "1"
    # A backend chosen for scripts would keep figures out of the notebook.
    environment.pop("MPLBACKEND", None)
    environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # no debugger here, so no word about it
    for name in _BLAS_THREADS:
        environment.setdefault(name, "1")
    environment.setdefault("NUMBA_NUM_THREADS", str(max(1, cores() // jobs)))
    return environment


class _ThisPython(AsyncKernelManager):
    """Starts ipykernel with the interpreter that runs nnlite."""

    @property
    def kernel_spec(self) -> KernelSpec:
        arguments = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        return KernelSpec(
            argv=[sys.executable, *arguments], display_name="Python 3", language="python"
        )


class Runner:
    """Runs notebooks, from several threads if wanted; `stop` ends all of them.

    Parameters
    ----------
    environment : dict
        Environment variables of the kernels.
    timeout : float
        Longest time for one cell, in seconds.
    """

    def __init__(self, environment: dict[str, str], timeout: float) -> None:
        self.environment = environment
        self.timeout = timeout
        self._clients: set[NotebookClient] = set()
        self._stopped = False
        self._lock = threading.Lock()

    def run(self, lecture: Lecture, at_cell: Callable[[int, int], None]) -> Result:
        """Run a lecture; `at_cell` hears the number of each cell and of all cells."""
        start = time.monotonic()
        result = Result(lecture)
        try:
            result.notebook = _read(lecture.path)
        except _UnreadableError as error:
            result.status, result.problem = "unreadable", str(error)
        else:
            self._execute(result, at_cell)
            _gather_checks(result)
        result.seconds = time.monotonic() - start
        return result

    def stop(self) -> None:
        """Kill all kernels: the user has had enough."""
        with self._lock:
            self._stopped = True
            for client in self._clients:
                provisioner: Any = getattr(client.km, "provisioner", None)
                process = getattr(provisioner, "process", None)
                if process is None or process.poll() is not None:
                    continue
                if hasattr(os, "killpg") and provisioner.pgid:  # what the lecture started, too
                    os.killpg(provisioner.pgid, signal.SIGKILL)
                else:
                    process.kill()

    def _execute(self, result: Result, at_cell: Callable[[int, int], None]) -> None:
        notebook = result.notebook
        current = 0

        def begin(cell: Any, cell_index: int) -> None:
            nonlocal current
            current = cell_index + 1
            at_cell(current, len(notebook.cells))

        client = NotebookClient(
            notebook,
            timeout=self.timeout,
            startup_timeout=120,
            # Nothing a lecture needs happens at shutdown, and a hung cell would not hear a request.
            shutdown_kernel="immediate",
            kernel_manager_class=_ThisPython,
            resources={"metadata": {"path": str(result.lecture.path.parent)}},
            on_cell_start=begin,
        )
        with self._lock:
            if self._stopped:
                result.status, result.problem = "error", "stopped before it began"
                return
            self._clients.add(client)
        try:
            client.execute(env=self.environment)
        except CellTimeoutError:
            result.status, result.cell = "timeout", current
            result.problem = (
                f"cell {current} ran longer than {self.timeout:g} s and was stopped; "
                "allow more with --timeout SECONDS"
            )
        except CellExecutionError as error:
            result.cell = current
            if error.ename == "ClosedFormMismatch":
                result.status, result.problem = "failed check", _last_lines(error.evalue)
            else:
                result.status, result.problem = "error", _traceback(notebook.cells[current - 1])
        except (DeadKernelError, RuntimeError) as error:
            result.status, result.cell = "kernel died", current or None
            result.problem = f"the kernel died: {_last_lines(str(error))}"
        finally:
            with self._lock:
                self._clients.discard(client)


class _UnreadableError(Exception):
    """A file that is not a notebook."""


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _UnreadableError(f"cannot read the file: {error}") from error
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise _UnreadableError(
            f"not a notebook: invalid JSON at line {error.lineno}, column {error.colno} "
            f"({error.msg}); take a fresh copy of the file"
        ) from error
    if not isinstance(raw, dict) or raw.get("nbformat") != 4:
        raise _UnreadableError("not a notebook of format 4: open and save it with JupyterLab")
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise _UnreadableError(f"not a valid notebook: {str(error).splitlines()[0]}") from error
    # Outputs that came with the file prove nothing: only what this run shows counts.
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _gather_checks(result: Result) -> None:
    """Collect the machine-readable checks, and judge a lecture that ran to its end by them."""
    for number, cell in enumerate(result.notebook.cells, start=1):
        for output in cell.get("outputs", []):
            row = output.get("data", {}).get(CHECK_MIME)
            if row is not None:
                result.checks.append((number, Check.from_json(row)))
    if not result.passed:
        return
    failed = [(n, check) for n, check in result.checks if check.counts_as_failure]
    if failed:
        result.status, result.cell = "failed check", failed[0][0]
        result.problem = report.mismatch(failed[0][1])
    elif not result.checks:
        result.status = "no checks"
        result.problem = "the lecture ran, but checked nothing: it has no closed_form(...)"


def _traceback(cell: Any) -> str:
    """Return the end of the traceback that a cell shows."""
    lines = [
        line for output in cell.outputs for line in output.get("traceback", []) if line.strip()
    ]
    return _last_lines("\n".join(lines))


def _last_lines(text: str, most: int = 12, longest: int = 400) -> str:
    """Return the end of a message, without colours and without endless lines."""
    lines = _ANSI.sub("", text).strip().splitlines()
    ends = [x if len(x) <= longest else x[:longest] + "..." for x in lines[-most:]]
    return "\n".join(["..."] * (len(lines) > most) + ends)
