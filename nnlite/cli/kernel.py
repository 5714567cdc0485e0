"""The kernel of a lecture: watched from its first cell on, and killed with all it has started.

It is this very Python: no kernelspec has to be installed, and none of another environment can be
picked up by mistake.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.resources
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

__all__ = ["MOST_OUTPUT", "Client", "ThisPython", "cores", "kernel_environment", "watching"]

# One thread for BLAS, whatever the cores: its threads spin while they wait, and beside those of the
# compiled kernels that makes both many times slower. The kernels have the cores.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
# Bytes that a cell and a lecture may show. The largest of ours, a slider, has 2 MB.
MOST_OUTPUT = 8_000_000
_MOST_IN_ALL = 64_000_000
_PATIENCE = 10.0  # seconds for the threads and tasks that a lecture leaves behind


def cores() -> int:
    """The number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kernel_environment(jobs: int, full: bool) -> dict[str, str]:
    """The environment of a kernel, one of ``jobs`` that share the cores.

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


class ThisPython(AsyncKernelManager):
    """Starts ipykernel with the interpreter that runs nnlite."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command that starts a kernel."""
        arguments = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        return KernelSpec(
            argv=[sys.executable, *arguments], display_name="Python 3", language="python"
        )


class Client(NotebookClient):
    """Sends the kernel its witness before the first cell, and can kill it with its children."""

    def __init__(self, notebook: Any, watch: str, **options: Any) -> None:
        super().__init__(notebook, **options)
        self._watch = watch
        self._process: Any = None
        self._group: int | None = None
        self._killed = False

    async def async_start_new_kernel_client(self) -> Any:
        """Start the kernel, and its witness in it."""
        client: Any = await super().async_start_new_kernel_client()
        manager: Any = self.km
        provisioner = manager.provisioner
        self._process, self._group = provisioner.process, provisioner.pgid
        if self._killed:  # while the kernel was starting, when there was nothing to kill yet
            self.kill()
            raise RuntimeError("it was stopped while it started.")
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
        """Run a cell, and after the last one what the kernel still has to say."""
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
                raise RuntimeError("what the last cell left running keeps it from answering.")
            if not reply.done() and self._process.poll() is not None:
                reply.cancel()
                raise RuntimeError("it ended before the lecture did.")
        content = reply.result()["content"]
        if content["status"] != "ok":
            raise RuntimeError(f"the kernel's witness is gone: {content.get('evalue')}")

    def cause_of_death(self) -> str:
        """The signal or exit code of a kernel that has ended by itself, in words."""
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


def watching(journal: Path) -> str:
    """The code that makes a kernel its own witness."""
    source = importlib.resources.files("nnlite.cli").joinpath("witness.py").read_text("utf-8")
    call = f"\nwatch({str(journal)!r}, {MOST_OUTPUT}, {_MOST_IN_ALL}, {_PATIENCE})\n"
    return f"exec({source + call!r}, {{'__name__': 'nnlite_witness'}})"
