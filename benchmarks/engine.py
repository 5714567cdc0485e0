"""What the engine costs per operation: a chain of 1,000 tiny operations, forward and backward.

    python benchmarks/engine.py [--repeats 30] [--size 10]

The chain is ``y = y * x; y = y + x``, 500 times, on float32 vectors, then ``y.sum()`` and the
gradient towards ``x``. The arithmetic takes no time to speak of; what is left is recording and
walking back. ``record`` is nnlite without its unrolled operators (nnlite/engine/operators.py).
Peers that are not installed are left out. Each library runs in a process of its own with one
thread; they take turns, and the ratio is taken within a turn, so that a busy machine slows all.
Time is the process's own CPU time. Nothing here asserts a time.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version

import numpy as np

LIBRARIES = {
    "nnlite": "numpy",
    "record": "numpy",
    "torch": "torch",
    "autograd": "autograd",
    "jax": "jax",
    "jax.jit": "jax",
}
PAIRS = 500
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


def chain(x):
    y = x
    for _ in range(PAIRS):
        y = y * x
        y = y + x
    return y


def restore_plain_operators(tensor):
    """Undo nnlite.engine.operators: what x * y costs as record(multiply, (x, y), {})."""
    from nnlite.engine.operators import OPERATORS
    from nnlite.engine.tensor import record

    for name, op in OPERATORS.items():
        setattr(tensor, name, lambda x, y, op=op: record(op, (x, y), {}))


def step(library, size):
    """Return a function that runs the chain forward and backward and returns the gradient."""
    start = np.full(size, 0.5, "float32")
    if library in ("nnlite", "record"):
        import nnlite

        if library == "record":
            restore_plain_operators(nnlite.Tensor)

        def run():
            x = nnlite.Tensor(start, requires_grad=True)
            chain(x).sum().backward()
            return x.grad

    elif library == "torch":
        import torch

        torch.set_num_threads(1)

        def run():
            x = torch.from_numpy(start).requires_grad_()
            chain(x).sum().backward()
            return x.grad.numpy()

    elif library == "autograd":
        import autograd
        import autograd.numpy as anp

        slope = autograd.grad(lambda x: anp.sum(chain(x)))

        def run():
            return slope(start)

    else:  # jax traces the chain each time; jax.jit compiles it once, before the first timing
        import jax

        slope = jax.grad(lambda x: chain(x).sum())
        slope = jax.jit(slope) if library == "jax.jit" else slope

        def run():
            return np.asarray(slope(start))

    return run


def worker(library, size):
    """Time one run for each line on stdin; the first answer is a checksum of the gradient."""
    try:
        run = step(library, size)
    except ImportError:
        print("missing", flush=True)
        return
    print(f"ready {float(run().sum())!r}", flush=True)
    for _ in sys.stdin:
        begin = time.process_time()
        run()
        print(time.process_time() - begin, flush=True)


def spawn(library, size):
    """Return a worker and the sum of its gradient, or None if the library is not installed."""
    command = [sys.executable, __file__, "--worker", library, "--size", str(size)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **ONE_THREAD},
    )
    answer = process.stdout.readline().split()
    if not answer:
        raise SystemExit(f"the {library} worker did not start.")
    return (process, float(answer[1])) if answer[0] == "ready" else None


def ask(process):
    process.stdin.write("go\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def summary(values, unit):
    return f"median {np.median(values):7.2f}{unit}  ({np.min(values):.2f} to {np.max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--size", type=int, default=10, help="entries of the vectors")
    parser.add_argument("--worker", choices=LIBRARIES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.size)
        return
    started = {name: spawn(name, args.size) for name in LIBRARIES}
    running = {name: pair for name, pair in started.items() if pair is not None}
    print(
        f"machine   {platform.machine()}, {os.cpu_count()} cores, {platform.system()}, one thread"
    )
    packages = sorted({LIBRARIES[name] for name in running})
    listed = ", ".join(f"{package} {version(package)}" for package in packages)
    print(f"versions  Python {platform.python_version()}, {listed}")
    print(f"absent    {', '.join(name for name in started if name not in running) or 'none'}")
    times = {name: [] for name in running}
    for turn in range(args.repeats):
        order = list(running) if turn % 2 == 0 else list(running)[::-1]
        for name in order:
            times[name].append(ask(running[name][0]))
    print(f"\n{2 * PAIRS} operations on {args.size} float32, both ways, {args.repeats} turns")
    ours = np.array(times["nnlite"])
    for name, t in times.items():
        ms = 1e3 * np.array(t)
        line = f"  {name:9s} {summary(ms, ' ms')}"
        if name != "nnlite":
            line += f"   nnlite / {name}: {summary(ours / np.array(t), '')}"
        print(line)
    reference = running["nnlite"][1]
    print("\nagreement of the gradient's sum with nnlite's (relative)")
    for name, (process, total) in running.items():
        process.stdin.close()
        process.wait()
        if name != "nnlite":
            print(f"  {name:9s} {abs(total - reference) / abs(reference):.1e}")


if __name__ == "__main__":
    main()
