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

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import ops
from nnlite.engine.state import STATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHOLE = 64  #: entries up to which every one is compared
_BOTH = (0, 1)
_ndarray = np.ndarray


@lru_cache(maxsize=1024)
def _grid(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Strided slices that pick about 64 entries from all over an array."""
    per_axis = max(2, round(WHOLE ** (1 / len(shape))))
    return tuple(slice(None, None, -(-n // per_axis)) for n in shape)


def fingerprints(
    reads: tuple[int, ...], values: tuple[Any, ...], args: tuple[Any, ...], out: Any
) -> tuple[Any, ...] | bytes:
    """For each position read: what the array there holds now.

    Positions count the arguments, whose arrays are ``values``; -1 is the result, the Tensor
    ``out``. An entry is the bytes of a small array; of a large one the compared entries, as a view,
    their bytes, and the number of edits made through the tensor. For two small arrays, the daily
    bread of arithmetic, the bytes of both are joined.
    """
    if reads == _BOTH:
        x, y = values[0], values[1]
        if type(x) is _ndarray and type(y) is _ndarray and x.size <= WHOLE and y.size <= WHOLE:
            return x.tobytes() + y.tobytes()
    prints: list[Any] = []
    for r in reads:
        x = values[r] if r >= 0 else out._data
        if type(x) is not _ndarray:
            prints.append(None)  # numbers cannot be edited
        elif x.size <= WHOLE:
            prints.append(x.tobytes())
        else:
            some = x[_grid(x.shape)]
            edits = getattr(args[r] if r >= 0 else out, "_version", 0)
            prints.append((some, some.tobytes(), edits))
    return tuple(prints)


def edited(node: tuple[Any, ...], out: Any) -> int | None:
    """The first position read whose array is not what it was when ``out`` was made, if any."""
    _, args, values, _, _, reads, prints = node
    if type(prints) is bytes:
        x, y = values[0].tobytes(), values[1].tobytes()
        return None if x + y == prints else 0 if x != prints[: len(x)] else 1
    for r, before in zip(reads, prints, strict=True):
        if type(before) is tuple:
            some, content, edits = before
            now = getattr(args[r] if r >= 0 else out, "_version", 0)
            same = some.tobytes() == content and now == edits
        else:
            same = before is None or (values[r] if r >= 0 else out._data).tobytes() == before
        if not same:
            return r
    return None


class InPlaceEdits:
    """The ways to edit a Tensor, each counted: ``t[...] = v``, ``t += v`` and the like."""

    __slots__ = ("_version",)  # counts edits made through the tensor
    _data: NDArray[Any]
    _version: int
    _node: Any
    requires_grad: bool

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check_edit("t[index] = value", value)
        self._data[ops.plain_index(index)] = ops.values_of(value)
        self._version += 1

    def __iadd__(self, other: Any) -> Any:
        return self._edit(np.add, "+=", other)

    def __isub__(self, other: Any) -> Any:
        return self._edit(np.subtract, "-=", other)

    def __imul__(self, other: Any) -> Any:
        return self._edit(np.multiply, "*=", other)

    def __itruediv__(self, other: Any) -> Any:
        return self._edit(np.divide, "/=", other)

    def __ipow__(self, other: Any) -> Any:
        return self._edit(np.power, "**=", other)

    def _edit(self, ufunc: np.ufunc, sign: str, other: Any) -> Any:
        """``t += v``: a new tensor where the graph records, an edit in place where it does not."""
        if STATE.recording and (self._node is not None or getattr(other, "requires_grad", False)):
            return ufunc(self, other)
        self._check_edit(f"t {sign} value", other)
        ufunc(self._data, ops.values_of(other), out=self._data, casting="same_kind")
        self._version += 1
        return self

    def _check_edit(self, what: str, value: Any) -> None:
        if not STATE.recording:
            return
        if self.requires_grad:
            raise RuntimeError(
                f"{what} edits a tensor that requires grad, which backward could not follow. "
                "Inside nnlite.no_grad() it is allowed (a hand-written optimiser step); otherwise "
                "build a new tensor with np.where, np.concatenate or arithmetic."
            )
        if getattr(value, "requires_grad", False):
            raise RuntimeError(
                f"{what} would silently drop the gradient of the value. Build the result with "
                "np.where, np.concatenate or np.stack instead, or assign value.detach()."
            )
