"""Numbers as a check compares them: arrays in double precision, or an error that says why not."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite._arguments import as_array

__all__ = ["as_numbers", "one_number"]

_EXACT = 2**53  # from here on double precision skips integers
_LARGEST = 2**1023  # and well below its overflow it ends


def as_numbers(name: str, value: Any) -> np.ndarray:
    """A non-empty float64 or complex128 array of what was given, or an error that teaches."""
    if value is ...:
        raise TypeError(f"closed_form: {name} is `...`, so the line that gives it is missing.")
    name, value = f"closed_form: {name}", _without_graph(value)
    _refuse_long_integers(name, value)
    if _is_complex(value):
        real, imag = (as_array(part(value), name, np.float64) for part in (np.real, np.imag))
        array = np.empty(real.shape, np.complex128)
        array.real, array.imag = real, imag
    else:
        array = as_array(value, name, np.float64)
    if array.size == 0:
        raise ValueError(
            f"{name} is empty (shape {array.shape}): a claim about no number at all would always "
            "pass."
        )
    return array


def _refuse_long_integers(name: str, value: Any) -> None:
    """Refuse integers of which double precision, in which numbers are compared, drops digits."""
    if isinstance(value, list | tuple):
        for item in value:
            _refuse_long_integers(name, item)
        return
    if isinstance(value, int):
        whole = [value]
    elif getattr(getattr(value, "dtype", None), "kind", "") in ("i", "u"):
        numbers = np.asarray(value)
        whole = [int(x) for x in numbers[np.abs(numbers.astype(np.float64)) >= _EXACT]]
    else:
        return
    for number in whole:
        if abs(number) >= _EXACT and (abs(number) >= _LARGEST or int(float(number)) != number):
            digits = str(number) if abs(number) < _LARGEST else f"about 2**{number.bit_length()}"
            raise ValueError(
                f"{name} holds the integer {digits:.40}, which double precision, in which numbers "
                "are compared, cannot hold to its last digit. Compare differences or remainders "
                "of the integers, or logarithms if the last digits do not matter."
            )


def _is_complex(value: Any) -> bool:
    try:
        return bool(np.iscomplexobj(value))
    except ValueError:  # rows of different lengths: the gate says so, with advice
        return False


def _without_graph(value: Any) -> Any:
    """Tensors (ours, or torch's) give their array: a check is never differentiated."""
    if isinstance(value, list | tuple):
        return [_without_graph(item) for item in value]
    if hasattr(value, "detach"):
        value = value.detach()
        if isinstance(getattr(value, "data", None), np.ndarray):
            return value.data
    return value


def one_number(name: str, value: Any) -> float:
    """A tolerance as float; also of an array or Tensor that holds one number."""
    if isinstance(value, bool | np.bool):
        raise TypeError(f"{name} must be a number, got {value!r}.")
    array = as_array(_without_graph(value), name, np.float64)
    if array.shape != ():
        raise TypeError(f"{name} must be one number for all entries, got shape {array.shape}.")
    return float(array)
