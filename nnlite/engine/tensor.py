"""Tensor: an array that remembers how it was made.

:func:`record` is the heart: it computes, and notes on the result what was done. From these notes
:mod:`nnlite.engine.backward` finds the way from a result back to the leaves. Nothing here knows any
derivative: rules live in :mod:`nnlite.ops`. NumPy's own functions work on Tensors through NumPy's
two protocols, ``__array_ufunc__`` (``np.exp(t)``, ``array * t``) and ``__array_function__``
(``np.sum(t)``, ``np.concatenate([t, u])``): write NumPy, get gradients. Lecture 01 builds a small
Tensor in the open.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import ops
from nnlite._arguments import as_array
from nnlite.engine.advice import attribute_advice, explained, no_gradient, refused_argument
from nnlite.engine.backward import run_backward
from nnlite.engine.conversions import Conversions
from nnlite.engine.dispatch import dispatch, dispatch_ufunc
from nnlite.engine.edits import InPlaceEdits, fingerprints, new_order, note_edit
from nnlite.engine.methods import ArrayMethods
from nnlite.engine.node import operation_of
from nnlite.engine.operands import unpromoting
from nnlite.engine.state import STATE
from nnlite.ops import Operation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

_FLOATS = ("float32", "float64")


def record(op: Operation, args: tuple[Any, ...], params: dict[str, Any]) -> Tensor:
    """Compute ``op(*args, **params)``, and remember how if anything in it requires grad.

    What is remembered is :mod:`nnlite.engine.node`.
    """
    values = tuple([a._data if isinstance(a, Tensor) else unpromoting(a, args) for a in args])
    try:
        out = op.forward(*values, **params)
    except (ValueError, TypeError) as error:
        raise explained(op, values, error) from error
    if op.saves:
        out, saved = out
        params = {**params, "saved": saved}
    t = result(out)
    if STATE.recording:
        wanted = tuple(
            [
                i
                for i, a in enumerate(args)
                if isinstance(a, Tensor) and a.requires_grad and i not in op.without_rule
            ]
        )
        if wanted:
            reads = op.reads_for(wanted, len(args), params)
            t.requires_grad = True
            t._node = (op, args, values, params, wanted, reads, fingerprints(reads, values, t))
    return t


def result(out: Any) -> Tensor:
    """A Tensor around what an operation computed; faster than the checks of the constructor."""
    t = object.__new__(Tensor)
    t._data = out if type(out) is np.ndarray else np.asarray(out)
    t._node = t._grad = None
    t._order = new_order()
    t.requires_grad = False
    return t


def _operator(op: Operation) -> tuple[Any, Any]:
    """The methods for ``x op y`` and ``y op x``."""

    def method(x: Any, y: Any) -> Any:
        return record(op, (x, y), {})

    def reflected(y: Any, x: Any) -> Any:
        return record(op, (x, y), {})

    method.__qualname__ = reflected.__qualname__ = f"Tensor.{op.name}"  # for pow(t, 2, 3)
    return method, reflected


class Tensor(ArrayMethods, Conversions, InPlaceEdits):
    """An n-dimensional array with a gradient.

    Parameters
    ----------
    data : array_like
        Numbers of any shape. An array is shared, not copied (:func:`nnlite.tensor` copies).
    requires_grad : bool
        If True, gradients with respect to this tensor are accumulated in ``grad`` by ``backward``.
    dtype : dtype, optional
        Convert to this dtype. By default an array keeps its own.

    Attributes
    ----------
    data : ndarray
        The values. Reading is free; an edit of values that the graph still needs is caught.
    grad : ndarray or None
        Sum of the gradients of all ``backward`` calls since it was last set to None; same shape
        and dtype as ``data``.
    requires_grad : bool

    Raises
    ------
    TypeError
        If data is not numeric, or requires_grad is asked of a dtype that is not float32 or float64.

    Examples
    --------
    >>> x = nnlite.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = np.sum(np.exp(x) * x)
    >>> y.backward()
    >>> np.allclose(x.grad, np.exp(x.data) * (1 + x.data))
    True
    """

    __slots__ = (
        "__weakref__",
        "_data",
        "_grad",
        "_node",  # how it was made (nnlite.engine.node); None for a leaf
        "_order",  # creation number: arguments are older than results
        "requires_grad",
    )

    def __init__(
        self, data: ArrayLike, requires_grad: bool = False, dtype: DTypeLike | None = None
    ) -> None:
        if not isinstance(requires_grad, bool | np.bool_):
            raise TypeError(
                f"requires_grad is True or False; got {requires_grad!r}. Several numbers are a "
                "list, Tensor([3, 1]); a shape is NumPy's affair, Tensor(np.zeros((3, 1))); a "
                "dtype is named, Tensor(data, dtype='float32')."
            )
        self._data = as_array(data, "a Tensor's data", _real(dtype))
        self._node: Any = None
        self._order = new_order()
        self._grad: NDArray[Any] | None = None
        self.requires_grad = False
        if requires_grad:
            self.requires_grad_()

    # ---- values ---------------------------------------------------------------------------

    @property
    def data(self) -> NDArray[Any]:
        return self._data

    @data.setter
    def data(self, value: ArrayLike) -> None:
        if value is self._data:  # `t.data -= step` ends here, after NumPy has edited in place
            note_edit(self._data)
            return
        array = as_array(value, "a Tensor's data")
        if self.requires_grad and array.dtype.name not in _FLOATS:
            raise TypeError(
                f"t.data = values of dtype {array.dtype}: this tensor requires grad, and gradients "
                f"are float32 or float64. Convert them, values.astype({self.dtype.name!r})."
            )
        self._data = array

    @property
    def grad(self) -> NDArray[Any] | None:
        found = self._grad
        if found is None and self._node is not None and self.requires_grad:
            warnings.warn(no_gradient(operation_of(self).name), stacklevel=2)
        return found

    @grad.setter
    def grad(self, value: NDArray[Any] | None) -> None:
        self._grad = value

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def size(self) -> int:
        return _Size(self._data.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._data.dtype

    @property
    def is_leaf(self) -> bool:
        """True if no recorded operation made this tensor."""
        return self._node is None

    def detach(self) -> Tensor:
        """The same values (shared), cut off from the graph."""
        return Tensor(self._data)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` in place and return the tensor."""
        if requires_grad and self._data.dtype.name not in _FLOATS:
            raise TypeError(
                f"only float32 and float64 tensors can require grad; this one is {self.dtype}. "
                "Write 1.0 instead of 1, or pass dtype='float64'."
            )
        if not requires_grad and self._node is not None:
            raise RuntimeError(
                f"this tensor is the result of {operation_of(self).name}; requires_grad can be "
                "switched off for leaves only. Use t.detach()."
            )
        self.requires_grad = requires_grad
        return self

    # ---- parts and copies ------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Tensor:
        return ops.getitem(self, index)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._data.ndim:
            raise TypeError("a tensor without axes cannot be iterated over.")
        return (self[i] for i in range(len(self._data)))

    def __copy__(self) -> Tensor:
        return self.detach().requires_grad_(self.requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._node is not None:
            raise RuntimeError(
                f"only leaves can be copied; this tensor is the result of "
                f"{operation_of(self).name}. Use t.detach() for its values."
            )
        copy = type(self)(self._data.copy(), self.requires_grad)
        copy._grad = None if self._grad is None else self._grad.copy()
        return copy

    def __reduce__(self) -> Any:
        if self._node is not None:
            raise TypeError("only leaves can be pickled; use t.detach() for the values.")
        return type(self), (self._data, self.requires_grad)

    # ---- gradients ------------------------------------------------------------------------

    def backward(
        self, gradient: ArrayLike | None = None, retain_graph: bool = False, **other: Any
    ) -> None:
        """Add d self / d leaf to ``grad`` of every leaf that requires grad.

        Parameters
        ----------
        gradient : array_like, optional
            dL / d self for a result that is not a single number; shape of this tensor.
        retain_graph : bool
            Keep the graph, so that backward can run again. By default it is freed.

        Raises
        ------
        RuntimeError
            If nothing here requires grad, if the graph was freed by an earlier backward, or if an
            array that a derivative needs was edited.
        ValueError
            If ``gradient`` is missing for a result of more than one number, or has another shape.
        """
        if other:
            raise refused_argument("backward", other)
        run_backward(self, gradient, retain_graph)

    def _record_operation(
        self, op: Operation, args: tuple[Any, ...], params: dict[str, Any]
    ) -> Tensor:
        """What an operation calls that meets a Tensor."""
        return record(op, args, params)

    # ---- NumPy's protocols ----------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return dispatch_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch(func, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(attribute_advice(name))

    # ---- operators: each is one line of the operations' table ------------------------------

    __add__, __radd__ = _operator(ops.add)
    __sub__, __rsub__ = _operator(ops.subtract)
    __mul__, __rmul__ = _operator(ops.multiply)
    __truediv__, __rtruediv__ = _operator(ops.divide)
    __floordiv__, __rfloordiv__ = _operator(ops.floor_divide)
    __mod__, __rmod__ = _operator(ops.mod)
    __pow__, __rpow__ = _operator(ops.power)

    def __matmul__(self, other: Any) -> Tensor:
        return ops.matmul(self, unpromoting(other, (self,)))

    def __rmatmul__(self, other: Any) -> Tensor:
        return ops.matmul(unpromoting(other, (self,)), self)

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __neg__(self) -> Tensor:
        return ops.negative(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return ops.absolute(self)


def tensor(data: ArrayLike, requires_grad: bool = False, dtype: DTypeLike | None = None) -> Tensor:
    """A new Tensor holding a copy of ``data`` (the class :class:`Tensor` shares it).

    Parameters and errors are those of :class:`Tensor`.
    """
    return Tensor(np.array(as_array(data, "a Tensor's data", _real(dtype))), requires_grad)


def _real(dtype: DTypeLike | None) -> np.dtype[Any] | None:
    """A dtype of real numbers, in this machine's byte order."""
    if dtype is None:
        return None
    found = np.dtype(dtype).newbyteorder("=")
    if found.kind not in "fiub":
        raise TypeError(f"a Tensor holds real numbers; got dtype {found}.")
    return found


class _Size(int):
    """``t.size``: an int, as in NumPy, that tells those who call it what to write instead."""

    def __call__(self, *axis: Any) -> int:
        raise AttributeError(
            f"t.size is the number of values, as in NumPy; write t.shape{list(axis) or ''} for "
            "the shape."
        )
