"""The convolution kernels as a share of what the machine can do.

    python benchmarks/conv_roofline.py [--threads N] [--repeats 15]

The roof is measured, not looked up: register-resident fused multiply-adds on all threads (no
memory at all), and beside it a large SGEMM by NumPy's BLAS. Kernel and roof take turns and each
counts with its best time, which is what a shared machine leaves of its speed. A convolution counts
2·N·OH·OW·F·C·kh·kw floating-point operations, whatever the kernel does. Nothing here asserts a
time.
"""

import argparse
import os
import platform
import time
from importlib.metadata import version

#: (N, C, size, F, kernel, stride, padding), and whether there are enough channels to fill registers
SHAPES = {
    (16, 32, 32, 32, 3, 1, 1): "super-resolution body",
    (64, 64, 14, 128, 4, 2, 1): "DCGAN 28, second layer",
    (64, 64, 16, 128, 4, 2, 1): "DCGAN 32, second layer",
    (64, 128, 8, 256, 4, 2, 1): "DCGAN 32, third layer",
    (128, 16, 14, 32, 3, 2, 1): "autoencoder, second layer",
    (16, 32, 32, 12, 3, 1, 1): "super-resolution head",
    (64, 1, 28, 64, 4, 2, 1): "DCGAN 28, image layer",
    (64, 3, 32, 64, 4, 2, 1): "DCGAN 32, image layer",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=15)
    return parser.parse_args()


def roof(threads):
    """Return a function that multiplies and adds in registers, and its number of operations."""
    import numpy as np
    from numba import njit, prange

    from nnlite.kernels.fast.machine import TILE
    from nnlite.kernels.fast.product import fill_rows
    from nnlite.kernels.fast.tile import Epilogue, Rows, Terms, Weights, wide_tile

    steps, tiles = 4096, 64

    @njit(nogil=True)
    def work(x, off, w, y, out, bias):
        # One number and one row of weights, read again and again: nothing but arithmetic.
        for _ in range(tiles):
            wide_tile(
                Rows(x, off, 0), 0, Terms(1, 0, 1, 0, steps, 0), Weights(w, 0, 0), Rows(y, out, 0),
                0, Epilogue(bias, 0, np.float32(1), False),
            )  # fmt: skip

    @njit(parallel=True)
    def on_all(x, off, w, y, out, bias, threads):
        for t in prange(threads):
            work(x, off, w, y[t], out, bias)

    off, out = np.zeros(TILE.rows, np.int64), np.arange(TILE.rows) * TILE.width
    fill_rows(off, TILE.rows)
    x, w = np.full(1, 1e-3, np.float32), np.full(TILE.width, 1e-3, np.float32)
    y = np.zeros((threads, TILE.rows * TILE.width), np.float32)
    bias = np.zeros(TILE.width, np.float32)
    flop = 2.0 * threads * tiles * steps * TILE.rows * TILE.width
    return lambda: on_all(x, off, w, y, out, bias, threads), flop


def sgemm(threads):
    import numpy as np
    from threadpoolctl import threadpool_limits

    a = np.random.default_rng(0).standard_normal((1024, 1024), dtype=np.float32)

    def run():
        with threadpool_limits(threads, user_api="blas"):
            return a @ a

    return run, 2.0 * 1024**3


def kernels_of(shape):
    """Return the three passes of one layer, name -> function, and the operations of each."""
    import numpy as np

    from nnlite import kernels

    n, c, size, f, k, stride, padding = shape
    rng = np.random.default_rng(0)

    def stored_channels_last(*shape):
        last = rng.standard_normal((shape[0], shape[2], shape[3], shape[1]), dtype=np.float32)
        return last.transpose(0, 3, 1, 2)

    x = stored_channels_last(n, c, size, size)
    w = rng.standard_normal((f, c, k, k), dtype=np.float32)
    window = {"stride": (stride, stride), "padding": (padding, padding)}
    out = kernels.conv2d(x, w, **window).shape
    g = stored_channels_last(*out)
    runs = {
        "forward": lambda: kernels.conv2d(x, w, **window),
        "input gradient": lambda: kernels.conv2d_input_grad(g, w, x.shape, **window),
        "weight gradient": lambda: kernels.conv2d_weight_grad(x, g, w.shape, **window),
    }
    return runs, 2.0 * n * out[2] * out[3] * f * c * k * k


def best(runs, repeats):
    """Return the best time of each function, taking turns, in seconds."""
    times = {name: float("inf") for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            times[name] = min(times[name], time.perf_counter() - begin)
    return times


def cpu():
    try:
        with open("/proc/cpuinfo") as file:
            model = next(line for line in file if line.startswith("model name"))
        return model.partition(":")[2].strip()
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    args = arguments()
    os.environ.setdefault("NUMBA_NUM_THREADS", str(args.threads))
    # Two threads that happen to start on one core may stay there for the whole run.
    os.environ.setdefault("OMP_PROC_BIND", "true")
    import numba

    from nnlite.kernels.fast.machine import TILE

    numba.set_num_threads(args.threads)
    names = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "llvmlite"))
    print(f"machine   {cpu()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"versions  Python {platform.python_version()}, {names}")
    print(f"threads   {args.threads}, tile of {TILE.rows} rows × {TILE.vectors}·{TILE.lanes} lanes")
    peak, peak_flop = roof(args.threads)
    gemm, gemm_flop = sgemm(args.threads)
    # The two pools must not spin against each other: BLAS has its turn alone.
    blas = gemm_flop / best({"blas": gemm}, 5)["blas"]
    time.sleep(0.3)
    print(f"SGEMM     {blas / 1e9:.0f} GFLOP/s, 1024³, NumPy's BLAS\n")
    print(f"{'layer (N,C,size,F,k,s,p)':44s}{'':18s}{'ms':>8s}{'GFLOP/s':>9s}{'of roof':>9s}")
    for shape, what in SHAPES.items():
        runs, flop = kernels_of(shape)
        times = best({**runs, "roof": peak}, args.repeats)
        speed = peak_flop / times.pop("roof")
        for i, (name, seconds) in enumerate(times.items()):
            head = f"{what} {','.join(map(str, shape))}" if i == 0 else ""
            share = flop / seconds / speed
            print(
                f"{head:40s}  {name:16s}{seconds * 1e3:8.2f}{flop / seconds / 1e9:9.0f}{share:9.0%}"
            )
        print(f"{'':44s}  {'roof':16s}{'':8s}{speed / 1e9:9.0f}")


if __name__ == "__main__":
    main()
