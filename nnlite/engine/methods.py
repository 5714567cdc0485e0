"""NumPy's methods and a few of torch's, one line each: ``t.sum(axis=0)`` is ``np.sum(t, axis=0)``.

:class:`nnlite.Tensor` inherits them; nothing here knows about graphs or gradients.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import ops

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from nnlite.engine.tensor import Tensor


class ArrayMethods:
    """What a Tensor can do besides arithmetic; shapes and parameters are NumPy's."""

    __slots__ = ()
    _data: NDArray[Any]

    @property
    def T(self) -> Tensor:
        return ops.transpose(self, axes=None)

    @property
    def mT(self) -> Tensor:
        return ops.swapaxes(self, -1, -2)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        return ops.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        return ops.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.min(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.prod(self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None) -> Tensor:
        return ops.cumsum(self, axis=axis)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return ops.trace(self, offset, axis1, axis2)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return ops.diagonal(self, offset, axis1, axis2)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        return np.argmax(self._data, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        return np.argmin(self._data, axis=axis, keepdims=keepdims)

    def argsort(self, axis: int | None = -1) -> Any:
        return np.argsort(self._data, axis=axis)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        return np.any(self._data, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        return np.all(self._data, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: Any) -> Tensor:
        return ops.reshape(self, shape=_sequence(shape))

    def transpose(self, *axes: Any) -> Tensor:
        return ops.transpose(self, axes=_sequence(axes) if axes and axes != (None,) else None)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        return ops.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Tensor:
        return ops.squeeze(self, axis)

    def flatten(self) -> Tensor:
        return ops.reshape(self, shape=(-1,))

    ravel = flatten

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        return ops.repeat(self, repeats, axis)

    def take(self, indices: Any, axis: int | None = None, mode: str = "raise") -> Tensor:
        return ops.take(self, indices, axis, mode)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        return ops.clip(self, min, max)

    def round(self, decimals: int = 0) -> Tensor:
        return ops.round(self, decimals=decimals)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return ops.round(self, decimals=ndigits or 0)

    def dot(self, other: Any) -> Tensor:
        return ops.dot(self, other)

    def sort(self, axis: int = -1) -> Tensor:
        """A sorted copy (NumPy's method sorts in place, which no graph can follow)."""
        return ops.sort(self, axis)

    def copy(self) -> Tensor:
        return ops.copy(self)

    def astype(self, dtype: DTypeLike) -> Tensor:
        """A copy in another dtype; gradients come back in this tensor's own."""
        if np.dtype(dtype).kind != "f":
            return Tensor(self._data.astype(dtype))
        return ops.astype(self, dtype=np.dtype(dtype))

    def exp(self) -> Tensor:
        return ops.exp(self)

    def log(self) -> Tensor:
        return ops.log(self)

    def sqrt(self) -> Tensor:
        return ops.sqrt(self)

    def abs(self) -> Tensor:
        return ops.absolute(self)

    def sin(self) -> Tensor:
        return ops.sin(self)

    def cos(self) -> Tensor:
        return ops.cos(self)

    def tanh(self) -> Tensor:
        return ops.tanh(self)

    def sigmoid(self) -> Tensor:
        return ops.sigmoid(self)

    def relu(self) -> Tensor:
        return ops.relu(self)

    # comparisons have no gradient: they give plain boolean arrays
    def __eq__(self, other: object) -> Any:
        return self._data == ops.values_of(other)

    def __ne__(self, other: object) -> Any:
        return self._data != ops.values_of(other)

    def __lt__(self, other: Any) -> Any:
        return self._data < ops.values_of(other)

    def __le__(self, other: Any) -> Any:
        return self._data <= ops.values_of(other)

    def __gt__(self, other: Any) -> Any:
        return self._data > ops.values_of(other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= ops.values_of(other)

    def __and__(self, other: Any) -> Any:
        return self._data & ops.values_of(other)

    def __or__(self, other: Any) -> Any:
        return self._data | ops.values_of(other)

    def __invert__(self) -> Any:
        return ~self._data

    __hash__ = object.__hash__


def _sequence(args: tuple[Any, ...]) -> tuple[int, ...]:
    """The numbers of ``f(2, 3)`` or ``f((2, 3))``."""
    if len(args) == 1 and isinstance(args[0], tuple | list):
        args = tuple(args[0])
    return tuple(operator.index(i) for i in args)
