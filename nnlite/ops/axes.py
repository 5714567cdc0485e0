"""Axes as NumPy takes them: negative ones count from the end, others than there are raise.

Every operation that is given an axis asks here, so all of them refuse what NumPy refuses, with
NumPy's own errors: an axis that does not exist (AxisError), the same one twice (ValueError), one
that is no integer (TypeError).
"""

import operator

import numpy as np
from numpy.lib.array_utils import normalize_axis_index


def integer(x, what: str) -> int:
    """A whole number as an int; True and False are none."""
    try:
        if isinstance(x, bool | np.bool):
            raise TypeError
        return operator.index(x)
    except TypeError:
        raise TypeError(f"{what} is an integer; got {x!r}.") from None


def axis_of(axis, ndim: int) -> int:
    """One axis as a number from 0 to ``ndim - 1``."""
    return normalize_axis_index(axis if type(axis) is int else integer(axis, "an axis"), ndim)


def axes_of(axis, ndim: int) -> tuple[int, ...]:
    """One axis or several as numbers from 0 to ``ndim - 1``; None means all."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, tuple | list | range) or np.ndim(axis):
        axes = tuple([axis_of(a, ndim) for a in axis])
        if len(set(axes)) < len(axes):
            raise ValueError(f"repeated axis: {axis} names one of {ndim} axes twice.")
        return axes
    return (axis_of(axis, ndim),)


def reduced_axes(axis, ndim: int) -> tuple[int, ...]:
    """The axes over which a reduction runs; a single number has none, though it takes axis 0."""
    return axes_of(axis, ndim) if ndim else ()


def along(axis: int, *index) -> tuple:
    """The index that picks ``index`` on an axis (and on those after it) and all on those before."""
    return (slice(None),) * axis + index


def lying_along(axis: int, ndim: int) -> list[int]:
    """The shape that lets a vector lie along one of ``ndim`` axes."""
    return [-1 if i == axis else 1 for i in range(ndim)]


def transposed(x):
    """Matrices, in the last two axes, with rows and columns exchanged."""
    return np.swapaxes(x, -1, -2)


def matrix_shape(a, name: str) -> tuple[int, int]:
    """Rows and columns of the matrices in the last two axes."""
    if np.ndim(a) < 2:
        raise np.linalg.LinAlgError(
            f"{name} takes a matrix or a stack of them; got an array of shape {np.shape(a)}."
        )
    return np.shape(a)[-2:]
