"""Layers, losses and initialisation with torch.nn's names (lectures 04, 06 and 08).

``from nnlite import nn`` reads like PyTorch: same classes, arguments, defaults, shapes and
``state_dict`` keys. Tensors are NumPy-like (``x.reshape``, ``x.shape[0]``), and layers take
``dtype=`` and ``rng=``.
"""

from typing import Any

from nnlite.nn import _advice, functional, init, utils
from nnlite.nn.activations import (
    ELU,
    GELU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nnlite.nn.containers import ModuleDict, ModuleList, Sequential
from nnlite.nn.convolution import Conv2d, ConvTranspose2d
from nnlite.nn.dropout import Dropout, Dropout2d
from nnlite.nn.images import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    MaxPool2d,
    PixelShuffle,
    ReflectionPad2d,
    ReplicationPad2d,
    Upsample,
    ZeroPad2d,
)
from nnlite.nn.linear import Embedding, Flatten, Identity, Linear, Unflatten
from nnlite.nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from nnlite.nn.module import Module
from nnlite.nn.normalization import BatchNorm1d, BatchNorm2d, InstanceNorm2d, LayerNorm
from nnlite.nn.parameter import Parameter

__all__ = [
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "ELU",
    "Embedding",
    "Flatten",
    "GELU",
    "Identity",
    "InstanceNorm2d",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "PReLU",
    "Parameter",
    "PixelShuffle",
    "ReLU",
    "ReflectionPad2d",
    "ReplicationPad2d",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "Unflatten",
    "Upsample",
    "ZeroPad2d",
    "functional",
    "init",
    "utils",
]


def __getattr__(name: str) -> Any:
    """Say what there is instead of a layer that only torch.nn has."""
    raise AttributeError(_advice.missing(__name__, name, __all__, _advice.LAYERS))
