"""Who does the runs: processes of this machine unless an executor is given."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

# A run in each process: their threads would only wait for each other.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class Here(Executor):
    """Does each run where and when it is submitted: for browsers, which have no processes."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of a call that has been made already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextlib.contextmanager
def pool(executor: Executor | None, train: Callable[..., Any], runs: int) -> Iterator[Executor]:
    """The executor, or as many processes as there are cores, ended afterwards."""
    if executor is not None:
        yield executor
    elif sys.platform == "emscripten":
        yield Here()
    else:
        from concurrent.futures import ProcessPoolExecutor  # slow to import
        from multiprocessing import get_context

        _refuse_unreachable(train)
        cores = getattr(os, "process_cpu_count", os.cpu_count)() or 1
        workers = max(1, min(cores, runs))
        processes = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
        try:
            with _threads(max(1, cores // workers)):  # as long as any may be started
                yield processes
        except BaseException:
            processes.shutdown(wait=False, cancel_futures=True)
            raise
        processes.shutdown()


@contextlib.contextmanager
def _threads(n: int) -> Iterator[None]:
    """Environment of processes started meanwhile: ``n`` threads, unless it says otherwise."""
    unset = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, str(n)))
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)


def _refuse_unreachable(train: Callable[..., Any]) -> None:
    """Raise for a function that a new process could not import."""
    inner = getattr(train, "func", train)  # of a functools.partial
    name = getattr(inner, "__qualname__", "")
    main = inner.__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__")
    if main or "<" in name:
        raise ValueError(
            f"sweep: train must be a function at the top of a module, which other processes can "
            f"import, got {name or inner!r} from {'a notebook' if main else inner.__module__}; "
            "write it to a file and import it, or pass "
            "executor=concurrent.futures.ThreadPoolExecutor(1)."
        )
