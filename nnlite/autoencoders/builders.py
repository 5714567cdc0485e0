"""The autoencoders of the lectures: linear, deep, tied, denoising, convolutional.

Each function builds an encoder and a decoder and gives them to :class:`Autoencoder`; all further
keywords are those of that class.
"""

import inspect
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from nnlite import nn
from nnlite._arguments import is_integer
from nnlite.autoencoders.corruption import Corruption
from nnlite.autoencoders.model import Autoencoder
from nnlite.autoencoders.recipe import Networks, Recipe
from nnlite.engine import Tensor
from nnlite.nn import functional as F

Generator = np.random.Generator
Activation = Callable[[], nn.Module]
_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def linear(
    n_features: int | None, n_components: int, *, bias: bool = True, **settings: Any
) -> Autoencoder:
    """One linear layer in, one out: the network that is PCA (lecture 03).

    Parameters
    ----------
    n_features : int or None
        None takes as many as the data of the first ``fit`` have.
    n_components : int
    bias : bool
        Without biases the data should be centred.
    **settings
        See :class:`Autoencoder`.
    """
    own = {"n_features": n_features, "n_components": n_components, "bias": bias}
    return Autoencoder.from_recipe(Recipe(_linear, _check_linear, own), **settings)


def _linear(rng: Generator, n_features: int, n_components: int, bias: bool) -> Networks:
    return (
        nn.Linear(n_features, n_components, bias, rng=rng),
        nn.Linear(n_components, n_features, bias, rng=rng),
    )


def _check_linear(n_features: int | None, n_components: int, bias: bool) -> None:
    _check_sizes((n_features, n_components))


def deep(
    sizes: Sequence[int | None],
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
        Features, hidden layers, code: ``(784, 256, 64)`` gives 784-256-64-256-784. With None in
        the place of the features they are counted in the data of the first ``fit``.
    activation : callable
        Makes the module between layers, such as ``nn.ReLU`` or ``nn.Tanh``.
    code : callable, optional
        Makes the code's own activation; None for a linear code.
    **settings
        See :class:`Autoencoder`.
    """
    own = {"sizes": sizes, "activation": activation, "code": code}
    return Autoencoder.from_recipe(Recipe(_deep, _check_sizes, own), **settings)


def _deep(
    rng: Generator, sizes: Sequence[int], activation: Activation, code: Activation | None
) -> Networks:
    return _stack(sizes, activation, code, rng), _stack(sizes[::-1], activation, None, rng)


def tied(
    sizes: Sequence[int | None], *, activation: Activation = nn.Sigmoid, **settings: Any
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
    own = {"sizes": sizes, "activation": activation}
    return Autoencoder.from_recipe(Recipe(_tied, _check_sizes, own), **settings)


def _tied(rng: Generator, sizes: Sequence[int], activation: Activation) -> Networks:
    encoder = _stack(sizes, activation, activation, rng)
    layers = [layer for layer in encoder if isinstance(layer, nn.Linear)]
    return encoder, TiedDecoder(layers, activation)


def denoising(
    sizes: Sequence[int | None],
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
    own = {"sizes": sizes, "activation": activation}
    recipe = Recipe(_denoising, _check_sizes, own)
    return Autoencoder.from_recipe(recipe, corruption=corruption, **settings)


def _denoising(rng: Generator, sizes: Sequence[int], activation: Activation) -> Networks:
    return _deep(rng, sizes, activation, activation)


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
    own = {"image_shape": image_shape, "channels": channels, "n_components": n_components}
    return Autoencoder.from_recipe(Recipe(_convolutional, _check_images, own), **settings)


def _convolutional(
    rng: Generator,
    image_shape: tuple[int, int, int],
    channels: Sequence[int],
    n_components: int,
) -> Networks:
    C, H, W = image_shape
    factor = 2 ** len(channels)
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
    return nn.Sequential(*down), nn.Sequential(*up[:-1])


def _check_images(
    image_shape: tuple[int, int, int], channels: Sequence[int], n_components: int
) -> None:
    lists = all(isinstance(sizes, Sequence | np.ndarray) for sizes in (image_shape, channels))
    if (
        not lists
        or len(image_shape) != 3
        or not all(map(_is_size, (*image_shape, *channels, n_components)))
    ):
        raise ValueError(
            "image_shape is (channels, height, width), channels are a sequence such as (16, 32), "
            f"and all sizes are positive; got image_shape={image_shape!r}, channels={channels!r}, "
            f"n_components={n_components!r}."
        )
    _, H, W = image_shape
    factor = 2 ** len(channels)
    if not channels or H % factor or W % factor:
        raise ValueError(
            f"an image of {H} x {W} cannot be halved {len(channels)} times: both sides must be "
            f"divisible by {factor}, and there must be at least one layer."
        )


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


def _check_sizes(sizes: Sequence[int | None], **activations: Any) -> None:
    """Raise unless all are positive; the first, the number of features, may be None.

    Whatever else the networks are made of are functions without arguments.
    """
    for name, make in activations.items():
        if not (_makes_a_layer(make) or (name == "code" and make is None)):
            raise TypeError(
                f"{name} is a function without arguments that makes a layer, such as nn.ReLU (the "
                f"class, no brackets) or lambda: nn.LeakyReLU(0.2); got {make!r}."
            )
    if (
        not isinstance(sizes, Sequence | np.ndarray)
        or len(sizes) < 2
        or not all(_is_size(n) or (n is None and i == 0) for i, n in enumerate(sizes))
    ):
        raise ValueError(
            "sizes are positive numbers of units from the features (None: as many as the data "
            f"have) to the code, such as (784, 256, 64); got {sizes!r}."
        )


def _makes_a_layer(make: Any) -> bool:
    """Whether it can be called without arguments, and is no layer or NumPy function itself."""
    if not callable(make) or isinstance(make, nn.Module | np.ufunc):
        return False
    parameters = inspect.signature(make).parameters.values()
    return all(p.default is not p.empty or p.kind in _STARRED for p in parameters)


def _is_size(n: Any) -> bool:
    return is_integer(n) and n > 0
