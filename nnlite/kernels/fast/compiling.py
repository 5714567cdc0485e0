"""How the kernels are compiled and run in parallel: the decisions that all of them share.

**Two kinds of function.** A :func:`loop` is a plain serial function over a range. A
:func:`threaded` function splits a range over threads and calls loops. Each has a name of its own:
Numba files its cache by name, and one function compiled both ways would share the entry.

**Threads.** All kernels use Numba's one pool. Two pools that both spin (Numba's and the BLAS
library's, say) take turns at starving each other, so nothing in this package calls BLAS. The
number of threads is read at every call (``numba.set_num_threads`` works as users expect), and a
task too small to be worth waking threads for runs on one; where other programs need the cores, all
do (``crowding.py``). Of Numba's threading layers OpenMP is preferred: it starts a parallel loop in
about a microsecond and serves several Python threads at once. Where only ``workqueue`` exists (it
aborts the process if two Python threads use it), a lock serialises our calls. After ``fork()``
neither OpenMP nor workqueue can be used again in the child: there the kernels run on one thread,
with a warning; start process pools with ``spawn`` or ``forkserver``.

**Arguments.** Named tuples (``tile.py``, ``matrix.py``) are made inside compiled code, where they
cost nothing. What Python calls takes its arguments one by one: a named tuple would cost half a
microsecond more each time, a tenth of the call for a small layer.

**Numbers.** Numba's ``fastmath=True`` lets the compiler assume that NaN does not occur. The subset
here allows reordered sums and fused multiply-add, and keeps NaN and infinity.

**Compilation** happens at the first call with a given machine and version and is cached on disk;
where the cache folder cannot be written, kernels are compiled for each process.
"""

import hashlib
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numba
import numpy as np
from numba.core import config, event
from numba.core.caching import FunctionCache

from nnlite.kernels.fast.crowding import crowded

FASTMATH = {"contract", "reassoc", "nsz", "arcp"}
_OPTIONS = {"nogil": True, "error_model": "numpy"}

#: Numba would also run sums and assignments of whole arrays on all threads, however short. It takes
#: the entries out of the dict that it is given, so this one cannot be changed: hand over a copy.
ONLY_PRANGE = MappingProxyType(
    {
        "prange": True,
        "comprehension": False,
        "fusion": False,
        "inplace_binop": False,
        "numpy": False,
        "reduction": False,
        "setitem": False,
        "stencil": False,
    }
)

#: To Numba another type of argument means another copy of all that is called. Where 0 and 1, which
#: would be types of their own, are handed to a loop they go by these names, and the number of a
#: thread, which prange makes an unsigned integer, is handed on as ``np.int64(t)``.
INT0, INT1 = np.int64(0), np.int64(1)

#: Elements of pointwise work below which one thread is faster than waking another.
SMALL = 16384


def _fingerprint() -> str:
    """What compiled code depends on besides a function's own bytecode: all these sources.

    A function contains what it calls and inherits how that is compiled, but Numba looks only at the
    file in which the function stands, and at its time and size rather than at its content.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_SOURCES = _fingerprint()


class _Cache(FunctionCache):
    """Numba's cache on disk; an entry counts only for the sources and options it came from."""

    def __init__(self, function: Callable[..., Any], options: str) -> None:
        super().__init__(function)
        self._options = options

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), _SOURCES, self._options)


def _jit(function: Callable[..., Any], fastmath: set[str], **options: Any) -> Any:
    described = f"{sorted(fastmath)} {options}"  # before Numba takes the options out
    dispatcher = numba.njit(**_OPTIONS, fastmath=fastmath, **options)(function)
    try:
        dispatcher._cache = _Cache(function, described)  # cache=True would take Numba's own
    except RuntimeError as error:  # Numba found no folder that it may write to
        if "cannot cache function" not in str(error):
            raise
        _warn_no_cache()
    return dispatcher


_warned_no_cache = False


def _warn_no_cache() -> None:
    global _warned_no_cache
    if not _warned_no_cache:
        _warned_no_cache = True
        warnings.warn(
            "nnlite's compiled kernels cannot be cached: neither the package folder nor the user's "
            "cache folder is writable, so every new process compiles them again (a minute in all). "
            "Set NUMBA_CACHE_DIR to a folder that you may write to.",
            RuntimeWarning,
            stacklevel=2,
        )


def loop(function: Callable[..., Any]) -> Any:
    """Compile a serial loop."""
    return _jit(function, fastmath=FASTMATH)


