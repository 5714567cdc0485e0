"""Run one notebook in a fresh kernel and say what came of it.

The kernel is this very Python: no kernelspec has to be installed, and none of another
environment can be picked up by mistake.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.resources
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from nnlite.checks import Check
from nnlite.cli.find import Lecture
from nnlite.cli.journal import Fault, Journal
from nnlite.cli.reading import UnreadableError, keep_core, read

__all__ = ["Result", "Runner", "cores", "kernel_environment"]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# One thread for BLAS, whatever the cores: its threads spin while they wait, and beside those of the
# compiled kernels that makes both many times slower. The kernels have the cores.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
# Bytes that a cell and a lecture may show. The largest of ours, a slider, has 2 MB.
_MOST_OUTPUT = 8_000_000
_MOST_IN_ALL = 64_000_000
_PATIENCE = 10.0  # seconds for the threads and tasks that a lecture leaves behind
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
    core : bool
        Leave out the cells tagged ``optional``; the notebook then says so.
    """

    def __init__(self, environment: dict[str, str], timeout: float, core: bool = False) -> None:
        self.environment = environment
        self.timeout = timeout
        self.core = core
        self._clients: set[_Client] = set()
        self._stopped = False
        self._lock = threading.Lock()

    def run(self, lecture: Lecture, at_cell: Callable[[int, int], None]) -> Result:
        """Run a lecture; `at_cell` is called with the number of each cell and of all cells."""
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
        current = 0

        def begin(cell: Any, cell_index: int) -> None:
            nonlocal current
            journal.read(current)
            current = cell_index + 1
            at_cell(current, len(notebook.cells))

        said = journal.path.with_name("stderr")
        client = _Client(
            notebook,
            watch=_watch(journal.path),
            # Not `timeout`, which takes whole seconds only.
            timeout_func=lambda cell: self.timeout,
            startup_timeout=120,
            # Nothing a lecture needs happens at shutdown, and a hung cell would not hear a request.
            shutdown_kernel="immediate",
            kernel_manager_class=_ThisPython,
            resources={"metadata": {"path": str(result.lecture.path.parent)}},
            skip_cells_with_tag="",  # what is not run is not checked
            on_cell_start=begin,
        )
        with self._lock:
            if self._stopped:
                result.status, result.problem = "stopped", "stopped before it began"
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
            words = [str(error), client.cause_of_death(), said.read_text("utf-8", "replace")]
            told = "\n".join(filter(None, words))
            result.problem = f"the kernel died: {_last_lines(told)}"
        finally:
            client.kill()  # what the lecture has started ends with it
            with self._lock:
                self._clients.discard(client)
        journal.read(current)
        self._judge(result, journal)

    def _judge(self, result: Result, journal: Journal) -> None:
        """Say what came of a lecture by what its kernel wrote down, not by what it shows."""
        result.checks = journal.checks()
        overflow = journal.overflow(_MOST_OUTPUT)
        if self._stopped and not result.passed:
            result.status, result.problem = "stopped", "stopped before its end"
        elif overflow:
            result.fail([overflow])
        elif result.status == "error" and not result.problem and result.cell:
            # IPython shows no traceback of a magic that does not exist, and of some others.
            result.problem = _last_lines(journal.error_in(result.cell))
        elif result.passed:
            nothing = "the lecture ran, but checked nothing: it has no closed_form(...)"
            result.fail(
                journal.faults(result.notebook)
                or ([] if result.checks else [Fault("no checks", nothing, None)])
            )


class _Client(NotebookClient):
    """Sends the kernel its witness before the first cell, and can kill it with its children."""

    def __init__(self, notebook: Any, watch: str, **options: Any) -> None:
        super().__init__(notebook, **options)
        self._watch = watch
        self._process: Any = None
        self._group: int | None = None
        self._killed = False

    async def async_start_new_kernel_client(self) -> Any:
        client: Any = await super().async_start_new_kernel_client()
        manager: Any = self.km
        provisioner = manager.provisioner
        self._process, self._group = provisioner.process, provisioner.pgid
        if self._killed:  # while the kernel was starting, when there was nothing to kill yet
            self.kill()
            raise RuntimeError("it was stopped while it started")
        reply = await client.execute_interactive(
            self._watch,
            silent=True,
            store_history=False,
            allow_stdin=False,
            timeout=120,
            output_hook=lambda message: None,
        )
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the kernel cannot be watched: {reply['content'].get('evalue')}")
        return client

    async def async_execute_cell(
        self, cell: Any, cell_index: int, *arguments: Any, **options: Any
    ) -> Any:
        executed = await super().async_execute_cell(cell, cell_index, *arguments, **options)
        if cell_index == len(self.nb.cells) - 1:
            await self._hear_the_end()
        return executed

    async def _hear_the_end(self) -> None:
        """Let the witness wait for what still runs, and note what it says."""
        client: Any = self.kc
        reply = asyncio.ensure_future(
            client.execute_interactive(
                "await get_ipython().nnlite_at_end()",
                silent=True,
                store_history=False,
                allow_stdin=False,
                output_hook=lambda message: None,
            )
        )
        longest: Any = self.timeout_func
        end = time.monotonic() + _PATIENCE + longest(None)
        while not reply.done():
            await asyncio.wait([reply], timeout=0.2)
            if not reply.done() and time.monotonic() > end:
                reply.cancel()
                raise RuntimeError("what the last cell left running keeps it from answering")
            if not reply.done() and self._process.poll() is not None:
                reply.cancel()
                raise RuntimeError("it ended before the lecture did")
        content = reply.result()["content"]
        if content["status"] != "ok":
            raise RuntimeError(f"the kernel's witness is gone: {content.get('evalue')}")

    def cause_of_death(self) -> str:
        """Return the signal or exit code of a kernel that has ended by itself, in words."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return ""
        if code >= 0:
            return f"it ended with exit code {code}"
        name = signal.Signals(-code).name
        memory = "; the system may have been out of memory" if name == "SIGKILL" else ""
        return f"it was ended by {name}{memory}"

    def kill(self) -> None:
        """End the kernel and the processes it has started, at once."""
        self._killed = True
        if self._group and self._group != os.getpgrp():
            with contextlib.suppress(ProcessLookupError, PermissionError):  # all have ended
                os.killpg(self._group, signal.SIGKILL)
        elif self._process is not None and self._process.poll() is None:
            self._process.kill()


def _watch(journal: Path) -> str:
    """Return the code that makes a kernel its own witness."""
    source = importlib.resources.files("nnlite.cli").joinpath("witness.py").read_text("utf-8")
    call = f"\nwatch({str(journal)!r}, {_MOST_OUTPUT}, {_MOST_IN_ALL}, {_PATIENCE})\n"
    return f"exec({source + call!r}, {{'__name__': 'nnlite_witness'}})"


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
