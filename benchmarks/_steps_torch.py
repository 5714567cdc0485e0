"""The workloads in PyTorch, eager; ``fused`` and ``channels_last`` choose its faster variants."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn


def mlp(sizes, activation):
    layers = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(n, m))
        if i < len(sizes) - 2:
            layers.append(activation())
    return nn.Sequential(*layers)


def leaky():
    return nn.LeakyReLU(0.2)


class Steps:
    """Training steps with one choice of variants."""

    def __init__(self, fused, channels_last):
        self.adam_options = {"fused": True} if fused else {}
        self.layout = torch.channels_last if channels_last else torch.contiguous_format

    def adam(self, net, **options):
        return torch.optim.Adam(net.parameters(), **options, **self.adam_options)

    def placed(self, x):
        """Return a module or a batch in the chosen memory layout; the layout is one of images."""
        if isinstance(x, nn.Module):
            return x.to(memory_format=self.layout)
        return x.contiguous(memory_format=self.layout) if x.ndim == 4 else x

    def autoencoder(self, net, x, loss_function, target=None):
        net, x = self.placed(net), self.placed(x)
        target = x if target is None else target
        optimizer = self.adam(net)

        def step():
            optimizer.zero_grad()
            loss = loss_function(net(x), target)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    def gan(self, G, D, x, latent):
        G, D, x = self.placed(G), self.placed(D), self.placed(x)
        of_d = self.adam(D, lr=2e-4, betas=(0.5, 0.999))
        of_g = self.adam(G, lr=2e-4, betas=(0.5, 0.999))
        one, zero = torch.ones(len(x), 1), torch.zeros(len(x), 1)
        bce = F.binary_cross_entropy_with_logits

        def step():
            fake = G(torch.randn(len(x), latent))
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
    x = torch.ones(10, requires_grad=True)
    y = x
    for _ in range(500):
        y = y * x
        y = y + x
    y.sum().backward()
    return x.grad


def make(name, batch, threads, fused=False, channels_last=False):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    steps = Steps(fused, channels_last)
    bce = F.binary_cross_entropy_with_logits
    match name:
        case "linear_ae":
            net = nn.Sequential(nn.Linear(784, 32), nn.Linear(32, 784))
            return steps.autoencoder(net, torch.rand(batch, 784), F.mse_loss)
        case "deep_ae":
            net = mlp([784, 256, 64, 256, 784], nn.ReLU)
            return steps.autoencoder(net, torch.rand(batch, 784), bce)
        case "gan2d":
            G, D = mlp([2, 128, 128, 2], leaky), mlp([2, 128, 128, 1], leaky)
            return steps.gan(G, D, torch.randn(batch, 2), 2)
        case "conv_ae":
            net = nn.Sequential(
                nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(),
                nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
                nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(),
                nn.ConvTranspose2d(16, 1, 4, 2, 1),
            )  # fmt: skip
            return steps.autoencoder(net, torch.rand(batch, 1, 28, 28), bce)
        case "dcgan28":
            return steps.gan(*dcgan28(), torch.randn(batch, 1, 28, 28), 100)
        case "dcgan32":
            return steps.gan(*dcgan32(), torch.randn(batch, 3, 32, 32), 100)
        case "sr_cnn":
            net = nn.Sequential(
                nn.Conv2d(3, 32, 3, 1, 1), nn.ReLU(),
                Residual(), Residual(), Residual(),
                nn.Conv2d(32, 12, 3, 1, 1), nn.PixelShuffle(2),
            )  # fmt: skip
            x, y = torch.rand(batch, 3, 32, 32), torch.rand(batch, 3, 64, 64)
            return steps.autoencoder(net, x, F.mse_loss, y)
        case "chain":
            return chain
    raise ValueError(f"no workload {name!r}.")
