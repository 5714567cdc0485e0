"""One epoch of the 784-256-64-256-784 autoencoder over the 6,000 digits: nnlite against PyTorch.

    python benchmarks/autoencoder_epoch.py [--repeats 11] [--threads N] [--batch-size 128]

Both do the same: shuffle, and for each batch forward, cross-entropy on logits, backward, Adam,
float32. Two rows of nnlite: the open loop of lecture 04, and ``autoencoders.deep(...).fit``, which
also checks its input and lowers the step along a cosine (so its loss falls more slowly here). Each
peer runs in a process of its own and they take turns; ratios are taken within a turn, so that a
busy machine slows all of them. Nothing here asserts a time.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time

import numpy as np
from workloads import header, spread

SIZES = (784, 256, 64, 256, 784)
PEERS = ("nnlite loop", "nnlite fit", "torch", "torch fused Adam")


def make_nnlite_loop(X, batch_size):
    """Return the loop of lecture 04, written out."""
    from _steps_nnlite import mlp

    from nnlite import nn, optim
    from nnlite.nn import functional as F
    from nnlite.training import batches

    net = mlp(SIZES, nn.ReLU)
    optimizer = optim.Adam(net.parameters())
    rng = np.random.default_rng(0)

    def epoch():
        total = 0.0
        for x in batches(X, batch_size=batch_size, rng=rng):
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(net(x), x)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        return total / len(X)

    return epoch


def make_nnlite_fit(X, batch_size):
    """Return a fit of the library's estimator."""
    from nnlite import autoencoders

    settings = {"loss": "cross_entropy", "batch_size": batch_size, "lr": 1e-3, "rng": 0}
    model = autoencoders.deep(SIZES[:3], **settings)
    return lambda: model.fit(X, epochs=1).loss_curve_[-1] / X.shape[1]


def make_torch(X, batch_size, threads, fused):
    """Return the same loop in PyTorch."""
    import torch

    torch.set_num_threads(threads)
    layers = []
    for i in range(len(SIZES) - 1):
        layers += [torch.nn.Linear(SIZES[i], SIZES[i + 1]), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(net.parameters(), fused=fused)
    data = torch.from_numpy(X)
    loss_function = torch.nn.BCEWithLogitsLoss()

    def epoch():
        total = 0.0
        for rows in torch.randperm(len(data)).split(batch_size):
            x = data[rows]
            optimizer.zero_grad()
            loss = loss_function(net(x), x)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        return total / len(data)

    return epoch


def worker(peer, args):
    """Train an epoch for each line on stdin; answer with its seconds and its mean loss."""
    from nnlite import datasets

    X = np.ascontiguousarray(datasets.mnist()[0])
    if peer == "nnlite loop":
        epoch = make_nnlite_loop(X, args.batch_size)
    elif peer == "nnlite fit":
        epoch = make_nnlite_fit(X, args.batch_size)
    else:
        epoch = make_torch(X, args.batch_size, args.threads, fused=peer.endswith("Adam"))
    epoch()  # compiles, starts thread pools
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "stop":
            break
        start = time.perf_counter()
        loss = epoch()
        print(time.perf_counter() - start, loss, flush=True)


def spawn(peer, args):
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(args.threads)}
    environment["OMP_NUM_THREADS"] = environment["OPENBLAS_NUM_THREADS"] = str(args.threads)
    command = [
        sys.executable, __file__, "--worker", peer,
        "--threads", str(args.threads), "--batch-size", str(args.batch_size),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    while (line := process.stdout.readline().strip()) != "ready":
        if not line and process.poll() is not None:
            raise SystemExit(f"the worker of {peer} did not start.")
    return process


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args)
        return
    header(args)
    peers = [p for p in PEERS if p.startswith("nnlite") or importlib.util.find_spec("torch")]
    processes = {peer: spawn(peer, args) for peer in peers}
    seconds, losses = {peer: [] for peer in peers}, {}
    for turn in range(args.repeats):
        for peer in peers if turn % 2 == 0 else peers[::-1]:
            processes[peer].stdin.write("go\n")
            processes[peer].stdin.flush()
            taken, losses[peer] = map(float, processes[peer].stdout.readline().split())
            seconds[peer].append(taken)
    for process in processes.values():
        process.communicate("stop\n")
    times = {peer: np.array(s) for peer, s in seconds.items()}
    print(f"\nan epoch over 6,000 digits, batches of {args.batch_size}; median (least to most)")
    for peer, t in times.items():
        ratio = f"   ratio to torch {spread(t / times['torch'])}" if "torch" in times else ""
        print(f"  {peer:17s} {spread(t, 1e3, 0):>22s} ms   loss {losses[peer]:.4f}{ratio}")
    print("target: ratio 0.40. Compare the losses: peers that trained alike have nearly the same.")


if __name__ == "__main__":
    main()
