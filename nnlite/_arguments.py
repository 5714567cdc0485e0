"""The one gate through which arguments enter nnlite.

Whatever a user hands over as data (lists, NumPy's arrays of any byte order, pandas frames, arrays
of other libraries) passes :func:`as_array` once, where it comes in. What computes further on may
rely on a plain ndarray of numbers. What NumPy would turn into numbers that mean something else (a
masked array without its mask, a sparse matrix as one object, text) is refused here, with the way
out.

Settings pass :func:`as_integer`, :func:`as_number`, :func:`as_flag` and :func:`as_choice`. Each
takes the value and what error messages call it (``"Linear: in_features"``), returns Python's own
kind of value, and raises TypeError for the wrong kind and ValueError for a wrong value. NumPy's
numbers count as Python's, alone or as arrays without axes; True and False are no numbers.
"""

from __future__ import annotations

import math
import operator
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


# ---- settings ----------------------------------------------------------------------------------


def is_integer(value: Any) -> bool:
    """Whether Python would count with it; True and False are no integers."""
    if isinstance(as_python(value), bool):  # NumPy 2.0's count as Python's once did
        return False
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def as_integer(value: Any, name: str, least: int | None = None) -> int:
    """``value`` as an int, of at least ``least``.

    Raises
    ------
    TypeError
        If it is no integer.
    ValueError
        If it is less.
    """
    if type(value) is not int:
        if not is_integer(value):
            raise wrong_kind(value, name, "an integer")
        value = operator.index(value)
    if least is not None and value < least:
        raise wrong_value(value, name, f"an integer of at least {least}")
    return value


def as_number(
    value: Any,
    name: str,
    least: float = -math.inf,
    most: float = math.inf,
    *,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    """``value`` as a finite float or int, from ``least`` to ``most``, ``above`` and ``below``.

    Raises
    ------
    TypeError
        If it is no real number.
    ValueError
        If it is NaN, infinite or outside the interval.
    """
    if type(value) is not float:
        value = as_python(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_kind(value, name, "a number")
    if not (least <= value <= most and above < value < below):
        raise wrong_value(value, name, _interval(least, most, above, below))
    return value


def as_flag(value: Any, name: str) -> bool:
    """``value`` as True or False; TypeError if it is neither."""
    flag = as_python(value)
    if not isinstance(flag, bool):
        raise wrong_kind(value, name, "True or False")
    return flag


def as_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """``value`` if it is one of these words.

    Raises
    ------
    TypeError
        If it is no text.
    ValueError
        If it is another word.
    """
    if isinstance(value, str) and value in choices:
        return value
    *words, last = [repr(choice) for choice in choices]
    wanted = f"{', '.join(words)} or {last}" if words else last
    raise (wrong_value if isinstance(value, str) else wrong_kind)(value, name, wanted)


def wrong_kind(value: Any, name: str, wanted: str) -> TypeError:
    """The error for an argument of another kind than is wanted."""
    return TypeError(f"{name} must be {wanted}; got {_shown(value)}.{_misplaced(value, name)}")


def wrong_value(value: Any, name: str, wanted: str) -> ValueError:
    """The error for an argument of the right kind and a value that makes no sense."""
    return ValueError(f"{name} must be {wanted}; got {value!r}.")


def as_python(value: Any) -> Any:
    """Python's number for NumPy's, alone or as an array without axes; else the value itself."""
    if isinstance(value, np.generic) or (type(value) is _ndarray and value.ndim == 0):
        kind = {"b": bool, "i": int, "u": int, "f": float}.get(value.dtype.kind)
        return value if kind is None else kind(value)
    return value


def _interval(least: float, most: float, above: float, below: float) -> str:
    """The numbers that are wanted, in words."""
    if -math.inf < least and most < math.inf:
        return f"a number from {least:g} to {most:g}"
    limits = {
        f"of at least {least:g}": least > -math.inf,
        f"greater than {above:g}": above > -math.inf,
        f"of at most {most:g}": most < math.inf,
        f"less than {below:g}": below < math.inf,
    }
    named = [words for words, holds in limits.items() if holds]
    number = "a number" if len(named) == 2 else "a finite number"
    return " ".join([number, " and ".join(named)]).rstrip()


def _shown(value: Any) -> str:
    """A value and its type, short enough for an error message."""
    if getattr(value, "ndim", 0):
        return f"an array of shape {value.shape}"
    if value is None:
        return "None"
    text, kind = repr(value), type(value).__name__
    return f"{text} ({kind})" if len(text) <= 60 else f"a {kind}"


def _misplaced(value: Any, name: str) -> str:
    """Where data belong that stand in the place of a setting."""
    where, colon, _ = name.partition(": ")
    if not colon or not getattr(value, "ndim", 0):
        return ""
    if where[:1].isupper():
        return f" Make the {where} first, with its settings, and give it data then."
    return " Data come first."
