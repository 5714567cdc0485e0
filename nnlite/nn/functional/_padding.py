"""Frames around images (lecture 08)."""

from typing import Any

import numpy as np

from nnlite import ops
from nnlite._arguments import as_choice, as_python, is_integer, wrong_kind
from nnlite.engine.tensor import Tensor
from nnlite.nn._inputs import as_tensor

_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Add pixels around the last axes: ``pad`` is (left, right), (left, right, top, bottom), ...

    Parameters
    ----------
    pad : tuple of int
        A negative width takes pixels away.
    mode : {"constant", "reflect", "replicate", "circular"}
    value : float, optional
        What a constant frame consists of, 0 by default.
    """
    x = as_tensor(input)
    as_choice(mode, "pad: mode", tuple(_MODES))
    if value is not None and mode != "constant":
        raise ValueError(f"pad: mode={mode!r} takes its pixels from the image, and no value.")
    if value is not None:
        value = _pixel(value, x.dtype)
    pairs = _widths(pad, x.shape)
    widened = [(max(a, 0), max(b, 0)) for a, b in pairs]
    if widened == pairs:
        return _framed(x, pairs, mode, value)
    # a frame that repeats the other end repeats what is left there; a mirror sees the whole image
    if mode in ("constant", "circular"):
        return _framed(_cropped(x, pairs), widened, mode, value)
    return _cropped(_framed(x, widened, mode, value), pairs)


def _pixel(value: Any, dtype: np.dtype[Any]) -> float:
    """A number, perhaps infinite, that an array of this dtype can hold."""
    number = as_python(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise wrong_kind(value, "pad: value", "a number")
    if dtype.kind in "iu" and not (
        float(number).is_integer() and np.iinfo(dtype).min <= number <= np.iinfo(dtype).max
    ):
        raise ValueError(f"pad: an image of {dtype} cannot hold value={number}; convert it first.")
    return number


def _cropped(x: Tensor, pairs: list[tuple[int, int]]) -> Tensor:
    """Take away the pixels of negative widths."""
    cut = [slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape, strict=True)]
    return x[tuple(cut)]


def _framed(x: Tensor, pairs: list[tuple[int, int]], mode: str, value: float | None) -> Tensor:
    """Add the pixels of widths that are not negative."""
    if mode == "constant":
        return ops.pad(x, pairs, mode="constant", constant_values=0.0 if value is None else value)
    for (a, b), n in zip(pairs, x.shape, strict=True):
        least = {"reflect": max(a, b) + 1, "circular": max(a, b), "replicate": 1}[mode]
        if (a or b) and n < least:
            raise ValueError(
                f"pad: mode={mode!r} by {max(a, b)} needs more than {least - 1} pixels along the "
                f"axis; shape {x.shape} has {n}."
            )
    return ops.pad(x, pairs, mode=_MODES[mode])


def _widths(pad: Any, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The widths before and after each axis of an array of ``shape``, first axis first."""
    widths = list(pad) if isinstance(pad, tuple | list) else [pad]
    if not all(is_integer(p) for p in widths) or len(widths) % 2 or len(widths) > 2 * len(shape):
        raise ValueError(
            f"pad takes pairs of integers, last axis first, at most one for each axis; "
            f"got {pad!r} for shape {shape}."
        )
    pairs = [(int(a), int(b)) for a, b in zip(widths[::2], widths[1::2], strict=True)][::-1]
    pairs = [(0, 0)] * (len(shape) - len(pairs)) + pairs
    for (a, b), n in zip(pairs, shape, strict=True):
        if n + min(a, 0) + min(b, 0) < 0:
            raise ValueError(f"pad: {a} and {b} take away more than the {n} pixels of an axis.")
    return pairs
