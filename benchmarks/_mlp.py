"""What the peers without layers of their own share: the network of the dense workloads."""

from itertools import pairwise

import numpy as np


def init(sizes, rng):
    """Return weights (in, out) and bias of every layer, float32, drawn as PyTorch draws them."""
    layers = []
    for n, m in pairwise(sizes):
        bound = 1 / n**0.5
        layers.append((rng.uniform(-bound, bound, (n, m)), rng.uniform(-bound, bound, m)))
    return [tuple(a.astype(np.float32) for a in layer) for layer in layers]


def net(layers, x, activation):
    """Return the network's output; an activation behind every layer but the last."""
    for i, (w, b) in enumerate(layers):
        x = x @ w + b
        if i < len(layers) - 1:
            x = activation(x)
    return x
