"""The one gate through which arrays enter nnlite.

Whatever a user hands over (lists, NumPy's arrays of any byte order, pandas frames, arrays of other
libraries) passes :func:`as_array` once, where it comes in. What computes further on may rely on a
plain ndarray of numbers. What NumPy would turn into numbers that mean something else (a masked
array without its mask, a sparse matrix as one object, text) is refused here, with the way out.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

_ndarray = np.ndarray


def as_array(data: Any, name: str = "the data", dtype: DTypeLike | None = None) -> NDArray[Any]:
    """``data`` as a plain array of real numbers in native byte order; shared where it is one.

    Parameters
    ----------
    data : array_like
        Numbers of any shape: also a pandas frame, a big-endian array, a matrix.
    name : str
        What error messages call it.
    dtype : dtype, optional
        Convert to this dtype; by default numbers keep theirs.

    Raises
    ------
    TypeError
        If it holds anything but real numbers, or is sparse.
    ValueError
        If entries are masked, or rows have different lengths.
    """
    if type(data) is _ndarray and data.dtype.kind in "fiub" and data.dtype.isnative:
        return data if dtype is None else data.astype(dtype, copy=False)
    if hasattr(data, "toarray"):
        raise TypeError(
            f"{name} is a sparse array; pass its toarray() if the whole of it fits in memory."
        )
    if _is_masked(data):
        raise ValueError(
            f"{name} has masked entries, which would be computed with like all others. Drop them "
            "(a.compressed()), or say what stands in their place (a.filled(value))."
        )
    try:
        array = np.asarray(data, _common_dtype(data))
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"{name} is a ragged list, whose rows have different lengths; cut or pad them to one."
        ) from error
    if array.dtype.kind not in "fiub":
        raise TypeError(_refusal(data, array, name))
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array if dtype is None else array.astype(dtype, copy=False)


def _common_dtype(data: Any) -> DTypeLike | None:
    """That of a frame of plain columns, of which pandas would make objects (numbers and bools)."""
    columns = getattr(data, "dtypes", None) if hasattr(data, "columns") else None
    if columns is None:
        return None
    dtypes = list(columns)
    plain = all(isinstance(dtype, np.dtype) and dtype.kind in "fiub" for dtype in dtypes)
    return np.result_type(*dtypes) if dtypes and plain else None


def _is_masked(data: Any) -> bool:
    """Whether entries are masked; of a list of masked arrays NumPy would drop the masks."""
    if isinstance(data, list | tuple):
        return any(_is_masked(x) for x in data if not isinstance(x, int | float | str))
    ma = sys.modules.get("numpy.ma")  # NumPy loads it when it is first needed
    if ma is None or not isinstance(data, ma.MaskedArray):
        return False
    return not data.dtype.names and ma.is_masked(data)


def _refusal(data: Any, array: NDArray[Any], name: str) -> str:
    """Why an array without numbers cannot be used, and what to do about it."""
    kind = array.dtype.kind
    if data is None:
        return f"{name} is None; a function that returns nothing may have made it."
    if kind == "c":
        return (
            f"{name} holds complex numbers ({array.dtype}); keep real and imaginary parts as two "
            "arrays."
        )
    if kind != "O":
        what = {"U": "text", "S": "text", "M": "dates", "m": "time spans", "V": "records"}
        return (
            f"{name} holds {what.get(kind, 'no numbers')} (dtype {array.dtype}); turn it into real "
            "numbers first."
        )
    if hasattr(data, "dtypes") and hasattr(data, "columns"):  # a pandas frame
        odd = [
            str(column)
            for column, dtype in zip(data.columns, data.dtypes, strict=True)
            if getattr(dtype, "kind", "O") not in "fiub" or not isinstance(dtype, np.dtype)
        ]
        return (
            f"{name} has columns that are not plain numbers: {', '.join(odd[:5])}"
            f"{', ...' if len(odd) > 5 else ''}. Encode or drop them, and missing values, then "
            "call .astype(float)."
        )
    first = array.ravel()[0] if array.size else None
    if any(hasattr(x, "_record_operation") for x in array.ravel()[:8]):
        return f"{name} is a list of Tensors; join them with np.stack or np.concatenate."
    if isinstance(first, int | float | np.number):
        return (
            f"{name} is an array of Python objects (dtype object, the first {first!r}); if all are "
            "numbers, call .astype(float)."
        )
    return f"{name} must hold real numbers; got objects of type {type(first).__name__}."
