"""What stands beside a Tensor in an operation: numbers, lists and arrays as NumPy wants them."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from nnlite._arguments import as_array
from nnlite.ops.operation import is_tensor


def unpromoting(x: Any, args: tuple[Any, ...]) -> Any:
    """A number or a list of numbers such that it does not promote the Tensors beside it.

    NumPy's own scalars (``np.sqrt(2)``, ``mask.sum()``) and fractions count as Python's numbers,
    which take the dtype of the array they meet; so do lists and tuples. Only arrays promote.
    """
    kind = type(x)
    if kind is float:
        return x
    if kind is int:
        return x if -_INT64 <= x < _INT64 else float(x)  # of larger ones np.where makes objects
    if kind is np.ndarray:
        return x if x.dtype.kind in "fiubc" else as_array(x, "an operand")
    convert = _NUMBERS.get(kind)
    if convert is not None:
        return unpromoting(convert(x), args)
    if is_tensor(x) or x is None:
        return x
    if isinstance(x, _LISTS):
        array = as_array(x, "an operand")
        dtype = np.result_type(*[a._data for a in args if is_tensor(a)])
        return array.astype(dtype) if dtype.kind == "f" and array.dtype.kind in "fiu" else array
    if isinstance(x, _SCALARS):
        return x
    if isinstance(x, numbers.Number):  # a Fraction, a Decimal
        return float(x)  # type: ignore[arg-type]
    return as_array(x, "an operand")  # masked, sparse, a pandas frame, a buffer; or no numbers


_INT64 = 2**63
_LISTS = (list, tuple, range)
_SCALARS = (np.generic, bool, complex)
_NUMBERS: dict[type, Any] = {
    np.float64: float,
    **{np.dtype(code).type: int for code in "bhilqBHILQ"},
}
