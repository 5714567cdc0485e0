"""Parameter: a Tensor that a Module owns and an optimiser moves (lecture 04)."""

from typing import Any

from numpy.typing import ArrayLike, DTypeLike

from nnlite.engine.state import float_dtype
from nnlite.engine.tensor import Tensor


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
        self, data: ArrayLike, requires_grad: bool = True, dtype: DTypeLike | None = None
    ) -> None:
        values = data.data if isinstance(data, Tensor) else data
        super().__init__(values, requires_grad, float_dtype(dtype))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        copy = type(self)(self.data.copy(), self.requires_grad, self.dtype)
        copy.grad = None if self.grad is None else self.grad.copy()
        return copy

    def __reduce__(self) -> Any:
        return type(self), (self.data, self.requires_grad, self.dtype)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
