"""A sweep of 40 short runs in processes: how near it comes to its share of the serial time.

    python benchmarks/sweep.py [--repeats 3] [--runs 40] [--steps 2400]

Both ways take turns, and the ratio is taken within a turn, so that a busy machine slows both. What
processes lose is their start (Python, NumPy, Numba, nnlite), a constant beside runs of a second or
more, and the end, when some of them wait. A machine without idle cores measures its other programs;
the processor seconds of all processes against those of the serial sweep do not. Nothing here
asserts a time.
"""

import argparse
import os
import statistics
import time

import numpy as np

from nnlite import nn, optim, sweep
from nnlite.sweeps.pools import Here


def train(lr, steps, seed):
    """A small network learns to draw a circle; returns the last loss."""
    rng = np.random.default_rng(seed)
    net = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2))
    optimizer = optim.Adam(net.parameters(), lr=lr)
    for _ in range(steps):
        t = rng.uniform(-1, 1, size=(256, 1)).astype(np.float32)
        circle = np.concatenate([np.cos(np.pi * t), np.sin(np.pi * t)], axis=1)
        loss = ((net(t) - circle) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def measure(executor, runs, steps):
    """Seconds on the clock, and of processors: this process and those it has started and ended."""
    clock, before = time.perf_counter(), sum(os.times()[:4])
    sweep(train, {"lr": [1e-3, 3e-3], "steps": [steps]}, runs // 2, executor)
    return time.perf_counter() - clock, sum(os.times()[:4]) - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=2400)
    options = parser.parse_args()
    train(1e-3, 3, 0)  # imports and caches are warm before the first timing
    processes = min(os.cpu_count(), options.runs)
    ratios = []
    for _ in range(options.repeats):
        serial, work = measure(Here(), options.runs, options.steps)
        parallel, more = measure(None, options.runs, options.steps)
        ratios.append((parallel / (serial / processes), more / work))
        print(f"serial {serial:.1f} s, {processes} processes {parallel:.1f} s: ", end="")
        print(f"{ratios[-1][0]:.2f} of the share; ", end="")
        print(f"processor seconds {work:.1f} and {more:.1f}: {ratios[-1][1]:.2f}", flush=True)
    clock, work = (statistics.median(column) for column in zip(*ratios, strict=True))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"median {clock:.2f} of the share, work {work:.2f}, at a load of {load:.1f}")


if __name__ == "__main__":
    main()
