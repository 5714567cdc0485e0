"""Progress of several lectures at once: a live line on a terminal, plain lines elsewhere.

The live line is rewritten with a carriage return and blanks alone, which every console knows.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, TextIO

from nnlite.cli.execute import Result
from nnlite.cli.find import Lecture

__all__ = ["Line", "Progress", "Work", "clock", "duration"]


def clock(seconds: float) -> str:
    """Minutes and seconds: ``1:05``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def duration(seconds: float) -> str:
    """A duration as one says it: ``8.2 s``, ``74 s``, ``5 min 10 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


class Line:
    """A stream with one line at its end that changes, where the stream is a terminal.

    A stream that breaks (a closed pipe, a full device) is not written to any more: what is shown
    meanwhile is a service, and no reason to give up what has run.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream: TextIO | None = sys.stderr if stream is None else stream
        self.live = (
            bool(self._stream and self._stream.isatty()) and os.environ.get("TERM") != "dumb"
        )
        self.start = time.monotonic()
        self._shown = 0

    @property
    def columns(self) -> int:
        """Width of the terminal, without the last column, where some would break the line."""
        return shutil.get_terminal_size().columns - 1

    def add(self, text: str) -> None:
        """Write a line that stays."""
        if self.live:
            self.show("")
            self._write(f"{text}\n")
        else:
            self._write(f"[{clock(time.monotonic() - self.start):>5}] {text}\n")

    def show(self, text: str) -> None:
        """Let the last line be this; only on a terminal."""
        if self.live:
            text = text[: self.columns]
            blanks = " " * (self._shown - len(text))
            back = "\r" if blanks and not text else ""
            self._write(f"\r{text}{blanks}{back}")
            self._shown = len(text)

    def bar(self, fraction: float, width: int) -> str:
        """A bar that is full when all is done and not before."""
        filled = int(width * fraction)
        full, empty = "█░"
        try:
            "█░".encode(getattr(self._stream, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            full, empty = "#-"
        return full * filled + empty * (width - filled)

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            print(text, end="", file=self._stream, flush=True)
        except (OSError, ValueError):  # ValueError: the stream is closed
            self._stream = None


class _Ticking:
    """Calls ``_tick`` again and again in a thread of its own, while a ``with`` block runs."""

    def __init__(self, stream: TextIO | None) -> None:
        self._line = Line(stream)
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._ticker = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._finished.set()
        self._ticker.join()
        self._line.show("")

    def _run(self) -> None:
        while not self._finished.wait(0.2 if self._line.live else 10.0):
            with self._lock:
                if self._line.live:
                    self._line.show(self._status(self._line.columns))
                else:
                    self._line.add(self._status(100))

    def _status(self, columns: int) -> str:
        raise NotImplementedError

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._line.start


class Work(_Ticking):
    """A sign that one long piece of work goes on; call it with steps done and steps in all.

    Parameters
    ----------
    what : str
        What is being done.
    stream : file, optional
        Where to write; default standard error.
    """

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._what = what
        self._steps = (0, 0)

    def __call__(self, done: int, total: int) -> None:
        """Take note that ``done`` steps of ``total`` are done."""
        with self._lock:
            self._steps = (done, total)

    def _status(self, columns: int) -> str:
        done, total = self._steps
        words = f"{self._what}  {clock(self._elapsed)}"
        if total:
            words = f"{self._what} {done}/{total}  {clock(self._elapsed)}"
            room = min(columns - len(words) - 2, 20)
            if room >= 5:
                return f"{self._line.bar(done / total, room)}  {words}"
        return words


class Progress(_Ticking):
    """A bar that shows which lectures run, how far they are, elapsed and remaining time.

    Use as a context manager; ``begin``, ``at_cell`` and ``end`` may be called from any thread. The
    bar shows cells that have run, not time that has passed, so it stands still where they do.

    Parameters
    ----------
    lectures : sequence of Lecture
        All that will run.
    jobs : int
        How many run at a time.
    expected : mapping of str to float
        Seconds each lecture is expected to take, by name, as far as that is known.
    stream : file, optional
        Where to write; default standard error, so that the results alone are on standard output.
    """

    def __init__(
        self,
        lectures: Sequence[Lecture],
        jobs: int,
        expected: Mapping[str, float],
        stream: TextIO | None = None,
    ) -> None:
        super().__init__(stream)
        self._each = {x.name: expected[x.name] for x in lectures if x.name in expected}
        usual = sum(self._each.values()) / len(self._each) if self._each else 1.0
        self._weights = {x.name: self._each.get(x.name, usual) for x in lectures}
        self._cells = dict.fromkeys(self._weights, 0.0)  # the share of each that has run
        self._done = 0
        self._running: dict[str, str] = {}
        # Not better than the longest lecture, nor than all of them shared out evenly.
        known = len(self._each) == len(lectures) > 0
        weights = self._weights.values()
        self._expected = max(*weights, sum(weights) / jobs, 0.0) if known else None

    def __enter__(self) -> Self:
        expected = "" if self._expected is None else f", about {duration(self._expected)}"
        noun = "lecture" if len(self._weights) == 1 else "lectures"
        self._line.add(f"running {len(self._weights)} {noun}{expected}")
        return super().__enter__()

    def begin(self, lecture: Lecture) -> None:
        """Show that a lecture starts."""
        with self._lock:
            self._running[lecture.name] = f"{lecture.name[:2]} starting"
            if not self._line.live:
                self._line.add(f"{lecture.name} begins{self._of(lecture)}")

    def at_cell(self, lecture: Lecture, number: int, total: int) -> None:
        """Show that a lecture has come to a cell."""
        with self._lock:
            self._cells[lecture.name] = (number - 1) / max(total, 1)
            self._running[lecture.name] = f"{lecture.name[:2]} cell {number}/{total}"

    def end(self, result: Result) -> None:
        """Show that a lecture is over."""
        with self._lock:
            self._done += 1
            self._cells[result.lecture.name] = 1.0
            self._running.pop(result.lecture.name, None)
            if self._line.live and result.passed:
                return  # one of many to come in the summary
            symbol = "✓" if result.passed else "✗"
            what = f"{len(result.checks)} checks" if result.passed else result.status.upper()
            took = f"{duration(result.seconds)}{self._of(result.lecture)}"
            self._line.add(f"{symbol} {result.lecture.name}: {what}, {took}")

    def _of(self, lecture: Lecture) -> str:
        seconds = self._each.get(lecture.name)
        return "" if seconds is None else f" (expected {duration(seconds)})"

    @property
    def fraction(self) -> float:
        """The share of the work that is done, by what each lecture is expected to take."""
        done = sum(self._cells[name] * weight for name, weight in self._weights.items())
        return done / sum(self._weights.values())

    def left(self, elapsed: float) -> float | None:
        """The seconds that are left, None if unknown.

        What is left takes its time at a pace between the expected one, which counts at the start,
        and that of the cells so far, which counts at the end.
        """
        if self._expected is None:
            return None
        undone = 1.0 - self.fraction
        return undone * (elapsed + undone * self._expected)

    def _status(self, columns: int) -> str:
        """What fits into a line; the cells that run come first, the bar takes what is left."""
        elapsed = self._elapsed
        left = self.left(elapsed)
        cells = list(self._running.values())
        count = f"{self._done}/{len(self._weights)} done"
        times = clock(elapsed)
        if left is not None:  # the last seconds are not counted down: nobody knows them
            times += f", about {clock(left)} left" if left >= 5 else ", nearly done"
        for parts in ([count, times, *cells], [count, *cells], cells[:1] or [count]):
            words = "  ".join(parts)
            if len(words) <= columns:
                break
        room = min(columns - len(words) - 2, 20)
        return f"{self._line.bar(self.fraction, room)}  {words}" if room >= 5 else words
