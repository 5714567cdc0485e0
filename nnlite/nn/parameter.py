"""Parameter: a Tensor that a Module owns and an optimiser moves (lecture 04)."""

from typing import Any

from numpy.typing import ArrayLike, DTypeLike, NDArray

from nnlite._arguments import as_array
from nnlite.engine.state import float_dtype
from nnlite.engine.tensor import Tensor
from nnlite.nn._memory import keep_freed_memory
from nnlite.ops import values_of


class Parameter(Tensor):
    """A Tensor that counts as a parameter once it is an attribute of a Module.

    Parameters
    ----------
    data : array_like
        Initial values.
    requires_grad : bool
        False for a frozen parameter.
    dtype : {"float32", "float64"}, optional
        float32, or whatever :class:`nnlite.default_dtype` says; the values are converted.
    """

    __slots__ = ()

    def __init__(
        self, data: ArrayLike, requires_grad: bool = True, *, dtype: DTypeLike | None = None
    ) -> None:
        keep_freed_memory()
        values = as_array(values_of(data), "a parameter")
        super().__init__(values, requires_grad, float_dtype(dtype))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        copy = _remade(type(self), self.data.copy(), self.requires_grad)
        copy.grad = None if self.grad is None else self.grad.copy()
        return copy

    def __reduce__(self) -> Any:
        return _remade, (type(self), self.data, self.requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def _remade(kind: type[Parameter], data: NDArray[Any], requires_grad: bool) -> Parameter:
    """A parameter of the dtype of its data, as copies and pickles need it."""
    return kind(data, requires_grad, dtype=data.dtype)
