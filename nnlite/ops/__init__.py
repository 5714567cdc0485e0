"""Operations: each a forward function with its derivative rule beside it.

Read :mod:`nnlite.ops.operation` first (what a rule is), then :mod:`nnlite.ops.elementwise` (the
table). Names are NumPy's. Operations given arrays return arrays; given a Tensor they record
themselves. ``TABLE`` says which of them answers for which NumPy function, ``NONDIFFERENTIABLE``
which NumPy functions have no gradient and run on the values. The operations of layers (linear,
convolution, ...) are in files of their own, which :mod:`nnlite.nn.functional` imports.
"""

from nnlite.ops.activations import log_softmax, logsumexp, relu, sigmoid, softmax, softplus
from nnlite.ops.decompositions import *  # noqa: F403
from nnlite.ops.differences import diff, gradient, trapezoid
from nnlite.ops.elementwise import *  # noqa: F403
from nnlite.ops.indexing import diagonal, getitem, index_values, scatter, take, trace
from nnlite.ops.joining import concatenate, pad, repeat, stack
from nnlite.ops.linalg import *  # noqa: F403
from nnlite.ops.matrix import dot, einsum, matmul, tensordot
from nnlite.ops.nondifferentiable import ALTERNATIVES, NONDIFFERENTIABLE
from nnlite.ops.norms import norm
from nnlite.ops.operation import OUT, TABLE, Operation, define, implements, values_of
from nnlite.ops.reductions import cumsum, max, mean, min, prod, sort, std, sum, var
from nnlite.ops.shaping import (
    broadcast_to,
    reshape,
    squeeze,
    swapaxes,
    transpose,
    unbroadcast,
)
