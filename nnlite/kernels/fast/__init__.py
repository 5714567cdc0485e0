"""The Numba kernels: compiled float32 loops, each the twin of a NumPy kernel.

Nothing here is needed to understand nnlite: whoever reads to learn may skip this package, since the
NumPy kernels say the same in a tenth of the lines. What it buys is time. A training step with the
NumPy kernels took, on two cores of an AMD EPYC, 1.3 times as long for a linear autoencoder, 1.6
times for dense networks and GANs in the plane, 3 times for a DCGAN and 5 times for a small
convolutional autoencoder (``NNLITE_KERNELS=numpy`` before ``python benchmarks/workloads.py``).

A twin takes and returns what its reference does (same signature, same documentation, same errors),
and hands over to it whatever is not float32.
"""

from nnlite.kernels.fast.activations import leaky_relu, leaky_relu_grad
from nnlite.kernels.fast.channels import channel_affine, channel_sums, leaky_relu_bias_grad
from nnlite.kernels.fast.compile_all import warmup
from nnlite.kernels.fast.convolution import conv2d, conv2d_input_grad
from nnlite.kernels.fast.layout import (
    flatten_images,
    pixel_shuffle,
    pixel_unshuffle,
    unflatten_images,
)
from nnlite.kernels.fast.linear import linear_backward, linear_forward, matmul_nn, matmul_tn
from nnlite.kernels.fast.losses import bce_with_logits, softmax_cross_entropy, squared_error
from nnlite.kernels.fast.normalization import batch_norm_backward, batch_norm_forward
from nnlite.kernels.fast.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from nnlite.kernels.fast.steps import adam_step, rmsprop_step, sgd_step
from nnlite.kernels.fast.weight_grad import conv2d_weight_grad

__all__ = [
    "adam_step",
    "avg_pool2d",
    "avg_pool2d_backward",
    "batch_norm_backward",
    "batch_norm_forward",
    "bce_with_logits",
    "channel_affine",
    "channel_sums",
    "conv2d",
    "conv2d_input_grad",
    "conv2d_weight_grad",
    "flatten_images",
    "leaky_relu",
    "leaky_relu_bias_grad",
    "leaky_relu_grad",
    "linear_backward",
    "linear_forward",
    "matmul_nn",
    "matmul_tn",
    "max_pool2d",
    "max_pool2d_backward",
    "pixel_shuffle",
    "pixel_unshuffle",
    "rmsprop_step",
    "sgd_step",
    "softmax_cross_entropy",
    "squared_error",
    "unflatten_images",
    "warmup",
]
