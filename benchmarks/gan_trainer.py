"""What the trainer of nnlite.gans costs beside the same steps written by hand.

    python benchmarks/gan_trainer.py [--turns 60]

The 2-D GAN of workloads.py in three forms: its loop there, which judges one and the same batch of
fakes for both players; Algorithm 1 as published, by hand, with fresh samples and fresh noise for
each player; and ``GAN.step``, which is that with gradient norms and a history. Turns alternate, and
ratios are taken within a turn. Processor time is measured, so other programs matter little.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # processor time of one thread
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import time

import _steps_nnlite as steps
import numpy as np

import nnlite
from nnlite import optim
from nnlite.gans import GAN
from nnlite.gans.sources import source_of_samples
from nnlite.nn import functional as F

BATCH, LATENT, BURST = 256, 2, 10


def networks():
    return steps.mlp([2, 128, 128, 2], steps.leaky), steps.mlp([2, 128, 128, 1], steps.leaky)


def by_hand(X):
    """One step of Algorithm 1 with k = 1."""
    G, D = networks()
    of_d, of_g = (optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999)) for m in (D, G))
    rng, bce = np.random.default_rng(1), F.binary_cross_entropy_with_logits
    one, zero = np.ones((BATCH, 1), np.float32), np.zeros((BATCH, 1), np.float32)

    def noise():
        return rng.standard_normal((BATCH, LATENT), dtype=np.float32)

    def step():
        with nnlite.no_grad():
            fake = G(noise()).data
        of_d.zero_grad()
        real = X.take(rng.integers(len(X), size=BATCH), axis=0)
        (bce(D(real), one) + bce(D(fake), zero)).backward()
        of_d.step()
        of_g.zero_grad()
        loss = bce(D(G(noise())), one)
        loss.backward()
        of_g.step()
        return loss.item()

    return step


def trainer(X):
    gan = GAN(*networks(), latent=LATENT, batch_size=BATCH, rng=1)
    draw = source_of_samples(X, X.dtype)
    return lambda: gan.step(draw)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=60)
    turns = parser.parse_args().turns
    X = np.random.default_rng(0).standard_normal((10_000, 2)).astype(np.float32)
    forms = {
        "the loop of workloads.py, fakes used twice": steps.make("gan2d", BATCH),
        "Algorithm 1 by hand": by_hand(X),
        "GAN.step": trainer(X),
    }
    times = {name: np.empty(turns) for name in forms}
    for step in forms.values():
        step()  # compiles
    for turn in range(turns):
        for name in list(forms)[:: 1 if turn % 2 else -1]:
            start = time.process_time()
            for _ in range(BURST):
                forms[name]()
            times[name][turn] = (time.process_time() - start) / BURST
    ours = times["GAN.step"]
    for name, t in times.items():
        ratio = np.median(ours / t)
        print(f"{name:44s} {1e3 * np.median(t):6.3f} ms   GAN.step takes {ratio:.3f} of it")


if __name__ == "__main__":
    main()
