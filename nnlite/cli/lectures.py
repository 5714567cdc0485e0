"""``nnlite lectures``: run the lectures side by side and print the combined ledger."""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import __version__
from nnlite.checks import report
from nnlite.cli.find import Lecture, choose, lectures_folder, lectures_in
from nnlite.cli.problems import Problem, require

if TYPE_CHECKING:
    from nnlite.cli.execute import Result

__all__ = ["list_all", "run"]


def list_all(lectures_dir: Path | None) -> int:
    """Print number, title and expected time of every lecture."""
    folder = lectures_folder(lectures_dir)
    lectures = lectures_in(folder)
    width = max(len(lecture.name) for lecture in lectures)
    for lecture in lectures:
        seconds = "" if lecture.budget is None else f"{lecture.budget:g} s"
        title = lecture.title or "(no title: not a readable notebook?)"
        print(f"{lecture.name:<{width}}  {seconds:>6}  {title}")
    print(f"\n{len(lectures)} in {folder}")
    return 0


def run(
    which: Sequence[str] = (),
    *,
    full: bool = False,
    jobs: int | None = None,
    timeout: float | None = None,
    output: Path = Path("build"),
    lectures_dir: Path | None = None,
) -> int:
    """Run lectures in fresh kernels, print their ledger, write everything under `output`.

    Parameters
    ----------
    which : sequence of str
        Numbers or names; all if empty.
    full : bool
        Run the seeded studies in full; so does ``NNLITE_FULL=1`` in the environment.
    jobs : int, optional
        Lectures to run at a time; default one for each core.
    timeout : float, optional
        Longest time for a cell in seconds; default 600, or 3600 if `full`.
    output : Path
        Gets ``ledger.json``, ``ledger.md`` and ``lectures/`` with executed notebooks and HTML.
    lectures_dir : Path, optional
        Where the lectures are, if not where `lectures_folder` looks.

    Returns
    -------
    int
        0 if every lecture ran to its end and every check passed, else 1.

    Raises
    ------
    Problem
        If a package, a folder or a lecture asked for is missing.
    """
    require("nbclient", "nbformat", "nbconvert", "ipykernel", "matplotlib", extra="lectures")
    from nnlite.cli.execute import cores

    full = full or os.environ.get("NNLITE_FULL") == "1"
    lectures = choose(lectures_in(lectures_folder(lectures_dir)), which)
    jobs = min(jobs or cores(), len(lectures))
    executed = output / "lectures"
    with _writing_to(output):  # found out now, not after the lectures have run
        executed.mkdir(parents=True, exist_ok=True)
        for folder in (output, executed):
            tempfile.TemporaryFile(dir=folder).close()
    _compile_kernels()

    start = time.monotonic()
    results = _run_all(lectures, jobs, full, timeout or (3600.0 if full else 600.0), executed)
    seconds = time.monotonic() - start
    print(_as_text(results, seconds, output))
    with _writing_to(output):
        _write(output / "ledger.json", json.dumps(_as_json(results, full, seconds), indent=1))
        _write(output / "ledger.md", _as_markdown(results, full))
    return 0 if all(result.passed for result in results) else 1


