"""The compiled kernels at the edge of memory: they touch their own arrays and no others."""

import mmap
import os
import sys

import numpy as np
import pytest

pytest.importorskip("numba")


def test_plain_loops_stay_inside_their_arrays(fresh):
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
from nnlite.kernels.examples import examples
for name, cases in examples().items():
    getattr(fast, name)(*cases[0])
print(len(Compiled.names) > 30)
"""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as cache:  # checked code must not end up in the ordinary cache
        done = fresh(code, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=cache, NUMBA_OPT="0")
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
from test_memory import Guarded
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
def test_the_micro_kernel_touches_nothing_beside_its_inputs(fresh):
    fresh(GUARDED.replace("{folder!r}", repr(os.path.dirname(__file__))))


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
                    matrix.multiply_share(
                        matrix.matrix(a, False), panels.array, bias, np.float32(1), out, threads, t
                    )
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
