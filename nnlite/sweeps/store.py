"""The table of a sweep: one row per finished run, in a file that a spreadsheet opens.

A row is on the disk before the next one is asked for. If the machine dies while a row is written,
the file ends in a torn line, which the next sweep drops: that run is done again, and no other.
"""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nnlite.sweeps.plan import Cell, Run, from_text, key, to_text

try:
    import fcntl as _fcntl

    fcntl: Any = _fcntl
except ImportError:  # Windows, browsers
    fcntl = None


class Store:
    """Rows by the settings of their run, in memory and, if it has a path, in a file.

    Parameters
    ----------
    path : path, optional
        A CSV file, which may exist: then its rows are read.
    settings : list of str
        Names of the settings, with which its columns begin.

    Raises
    ------
    ValueError
        If the file is no table of a sweep over these settings.
    RuntimeError
        If another sweep is writing to it.
    OSError
        If it cannot be opened for writing.
    """

    def __init__(self, path: str | os.PathLike[str] | None, settings: list[str]) -> None:
        self.path = None if path is None else Path(path)
        self.settings = settings
        self.columns: list[str] | None = None
        self.rows: dict[tuple[Cell, ...], dict[str, Cell]] = {}
        self._file: io.FileIO | None = None

    def __enter__(self) -> Self:
        if self.path is not None:
            # unbuffered, so that what could not be written is not written later either
            self._file = open(self.path, "a+b", buffering=0)
            try:
                self._lock()
                self._read()
            except BaseException:
                self._file.close()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, run: Run, results: dict[str, Cell]) -> None:
        """Keep the results of a run.

        Raises
        ------
        ValueError
            If their names are not those of the other rows.
        OSError
            If the row cannot be written; the file then ends with the row before.
        """
        columns = self.columns or [*self.settings, *results]
        if sorted([*run, *results]) != sorted(columns) or len(set(columns)) < len(columns):
            wanted = [name for name in columns if name not in run]
            raise ValueError(
                f"train must give results of the same names in every run, and other names than "
                f"those of its settings: {', '.join(wanted) or 'no more than one each'}, got "
                f"{', '.join(results) or 'none'}; if train has changed, take another store."
            )
        row = {**run, **results}
        cells = [to_text(row[name]) for name in columns]
        lines = [cells] if self.columns else [columns, cells]
        self._write("".join(_line(line) for line in lines).encode())
        self.columns = columns
        self.rows[key(run)] = {name: from_text(to_text(value)) for name, value in row.items()}

    def _write(self, data: bytes) -> None:
        if self._file is None:
            return
        end = os.fstat(self._file.fileno()).st_size
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(end)
            error.add_note(
                f"{self.path} holds the {len(self.rows)} runs finished before; make room for it "
                "and call sweep again, which does the rest."
            )
            raise

    def _read(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        data = self._file.readall()
        whole = data[: data.rfind(b"\n") + 1]
        if whole:
            self._parse(whole)
        if len(whole) < len(data):  # after parsing: a file that is no table stays as it is
            self._file.truncate(len(whole))

    def _parse(self, data: bytes) -> None:
        try:
            table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{self.path} is no table of a sweep ({error}).") from error
        header, n = table[0], len(self.settings)
        if sorted(header[:n]) != sorted(self.settings):
            raise ValueError(
                f"{self.path} must be the table of a sweep over {', '.join(self.settings)}, got "
                f"one with the columns {', '.join(header)}; take another store."
            )
        for number, line in enumerate(table[1:], start=2):
            if len(line) != len(header):
                raise ValueError(
                    f"{self.path}, line {number}: a row must have {len(header)} cells, got "
                    f"{len(line)}; correct or delete it."
                )
            row = dict(zip(header, map(from_text, line), strict=True))
            self.rows[key({name: row[name] for name in self.settings})] = row
        self.columns = header

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"{self.path} must be written by one sweep at a time, and another one has it open; "
                "wait for it or take another store."
            ) from None
        except OSError:
            return  # a file system without locks


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
