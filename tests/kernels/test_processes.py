"""The compiled kernels among processes and threads, on other machines' terms, and at the edge of
memory.

Each test that needs a fresh interpreter runs one; compiled code comes from Numba's cache.
"""

import mmap
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("numba")

HANG = 1800  # seconds after which a test that hangs is ended; nothing is claimed about speed

SETUP = """
import sys, warnings
import numpy as np
from numba.core import event

class Compiled(event.Listener):
    names = []
    def on_start(self, event):
        self.names.append(event.data["dispatcher"].py_func.__name__)
    def on_end(self, event):
        pass

event.register("numba:compile", Compiled())
from nnlite.kernels import fast, reference
rng = np.random.default_rng(0)
x = rng.standard_normal((8, 6, 20, 20)).astype(np.float32)
w = rng.standard_normal((20, 6, 3, 3)).astype(np.float32)
expected = reference.conv2d(x, w, padding=(1, 1))

def check():
    np.testing.assert_allclose(fast.conv2d(x, w, padding=(1, 1)), expected, rtol=1e-4, atol=1e-4)
"""


def run(code, timeout=HANG, **environment):
    done = subprocess.run(
        [sys.executable, "-c", SETUP + code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_second_process_compiles_nothing():
    run("fast.warmup()")
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
    assert run(code).stdout.strip() == "[]"


def test_the_first_compilation_is_announced_once(tmp_path):
    code = "fast.channel_sums(x[:, :, 0, 0]); fast.leaky_relu(x)"
    done = run(code, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.stderr.count("compiling kernels (once on this machine") == 1


@pytest.mark.skipif(os.name != "posix", reason="folder permissions are POSIX's")
def test_without_a_writable_cache_the_kernels_compile_and_say_so_once():
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
    assert run(code).stdout.split() == ["1", "True", "True"]


@pytest.mark.parametrize("count", [1, 3, 64])
def test_any_number_of_threads_gives_the_same_answer(count):
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
    run(code, NUMBA_NUM_THREADS=str(count))


def test_the_number_of_threads_may_change_between_calls():
    code = """
import numba
for count in (2, 1, 4, 3):
    numba.set_num_threads(count)
    check()
"""
    run(code, NUMBA_NUM_THREADS="4")


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_python_threads_may_call_at_the_same_time(layer):
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
    run(code, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")


POOL = """
import multiprocessing, os, sys
import numpy as np

def work(seed):
    import warnings
    from nnlite.kernels import fast, reference
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((8, 6, 20, 20)).astype(np.float32)
    w = rng.standard_normal((20, 6, 3, 3)).astype(np.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        y = fast.conv2d(x, w)
        fast.conv2d(x, w)
        # Every kernel that would use threads: one loop too many on them kills the child.
        wide, one = np.repeat(x, 8, axis=0), np.ones(6, np.float32)
        rows = wide.reshape(len(wide), -1)
        fast.conv2d_weight_grad(wide, wide, (6, 6, 1, 1)), fast.channel_sums(wide)
        z, mean, var = fast.batch_norm_forward(wide, one, one, 1e-5)
        fast.batch_norm_backward(wide, wide, one, mean, var, 1e-5, z, 0.0)
        fast.linear_backward(rows, rows, rows, np.ones((2400, 2400), np.float32), 0.0)
        fast.linear_backward(rows[:, :2], rows[:, :2], rows, rows[:2])
        fast.max_pool2d_backward(*fast.max_pool2d(wide, (2, 2)), wide.shape)
        fast.avg_pool2d(wide, (2, 2)), fast.bce_with_logits(wide, wide), fast.leaky_relu(wide)
        fast.softmax_cross_entropy(rows, np.zeros(len(rows), int))
        fast.adam_step([rows], [rows], [rows * 0], [rows * 0], 1, 0.1)
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


def test_plain_loops_stay_inside_their_arrays():
    """Run every kernel with Numba's bounds checks: an index out of range raises IndexError.

    The checks do not reach into the micro-kernel, which is tested against guarded memory below.
    """
    code = """
for shape in ((2, 3, 7, 5), (1, 17, 6, 6), (3, 1, 4, 9)):
    n, c, h, v = shape
    a = rng.standard_normal(shape).astype(np.float32)
    cases = ((5, 1, 0, 1), (33, 2, 1, 1), (1, 1, 2, 2), (16, 3, 1, 1))
    for filters, stride, padding, dilation in cases:
        k = rng.standard_normal((filters, c, 3, 2)).astype(np.float32)
        window = ((stride,) * 2, (padding,) * 2, (dilation,) * 2)
        if h + 2 * padding < 2 * dilation + 1:
            continue
        y = fast.conv2d(a, k, *window, slope=0.1)
        fast.conv2d_input_grad(y, k, shape, *window)
        fast.conv2d_weight_grad(a, y, k.shape, *window)
    one = np.ones(c, np.float32)
    y, mean, var = fast.batch_norm_forward(a, one, one, 1e-5, 0.0)
    fast.batch_norm_backward(a, a, one, mean, var, 1e-5, y, 0.0)
    fast.leaky_relu_bias_grad(a, a, 0.2), fast.channel_affine(a, one, one), fast.leaky_relu(a)
    rows = fast.unflatten_images(fast.flatten_images(a), shape[1:])
    p, index = fast.max_pool2d(a, (3, 2), (2, 1), (1, 1))
    fast.max_pool2d_backward(p, index, shape)
    fast.avg_pool2d_backward(fast.avg_pool2d(a, (3, 2)), shape, (3, 2))
    fast.bce_with_logits(a, a), fast.squared_error(a, a)
    flat = a.reshape(-1)
    fast.adam_step([flat], *([flat.copy()] for _ in range(3)), 1, 0.1)
    m = a.reshape(n * c, -1)
    fast.linear_forward(m, m), fast.linear_forward(m, m[:1])
    fast.matmul_nn(m, m.T), fast.matmul_tn(m, m)
    fast.softmax_cross_entropy(m, np.zeros(len(m), int))
check()
print(len(Compiled.names) > 30)
"""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as cache:  # checked code must not end up in the ordinary cache
        done = run(code, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=cache, NUMBA_OPT="0")
    assert done.stdout.strip() == "True"


class Guarded:
    """A float32 array that ends exactly where memory that may not be touched begins."""

    def __init__(self, shape, at_end=True):
        import ctypes

        size = int(np.prod(shape)) * 4
        page = mmap.PAGESIZE
        body = -(-size // page) * page
        self.memory = mmap.mmap(-1, body + 2 * page)
        whole = np.frombuffer(self.memory, np.uint8)
        address = whole.ctypes.data
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        for guard in (address, address + page + body):
            assert protect(guard, page, 0) == 0
        first = page + (body - size if at_end else 0)
        self.array = whole[first : first + size].view(np.float32).reshape(shape)


GUARDED = """
import sys
sys.path.insert(0, {folder!r})
from test_processes import Guarded
for at_end in (True, False):
    for channels, filters, k, stride, padding in (
        (3, 5, 3, 1, 1), (16, 32, 3, 1, 0), (1, 1, 4, 2, 1), (17, 33, 2, 3, 1), (4, 16, 1, 1, 0)
    ):
        window = dict(stride=(stride, stride), padding=(padding, padding))
        for size in (5, 12):
            last = Guarded((4, size, size, channels), at_end).array
            last[...] = rng.standard_normal(last.shape)
            images = last.transpose(0, 3, 1, 2)
            weights = Guarded((filters, channels, k, k), at_end).array
            weights[...] = rng.standard_normal(weights.shape)
            y = reference.conv2d(images, weights, **window)
            g = Guarded((*y.shape[:1], *y.shape[2:], y.shape[1]), at_end).array
            g[...] = y.transpose(0, 2, 3, 1)
            g = g.transpose(0, 3, 1, 2)
            close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)
            close(fast.conv2d(images, weights, **window), y)
            close(
                fast.conv2d_input_grad(g, weights, images.shape, **window),
                reference.conv2d_input_grad(g, weights, images.shape, **window),
            )
            close(
                fast.conv2d_weight_grad(images, g, weights.shape, **window),
                reference.conv2d_weight_grad(images, g, weights.shape, **window),
            )
            a = Guarded((size, 7 * size), at_end).array
            b = Guarded((3 * size, 7 * size), at_end).array
            a[...], b[...] = rng.standard_normal(a.shape), rng.standard_normal(b.shape)
            close(fast.linear_forward(a, b), a @ b.T)
            close(fast.matmul_nn(a, np.ascontiguousarray(b.T)), a @ b.T)
            close(fast.matmul_tn(a, a), a.T @ a)
            y = Guarded((size, 3 * size), at_end).array
            y[...] = rng.standard_normal(y.shape)
            for got, expected in zip(
                fast.linear_backward(y, y, a, b, 0.1), reference.linear_backward(y, y, a, b, 0.1)
            ):
                close(got, expected)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="guards are set with mprotect")
def test_the_micro_kernel_touches_nothing_beside_its_inputs():
    run(GUARDED.replace("{folder!r}", repr(os.path.dirname(__file__))))


class Canary:
    """An output array with sentinels on both sides."""

    def __init__(self, size):
        self.whole = np.full(size + 128, 7.0, np.float32)
        self.array = self.whole[64 : 64 + size]

    def is_alive(self):
        return np.all(self.whole[:64] == 7) and np.all(self.whole[-64:] == 7)


def test_products_write_nothing_beside_their_output():
    from nnlite.kernels.fast import matrix
    from nnlite.kernels.fast.product import LANES, ROWS, WIDTH, padded_width

    rng = np.random.default_rng(0)
    for m in (1, ROWS - 1, ROWS, ROWS + 1):
        for n in (1, LANES - 1, LANES, LANES + 1, WIDTH, WIDTH + 3):
            k = 11
            a, b = (rng.standard_normal(s).astype(np.float32) for s in ((m, k), (k, n)))
            y, panels = Canary(m * n), Canary(k * padded_width(n))
            bias = np.zeros(n + WIDTH, np.float32)
            for threads in (1, 3):  # each thread's share, one after the other
                y.array[:] = panels.array[:] = np.nan
                out = y.array.reshape(m, n)
                for t in range(threads):
                    matrix.pack_share(matrix.matrix(b, False), panels.array, threads, t)
                for t in range(threads):
                    left = matrix.matrix(a, False)
                    matrix.multiply_share(left, panels.array, bias, np.float32(1), out, threads, t)
                assert y.is_alive(), (m, n)
                assert panels.is_alive(), (m, n)
                np.testing.assert_allclose(out, a @ b, rtol=1e-4, atol=1e-4)


def test_convolutions_write_nothing_beside_their_output_and_scratch():
    from nnlite.kernels import reference
    from nnlite.kernels.fast import convolution, gather
    from nnlite.kernels.fast.product import WIDTH
    from nnlite.kernels.geometry import Window

    rng = np.random.default_rng(0)
    for f in (5, 16, 37):
        for stride in (1, 2, 3):
            window = Window((stride, stride), (1, 2))
            x = rng.standard_normal((3, 4, 9, 8)).astype(np.float32)
            w = rng.standard_normal((f, 4, 3, 2)).astype(np.float32)
            expected = reference.conv2d(x, w, *window).transpose(0, 2, 3, 1)
            plan = gather.plan_conv(x.shape, w.shape, expected.shape[1:3], window, 1)
            y, panels, padded = (Canary(n) for n in (expected.size, plan.packed, plan.scratch))
            convolution.pack_weights(
                w.ravel(), False, 6, plan.plan, plan.phases, plan.taps, panels.array, 0, 9
            )
            convolution.gather_slots(
                x.transpose(0, 2, 3, 1).ravel(), y.array, np.zeros(f + WIDTH, np.float32), 1.0,
                plan.plan, plan.phases, padded.array, panels.array, 0, plan.slots,
            )  # fmt: skip
            assert y.is_alive()
            assert panels.is_alive()
            assert padded.is_alive()
            got = y.array.reshape(expected.shape)
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_two_python_threads_do_not_share_working_memory():
    from nnlite.kernels.fast.arrays import scratch

    mine = scratch("images", 100)
    theirs = []
    worker = threading.Thread(target=lambda: theirs.append(scratch("images", 100)))
    worker.start()
    worker.join()
    assert not np.shares_memory(mine, theirs[0])
    assert scratch("images", 50) is mine


def test_the_tile_fits_the_registers_of_every_machine():
    from nnlite.kernels.fast.machine import choose_tile

    machines = [
        ({"avx512f", "avx2", "fma"}, "x86_64", 16, 32),
        ({"avx2", "fma"}, "x86_64", 8, 16),
        ({"avx"}, "x86_64", 4, 16),
        (set(), "aarch64", 4, 32),
        (set(), "arm64", 4, 32),
        (set(), "riscv64", 4, 16),
    ]
    for features, architecture, lanes, registers in machines:
        tile = choose_tile(features, architecture)
        assert tile.lanes == lanes
        assert tile.rows * tile.vectors + tile.vectors + 1 <= registers
        assert tile.rows * tile.vectors >= 12  # sums in flight hide the multiplier's latency
