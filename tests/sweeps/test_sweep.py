"""What a sweep runs, what it keeps, and what it tells when something is wrong."""

import csv
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nnlite
from nnlite.sweeps import SweepError, sweep
from nnlite.sweeps.pools import Here

GRID = {"a": [1, 2], "b": [0.5, 3.0]}


@pytest.fixture
def store(tmp_path):
    return tmp_path / "table.csv"


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


# ---- what is run -------------------------------------------------------------------------------


def test_every_setting_is_run_with_every_seed_and_rows_come_in_order(experiments):
    with ThreadPoolExecutor(3) as executor:
        rows = sweep(experiments.square, GRID, 3, executor)
    expected = [
        {
            "a": a,
            "b": b,
            "seed": seed,
            "value": a * a * b + seed,
            "kind": ["even", "odd"][seed % 2],
        }
        for a in (1, 2)
        for b in (0.5, 3.0)
        for seed in range(3)
    ]
    assert rows == expected
    assert len(experiments.ran()) == 12


def test_processes_are_the_default_and_keep_to_their_share_of_the_cores(experiments, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("os.process_cpu_count", lambda: 2, raising=False)
    rows = sweep(experiments.threads, {"a": [1, 2, 3, 4]}, [5])
    assert [row["threads"] for row in rows] == [1] * 4
    assert [row["seed"] for row in rows] == [5] * 4
    assert len({row["process"] for row in rows} - {os.getpid()}) == 2
    assert "OMP_NUM_THREADS" not in os.environ


def test_seeds_may_be_a_list():
    rows = sweep(lambda seed: seed, {}, [7, 3], Here())
    assert [row["result"] for row in rows] == [7, 3]


def test_numbers_of_numpy_are_numbers():
    rows = sweep(lambda a, seed: a * np.float32(0.5), {"a": np.arange(3)}, np.arange(1), Here())
    assert [row["result"] for row in rows] == [0.0, 0.5, 1.0]
    assert all(type(row["result"]) is float and type(row["a"]) is int for row in rows)


def test_it_is_there_as_nnlite_sweep():
    assert nnlite.sweep is sweep


# ---- what is kept ------------------------------------------------------------------------------


def test_the_store_is_a_table_with_a_row_for_each_run(experiments, store):
    rows = sweep(experiments.square, GRID, 2, Here(), store)
    assert [{k: str(v) for k, v in row.items()} for row in rows] == table(store)
    assert store.read_bytes().startswith(b"a,b,seed,value,kind\n1,0.5,0,0.5,even\n")


def test_runs_that_have_a_row_are_not_run_again(experiments, store):
    before = sweep(experiments.square, GRID, 2, Here(), store)
    assert sweep(experiments.square, GRID, 2, Here(), store) == before
    assert len(experiments.ran()) == 8
    more = sweep(experiments.square, {**GRID, "a": [2, 3]}, 3, Here(), store)
    assert len(experiments.ran()) == 8 + 8  # of the 12, four were known
    assert [row for row in more if row in before] == before[4:]
    assert len(table(store)) == 16


def test_rows_from_the_file_are_equal_to_rows_just_made(store):
    grid = {"a": [0.1, 1e-300, None, "0.10 %", False]}

    def train(a, seed):
        return {"third": 0.1 / 3, "text": "x, 'y' \"z\"", "yes": True, "nothing": None, "n": 10**20}

    def never(a, seed):
        raise AssertionError("it has a row")

    fresh = sweep(train, grid, 1, Here(), store)
    assert sweep(never, grid, 1, Here(), store) == fresh
    assert [row["a"] for row in fresh] == grid["a"]
    assert fresh[0] == {"a": 0.1, "seed": 0, **train(0.1, 0)}
    assert fresh[0]["yes"] is True


def test_not_a_number_is_a_result_like_others(store):
    for _ in range(2):
        row = sweep(lambda seed: {"loss": float("nan"), "top": np.inf}, {}, 1, Here(), store)[0]
        assert np.isnan(row["loss"])
        assert row["top"] == np.inf


def test_a_table_that_a_spreadsheet_has_saved_is_still_known(experiments, store):
    before = sweep(experiments.square, {"a": [1, 2], "b": [0.5, 1e-5]}, 1, Here(), store)
    text = store.read_text().replace("1e-05", "1.00E-05").replace("\n", "\r\n")
    store.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert (
        sweep(experiments.square, {"b": [0.5, 1e-5], "a": [1, 2]}, 1, Here(), store)[1]
        == (
            before[2]  # the order of the grid is that of the second call
        )
    )
    assert len(experiments.ran()) == 4


def test_a_torn_last_line_is_done_again_and_no_other(experiments, store):
    before = sweep(experiments.square, GRID, 2, Here(), store)
    store.write_bytes(store.read_bytes()[:-4])
    assert sweep(experiments.square, GRID, 2, Here(), store) == before
    assert len(experiments.ran()) == 9
    assert len(table(store)) == 8


def test_a_row_is_in_the_file_before_the_next_run_begins(store):
    def train(seed):
        return len(store.read_bytes().splitlines())  # the header and the rows so far

    assert [row["result"] for row in sweep(train, {}, 4, Here(), store)] == [0, 2, 3, 4]


# ---- what goes wrong ---------------------------------------------------------------------------


def test_a_run_that_raises_does_not_stop_the_others(experiments, store):
    with pytest.raises(SweepError, match=r"1 of 6 runs failed, .* a=2, seed=1.* do not go") as info:
        sweep(experiments.often_fails, {"a": [1, 2]}, 3, Here(), store)
    assert len(info.value.rows) == len(table(store)) == 5
    assert info.value.failures[0][0] == {"a": 2, "seed": 1}
    assert isinstance(info.value.__cause__, ValueError)
    assert "The 5 finished of 6 runs are in" in str(info.value)
    experiments.NOTES.with_name("mended").touch()
    rows = sweep(experiments.often_fails, {"a": [1, 2]}, 3, Here(), store)
    assert [row["result"] for row in rows] == [1, 2, 3, 2, 3, 4]
    assert len(experiments.ran()) == 7


def test_without_a_store_the_error_has_the_rows(experiments):
    with pytest.raises(SweepError, match=r"in error\.rows") as info:
        sweep(experiments.often_fails, {"a": [2]}, 2, Here())
    assert info.value.rows == [{"a": 2, "seed": 0, "result": 2}]
    assert pickle.loads(pickle.dumps(info.value)).rows == info.value.rows


def test_a_broken_run_of_a_user_is_not_taken_for_ctrl_c(store):
    def train(seed):
        if seed == 1:
            raise KeyboardInterrupt
        return seed

    with pytest.raises(KeyboardInterrupt):
        sweep(train, {}, 3, Here(), store)
    assert len(table(store)) == 1


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda seed: [1, 2], "result 'result' must be a number, text"),
        (lambda seed: {"seed": 1}, "other names than those of its settings"),
        (lambda seed: {"loss" if seed else "other": 1}, "loss|other"),
        (lambda seed: "two\nlines", "text of one line"),
    ],
)
def test_results_that_cannot_stand_in_a_table_are_told(result, message):
    with pytest.raises(SweepError, match=message):
        sweep(result, {}, 2, Here())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x,y,seed\n1,2,0\n", "sweep over a, b, seed, got one with the columns x, y, seed"),
        ("a,seed,value\n1,0,3\n", "take another store"),
        ("a,b,seed,value\n1,2,0\n", "line 2: a row must have 4 cells, got 3"),
        ("\xff\xfe\n", "no table of a sweep|got one with"),
    ],
)
def test_a_store_of_something_else_is_refused_and_left_as_it_was(store, content, message):
    store.write_text(content + "torn")
    before = store.read_bytes()
    with pytest.raises(ValueError, match=message):
        sweep(lambda a, b, seed: 1, GRID, 1, Here(), store)
    assert store.read_bytes() == before


