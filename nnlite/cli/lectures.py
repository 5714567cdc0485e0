"""``nnlite lectures``: run the lectures side by side, and say what came of their checks."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nnlite.cli import times
from nnlite.cli.find import Lecture, choose, lectures_folder, lectures_in
from nnlite.cli.problems import Problem, require

if TYPE_CHECKING:
    from nnlite.cli.execute import Result, Runner
    from nnlite.cli.summary import Mode

__all__ = ["list_all", "run"]


def list_all(lectures_dir: Path | None, *, full: bool = False, output: Path = Path("build")) -> int:
    """Print number, title and expected time of every lecture, and where the time comes from."""
    folder = lectures_folder(lectures_dir)
    lectures = lectures_in(folder)
    here = times.measured(output, full)
    width = max(len(lecture.name) for lecture in lectures)
    for lecture in lectures:
        stated = lecture.expected_seconds(full)
        seconds = "" if stated is None else f"{stated:g} s"
        if lecture.name in here:
            seconds = f"*{max(here[lecture.name], 1):.0f} s"
        title = lecture.title or "(no title: not a readable notebook?)"
        print(f"{lecture.name:<{width}}  {seconds:>6}  {title}")
    print(f"\n{len(lectures)} in {folder}. Times are those that the notebooks state", end="")
    print(f"; * measured here, see {output / 'ledger.json'}." if here else ".")
    return 0


def run(
    which: Sequence[str] = (),
    *,
    full: bool = False,
    core: bool = False,
    jobs: int | None = None,
    timeout: float | None = None,
    output: Path = Path("build"),
    lectures_dir: Path | None = None,
    rows: bool = False,
) -> int:
    """Run lectures in fresh kernels, say what came of them, write everything under ``output``.

    Parameters
    ----------
    which : sequence of str
        Numbers or names; all if empty.
    full : bool
        Run the seeded studies in full; so does ``NNLITE_FULL=1`` in the environment.
    core : bool
        Leave out the cells tagged ``optional``.
    jobs : int, optional
        Lectures to run at a time; default one for each core.
    timeout : float, optional
        Longest time for a cell in seconds; default 300, or 3600 if ``full``.
    output : Path
        Gets ``index.html``, ``ledger.json``, ``ledger.md`` and ``lectures/`` with executed
        notebooks and pages.
    lectures_dir : Path, optional
        Where the lectures are, if not where ``lectures_folder`` looks.
    rows : bool
        Print every row of the ledger, not only those that failed.

    Returns
    -------
    int
        0 if every lecture ran to its end and every check passed, else 1.

    Raises
    ------
    Problem
        If a package, a folder or a lecture asked for is missing.
    """
    if sys.platform == "emscripten":
        raise Problem(
            "a browser cannot start one program from another. Open a lecture there and choose "
            "Run > Run All Cells; its last cell shows its ledger."
        )
    require("nbclient", "nbformat", "nbconvert", "ipykernel", "matplotlib", extra="lectures")
    from nnlite.cli.execute import Runner
    from nnlite.cli.kernel import cores, kernel_environment
    from nnlite.cli.summary import Mode

    full = full or os.environ.get("NNLITE_FULL") == "1"
    source = lectures_folder(lectures_dir)
    every = lectures_in(source)
    lectures = choose(every, which)
    jobs = min(jobs or cores(), len(lectures))
    executed = _prepare(output, source)
    _compile_kernels()

    expected = times.expected(lectures, full, times.measured(output, full))
    runner = Runner(kernel_environment(jobs, full), timeout or (3600.0 if full else 300.0), core)
    start = time.monotonic()
    results, stop = _run_all(lectures, jobs, runner, expected, executed)
    _tell(results, every, output, Mode(full, core), time.monotonic() - start, rows)
    if stop is not None:
        raise stop
    return 0 if all(result.passed for result in results) else 1


def _prepare(output: Path, source: Path) -> Path:
    """Make the folder of what is executed, and find out now whether it can be written to."""
    executed = output / "lectures"
    if executed.resolve() == source.resolve():
        raise Problem(
            f"what is executed would replace the lectures themselves in {source}; choose another "
            "folder with --output."
        )
    with _writing_to(output):
        executed.mkdir(parents=True, exist_ok=True)
        for folder in (output, executed):
            tempfile.TemporaryFile(dir=folder).close()
    if not (find_spec("latex2mathml") and find_spec("ziamath")):
        print(
            "formulas of the pages stay LaTeX; for better ones:  "
            "python -m pip install latex2mathml ziamath",
            file=sys.stderr,
        )
    return executed


def _tell(
    results: Sequence[Result],
    every: Sequence[Lecture],
    output: Path,
    mode: Mode,
    seconds: float,
    rows: bool,
) -> None:
    """Write the ledger and the table of contents, and print what came of the lectures."""
    from nnlite.cli import contents, pages, summary

    # A core path takes less time than its lecture: what it took says nothing of the next run.
    known = times.remembered(output, [] if mode.core else results, mode.full)
    ledger = {**summary.as_json(results, mode, seconds), "measured_seconds": known}
    executed = output / "lectures"
    try:
        with _writing_to(output):
            pages.write(output / "ledger.json", json.dumps(ledger, indent=1))
            pages.write(output / "ledger.md", summary.as_markdown(results, mode))
            page = contents.index(results, every, executed, mode, seconds)
            pages.write(output / "index.html", page)
    finally:  # what ran is told even if it cannot be kept
        if rows:
            print(summary.rows(results, max(shutil.get_terminal_size((120, 24)).columns, 80)))
        print(summary.as_text(results, seconds, output), flush=True)


@contextmanager
def _writing_to(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem(
            f"cannot write to {output}: {error}; choose a folder with --output."
        ) from error


@contextmanager
def _heeding_sigterm() -> Iterator[None]:
    """Let SIGTERM be what Ctrl-C is: kernels end, and what has run is kept."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # only there can signals be handled
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _compile_kernels() -> None:
    """Fill the cache of compiled kernels, so that no lecture has to, or two at once."""
    from nnlite import kernels
    from nnlite.cli.progress import Work, duration

    try:
        if kernels.backend() != "numba":
            return
        with Work("compiling kernels (minutes the first time, else seconds)") as work:
            seconds = kernels.warmup(progress=work)
    except (ImportError, ValueError) as error:
        raise Problem(f"the kernels do not work: {error}; nnlite doctor says more.") from error
    print(f"kernels are ready, {duration(seconds)}", file=sys.stderr)


