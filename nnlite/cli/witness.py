"""What the kernel of a lecture is told before its first cell: note whatever an output may hide.

Runs inside the kernel, as text that ``nnlite.cli.execute`` sends there, so that nnlite itself is
imported by the lecture and not before it. It writes to the journal, beside the checks that
``nnlite.checks.closed_forms`` writes there:

- which process the kernel is;
- every exception that IPython shows. Under ``%%capture``, ``%%time`` or ``%run``, in the drawing of
  a figure or in the ``_repr_html_`` of an object it is shown, or captured, and the cell goes on as
  if nothing had happened;
- every exception that ends a thread or a task, or that a ``__del__`` or a callback raises;
- functions of ``nnlite.checks`` that are others at the end than those in its files;
- that a cell writes without end, which stops the kernel.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import inspect
import json
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

from IPython import get_ipython


def watch(journal: str, most_in_cell: int, most_in_all: int, patience: float) -> None:
    """Hook into this kernel; the journal is a file, the limits are in bytes and seconds."""
    shell: Any = get_ipython()

    def note(**entry: Any) -> None:
        line = json.dumps({"process": os.getpid(), **entry})
        with open(journal, "ab", buffering=0) as file:
            file.write(line.encode() + b"\n")

    note(kernel=True)
    _note_exceptions(shell, note)
    _note_threads(note)
    _note_callbacks(note)
    _note_at_end(shell, note, patience)
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


def _note_callbacks(note: Any) -> None:
    """Note what nobody can catch: exceptions of ``__del__`` and of the event loop's callbacks."""
    show = sys.unraisablehook

    def show_and_note(unraisable: Any) -> None:
        where = unraisable.err_msg or "Exception ignored in"
        message = f"{str(unraisable.exc_value)[:2000]} ({where} {unraisable.object!r:.200})"
        note(error=unraisable.exc_type.__name__, message=message)
        show(unraisable)

    sys.unraisablehook = show_and_note

    def handle(loop: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            message = f"{str(error)[:2000]} ({context.get('message', '')})"
            note(error=type(error).__name__, message=message)
        loop.default_exception_handler(context)

    asyncio.get_event_loop().set_exception_handler(handle)


def _note_at_end(shell: Any, note: Any, patience: float) -> None:
    """Give the kernel a function to call after the last cell."""
    before = set(threading.enumerate())

    async def at_end() -> None:
        end = time.monotonic() + patience
        for thread in set(threading.enumerate()) - before:
            # Those of a pool wait for work until Python ends.
            of_pool = getattr(getattr(thread, "_target", None), "__module__", "")
            if not thread.daemon and not str(of_pool).startswith("concurrent."):
                while thread.is_alive() and time.monotonic() < end:
                    await asyncio.sleep(0.01)
        tasks = [x for x in gc.get_objects() if isinstance(x, asyncio.Task)]
        mine = [x for x in tasks if _globals_of(x) is shell.user_ns]
        if mine:
            await asyncio.wait(mine, timeout=max(0.0, end - time.monotonic()))
        for task in tasks:  # with an exception that nobody has asked for
            if task.done() and getattr(task, "_log_traceback", False):
                error = task.exception()
                note(error=type(error).__name__, message=f"{str(error)[:2000]} (in a task)")
        changed = ", ".join(_changed_functions())
        if changed:
            note(changed=changed)

    shell.nnlite_at_end = at_end


def _globals_of(task: Any) -> Any:
    """The global names of the function that a task runs, None if it has ended."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame.f_globals if frame else None


def _changed_functions() -> Iterator[str]:
    """The functions that make and record checks, and are not those of their files."""
    package = "nnlite.checks.closed_forms"
    for name in sorted(sys.modules):
        module = sys.modules.get(name) if name.startswith(f"{package}.") else None
        spec = importlib.util.find_spec(name) if module else None
        loader: Any = spec and spec.loader
        if spec and hasattr(loader, "get_code"):
            yield from _unlike_source(loader.get_code(spec.name), vars(module), spec.name)
    offered = vars(sys.modules.get(package, types))
    for name in offered.get("__all__", ()):
        made = inspect.unwrap(offered[name])
        for outer in ("nnlite.checks", "nnlite"):
            found = vars(sys.modules.get(outer, types)).get(name, made)
            if inspect.isfunction(made) and not _same(found, made):
                yield f"{outer}.{name}"
        if inspect.isfunction(made) and not _same(vars(sys.modules[made.__module__])[name], made):
            yield f"{package}.{name}"


def _same(found: Any, made: Any) -> bool:
    return getattr(inspect.unwrap(found), "__code__", None) == made.__code__


def _unlike_source(code: Any, names: Any, where: str) -> Iterator[str]:
    for inner in filter(inspect.iscode, code.co_consts):
        name = inner.co_name
        if name.startswith(("<", "__")):
            continue
        found = names.get(name)
        if isinstance(found, type):
            yield from _unlike_source(inner, vars(found), f"{where}.{name}")
            continue
        found = getattr(found, "fget", None) or getattr(found, "__func__", found)
        found = inspect.unwrap(found) if callable(found) else found
        if getattr(found, "__code__", None) != inner:
            yield f"{where}.{name}"


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