def test_one_store_serves_one_sweep_at_a_time(store):
    pytest.importorskip("fcntl")

    def train(seed):
        return sweep(lambda seed: seed, {}, 2, Here(), store)

    with pytest.raises(SweepError, match="another one has it open"):
        sweep(train, {}, 1, Here(), store)


def test_a_store_that_cannot_be_opened_is_told_before_the_first_run(experiments, tmp_path):
    with pytest.raises(FileNotFoundError):
        sweep(experiments.square, GRID, 1, Here(), tmp_path / "nowhere" / "table.csv")
    assert experiments.ran() == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sweep(abs, {"a": []}, 1), r"grid\['a'\] must hold at least one value"),
        (lambda: sweep(abs, {"a b": [1]}, 1), "names of arguments of train, got 'a b'"),
        (lambda: sweep(abs, {"seed": [1]}, 1), "without 'seed'"),
        (lambda: sweep(abs, {"a": [1, 1.0]}, 1), "a=1.0, seed=0 twice"),
        (lambda: sweep(abs, {}, [1, 1]), "must differ"),
        (lambda: sweep(abs, {"a": [np.nan]}, 1), "must be finite"),
        (lambda: sweep(abs, {"a": ["x\ny"]}, 1), "text of one line"),
        (lambda: sweep(abs, {}, 0), "seeds must be an integer of at least 1"),
        (lambda: sweep(abs, {}, []), "at least one seed"),
        (lambda: sweep(lambda seed: 1, {}, 1), "at the top of a module.*lambda"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sweep(3, {}, 1), "train must be a function"),
        (lambda: sweep(abs, [1], 1), "grid must be a mapping"),
        (lambda: sweep(abs, {"a": "adam"}, 1), r"for a single one \['adam'\]"),
        (lambda: sweep(abs, {"a": 3}, 1), r"list of values, got 3"),
        (lambda: sweep(abs, {"a": [np.ones(2)]}, 1), "number, text, True, False or None"),
        (lambda: sweep(abs, {}, "12"), "seeds must be a number of seeds or a list"),
        (lambda: sweep(abs, {}, 1, 4), "executor must be a concurrent.futures.Executor"),
    ],
)
def test_arguments_of_another_kind_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()
