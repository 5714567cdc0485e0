"""The autoencoders of the lectures: linear, deep, tied, denoising, convolutional.

Each function builds an encoder and a decoder and gives them to :class:`Autoencoder`; all further
keywords are those of that class.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from nnlite import nn
from nnlite.autoencoders.corruption import Corruption
from nnlite.autoencoders.model import Autoencoder
from nnlite.engine import Tensor
from nnlite.nn import functional as F
from nnlite.random import default_rng

Activation = Callable[[], nn.Module]


def linear(
    n_features: int, n_components: int, *, bias: bool = True, **settings: Any
) -> Autoencoder:
    """One linear layer in, one out: the network that is PCA (lecture 03).

    Parameters
    ----------
    n_features, n_components : int
    bias : bool
        Without biases the data should be centred.
    **settings
        See :class:`Autoencoder`.
    """
    rng = settings["rng"] = default_rng(settings.get("rng"))
    return Autoencoder(
        nn.Linear(n_features, n_components, bias, rng=rng),
        nn.Linear(n_components, n_features, bias, rng=rng),
        **settings,
    )


def deep(
    sizes: Sequence[int],
    *,
    activation: Activation = nn.ReLU,
    code: Activation | None = None,
    **settings: Any,
) -> Autoencoder:
    """Layers of the given sizes down to the code, and back up (lecture 04).

    The output is linear (cross-entropy adds its sigmoid), and so is the code unless told otherwise;
    all other layers have the activation.

    Parameters
    ----------
    sizes : sequence of int
        Features, hidden layers, code: ``(784, 256, 64)`` gives 784-256-64-256-784.
    activation : callable
        Makes the module between layers, such as ``nn.ReLU`` or ``nn.Tanh``.
    code : callable, optional
        Makes the code's own activation; None for a linear code.
    **settings
        See :class:`Autoencoder`.
    """
    _check_sizes(sizes)
    rng = settings["rng"] = default_rng(settings.get("rng"))
    return Autoencoder(
        _stack(sizes, activation, code, rng), _stack(sizes[::-1], activation, None, rng), **settings
    )


def tied(
    sizes: Sequence[int], *, activation: Activation = nn.Sigmoid, **settings: Any
) -> Autoencoder:
    """A deep autoencoder whose decoder uses the encoder's weights, transposed (lecture 04, L).

    Each weight is one parameter used twice, and its gradient is the sum of the encoder's and of the
    transposed decoder's. Biases are not shared. With one layer and cross-entropy it is the
    lecture's ``s(W^T s(W x + b) + b')``.

    Parameters
    ----------
    sizes, **settings
        As for :func:`deep`.
    activation : callable
        Makes the module after each layer, the code's included.
    """
    _check_sizes(sizes)
    rng = settings["rng"] = default_rng(settings.get("rng"))
    encoder = _stack(sizes, activation, activation, rng)
    layers = [layer for layer in encoder if isinstance(layer, nn.Linear)]
    return Autoencoder(encoder, TiedDecoder(layers, activation), **settings)


def denoising(
    sizes: Sequence[int],
    corruption: Corruption,
    *,
    activation: Activation = nn.ReLU,
    **settings: Any,
) -> Autoencoder:
    """A deep autoencoder that sees spoiled samples and must give back the clean ones (lecture 06).

    Parameters
    ----------
    sizes, **settings
        As for :func:`deep`; the code may be as wide as you like.
    activation : callable
        Makes the module after each layer but the last, the code's included.
    corruption : callable
        ``Masking(v)``, ``GaussianNoise(sigma)`` or any function of (x, rng).
    """
    return deep(sizes, activation=activation, code=activation, corruption=corruption, **settings)


def convolutional(
    image_shape: tuple[int, int, int] = (1, 28, 28),
    channels: Sequence[int] = (16, 32),
    n_components: int = 32,
    **settings: Any,
) -> Autoencoder:
    """Convolutions halve the image down to a linear code; transposed ones double it again.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Height and width must be divisible by ``2 ** len(channels)``.
    channels : sequence of int
        Channels after each halving.
    n_components : int
        Size of the code.
    **settings
        See :class:`Autoencoder`; samples have shape (n, channels, height, width).

    Raises
    ------
    ValueError
        If the image cannot be halved that often.
    """
    if len(image_shape) != 3 or not all(n > 0 for n in (*image_shape, *channels, n_components)):
        raise ValueError(
            "image_shape is (channels, height, width), and all sizes are positive; got "
            f"image_shape={image_shape}, channels={channels}, n_components={n_components}."
        )
    C, H, W = image_shape
    factor = 2 ** len(channels)
    if not channels or H % factor or W % factor:
        raise ValueError(
            f"an image of {H} x {W} cannot be halved {len(channels)} times: both sides must be "
            f"divisible by {factor}, and there must be at least one layer."
        )
    rng = settings["rng"] = default_rng(settings.get("rng"))
    small = (channels[-1], H // factor, W // factor)
    n_small = int(np.prod(small))
    down: list[nn.Module] = []
    up: list[nn.Module] = [
        nn.Linear(n_components, n_small, rng=rng),
        nn.ReLU(),
        nn.Unflatten(1, small),
    ]
    for before, after in pairwise([C, *channels]):
        down += [nn.Conv2d(before, after, 4, 2, 1, rng=rng), nn.ReLU()]
    down += [nn.Flatten(), nn.Linear(n_small, n_components, rng=rng)]
    for before, after in pairwise([*channels[::-1], C]):
        up += [nn.ConvTranspose2d(before, after, 4, 2, 1, rng=rng), nn.ReLU()]
    return Autoencoder(nn.Sequential(*down), nn.Sequential(*up[:-1]), **settings)


class TiedDecoder(nn.Module):
    """Decoder that uses the weights of linear encoder layers, transposed and in reverse order.

    Parameters
    ----------
    layers : list of nn.Linear
        The encoder's layers, first to last. They stay the encoder's parameters; only the biases are
        new.
    activation : callable
        Makes the module between layers.
    """

    def __init__(self, layers: list[nn.Linear], activation: Activation) -> None:
        super().__init__()
        self._layers = tuple(layers)  # in a tuple, so that the weights are not registered twice
        self.activation = activation()
        for i, layer in enumerate(layers):
            self.register_parameter(f"bias{i}", nn.Parameter(np.zeros_like(layer.weight.data[0])))

    def forward(self, z: Any) -> Tensor:
        """Codes (n, n_components) to samples (n, features)."""
        for i in reversed(range(len(self._layers))):
            z = F.linear(z, self._layers[i].weight.T, getattr(self, f"bias{i}"))
            if i:
                z = self.activation(z)
        return z


def _stack(
    sizes: Sequence[int], activation: Activation, last: Activation | None, rng: Any
) -> nn.Sequential:
    """Linear layers of the given sizes, with an activation between them and another at the end."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after, rng=rng), activation()]
    layers.pop()
    return nn.Sequential(*layers) if last is None else nn.Sequential(*layers, last())


def _check_sizes(sizes: Sequence[int]) -> None:
    if (
        not isinstance(sizes, Sequence | np.ndarray)
        or len(sizes) < 2
        or not all(isinstance(n, int | np.integer) and n > 0 for n in sizes)
    ):
        raise ValueError(
            "sizes are positive numbers of units from the features to the code, such as "
            f"(784, 256, 64); got {sizes!r}."
        )
