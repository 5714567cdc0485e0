"""Run an experiment for every setting and seed, and keep what it gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from contextlib import closing
from typing import Any

from nnlite._arguments import wrong_kind
from nnlite.sweeps.plan import Cell, Run, cell, key, plan, told
from nnlite.sweeps.pools import pool
from nnlite.sweeps.store import Store
from nnlite.training import progress


class SweepError(RuntimeError):
    """Some runs of a sweep have failed.

    Attributes
    ----------
    rows : list of dict
        Of the runs that have finished.
    failures : list of (dict, Exception)
        Settings and error of each run that has failed.
    """

    def __init__(
        self, message: str, rows: list[dict[str, Cell]], failures: list[tuple[Run, BaseException]]
    ) -> None:
        super().__init__(message)
        self.rows = rows
        self.failures = failures

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.rows, self.failures)


def sweep(
    train: Callable[..., Any],
    grid: Mapping[str, Sequence[Any]],
    seeds: int | Iterable[int],
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = None,
) -> list[dict[str, Cell]]:
    """Call ``train`` with every combination of settings and every seed.

    Parameters
    ----------
    train : callable
        Called as ``train(name=value, ..., seed=seed)``; gives a number, or a mapping from names to
        numbers or short texts, the same names in every run.
    grid : mapping
        From names of arguments to lists of their values: numbers, texts, True, False or None. All
        that changes a result belongs here: by these values a run is recognised in the store.
    seeds : int or list of int
        A number n stands for 0, 1, ..., n - 1.
    executor : concurrent.futures.Executor, optional
        Who does the runs. By default one new process for each core, which must be able to import
        ``train`` (a script that calls ``sweep`` needs ``if __name__ == "__main__":``). A cluster
        of Dask comes as ``dask.distributed.Client(...).get_executor()``; it does the runs of a
        worker that dies on another one (the extra ``cluster`` installs it).
    store : path, optional
        A CSV file with a row for each finished run, written to the disk at once. Runs that have a
        row there are not run again, and rows of other values stay.

    Returns
    -------
    list of dict
        A row for each run, settings, ``seed`` and results, in the order of the grid.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the store belongs to a sweep over other settings.
    SweepError
        If a run has raised, after all others are done; or if a worker process has died. Finished
        runs are in the store and in ``error.rows``.
    OSError
        If a row cannot be written; the rows before it are whole.

    Examples
    --------
    >>> rows = sweep(train_ring, {"packing": [1, 2], "lr": [1e-3]}, seeds=10, store="ring.csv")
    """
    if not callable(train):
        raise wrong_kind(train, "sweep: train", "a function")
    if executor is not None and not isinstance(executor, Executor):
        raise wrong_kind(
            executor, "sweep: executor", "a concurrent.futures.Executor (of Dask: get_executor())"
        )
    runs = plan(grid, seeds)
    with Store(store, list(runs[0])) as table:
        missing = [run for run in runs if key(run) not in table.rows]
        failures = _run(train, missing, executor, table) if missing else []
        rows = [table.rows[key(run)] for run in runs if key(run) in table.rows]
    if failures:
        raise _error(rows, failures, len(runs), table) from failures[0][1]
    return rows


def _run(
    train: Callable[..., Any], runs: list[Run], executor: Executor | None, table: Store
) -> list[tuple[Run, BaseException]]:
    """Do the runs, keep their results, and give those that failed."""
    failures: list[tuple[Run, BaseException]] = []
    with (
        pool(executor, train, len(runs)) as workers,
        closing(_finished(workers, train, runs)) as finished,
    ):
        for _ in progress(len(runs), "sweep"):
            run, future = next(finished)
            error = future.exception()
            try:
                if error is None:
                    table.add(run, _results(future.result()))
            except (TypeError, ValueError) as wrong:  # what train gave cannot stand in the table
                error = wrong
            if error is not None:
                failures.append((run, error))
    # Foremost a dead process, of which every run after it knows.
    return sorted(failures, key=lambda failure: not isinstance(failure[1], BrokenExecutor))


def _finished(
    workers: Executor, train: Callable[..., Any], runs: list[Run]
) -> Generator[tuple[Run, Future[Any]], None, None]:
    """Each run with its future, as it ends; those that have not begun are cancelled at the end."""
    waiting: dict[Future[Any], Run] = {}
    try:
        for run in runs:
            try:
                future = workers.submit(train, **run)
            except BrokenExecutor as error:
                future = Future()
                future.set_exception(error)
            if future.done():
                yield run, future
            else:
                waiting[future] = run
        for future in as_completed(list(waiting)):
            yield waiting.pop(future), future
    finally:
        for future in waiting:
            future.cancel()


def _results(given: Any) -> dict[str, Cell]:
    named = given if isinstance(given, Mapping) else {"result": given}
    return {str(name): cell(value, f"train: result {name!r}") for name, value in named.items()}


def _error(
    rows: list[dict[str, Cell]], failures: list[tuple[Run, BaseException]], n: int, table: Store
) -> SweepError:
    run, error = failures[0]
    where = "error.rows" if table.path is None else str(table.path)
    kept = f"The {len(rows)} finished of {n} runs are in {where}"
    if isinstance(error, BrokenExecutor):
        message = (
            "sweep: a worker process has died: killed, out of memory, or started by a script "
            f'without if __name__ == "__main__":. {kept}; call sweep again for the rest.'
        )
    else:
        message = (
            f"sweep: {len(failures)} of {n} runs failed, the first with {told(run)}, which raised "
            f"{error!r}. {kept}; correct train and call sweep again for the rest."
        )
    return SweepError(message, rows, failures)
