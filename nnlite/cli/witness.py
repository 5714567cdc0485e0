"""What the kernel of a lecture is told before its first cell: note whatever an output may hide.

Runs inside the kernel, as text that `nnlite.cli.execute` sends there, so that nnlite itself is
imported by the lecture and not before it. It writes to the journal, beside the checks that
`nnlite.checks.ledger` writes there:

- which process the kernel is;
- every exception that IPython shows. Under ``%%capture``, ``%%time`` or ``%run``, in the drawing of
  a figure or in the ``_repr_html_`` of an object it is shown, or captured, and the cell goes on as
  if nothing had happened;
- every exception that ends a thread;
- that a cell writes without end, which stops the kernel.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

from IPython import get_ipython


def watch(journal: str, most_in_cell: int, most_in_all: int) -> None:
    """Hook into this kernel; the journal is a file, the limits are in bytes."""
    shell: Any = get_ipython()

    def note(**entry: Any) -> None:
        line = json.dumps({"process": os.getpid(), **entry})
        with open(journal, "ab", buffering=0) as file:
            file.write(line.encode() + b"\n")

    note(kernel=True)
    _note_exceptions(shell, note)
    _note_threads(note)
    _limit_output(shell.kernel.session, note, most_in_cell, most_in_all)
    if hasattr(shell, "system_raise_on_error"):  # a shell command that fails, fails its cell
        shell.system_raise_on_error = True


def _note_exceptions(shell: Any, note: Any) -> None:
    def noting(show: Any) -> Any:
        def show_and_note(*arguments: Any, **options: Any) -> Any:
            given = arguments[0] if arguments else options.get("exc_tuple")
            kind, error = (given if isinstance(given, tuple) else sys.exc_info())[:2]
            if kind is not None:
                note(error=kind.__name__, message=str(error)[:2000])
            return show(*arguments, **options)

        return show_and_note

    for name in ("showtraceback", "showsyntaxerror", "showindentationerror"):
        setattr(shell, name, noting(getattr(shell, name)))


def _note_threads(note: Any) -> None:
    show = threading.excepthook

    def show_and_note(arguments: Any) -> None:
        if arguments.exc_type is not SystemExit:  # how a thread may end
            name = arguments.thread.name if arguments.thread else "a thread"
            message = f"{str(arguments.exc_value)[:2000]} (in {name})"
            note(error=arguments.exc_type.__name__, message=message)
        show(arguments)

    threading.excepthook = show_and_note


def _limit_output(session: Any, note: Any, most_in_cell: int, most_in_all: int) -> None:
    """Count what goes out to be shown; beyond the limit, the kernel ends at once."""
    send, lock = session.send, threading.Lock()
    in_cell = in_all = 0

    def counting(stream: Any, message: Any, content: Any = None, *more: Any, **options: Any) -> Any:
        nonlocal in_cell, in_all
        kind = message["header"]["msg_type"] if isinstance(message, dict) else message
        body = message.get("content") if isinstance(message, dict) else content
        size = _size(body) + sum(memoryview(b).nbytes for b in options.get("buffers") or ())
        with lock:  # threads print as well
            if kind == "execute_input":
                in_cell = 0
            in_cell += size
            in_all += size
            if in_cell > most_in_cell or in_all > most_in_all:
                note(output=in_cell, in_all=in_all)
                _end()
        return send(stream, message, content, *more, **options)

    session.send = counting


def _size(value: Any) -> int:
    """About how many bytes a message takes, without writing it out."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return 2 + sum(_size(k) + _size(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return 2 + sum(map(_size, value))
    return 8


def _end() -> None:
    """Kill this kernel and what it has started."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
