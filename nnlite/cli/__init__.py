"""The ``nnlite`` command: run the lectures, open them, look after the installation.

Only NumPy is needed to start it: every subcommand imports what it needs when it runs, and says
which ``pip install`` brings what is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnlite.cli.problems import Problem

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: that of the process) and return its exit code.

    0 means that everything asked for went well, 1 that a lecture, a check or the self test failed,
    2 that the question could not be answered: wrong arguments, a missing package or folder, a full
    device. 130 is Ctrl-C, and 141 that nobody reads the output any more.
    """
    # A console that cannot show λ or ✓ shows "?" and goes on.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        code = _COMMANDS[arguments.command](arguments)
        if sys.stdout is not None:
            sys.stdout.flush()  # now, so that what goes wrong is told below
        return code
    except BrokenPipeError:
        _discard_output()
        return 141
    except OSError as error:
        _discard_output()
        _tell(f"nnlite {arguments.command}: {error}")
        return 2
    except Problem as problem:
        _tell(f"nnlite {arguments.command}: {problem}")
        return 2
    except KeyboardInterrupt:
        _tell(f"\nnnlite {arguments.command}: stopped.")
        return 130


def _tell(message: str) -> None:
    """Say what is wrong; where nobody can be told, the exit code says it alone."""
    try:
        print(message, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _discard_output(sys.stderr)


def _discard_output(stream: Any = None) -> None:
    """Let Python's own flush at exit not fail once more."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


def _lectures(arguments: argparse.Namespace) -> int:
    from nnlite.cli import lectures

    if arguments.list:
        return lectures.list_all(
            arguments.lectures_dir, full=arguments.full, output=arguments.output
        )
    return lectures.run(
        arguments.which,
        full=arguments.full,
        core=arguments.core,
        jobs=arguments.jobs,
        timeout=arguments.timeout,
        output=arguments.output,
        lectures_dir=arguments.lectures_dir,
        rows=arguments.rows,
    )


def _lab(arguments: argparse.Namespace) -> int:
    from nnlite.cli import lab

    return lab.run(arguments.lectures_dir, arguments.options, arguments.work)


def _doctor(arguments: argparse.Namespace) -> int:
    from nnlite.cli import doctor

    return doctor.run(warmup=arguments.warmup)


_COMMANDS = {"lectures": _lectures, "lab": _lab, "doctor": _doctor}


def _parser() -> argparse.ArgumentParser:
    from nnlite import __version__

    parser = argparse.ArgumentParser(
        prog="nnlite",
        description="Unsupervised deep learning from scratch, every learned number checked.",
    )
    parser.add_argument("--version", action="version", version=f"nnlite {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for add in (_add_lectures, _add_lab, _add_doctor):
        add(commands)
    return parser


def _add_lectures(commands: Any) -> None:
    lectures = commands.add_parser(
        "lectures",
        help="run lectures in fresh kernels and say what came of all checks",
        description="Run lectures, each in a fresh kernel, say what came of their checks, and "
        "write executed notebooks, pages and the ledger to a folder. Exits with 1 if a check "
        "fails, is hidden or made up, or a lecture does not run to its end.",
    )
    lectures.add_argument(
        "which", nargs="*", metavar="NN", help="numbers or names of lectures (default: all)"
    )
    lectures.add_argument("--list", action="store_true", help="list the lectures and stop")
    lectures.add_argument("-v", "--rows", action="store_true", help="print every row of the ledger")
    lectures.add_argument(
        "--full", action="store_true", help="run the seeded studies in full (NNLITE_FULL=1)"
    )
    lectures.add_argument(
        "--core", action="store_true", help="leave out the ★ sections, and say so on the pages"
    )
    lectures.add_argument(
        "--jobs",
        type=_positive_int,
        metavar="N",
        help="lectures to run at a time (default: one for each core)",
    )
    lectures.add_argument(
        "--timeout",
        type=_positive_float,
        metavar="SECONDS",
        help="longest time for one cell (default: 300, with --full 3600)",
    )
    lectures.add_argument(
        "--output",
        type=Path,
        default=Path("build"),
        metavar="DIR",
        help="where executed notebooks and the ledger go (default: build)",
    )
    _add_folder(lectures)


def _add_lab(commands: Any) -> None:
    lab = commands.add_parser(
        "lab",
        help="open the lectures in JupyterLab",
        description="Open a working copy of the lectures in JupyterLab: ./nnlite-lectures, or in a "
        "checkout the folder of that name beside lectures/. What was edited there is kept; of a "
        "lecture that has changed since, the new version is put beside it. What follows a -- goes "
        "to JupyterLab.",
    )
    lab.add_argument("--work", type=Path, metavar="DIR", help="where the working copy is kept")
    lab.add_argument("options", nargs="*", metavar="OPTION", help="options for JupyterLab")
    _add_folder(lab)


def _add_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument("--lectures-dir", type=Path, metavar="DIR", help="where the lectures are")


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="report what is installed, run every kernel once, and give advice",
        description="Report Python, NumPy, Numba, BLAS, threads and kernels in use, run every "
        "kernel against its NumPy twin (the first time they are compiled, which takes minutes) and "
        "a short self test, and give plain advice for each problem. Exits with 1 if something "
        "computes wrong numbers.",
    )
    doctor.add_argument(
        "--warmup", action="store_true", help="also say how long all kernels take to be ready"
    )


def _positive_int(text: str) -> int:
    if not text.strip().isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r:.40}.")
    return int(text)


def _positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e6:
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds, more than 0 and at most 1e6, got {text!r:.40}."
        )
    return value
