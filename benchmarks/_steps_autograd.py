"""The dense workloads in HIPS autograd: NumPy with gradients, everything else by hand."""

import autograd.numpy as np
import numpy
from _mlp import init, net
from autograd import grad


def bce(z, t):
    return np.mean(np.maximum(z, 0) - t * z + np.log1p(np.exp(-np.abs(z))))


class Adam:
    def __init__(self, layers, lr=1e-3, beta1=0.9):
        self.layers, self.lr, self.beta1, self.t = layers, lr, beta1, 0
        arrays = [a for layer in layers for a in layer]
        self.memory = [(numpy.zeros_like(a), numpy.zeros_like(a)) for a in arrays]

    def step(self, gradients):
        self.t += 1
        arrays = [a for layer in self.layers for a in layer]
        gradients = [g for layer in gradients for g in layer]
        for a, g, (m, v) in zip(arrays, gradients, self.memory, strict=True):
            m += (1 - self.beta1) * (g - m)
            v += 0.001 * (g * g - v)
            scale = self.lr / (1 - self.beta1**self.t)
            a -= scale * m / (numpy.sqrt(v) / (1 - 0.999**self.t) ** 0.5 + 1e-8)


def autoencoder(sizes, activation, loss, x, rng):
    layers = init(sizes, rng)
    adam = Adam(layers)
    slope = grad(lambda p: loss(net(p, x, activation), x))
    return lambda: adam.step(slope(layers))


def gan(batch, rng):
    def leaky(x):
        return np.maximum(x, np.float32(0.2) * x)

    G, D = init([2, 128, 128, 2], rng), init([2, 128, 128, 1], rng)
    of_g, of_d = Adam(G, 2e-4, 0.5), Adam(D, 2e-4, 0.5)
    x = rng.standard_normal((batch, 2), dtype=numpy.float32)
    slope_d = grad(lambda d, f: bce(net(d, x, leaky), 1) + bce(net(d, f, leaky), 0))
    slope_g = grad(lambda g, z: bce(net(D, net(g, z, leaky), leaky), 1))

    def step():
        z = rng.standard_normal((batch, 2), dtype=numpy.float32)
        of_d.step(slope_d(D, net(G, z, leaky)))
        of_g.step(slope_g(G, z))

    return step


def _chain(x):
    y = x
    for _ in range(500):
        y = y * x
        y = y + x
    return np.sum(y)


def make(name, batch):
    rng = numpy.random.default_rng(0)
    match name:
        case "linear_ae":
            x = rng.random((batch, 784), dtype=numpy.float32)
            loss = lambda y, t: np.mean((y - t) ** 2)  # noqa: E731
            return autoencoder([784, 32, 784], lambda h: h, loss, x, rng)
        case "deep_ae":
            x = rng.random((batch, 784), dtype=numpy.float32)
            sizes = [784, 256, 64, 256, 784]
            return autoencoder(sizes, lambda h: np.maximum(h, 0), bce, x, rng)
        case "gan2d":
            return gan(batch, rng)
        case "chain":
            slope = grad(_chain)
            return lambda: slope(numpy.ones(10, numpy.float32))
    raise ValueError(f"no workload {name!r} for autograd.")
