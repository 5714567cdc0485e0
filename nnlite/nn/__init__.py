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
from nnlite.nn.embedding import Embedding
from nnlite.nn.layout import Flatten, PixelShuffle, Unflatten
from nnlite.nn.linear import Identity, Linear
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
from nnlite.nn.padding import ReflectionPad2d, ReplicationPad2d, ZeroPad2d
from nnlite.nn.parameter import Parameter
from nnlite.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from nnlite.nn.resizing import Upsample

__all__ = [
    "ELU",
    "GELU",
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
    "Embedding",
    "Flatten",
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
