"""A worker, the client, the disk or a machine of the cluster dies: nothing finished is lost."""

import csv
import os
import subprocess
import sys
import textwrap
import time

import pytest

from nnlite.sweeps import SweepError, sweep


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def in_a_process(tmp_path, code):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    script = tmp_path / "client.py"
    script.write_text(textwrap.dedent(code))
    return subprocess.Popen([sys.executable, str(script)], env=environment, stderr=subprocess.PIPE)


def test_a_worker_that_dies_is_told_and_the_rest_is_done_by_the_next_call(experiments, tmp_path):
    store = tmp_path / "table.csv"
    with pytest.raises(SweepError, match=r"a worker process has died.*call sweep again") as info:
        sweep(experiments.dies_once, {"a": [1]}, 8, store=store)
    assert len(info.value.rows) == len(table(store)) < 8
    rows = sweep(experiments.dies_once, {"a": [1]}, 8, store=store)
    assert [row["result"] for row in rows] == list(range(1, 9))
    assert len(table(store)) == 8


def test_a_client_that_is_killed_leaves_whole_rows(experiments, tmp_path):
    store = tmp_path / "table.csv"
    client = in_a_process(
        tmp_path,
        f"""
        from concurrent.futures import ThreadPoolExecutor
        from experiments_of_a_sweep import slow
        from nnlite import sweep
        with ThreadPoolExecutor(1) as executor:
            sweep(slow, {{"a": [1]}}, 50, executor, {str(store)!r})
        """,
    )
    deadline = time.monotonic() + 60
    while len(experiments.ran()) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    client.kill()
    client.communicate()
    ran = len(experiments.ran())
    kept = len(table(store))
    assert ran - 1 <= kept <= ran  # at most the run at which it was killed
    assert 2 <= kept < 50
    rows = sweep(experiments.square, {"a": [1]}, kept, store=None)
    assert [row["seed"] for row in rows] == [int(row["seed"]) for row in table(store)]


def test_a_full_disk_is_told_and_leaves_whole_rows(experiments, tmp_path):
    pytest.importorskip("resource")
    store = tmp_path / "table.csv"
    client = in_a_process(
        tmp_path,
        f"""
        import resource, signal
        from experiments_of_a_sweep import square
        from nnlite import sweep
        from nnlite.sweeps.pools import Here
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
        sweep(square, {{"a": [1, 2]}}, 10, Here(), {str(store)!r})
        """,
    )
    message = client.communicate(timeout=60)[1].decode()
    assert "OSError" in message
    assert "make room for it" in message
    kept = table(store)
    assert 1 <= len(kept) < 20
    assert f"holds the {len(kept)} runs finished before" in message
    assert store.read_bytes().endswith(b"\n")
    before = len(experiments.ran())
    assert len(sweep(experiments.square, {"a": [1, 2]}, 10, store=store)) == 20
    assert len(experiments.ran()) - before == 20 - len(kept)


def test_a_cluster_does_the_runs_of_a_worker_that_is_killed_on_another(experiments, tmp_path):
    distributed = pytest.importorskip("distributed")
    store = tmp_path / "table.csv"
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        killer = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import os, sys, time\n"
                "while not os.path.exists(sys.argv[1]) or len(open(sys.argv[1]).readlines()) < 6:\n"
                "    time.sleep(0.01)\n"
                "os.kill(int(sys.argv[2]), 9)",
                str(experiments.NOTES),
                str(next(iter(pids.values()))),
            ]
        )
        rows = sweep(experiments.slow, {"a": [1, 2]}, 10, client.get_executor(), store)
        assert killer.wait(timeout=10) == 0
    assert [row["value"] for row in rows] == [a + seed for a in (1, 2) for seed in range(10)]
    assert len(table(store)) == 20
    assert len({row["process"] for row in rows}) >= 2  # both have worked
