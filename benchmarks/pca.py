"""PCA of 10,000 x 784 digits, 32 components: nnlite against scikit-learn's default.

    python benchmarks/pca.py [--repeats 15] [--dtype float32]

Each library runs in a process of its own; the two take turns, and the ratio is taken within a
turn, so that a busy machine slows both. Nothing here asserts a time. Answers are compared with a
float64 SVD of the same data.
"""

import argparse
import os
import pickle
import platform
import subprocess
import sys
import time

import numpy as np

from nnlite.datasets import mnist

COMPONENTS = 32


def data(dtype):
    """Return 7,000 digits and 3,000 of them moved by one pixel: 10,000 different images."""
    X = mnist("all", flatten=False).X
    moved = np.roll(X[:3000], 1, axis=2)
    return np.concatenate([X, moved]).reshape(10_000, 784).astype(dtype)


def estimator(library):
    if library == "nnlite":
        from nnlite.pca import PCA
    else:
        from sklearn.decomposition import PCA
    return PCA(n_components=COMPONENTS)


def worker(library, dtype):
    """Fit once for each line on stdin and answer with the seconds; at the end, send the result."""
    X = data(dtype)
    estimator(library).fit(X)  # imports, thread pools and caches are warm before the first timing
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "stop":
            break
        start = time.perf_counter()
        pca = estimator(library).fit(X)
        print(time.perf_counter() - start, flush=True)
    result = {"components": pca.components_, "variances": pca.explained_variance_}
    sys.stdout.buffer.write(pickle.dumps(result))


def spawn(library, dtype):
    process = subprocess.Popen(
        [sys.executable, __file__, "--worker", library, "--dtype", dtype],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if process.stdout.readline().strip() != b"ready":
        raise SystemExit(f"the {library} worker did not start; is it installed?.")
    return process


def ask(process):
    process.stdin.write(b"go\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def answer(process):
    return pickle.loads(process.communicate(b"stop\n")[0])


def sgemm_gflops(dtype, n=1024, repeats=5):
    A = np.ones((n, n), dtype)
    A @ A
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        A @ A
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best / 1e9


def blas():
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown (threadpoolctl is not installed)"
    pools = [p for p in threadpool_info() if p["user_api"] == "blas"]
    return ", ".join(
        f"{p['internal_api']} {p['version']} ({p.get('architecture')}, {p['num_threads']} threads)"
        for p in pools[:1]
    )


def header(dtype):
    import sklearn

    print(f"machine   {platform.machine()}, {os.cpu_count()} cores, {platform.system()}")
    print(
        f"versions  Python {platform.python_version()}, NumPy {np.__version__}, "
        f"scikit-learn {sklearn.__version__}"
    )
    print(f"BLAS      {blas()}; measured {sgemm_gflops(dtype):.0f} GFLOP/s ({dtype} product)")


def compare(results, dtype):
    X = data("float64")
    _, s, Vt = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    exact, lam = Vt[:COMPONENTS], s**2 / (len(X) - 1)
    gap = lam[COMPONENTS - 1] - lam[COMPONENTS]
    limit = np.finfo(dtype).eps * lam[0] / gap
    print(f"\nagreement with a float64 SVD (eps * lambda_1 / gap = {limit:.1e})")
    for library, result in results.items():
        W = result["components"].astype(np.float64)
        sine = np.linalg.norm(W - (W @ exact.T) @ exact, 2)  # of the largest principal angle
        error = np.abs(result["variances"] / lam[:COMPONENTS] - 1).max()
        print(f"  {library:8s}  sin(largest angle) {sine:.1e}   variances, relative {error:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--worker", choices=("nnlite", "sklearn"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.dtype)
        return
    header(args.dtype)
    processes = {library: spawn(library, args.dtype) for library in ("nnlite", "sklearn")}
    times = {library: [] for library in processes}
    for turn in range(args.repeats):
        order = list(processes) if turn % 2 == 0 else list(processes)[::-1]
        for library in order:
            times[library].append(ask(processes[library]))
    print(f"\nPCA of 10,000 x 784, {COMPONENTS} components, {args.dtype}, {args.repeats} turns")
    for library, t in times.items():
        ms = 1e3 * np.array(t)
        print(
            f"  {library:8s}  median {np.median(ms):6.1f} ms   ({ms.min():.1f} to {ms.max():.1f})"
        )
    ratio = np.array(times["nnlite"]) / np.array(times["sklearn"])
    print(
        f"  ratio     median {np.median(ratio):6.2f}      ({ratio.min():.2f} to {ratio.max():.2f})"
    )
    compare({library: answer(process) for library, process in processes.items()}, args.dtype)


if __name__ == "__main__":
    main()
