"""The Numba kernels: compiled float32 loops, each the twin of a NumPy kernel.

Nothing here is needed to understand nnlite: whoever reads to learn may skip this package, since the
NumPy kernels say the same in a fifth of the code. What it buys is time. A training step with the
NumPy kernels took, on two cores of an AMD EPYC, 1.3 times as long for a linear autoencoder, 1.6
times for dense networks and GANs in the plane, 3 times for a DCGAN and 5 times for a small
convolutional autoencoder (``NNLITE_KERNELS=numpy`` before ``python benchmarks/workloads.py``).

A twin takes and returns what its reference does (same signature, same documentation, same errors),
and hands over to it whatever is not float32.
"""

from nnlite.kernels import reference
from nnlite.kernels.fast.activations import *  # noqa: F403
from nnlite.kernels.fast.channels import *  # noqa: F403
from nnlite.kernels.fast.compile_all import warmup
from nnlite.kernels.fast.convolution import *  # noqa: F403
from nnlite.kernels.fast.layout import *  # noqa: F403
from nnlite.kernels.fast.linear import *  # noqa: F403
from nnlite.kernels.fast.losses import *  # noqa: F403
from nnlite.kernels.fast.normalization import *  # noqa: F403
from nnlite.kernels.fast.pooling import *  # noqa: F403
from nnlite.kernels.fast.steps import *  # noqa: F403
from nnlite.kernels.fast.weight_grad import *  # noqa: F403

__all__ = reference.__all__
