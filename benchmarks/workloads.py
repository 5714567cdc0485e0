"""Training steps of the lectures' own networks: nnlite against PyTorch, JAX and HIPS autograd.

    python benchmarks/workloads.py [--repeats 11] [--threads N] [--only dcgan28 gan2d] [--peers ...]
    python benchmarks/workloads.py --busy 7 --only linear_ae gan2d   # beside 7 other programs

A step is forward, backward and Adam, float32. Each peer runs in a process of its own; the peers
take turns, and ratios are taken within a turn, so that a busy machine slows all of them. Between
turns everyone rests, since idle threads of a pool spin for some milliseconds on a core that the
next peer needs. Nothing here asserts a time. Peers that are not installed are left out.
"""

import argparse
import importlib.util
import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

import numpy as np

#: name -> (batch, target ratio to PyTorch's default, stretch: ratio to its best variant)
WORKLOADS = {
    "linear_ae": (128, 0.50, 0.50),
    "deep_ae": (128, 0.40, 0.45),
    "gan2d": (256, 0.55, 0.45),
    "conv_ae": (128, 0.50, 0.50),
    "dcgan28": (64, 0.85, 0.75),
    "dcgan28:128": (128, 0.85, 0.75),
    "dcgan32": (64, 0.90, 0.80),
    "sr_cnn": (16, 0.90, 1.00),
    "chain": (0, 0.65, 0.50),
    "pca": (0, 0.75, 0.60),
}
IMAGES = ("conv_ae", "dcgan28", "dcgan32", "sr_cnn")
REST = 0.06  #: seconds between turns
#: peer -> (package, the workloads that make sense for it)
PEERS = {
    "nnlite": ("nnlite", None),
    "torch": ("torch", [w.partition(":")[0] for w in WORKLOADS if w != "pca"]),
    "torch fused Adam": ("torch", ["linear_ae", "deep_ae", "gan2d", *IMAGES]),
    "torch channels_last": ("torch", [*IMAGES]),
    "torch both": ("torch", [*IMAGES]),
    "jax.jit": ("jax", ["linear_ae", "deep_ae", "gan2d"]),
    "autograd": ("autograd", ["linear_ae", "deep_ae", "gan2d", "chain"]),
    "scikit-learn": ("sklearn", ["pca"]),
}


def make(peer, workload, threads):
    """Return the peer's function for one step."""
    name, batch = workload.partition(":")[0], WORKLOADS[workload][0]
    if peer == "nnlite":
        import _steps_nnlite

        return _steps_nnlite.make(name, batch)
    if peer.startswith("torch"):
        import _steps_torch

        fused, last = peer.endswith(("Adam", "both")), peer.endswith(("last", "both"))
        return _steps_torch.make(name, batch, threads, fused, last)
    if peer == "jax.jit":
        import _steps_jax

        return _steps_jax.make(name, batch)
    if peer == "autograd":
        import _steps_autograd

        return _steps_autograd.make(name, batch)
    import pca

    X = pca.data("float32")
    return lambda: pca.estimator("sklearn").fit(X)


def worker(peer, workload, threads, seconds):
    """Time a burst of steps for each line on stdin and answer with the seconds per step."""
    step = make(peer, workload, threads)
    step()  # compiles, starts thread pools
    start, n = time.perf_counter(), 0
    while n < 3 or time.perf_counter() - start < seconds:
        step()
        n += 1
    burst = max(1, round(seconds * n / (time.perf_counter() - start)))
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "stop":
            break
        start = time.perf_counter()
        for _ in range(burst):
            step()
        print((time.perf_counter() - start) / burst, peak_memory(), flush=True)


def peak_memory():
    """Return the largest memory this process has had, in MB (0 where the system does not tell)."""
    try:
        import resource
    except ImportError:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def spawn(peer, workload, args):
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(args.threads)}
    environment["OMP_NUM_THREADS"] = environment["OPENBLAS_NUM_THREADS"] = str(args.threads)
    command = [
        sys.executable, __file__, "--worker", peer, "--only", workload,
        "--threads", str(args.threads), "--seconds", str(args.seconds),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    if process.stdout.readline().strip() != "ready":
        raise SystemExit(f"the worker of {peer} for {workload} did not start.")
    return process


def measure(workload, peers, args):
    """Return seconds per step of every peer in every turn, and the memory peaks in MB."""
    processes = {peer: spawn(peer, workload, args) for peer in peers}
    times, memory = {peer: [] for peer in peers}, {}
    for turn in range(args.repeats):
        for peer in peers if turn % 2 == 0 else peers[::-1]:
            process = processes[peer]
            time.sleep(REST)
            process.stdin.write("go\n")
            process.stdin.flush()
            seconds, memory[peer] = map(float, process.stdout.readline().split())
            times[peer].append(seconds)
    for process in processes.values():
        process.communicate("stop\n")
    return {peer: np.array(t) for peer, t in times.items()}, memory


@contextmanager
def other_programs(count):
    """Start processes that do nothing but keep a core busy."""
    spin = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(spin) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def spread(values, scale=1.0, digits=2):
    low, middle, high = (scale * v for v in (values.min(), np.median(values), values.max()))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def report(workload, times, memory, targets):
    ours = times["nnlite"]
    reference = "torch" if "torch" in times else "scikit-learn"
    print(f"\n{workload}")
    for peer, t in times.items():
        ratio = f"   nnlite takes {spread(ours / t)} of it" if peer != "nnlite" else ""
        print(f"  {peer:20s} {spread(t, 1e3):>26s} ms  {memory[peer]:5.0f} MB{ratio}")
    if reference not in times:
        return None
    others = [t for peer, t in times.items() if peer.startswith(reference)]
    best = min(others, key=np.median)
    target, stretch = targets
    return (
        workload, 1e3 * np.median(ours), 1e3 * np.median(times[reference]),
        np.median(ours / times[reference]), target, np.median(ours / best), stretch,
    )  # fmt: skip


def header(args):
    names = ("numpy", "numba", "torch", "jax", "autograd", "scikit-learn")
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    print(f"machine   {cpu()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"versions  Python {platform.python_version()}, {', '.join(found)}")
    print(f"threads   {args.threads} for every peer, beside {args.busy} other programs")


def cpu():
    try:
        with open("/proc/cpuinfo") as file:
            model = next(line for line in file if line.startswith("model name"))
        return model.partition(":")[2].strip()
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=0.2, help="of steps in each turn")
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--busy", type=int, default=0, help="other programs on the machine")
    parser.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.only[0], args.threads, args.seconds)
        return
    header(args)
    rows = []
    for workload in args.only:
        name = workload.partition(":")[0]
        peers = [
            peer
            for peer, (package, suits) in PEERS.items()
            if (peer == "nnlite" or peer in args.peers)
            and (suits is None or name in suits)
            and importlib.util.find_spec(package)
        ]
        with other_programs(args.busy):
            times, memory = measure(workload, peers, args)
        rows.append(report(workload, times, memory, WORKLOADS[workload][1:]))
    print("\nworkload      nnlite ms  default ms   ratio  target      to best  stretch")
    for row in filter(None, rows):
        name, ours, theirs, ratio, target, best, stretch = row
        marks = ["met" if r <= goal else "   " for r, goal in ((ratio, target), (best, stretch))]
        print(
            f"{name:12s} {ours:10.2f} {theirs:11.2f} {ratio:7.2f} {target:7.2f} {marks[0]}"
            f" {best:8.2f} {stretch:8.2f} {marks[1]}"
        )
    print("default: PyTorch eager (scikit-learn for pca); best: the fastest of its variants.")


if __name__ == "__main__":
    main()
