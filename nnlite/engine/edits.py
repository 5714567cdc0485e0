"""Catching edits of arrays that a derivative still needs.

A rule such as ``d(x y)/dx = y`` reads ``y`` when backward runs, not when the product was computed.
If ``y`` was edited in between, the gradient would be silently wrong. So recording takes a
*fingerprint* of each array a rule will read, and backward compares.

Edits through the Tensor (``t[...] = v``, ``t += v``, ``t.data -= v``) are counted, so they are
always caught. An edit of the raw array behind it is caught if it changes any of the compared
entries: all of them for arrays of up to 64 entries, a grid of about 64 spread over larger ones. An
edit of the whole array (a reused batch buffer, a parameter update) therefore shows; changing a few
entries of a large array behind the engine's back may not.
"""

from functools import lru_cache
from typing import Any

import numpy as np

_WHOLE = 64  # entries
_BOTH = (0, 1)
_ndarray = np.ndarray


@lru_cache(maxsize=1024)
def _grid(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Strided slices that pick about 64 entries from all over an array."""
    per_axis = max(2, round(_WHOLE ** (1 / len(shape))))
    return tuple(slice(None, None, -(-n // per_axis)) for n in shape)


def fingerprints(
    reads: tuple[int, ...], values: tuple[Any, ...], args: tuple[Any, ...], out: Any
) -> tuple[Any, ...]:
    """For each position read: something that changes when that array does.

    Positions count the arguments, whose arrays are ``values``; -1 is the result, the Tensor
    ``out``.
    """
    if reads == _BOTH:  # two small arrays, the daily bread of arithmetic, without the loop
        x, y = values[0], values[1]
        if type(x) is _ndarray and type(y) is _ndarray and x.size <= _WHOLE and y.size <= _WHOLE:
            return x.tobytes(), y.tobytes()
    prints: list[Any] = []
    for r in reads:
        x = values[r] if r >= 0 else out._data
        if type(x) is not _ndarray:
            prints.append(None)  # numbers cannot be edited
        elif x.size <= _WHOLE:
            prints.append(x.tobytes())
        else:
            edits = getattr(args[r] if r >= 0 else out, "_version", 0)
            prints.append((edits, x[_grid(x.shape)].tobytes()))
    return tuple(prints)
