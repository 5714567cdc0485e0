"""Run one notebook in a fresh kernel and say what came of it."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from nnlite.checks import Check
from nnlite.cli.find import Lecture
from nnlite.cli.journal import Fault, Journal
from nnlite.cli.kernel import MOST_OUTPUT, Client, ThisPython, watching
from nnlite.cli.reading import UnreadableError, keep_core, read

__all__ = ["Result", "Runner"]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MOST_FAULTS = 10  # told of one lecture


@dataclass
class Result:
    """What came of a lecture.

    Attributes
    ----------
    lecture : Lecture
        Which.
    status : str
        "passed", "failed check", "hidden check", "forged check", "hidden error", "error",
        "timeout", "too much output", "kernel died", "unreadable", "no checks" or "stopped".
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

    def fail(self, faults: Sequence[Fault]) -> None:
        """Take on the status of the first fault, if there is any, and tell of all."""
        if not faults:
            return
        first, *others = faults
        self.status, self.cell = first.status, first.cell
        told = [_last_lines(first.problem)]
        told += [
            f"in cell {fault.cell}, {fault.status}: {_last_lines(fault.problem)}"
            for fault in others[: _MOST_FAULTS - 1]
        ]
        if len(faults) > _MOST_FAULTS:
            told.append(f"and {len(faults) - _MOST_FAULTS} more")
        self.problem = "\n\n".join(told)


class Runner:
    """A runner of notebooks, in several threads if wanted; ``stop`` ends all of them.

    Parameters
    ----------
    environment : dict
        Environment variables of the kernels.
    timeout : float
        Longest time for one cell, in seconds.
    core : bool
        Leave out the cells tagged ``optional``; the notebook then says so.
    """

    def __init__(self, environment: dict[str, str], timeout: float, core: bool = False) -> None:
        self.environment = environment
        self.timeout = timeout
        self.core = core
        self._clients: set[Client] = set()
        self._stopped = False
        self._lock = threading.Lock()

    def run(self, lecture: Lecture, at_cell: Callable[[int, int], None]) -> Result:
        """Run a lecture; ``at_cell`` is called with the number of each cell and of all cells."""
        start = time.monotonic()
        result = Result(lecture)
        try:
            result.notebook = read(lecture.path)
            if self.core:
                keep_core(result.notebook)
            with tempfile.TemporaryDirectory(prefix="nnlite-") as folder:
                self._execute(result, Journal(Path(folder) / "journal"), at_cell)
        except UnreadableError as error:
            result.status, result.problem = "unreadable", str(error)
        except Exception as error:  # whatever an odd notebook does to Jupyter, the others go on
            result.status = "error"
            result.problem = f"cannot be run: {type(error).__name__}: {_last_lines(str(error))}"
        result.seconds = time.monotonic() - start
        return result

    def stop(self) -> None:
        """Kill all kernels: the user has had enough."""
        with self._lock:
            self._stopped = True
            for client in self._clients:
                client.kill()

    def _execute(
        self, result: Result, journal: Journal, at_cell: Callable[[int, int], None]
    ) -> None:
        notebook = result.notebook
        said = journal.path.with_name("stderr")
        current = 0

        def begin(cell: Any, cell_index: int) -> None:
            nonlocal current
            journal.read(current)
            current = cell_index + 1
            at_cell(current, len(notebook.cells))

        client = self._client(result, journal, begin)
        with self._lock:
            if self._stopped:
                result.status, result.problem = "stopped", "stopped before it began."
                return
            self._clients.add(client)
        environment = {
            **self.environment,
            "NNLITE_JOURNAL": str(journal.path),
            # The user's own start-up files and history of commands are no part of a lecture.
            "IPYTHONDIR": str(journal.path.parent),
        }
        try:
            with said.open("wb") as stderr:  # ours is for the progress
                client.execute(env=environment, stdout=subprocess.DEVNULL, stderr=stderr)
        except CellTimeoutError:
            result.status, result.cell = "timeout", current
            result.problem = (
                f"cell {current} ran longer than {self.timeout:g} s and was stopped; "
                "allow more with --timeout SECONDS."
            )
        except CellExecutionError as error:
            result.cell = current
            if error.ename == "ClosedFormMismatch":
                result.status, result.problem = "failed check", _last_lines(error.evalue)
            else:
                result.status, result.problem = "error", _traceback(notebook.cells[current - 1])
        except (DeadKernelError, RuntimeError) as error:
            result.status, result.cell = "kernel died", current or None
            words = [str(error), client.cause_of_death(), said.read_text("utf-8", "replace")]
            told = "\n".join(filter(None, words))
            result.problem = f"the kernel died: {_last_lines(told)}"
        finally:
            client.kill()  # what the lecture has started ends with it
            with self._lock:
                self._clients.discard(client)
        journal.read(current)
        self._judge(result, journal)

    def _client(
        self, result: Result, journal: Journal, begin: Callable[[Any, int], None]
    ) -> Client:
        return Client(
            result.notebook,
            watch=watching(journal.path),
            # Not `timeout`, which takes whole seconds only.
            timeout_func=lambda cell: self.timeout,
            startup_timeout=120,
            # Nothing a lecture needs happens at shutdown, and a hung cell would not hear a request.
            shutdown_kernel="immediate",
            kernel_manager_class=ThisPython,
            resources={"metadata": {"path": str(result.lecture.path.parent)}},
            skip_cells_with_tag="",  # what is not run is not checked
            on_cell_start=begin,
        )

    def _judge(self, result: Result, journal: Journal) -> None:
        """Say what came of a lecture by what its kernel wrote down, not by what it shows."""
        result.checks = journal.checks()
        overflow = journal.overflow(MOST_OUTPUT)
        if self._stopped and not result.passed:
            result.status, result.problem = "stopped", "stopped before its end."
        elif overflow:
            result.fail([overflow])
        elif result.status == "error" and not result.problem and result.cell:
            # IPython shows no traceback of a magic that does not exist, and of some others.
            result.problem = _last_lines(journal.error_in(result.cell))
        elif result.passed:
            nothing = "the lecture ran, but checked nothing: it has no closed_form(...)."
            result.fail(
                journal.faults(result.notebook)
                or ([] if result.checks else [Fault("no checks", nothing, None)])
            )


def _traceback(cell: Any) -> str:
    """The end of the traceback that a cell shows."""
    lines = [
        line for output in cell.outputs for line in output.get("traceback", []) if line.strip()
    ]
    return _last_lines("\n".join(lines))


def _last_lines(text: str, most: int = 12, longest: int = 400) -> str:
    """The end of a message, without colours and without endless lines."""
    lines = _ANSI.sub("", text).strip().splitlines()
    ends = [x if len(x) <= longest else x[:longest] + "..." for x in lines[-most:]]
    return "\n".join(["..."] * (len(lines) > most) + ends)