def _run_all(
    lectures: Sequence[Lecture],
    jobs: int,
    runner: Runner,
    expected: Mapping[str, float],
    executed: Path,
) -> tuple[list[Result], BaseException | None]:
    """Run lectures in ``jobs`` threads, each with a kernel.

    Returns results in the lectures' order, and what put an end to it before all had run.
    """
    from nnlite.cli.progress import Progress

    # After a cell that hung, nbclient leaves a task behind, of which asyncio prints a traceback at
    # exit; and what it logs of cells that hang or die is in our own report.
    for name in ("asyncio", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

    def one(lecture: Lecture) -> Result:
        progress.begin(lecture)
        result = runner.run(lecture, lambda number, total: progress.at_cell(lecture, number, total))
        _write_page(result, lectures, executed)
        progress.end(result)
        return result

    # The longest first, so that no core is left alone with it at the end.
    def longest_first(lecture: Lecture) -> float:
        return -expected.get(lecture.name, 0.0)

    stop: BaseException | None = None
    futures: dict[str, Future[Result]] = {}
    with (
        _heeding_sigterm(),
        Progress(lectures, jobs, expected) as progress,
        ThreadPoolExecutor(jobs) as pool,
    ):
        for lecture in sorted(lectures, key=longest_first):
            futures[lecture.name] = pool.submit(one, lecture)
        try:
            pending = set(futures.values())
            while pending:  # short waits, so that Ctrl-C is heard on every platform
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()  # an error of ours, not of a lecture, ends the run at once
        except (KeyboardInterrupt, Problem) as reason:
            stop = reason
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
            raise
    return [_result_of(lecture, futures[lecture.name]) for lecture in lectures], stop


def _write_page(result: Result, lectures: Sequence[Lecture], executed: Path) -> None:
    """Write what a lecture shows; a page that cannot be made is a fault of the lecture."""
    from nnlite.cli import pages
    from nnlite.cli.journal import Fault

    with _writing_to(executed):
        try:
            pages.write_lecture(result, lectures, executed)
        except OSError:
            raise
        except Exception as error:  # an output that nbconvert cannot show; the others go on
            problem = f"its page cannot be made: {type(error).__name__}: {error}"
            result.fail([Fault("error", problem, None)])


def _result_of(lecture: Lecture, future: Future[Result]) -> Result:
    from nnlite.cli.execute import Result

    if future.cancelled() or future.exception() is not None:
        return Result(lecture, status="stopped", problem="stopped before its end.")
    return future.result()