def loop_inlined(function: Callable[..., Any]) -> Any:
    """Compile a loop into each of its callers: for long functions with few of them.

    A function that calls another contains its code, so a chain of calls is compiled once per link.
    """
    return _jit(function, fastmath=FASTMATH, inline="always")


def exact(function: Callable[..., Any]) -> Any:
    """Compile arithmetic whose order matters: fused multiply-add, but no reordering.

    To say nothing would not do: a function inherits the options of its caller.
    """
    return _jit(function, fastmath={"contract"})


def threaded(function: Callable[..., Any]) -> Any:
    """Compile a function with ``prange`` loops; the result knows its ``dispatcher``.

    The function's last argument is the number of threads among which it divides its work.
    """
    compiled = _jit(function, fastmath=FASTMATH, parallel=dict(ONLY_PRANGE))

    def call(*args: Any) -> Any:
        if args[-1] == 1 or not crowded():
            return compiled(*args)
        return _alone(compiled, args)

    def call_in_turn(*args: Any) -> Any:
        with _workqueue_lock:
            return call(*args)

    chosen: Any = wraps(function)(call_in_turn if _LAYER == "workqueue" else call)
    chosen.dispatcher = compiled
    return chosen


def _alone(compiled: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Run a kernel's loops on this thread only: the same parts of the work, one after the other."""
    count = _pool_size()
    _set_pool_size(1)
    try:
        return compiled(*args)
    finally:
        _set_pool_size(count)


_workqueue_lock = threading.RLock()


_MOST_THREADS = 1024


def _start_threads() -> str:
    """Start Numba's thread pool and return the name of its layer."""
    chosen_by_user = any(
        name in os.environ for name in ("NUMBA_THREADING_LAYER", "NUMBA_THREADING_LAYER_PRIORITY")
    )
    if not chosen_by_user and config.THREADING_LAYER == "default":
        # Only the order of preference, and only if the user has none; a running pool stays.
        config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]
    if config.NUMBA_NUM_THREADS > _MOST_THREADS:  # starting so many may end the process
        raise ValueError(
            f"NUMBA_NUM_THREADS={config.NUMBA_NUM_THREADS} asks for more than {_MOST_THREADS} "
            "threads; set it to the number of cores, or leave it unset."
        )
    numba.get_num_threads()  # starts the pool
    return numba.threading_layer()


_LAYER = _start_threads()

#: ``numba.get_num_threads`` without the two locks it takes first, to start a pool that runs already
_pool_size = getattr(numba.np.ufunc.parallel, "_get_num_threads", numba.get_num_threads)
_set_pool_size = getattr(numba.np.ufunc.parallel, "_set_num_threads", numba.set_num_threads)
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def threads(work: int = SMALL) -> int:
    """How many threads to use for ``work`` elements: one if they are few."""
    if work < SMALL:
        return 1
    if _forked and _LAYER != "tbb":
        _warn_forked()
        return 1
    return _pool_size()


_warned_forked = False


def _warn_forked() -> None:
    global _warned_forked
    if not _warned_forked:
        _warned_forked = True
        warnings.warn(
            f"This process was forked from one that had used Numba's {_LAYER} threads, which "
            "cannot be used after a fork: the kernels run on one thread here. Start worker "
            "processes with multiprocessing.get_context('spawn') or 'forkserver' to use all of "
            "them.",
            RuntimeWarning,
            stacklevel=2,
        )


class _Notice(event.Listener):
    """Tell the user why the first call takes long, and from time to time that it goes on."""

    PATIENCE = 8.0  #: seconds without a word

    def __init__(self) -> None:
        self.compiled = 0
        self.spoken = self.begun = float("-inf")

    def on_start(self, event: Any) -> None:
        if not event.data["dispatcher"].py_func.__module__.startswith("nnlite.kernels"):
            return
        now = time.monotonic()
        if self.compiled == 0:
            self.begun = now
            self.say(now, "once on this machine, a minute or two for all of them")
        elif now - self.spoken > self.PATIENCE:
            self.say(now, f"{self.compiled} functions after {now - self.begun:.0f} s")
        self.compiled += 1

    def say(self, now: float, what: str) -> None:
        self.spoken = now
        if not quiet:
            print(f"nnlite: compiling kernels ({what})…", file=sys.stderr, flush=True)  # noqa: T201

    def on_end(self, event: Any) -> None:
        """Say nothing: the next beginning tells."""


#: True while somebody else shows the progress of compiling (``warmup``).
quiet = False

event.register("numba:compile", _Notice())
