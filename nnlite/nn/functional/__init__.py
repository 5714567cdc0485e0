"""Layers as functions, with torch.nn.functional's names and arguments (lectures 04, 06, 08).

Functions take Tensors or arrays and return Tensors. Where a weight is given, data are cast to its
dtype; a tensor in the graph must have it already.
"""

from typing import Any

from nnlite.engine.suggestions import torch_advice
from nnlite.nn import _advice
from nnlite.nn.functional._activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logsigmoid,
    prelu,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from nnlite.nn.functional._convolution import conv2d, conv_transpose2d
from nnlite.nn.functional._dropout import dropout, dropout2d
from nnlite.nn.functional._embedding import embedding, one_hot
from nnlite.nn.functional._entropies import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    nll_loss,
)
from nnlite.nn.functional._layout import pixel_shuffle
from nnlite.nn.functional._linear import linear
from nnlite.nn.functional._losses import l1_loss, mse_loss, smooth_l1_loss
from nnlite.nn.functional._normalization import batch_norm, instance_norm, layer_norm
from nnlite.nn.functional._padding import pad
from nnlite.nn.functional._pooling import (
    adaptive_avg_pool2d,
    avg_pool2d,
    max_pool2d,
)
from nnlite.nn.functional._resizing import interpolate

__all__ = [
    "adaptive_avg_pool2d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "dropout2d",
    "elu",
    "embedding",
    "gelu",
    "instance_norm",
    "interpolate",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "pixel_shuffle",
    "prelu",
    "relu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]


def __getattr__(name: str) -> Any:
    """Say what to write instead of a function that only torch.nn.functional has."""
    if name in _advice.FUNCTIONS:
        raise AttributeError(_advice.missing(__name__, name, __all__, _advice.FUNCTIONS))
    raise AttributeError(torch_advice(name, __name__))
