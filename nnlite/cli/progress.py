"""Progress of several lectures at once: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Sequence
from typing import TextIO

from nnlite.cli.execute import Result
from nnlite.cli.find import Lecture

__all__ = ["Progress", "clock", "duration"]


def clock(seconds: float) -> str:
    """Return minutes and seconds: ``1:05``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def duration(seconds: float) -> str:
    """Return a duration as one says it: ``8.2 s``, ``74 s``, ``5 min 10 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


class Progress:
    """Shows which lectures run, how far they are, elapsed and expected time.

    Use as a context manager; `begin`, `at_cell` and `end` may be called from any thread.

    Parameters
    ----------
    lectures : sequence of Lecture
        All that will run.
    jobs : int
        How many run at a time.
    full : bool
        Which of the lectures' budgets applies.
    stream : file, optional
        Where to write; default standard error, so that the ledger alone is on standard output.
    """

    def __init__(
        self, lectures: Sequence[Lecture], jobs: int, full: bool, stream: TextIO | None = None
    ) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._every = 0.2 if self._live else 30.0
        self._full = full
        self._total = len(lectures)
        self._done = 0
        self._running: dict[str, tuple[Lecture, float, str]] = {}
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        times = [lecture.expected_seconds(full) for lecture in lectures]
        known = [t for t in times if t is not None]
        # Not better than the longest lecture, nor than all of them shared out evenly.
        self._expected = max(max(known), sum(known) / jobs) if len(known) == len(times) else None

    def __enter__(self) -> Progress:
        expected = "" if self._expected is None else f", expected {duration(self._expected)}"
        noun = "lecture" if self._total == 1 else "lectures"
        self._line(f"running {self._total} {noun}{expected}")
        self._ticker.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._finished.set()
        self._ticker.join()
        with self._lock:
            self._erase()

    def begin(self, lecture: Lecture) -> None:
        """A lecture starts."""
        with self._lock:
            self._running[lecture.name] = (lecture, time.monotonic(), "starting")
            if not self._live:
                self._line(f"{lecture.name} begins{self._of(lecture)}")

    def at_cell(self, lecture: Lecture, number: int, total: int) -> None:
        """A lecture has come to a cell."""
        with self._lock:
            began = self._running[lecture.name][1]
            self._running[lecture.name] = (lecture, began, f"cell {number}/{total}")

    def end(self, result: Result) -> None:
        """A lecture is over."""
        with self._lock:
            self._done += 1
            self._running.pop(result.lecture.name, None)
            self._erase()
            symbol = "✓" if result.passed else "✗"
            what = f"{len(result.checks)} checks" if result.passed else result.status.upper()
            expected = self._of(result.lecture)
            self._line(
                f"{symbol} {result.lecture.name}: {what}, {duration(result.seconds)}{expected}"
            )

    def _of(self, lecture: Lecture) -> str:
        seconds = lecture.expected_seconds(self._full)
        return "" if seconds is None else f" (expected {duration(seconds)})"

    def _tick(self) -> None:
        while not self._finished.wait(self._every):
            with self._lock:
                self._erase()
                if self._live:
                    width = shutil.get_terminal_size().columns - 1
                    print(self._status()[:width], end="", file=self._stream, flush=True)
                else:
                    self._line(self._status())

    def _status(self) -> str:
        now = time.monotonic()
        elapsed = now - self._start
        parts = [f"{self._done}/{self._total} done", clock(elapsed)]
        if self._expected is not None:
            filled = min(int(20 * elapsed / self._expected), 20)
            bar = "█" * filled + "░" * (20 - filled)
            parts = [f"{bar} {parts[0]}", f"{parts[1]} of about {clock(self._expected)}"]
        for lecture, began, where in self._running.values():
            parts.append(f"{lecture.name[:24]} {where} {clock(now - began)}")
        return "  ".join(parts)

    def _erase(self) -> None:
        if self._live:
            print("\r\x1b[K", end="", file=self._stream, flush=True)

    def _line(self, text: str) -> None:
        if self._live:
            print(text, file=self._stream, flush=True)
        else:
            stamp = clock(time.monotonic() - self._start)
            print(f"[{stamp:>5}] {text}", file=self._stream, flush=True)