@contextmanager
def _writing_to(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem(
            f"cannot write to {output}: {error}; choose a folder with --output"
        ) from error


def _compile_kernels() -> None:
    """Fill the cache of compiled kernels, so that no lecture pays for it, let alone two at once."""
    from nnlite import kernels

    try:
        if kernels.backend() != "numba":
            return
        print("preparing the compiled kernels (a minute the first time)", file=sys.stderr)
        seconds = kernels.warmup()
    except (ImportError, ValueError) as error:
        raise Problem(f"the kernels do not work: {error}; nnlite doctor says more") from error
    print(f"kernels are ready, {seconds:.1f} s", file=sys.stderr)


def _run_all(
    lectures: Sequence[Lecture], jobs: int, full: bool, timeout: float, executed: Path
) -> list[Result]:
    """Run lectures in `jobs` threads, each with a kernel; return results in the lectures' order."""
    from nnlite.cli.execute import Runner, kernel_environment
    from nnlite.cli.progress import Progress

    # After a cell that hung, nbclient leaves a task behind that asyncio mourns at exit, at length.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    runner = Runner(kernel_environment(jobs, full), timeout)

    def one(lecture: Lecture) -> Result:
        progress.begin(lecture)
        result = runner.run(lecture, lambda number, total: progress.at_cell(lecture, number, total))
        with _writing_to(executed):
            _write_executed(result, executed)
        progress.end(result)
        return result

    # The longest first, so that no core is left alone with it at the end.
    def longest_first(lecture: Lecture) -> float:
        return -(lecture.expected_seconds(full) or 0.0)

    with Progress(lectures, jobs, full) as progress, ThreadPoolExecutor(jobs) as pool:
        futures: dict[str, Future[Result]] = {}
        for lecture in sorted(lectures, key=longest_first):
            futures[lecture.name] = pool.submit(one, lecture)
        try:
            pending = set(futures.values())
            while pending:  # short waits, so that Ctrl-C is heard on every platform
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()  # an error of ours, not of a lecture, ends the run at once
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
            raise
    return [futures[lecture.name].result() for lecture in lectures]


def _write_executed(result: Result, folder: Path) -> None:
    """Write the executed notebook and its page, whole or not at all."""
    if result.notebook is None:
        return
    import nbformat
    from nbconvert import HTMLExporter

    name = result.lecture.name
    _write(folder / f"{name}.ipynb", nbformat.writes(result.notebook))
    resources = {"metadata": {"name": result.lecture.title or name}}
    page, _ = HTMLExporter().from_notebook_node(result.notebook, resources=resources)
    _write(folder / f"{name}.html", page)


def _write(path: Path, text: str) -> None:
    """Replace a file in one step: a reader never sees half of it, nor does a crash leave half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _as_json(results: Sequence[Result], full: bool, seconds: float) -> dict[str, Any]:
    return {
        "nnlite": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "full": full,
        "seconds": round(seconds, 2),
        "passed": all(result.passed for result in results),
        "lectures": [
            {
                "name": result.lecture.name,
                "title": result.lecture.title,
                "status": result.status,
                "problem": result.problem,
                "cell": result.cell,
                "seconds": round(result.seconds, 2),
                "expected_seconds": result.lecture.expected_seconds(full),
                "checks": [{"cell": n, **check.to_json()} for n, check in result.checks],
            }
            for result in results
        ],
    }


def _as_markdown(results: Sequence[Result], full: bool) -> str:
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    mode = "full studies" if full else "short mode"
    parts = [
        "# The ledger",
        f"nnlite {__version__}, {versions}, {mode}.",
        _closing(results) + ".",
    ]
    for result in results:
        parts.append(f"## {result.lecture.title or result.lecture.name}")
        if not result.passed:
            parts.append(f"**{_where(result)}**\n\n```text\n{result.problem}\n```")
        if result.checks:
            parts.append(report.markdown([check for _, check in result.checks]))
    return "\n\n".join(parts)


def _as_text(results: Sequence[Result], seconds: float, output: Path) -> str:
    width = max(shutil.get_terminal_size((120, 24)).columns, 80)
    parts = []
    for result in results:
        heading = f"{result.lecture.name}  {result.lecture.title}".rstrip()
        parts.append(f"\n{heading}\n{'=' * len(heading)}")
        if result.checks:
            parts.append(report.text([check for _, check in result.checks], width))
        else:
            parts.append(f"no checks ({result.status})")
    for result in results:
        if not result.passed:
            indented = result.problem.replace("\n", "\n    ")
            parts.append(f"\n✗ {_where(result)}\n    {indented}")
    parts.append(
        f"\n{_closing(results)}, {seconds:.0f} s.\n"
        f"Executed notebooks and pages: {output / 'lectures'}; "
        f"ledger: {output / 'ledger.md'}, {output / 'ledger.json'}"
    )
    return "\n".join(parts)


def _where(result: Result) -> str:
    if result.cell is None:
        return f"{result.lecture.name}: {result.status}"
    # People count cells from the top, notebooks count executions: say both.
    code = [c for c in result.notebook.cells[: result.cell] if c.cell_type == "code" and c.source]
    return f"{result.lecture.name}, cell {result.cell} (In [{len(code)}]): {result.status}"


def _closing(results: Sequence[Result]) -> str:
    ran = sum(result.passed for result in results)
    checks = [check for result in results for _, check in result.checks]
    return f"{ran} of {len(results)} lectures passed; {report.summary(checks)}"
