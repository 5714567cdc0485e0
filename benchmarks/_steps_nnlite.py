"""The workloads in nnlite: ``make(name, batch)`` gives a function that does one training step."""

from itertools import pairwise

import numpy as np

import nnlite
from nnlite import nn, optim
from nnlite.nn import functional as F


def mlp(sizes, activation):
    layers = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(n, m))
        if i < len(sizes) - 2:
            layers.append(activation())
    return nn.Sequential(*layers)


def leaky():
    return nn.LeakyReLU(0.2)


def autoencoder(net, x, loss_function, target=None):
    target = x if target is None else target
    optimizer = optim.Adam(net.parameters())

    def step():
        optimizer.zero_grad()
        loss = loss_function(net(x), target)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def gan(G, D, x, latent):
    """Return one step of the discriminator and one of the generator, non-saturating."""
    of_d = optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
    of_g = optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
    rng = np.random.default_rng(1)
    one, zero = np.ones((len(x), 1), np.float32), np.zeros((len(x), 1), np.float32)
    bce = F.binary_cross_entropy_with_logits

    def step():
        fake = G(rng.standard_normal((len(x), latent), dtype=np.float32))
        of_d.zero_grad()
        (bce(D(x), one) + bce(D(fake.detach()), zero)).backward()
        of_d.step()
        of_g.zero_grad()
        loss = bce(D(fake), one)
        loss.backward()
        of_g.step()
        return loss.item()

    return step


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(32, 32, 3, 1, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, 1, 1))

    def forward(self, x):
        return x + self.body(x)


def dcgan28():
    G = nn.Sequential(
        nn.Linear(100, 128 * 49), nn.Unflatten(1, (128, 7, 7)),
        nn.BatchNorm2d(128), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1), leaky(),
        nn.Conv2d(64, 128, 4, 2, 1), nn.BatchNorm2d(128), leaky(),
        nn.Flatten(), nn.Linear(128 * 49, 1),
    )  # fmt: skip
    return G, D


def dcgan32():
    G = nn.Sequential(
        nn.Linear(100, 256 * 16), nn.Unflatten(1, (256, 4, 4)),
        nn.BatchNorm2d(256), nn.ReLU(),
        nn.ConvTranspose2d(256, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Conv2d(3, 64, 4, 2, 1), leaky(),
        nn.Conv2d(64, 128, 4, 2, 1), nn.BatchNorm2d(128), leaky(),
        nn.Conv2d(128, 256, 4, 2, 1), nn.BatchNorm2d(256), leaky(),
        nn.Flatten(), nn.Linear(256 * 16, 1),
    )  # fmt: skip
    return G, D


def chain():
    x = nnlite.Tensor(np.ones(10, np.float32), requires_grad=True)
    y = x
    for _ in range(500):
        y = y * x
        y = y + x
    y.sum().backward()
    return x.grad


def pca():
    import pca as bench

    from nnlite.pca import PCA

    X = bench.data("float32")
    return lambda: PCA(n_components=bench.COMPONENTS).fit(X)


def make(name, batch):
    nnlite.seed(0)
    rng = np.random.default_rng(0)

    def uniform(*shape):
        return rng.random(shape, dtype=np.float32)

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    bce = F.binary_cross_entropy_with_logits
    match name:
        case "linear_ae":
            net = nn.Sequential(nn.Linear(784, 32), nn.Linear(32, 784))
            return autoencoder(net, uniform(batch, 784), F.mse_loss)
        case "deep_ae":
            net = mlp([784, 256, 64, 256, 784], nn.ReLU)
            return autoencoder(net, uniform(batch, 784), bce)
        case "gan2d":
            G, D = mlp([2, 128, 128, 2], leaky), mlp([2, 128, 128, 1], leaky)
            return gan(G, D, normal(batch, 2), 2)
        case "conv_ae":
            net = nn.Sequential(
                nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(),
                nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
                nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(),
                nn.ConvTranspose2d(16, 1, 4, 2, 1),
            )  # fmt: skip
            return autoencoder(net, uniform(batch, 1, 28, 28), bce)
        case "dcgan28":
            return gan(*dcgan28(), normal(batch, 1, 28, 28), 100)
        case "dcgan32":
            return gan(*dcgan32(), normal(batch, 3, 32, 32), 100)
        case "sr_cnn":
            net = nn.Sequential(
                nn.Conv2d(3, 32, 3, 1, 1), nn.ReLU(),
                Residual(), Residual(), Residual(),
                nn.Conv2d(32, 12, 3, 1, 1), nn.PixelShuffle(2),
            )  # fmt: skip
            return autoencoder(
                net, uniform(batch, 3, 32, 32), F.mse_loss, uniform(batch, 3, 64, 64)
            )
        case "chain":
            return chain
        case "pca":
            return pca()
    raise ValueError(f"no workload {name!r}.")
