"""The dense workloads in JAX: one compiled function for a whole step, Adam by hand."""

import jax
import jax.numpy as jnp
import numpy as np
from _mlp import init, net


def bce(z, t):
    return jnp.mean(jax.nn.softplus(z) - t * z)


def leaky(x):
    return jnp.maximum(x, 0.2 * x)


def start(layers):
    """Return what Adam begins with: parameters, two moments of each, and the number of steps."""
    zeros = jax.tree.map(np.zeros_like, layers)
    return layers, zeros, zeros, 0


def adam(state, gradient, lr=1e-3, beta1=0.9):
    layers, m, v, t = state
    t += 1
    m = jax.tree.map(lambda m, g: m + (1 - beta1) * (g - m), m, gradient)
    v = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), v, gradient)

    def moved(w, m, v):
        return w - lr / (1 - beta1**t) * m / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)

    return jax.tree.map(moved, layers, m, v), m, v, t


def autoencoder(sizes, activation, loss, x, rng):
    def objective(layers):
        return loss(net(layers, x, activation), x)

    @jax.jit
    def trained(state):
        value, gradient = jax.value_and_grad(objective)(state[0])
        return adam(state, gradient), value

    state = start(init(sizes, rng))

    def step():
        nonlocal state
        state, loss = trained(state)
        return float(loss)

    return step


def gan(batch, rng):
    x = rng.standard_normal((batch, 2), dtype=np.float32)

    def loss_d(d, fake):
        return bce(net(d, x, leaky), 1.0) + bce(net(d, fake, leaky), 0.0)

    def loss_g(g, d, z):
        return bce(net(d, net(g, z, leaky), leaky), 1.0)

    @jax.jit
    def trained(of_g, of_d, z):
        fake = net(of_g[0], z, leaky)
        of_d = adam(of_d, jax.grad(loss_d)(of_d[0], fake), 2e-4, 0.5)
        value, gradient = jax.value_and_grad(loss_g)(of_g[0], of_d[0], z)
        return adam(of_g, gradient, 2e-4, 0.5), of_d, value

    of_g, of_d = start(init([2, 128, 128, 2], rng)), start(init([2, 128, 128, 1], rng))

    def step():
        nonlocal of_g, of_d
        z = rng.standard_normal((batch, 2), dtype=np.float32)
        of_g, of_d, loss = trained(of_g, of_d, z)
        return float(loss)

    return step


def make(name, batch):
    rng = np.random.default_rng(0)
    match name:
        case "linear_ae":
            x = rng.random((batch, 784), dtype=np.float32)
            loss = lambda y, t: jnp.mean((y - t) ** 2)  # noqa: E731
            return autoencoder([784, 32, 784], lambda h: h, loss, x, rng)
        case "deep_ae":
            x = rng.random((batch, 784), dtype=np.float32)
            return autoencoder([784, 256, 64, 256, 784], jax.nn.relu, bce, x, rng)
        case "gan2d":
            return gan(batch, rng)
    raise ValueError(f"no workload {name!r} for JAX.")
