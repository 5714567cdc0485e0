"""The compiled kernels among processes and threads."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("numba")

HANG = 1800  # seconds after which a pool that hangs is ended; nothing is claimed about speed


def test_a_second_process_compiles_nothing(fresh):
    fresh("fast.warmup()")
    code = """
fast.warmup()
# Other shapes, strides, read-only arrays and kinds of numbers are not other types to the compiler.
frozen = np.broadcast_to(np.float32(1), (3, 6, 9, 9))
fast.conv2d(frozen, w[:, :, ::-1], [1, 2], (np.int64(1), 1), slope=0)
fast.linear_forward(frozen[0, 0], frozen[0, 1].T, slope=np.float32(0.5))
fast.batch_norm_forward(frozen, w[0, :, 0, 0], w[1, :, 0, 0], 0)
fast.leaky_relu(x.T), fast.leaky_relu(x[::-1], 1)
fast.max_pool2d(frozen, [2, 2], (np.int32(1), 2))
p, g, m, v = np.zeros((4, 100), np.float32)
g.flags.writeable = False
fast.adam_step([p], [g], [m], [v], np.int64(3), np.float32(1), 0, 1 - 1e-3, 1, weight_decay=1)
fast.sgd_step([p], [g], None, 1, nesterov=0)
# Layers without an activation, of any layout; parameters of any number of axes.
for n in (65, 300):
    wide = np.ones((n, 40), np.float32)
    for y in (wide, np.asfortranarray(wide), wide[:, ::-1]):
        fast.linear_backward(wide, y, wide, wide[:40])
for shape in ((4,), (2, 2), (2, 2, 2), (2, 2, 2, 2)):
    q = np.zeros((4, *shape), np.float32)
    fast.adam_step(*([a] for a in q), 1, 0.1)
    fast.sgd_step([q[0]], [q[1]], [q[2]], 0.1)
    fast.rmsprop_step([q[0]], [q[1]], [q[2]], 0.1)
print(Compiled.names)
"""
    assert fresh(code).stdout.strip() == "[]"


def test_warming_up_compiles_every_kernel_for_float32_and_none_for_float64(fresh):
    code = """
from nnlite.cli import probe
from nnlite.kernels.examples import examples
fast.warmup()
for name, cases in examples().items():
    for case in cases:
        Compiled.names.clear()
        getattr(fast, name)(*case)
        getattr(fast, name)(*probe._map_arrays(case, np.float64))
        if Compiled.names:
            print(name, "compiled", Compiled.names)
"""
    assert fresh(code).stdout == ""


def test_the_first_compilation_is_announced_once(fresh, tmp_path):
    code = "fast.channel_sums(x[:, :, 0, 0]); fast.leaky_relu(x)"
    done = fresh(code, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.stderr.count("compiling kernels (once on this machine") == 1


@pytest.mark.skipif(os.name != "posix", reason="folder permissions are POSIX's")
def test_without_a_writable_cache_the_kernels_compile_and_say_so_once(fresh):
    # The superuser may write anywhere, so Numba is told that no folder will do.
    code = """
from numba.core import caching
import importlib
caching.CacheImpl._locator_classes = []
for name in [name for name in sys.modules if name.startswith("nnlite.kernels.fast")]:
    del sys.modules[name]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    fast = importlib.import_module("nnlite.kernels.fast")
    y = fast.leaky_relu(x, 0.1)
np.testing.assert_array_equal(y, reference.leaky_relu(x, 0.1))
print(len(caught), "cannot be cached" in str(caught[0].message), len(Compiled.names) > 0)
"""
    assert fresh(code).stdout.split() == ["1", "True", "True"]


@pytest.mark.parametrize("count", [1, 3, 64])
def test_any_number_of_threads_gives_the_same_answer(fresh, count):
    code = """
import numba
assert numba.get_num_threads() == {count}
check()
big = rng.standard_normal((300, 200)).astype(np.float32)
np.testing.assert_allclose(fast.linear_forward(big, big), big @ big.T, rtol=1e-4, atol=1e-4)
g = rng.standard_normal(expected.shape).astype(np.float32)
np.testing.assert_allclose(
    fast.conv2d_weight_grad(x, g, w.shape, padding=(1, 1)),
    reference.conv2d_weight_grad(x, g, w.shape, padding=(1, 1)), rtol=1e-3, atol=1e-3,
)
one = np.ones(6, np.float32)
wide = np.repeat(x, 8, axis=0)
np.testing.assert_allclose(
    fast.batch_norm_forward(wide, one, one, 1e-5)[0],
    reference.batch_norm_forward(wide, one, one, 1e-5)[0], rtol=1e-4, atol=1e-4,
)
""".replace("{count}", str(count))
    fresh(code, NUMBA_NUM_THREADS=str(count))


def test_the_number_of_threads_may_change_between_calls(fresh):
    code = """
import numba
for count in (2, 1, 4, 3):
    numba.set_num_threads(count)
    check()
"""
    fresh(code, NUMBA_NUM_THREADS="4")


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_python_threads_may_call_at_the_same_time(fresh, layer):
    from nnlite.kernels.fast import compiling

    if layer == "omp" and compiling._LAYER != "omp":
        pytest.skip("OpenMP is not available here")
    code = """
import threading
failures = []
def work():
    try:
        for _ in range(20):
            check()
    except BaseException as error:
        failures.append(error)
workers = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in workers]
[t.join() for t in workers]
assert not failures, failures
"""
    fresh(code, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")


POOL = """
import multiprocessing, os, sys
import numpy as np

def work(seed):
    import warnings
    from nnlite.kernels import fast, reference
    from nnlite.kernels.examples import examples
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((8, 6, 20, 20)).astype(np.float32)
    w = rng.standard_normal((20, 6, 3, 3)).astype(np.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        y = fast.conv2d(x, w)
        fast.conv2d(x, w)
        # Every kernel that would use threads: one loop too many on them kills the child.
        for name, cases in examples().items():
            for case in cases:
                getattr(fast, name)(*case)
        # A layer's backward pass has two forms, by rows and not.
        rows = np.repeat(x, 8, axis=0).reshape(64, -1)
        fast.linear_backward(rows, rows, rows, np.ones((2400, 2400), np.float32), 0.0)
        fast.linear_backward(rows[:, :2], rows[:, :2], rows, rows[:2])
    error = float(np.abs(y - reference.conv2d(x, w)).max())
    return error, [str(c.message) for c in caught]

if __name__ == "__main__":
    work(0)  # the parent has used its threads
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        for error, warned in pool.map(work, range(3)):
            print(error < 1e-3, len(warned))
            for w in warned:
                assert "forked" in w and "spawn" in w, w
"""


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_process_pools_work_and_fork_is_warned_about(tmp_path, method):
    import multiprocessing

    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    done = subprocess.run(
        [sys.executable, str(script), method], capture_output=True, text=True, timeout=HANG
    )
    assert done.returncode == 0, done.stderr
    results = [line.split() for line in done.stdout.splitlines()]
    assert [ok for ok, _ in results] == ["True"] * 3
    warned = sum(int(n) for _, n in results)
    assert warned == 0 if method == "spawn" else 1 <= warned <= 2  # once in each process


def test_two_python_threads_do_not_share_working_memory():
    from nnlite.kernels.fast.arrays import scratch

    mine = scratch("images", 100)
    theirs = []
    worker = threading.Thread(target=lambda: theirs.append(scratch("images", 100)))
    worker.start()
    worker.join()
    assert not np.shares_memory(mine, theirs[0])
    assert scratch("images", 50) is mine
