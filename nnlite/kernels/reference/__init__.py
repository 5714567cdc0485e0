"""The NumPy kernels: what lecture 08 explains, and what the fast kernels are tested against.

Each file lists its kernels in ``__all__``; together they are the kernels of both backends. The
``examples`` at its end are arguments to try them with.
"""

from collections.abc import Callable

from nnlite.kernels.reference import (
    activations,
    channels,
    convolution,
    layout,
    linear,
    losses,
    normalization,
    pooling,
    steps,
)
from nnlite.kernels.reference.activations import *  # noqa: F403
from nnlite.kernels.reference.channels import *  # noqa: F403
from nnlite.kernels.reference.convolution import *  # noqa: F403
from nnlite.kernels.reference.layout import *  # noqa: F403
from nnlite.kernels.reference.linear import *  # noqa: F403
from nnlite.kernels.reference.losses import *  # noqa: F403
from nnlite.kernels.reference.normalization import *  # noqa: F403
from nnlite.kernels.reference.pooling import *  # noqa: F403
from nnlite.kernels.reference.steps import *  # noqa: F403

FAMILIES = (
    activations, channels, convolution, layout, linear, losses, normalization, pooling, steps,
)  # fmt: skip

__all__ = sorted(["warmup", *(name for family in FAMILIES for name in family.__all__)])


def warmup(progress: Callable[[int, int], object] | None = None) -> float:
    """Compile every kernel now and return the seconds it took (NumPy compiles nothing: 0).

    Parameters
    ----------
    progress : callable, optional
        Called as ``progress(done, total)`` at the beginning and after each part of the work.
    """
    if progress is not None:
        progress(1, 1)
    return 0.0
