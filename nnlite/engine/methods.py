"""NumPy's methods and a few of torch's, one line each: ``t.sum(axis=0)`` is ``np.sum(t, axis=0)``.

:class:`nnlite.Tensor` inherits them; nothing here knows about graphs or gradients.
"""

from __future__ import annotations

import operator
import warnings
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import ops
from nnlite.engine.advice import refused_argument

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
        if self._data.ndim < 2:
            raise ValueError(
                f"t.mT needs at least two axes; this tensor has shape {self._data.shape}."
            )
        return ops.swapaxes(self, -1, -2)

    def sum(self, axis: Any = None, keepdims: bool = False, **other: Any) -> Tensor:
        if other:
            raise refused_argument("sum", other)
        return ops.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False, **other: Any) -> Tensor:
        if other:
            raise refused_argument("mean", other)
        return ops.mean(self, axis=axis, keepdims=keepdims)

    def var(
        self, axis: Any = None, ddof: float = 0, keepdims: bool = False, **other: Any
    ) -> Tensor:
        if other:
            raise refused_argument("var", other)
        return ops.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(
        self, axis: Any = None, ddof: float = 0, keepdims: bool = False, **other: Any
    ) -> Tensor:
        if other:
            raise refused_argument("std", other)
        return ops.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False, **other: Any) -> Tensor:
        if other or isinstance(axis, _ARRAYS):
            raise refused_argument("max", other or {"other": axis})
        return ops.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False, **other: Any) -> Tensor:
        if other or isinstance(axis, _ARRAYS):
            raise refused_argument("min", other or {"other": axis})
        return ops.min(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False, **other: Any) -> Tensor:
        if other:
            raise refused_argument("prod", other)
        return ops.prod(self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None, **other: Any) -> Tensor:
        if other:
            raise refused_argument("cumsum", other)
        return ops.cumsum(self, axis=axis)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, **other: Any) -> Tensor:
        if other:
            raise refused_argument("trace", other)
        return ops.trace(self, offset, axis1, axis2)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1, **other: Any) -> Tensor:
        if other:
            raise refused_argument("diagonal", other)
        return ops.diagonal(self, offset, axis1, axis2)

    def argmax(self, axis: int | None = None, keepdims: bool = False, **other: Any) -> Any:
        if other:
            raise refused_argument("argmax", other)
        return np.argmax(self._data, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False, **other: Any) -> Any:
        if other:
            raise refused_argument("argmin", other)
        return np.argmin(self._data, axis=axis, keepdims=keepdims)

    def argsort(self, axis: int | None = -1, **other: Any) -> Any:
        if other:
            raise refused_argument("argsort", other)
        return np.argsort(self._data, axis=axis)

    def any(self, axis: Any = None, keepdims: bool = False, **other: Any) -> Any:
        if other:
            raise refused_argument("any", other)
        return np.any(self._data, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, keepdims: bool = False, **other: Any) -> Any:
        if other:
            raise refused_argument("all", other)
        return np.all(self._data, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: Any) -> Tensor:
        return ops.reshape(self, shape=_sequence(shape))

    def transpose(self, *axes: Any, **other: Any) -> Tensor:
        if other:
            raise refused_argument("transpose", other)
        if len(axes) == 2 and self._data.ndim != 1 and None not in axes:
            _exchange_meant(axes, self._data.ndim)
        return ops.transpose(self, axes=_sequence(axes) if axes and axes != (None,) else None)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        return ops.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None, **other: Any) -> Tensor:
        if other:
            raise refused_argument("squeeze", other)
        return ops.squeeze(self, axis)

    def flatten(self, order: Any = "C", **other: Any) -> Tensor:
        if other or not isinstance(order, str):
            raise refused_argument("flatten", other or {"start_dim": order})
        return np.ravel(self, order)  # type: ignore[call-overload]

    ravel = flatten

    def repeat(self, repeats: Any, axis: int | None = None, *more: Any, **other: Any) -> Tensor:
        if other or more:
            raise refused_argument("repeat", other or {"sizes": (repeats, axis, *more)})
        try:
            return ops.repeat(self, repeats, axis)
        except (ValueError, IndexError) as error:
            raise type(error)(
                f"{str(error).rstrip(' .')}. NumPy repeats each entry, along one axis; whole "
                "copies side by side, torch's repeat, are np.tile(t, sizes)."
            ) from error

    def take(self, indices: Any, axis: int | None = None, mode: str = "raise") -> Tensor:
        return ops.take(self, indices, axis, mode)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        return ops.clip(self, min, max)

    def round(self, decimals: int = 0, **other: Any) -> Tensor:
        if other:
            raise refused_argument("round", other)
        return ops.round(self, decimals=decimals)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return ops.round(self, decimals=ndigits or 0)

    def dot(self, other: Any) -> Tensor:
        return ops.dot(self, other)

    def sort(self, axis: int = -1, **other: Any) -> Tensor:
        """A sorted copy (NumPy's method sorts in place, which no graph can follow)."""
        if other:
            raise refused_argument("sort", other)
        return ops.sort(self, axis)

    def copy(self) -> Tensor:
        return ops.copy(self)

    def astype(self, dtype: DTypeLike, copy: bool = True) -> Tensor:
        """A copy in another dtype; gradients come back in this tensor's own.

        A tensor of integers or booleans has no gradient.
        """
        if np.dtype(dtype).kind == "f":
            return ops.astype(self, dtype=np.dtype(dtype))
        found: Tensor = self.detach()  # type: ignore[attr-defined]
        found.data = self._data.astype(dtype)
        return found

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


_ARRAYS = (np.ndarray, ArrayMethods)


def _exchange_meant(axes: tuple[Any, Any], ndim: int) -> None:
    """Two numbers are torch's exchange of two axes, unless they are all the axes there are.

    Raises
    ------
    ValueError
        If there are more than two axes.
    """
    instead = f"np.swapaxes(t, {axes[0]}, {axes[1]})"
    if ndim != 2:
        raise ValueError(
            f"t.transpose{axes} of a tensor with {ndim} axes: NumPy's transpose takes all axes in "
            f"their new order. To exchange two of them, as torch's does, write {instead}."
        )
    if (axes[0] % 2, axes[1] % 2) == (0, 1):
        warnings.warn(
            f"t.transpose{axes} is NumPy's order of axes, and leaves the tensor as it is. To "
            f"exchange the two, as torch's does, write {instead} or t.T.",
            stacklevel=3,
        )


for _method in [m for m in vars(ArrayMethods).values() if isinstance(m, FunctionType)]:
    _method.__qualname__ = f"Tensor.{_method.__name__}"  # what Python's own errors say
