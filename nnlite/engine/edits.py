"""Catching edits of arrays that a derivative still needs.

A rule such as ``d(x y)/dx = y`` reads ``y`` when backward runs, not when the product was computed.
If ``y`` was edited in between, the gradient would be silently wrong. Two things tell.

*Edits through a Tensor* (``t[...] = v``, ``t += v``, ``t.data -= v``, an optimiser's step) are
noted: which memory, and when. Memory, not Tensor: a view, a detached twin and ``Tensor(t.data)``
are other Tensors with the same numbers. When, as a number from the counter that numbers Tensors: an
edit with a higher number than a result came after it. So nothing has to be counted, shared or
remembered while a graph is recorded.

*Edits of the raw array* behind a Tensor are known by a fingerprint, taken of each array that a rule
will read and compared by backward: all entries for arrays of up to 64 entries, a grid of about 64
spread over larger ones. An edit of the whole array (a reused batch buffer) therefore shows;
changing a few entries of a large array behind the engine's back may not.
"""

from __future__ import annotations

import itertools
import weakref
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from nnlite import ops
from nnlite._arguments import as_array
from nnlite.engine.advice import misfit
from nnlite.engine.state import STATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnlite.engine.tensor import Tensor

WHOLE = 64  #: entries up to which every one is compared
_BOTH = (0, 1)
_ndarray = np.ndarray

#: The next number in the order of events: Tensors made and edits noted.
new_order = itertools.count(1).__next__


# ---- edits that are noted ------------------------------------------------------------------


class _Memory:
    """When an array that owns its memory was edited: all of it, and stretches of it."""

    __slots__ = ("all", "owner", "parts")

    def __init__(self, owner: Any) -> None:
        self.owner = weakref.ref(owner)
        self.all = 0
        self.parts: dict[tuple[int, int], int] = {}  # first and last address -> number


#: id of the owner -> its edits. Those of an owner that is gone do no harm: whatever lives at its
#: place now was made after them.
_memories: dict[int, _Memory] = {}
#: All memory that no array owns (a bytearray's, PyTorch's, a mapped file's), known by its addresses
#: alone: any number of arrays may show it and know nothing of each other.
_foreign = _Memory(_Memory)
_FEW, _MANY = 1024, 4096
_room = _FEW


def note_edit(x: NDArray[Any]) -> None:
    """Remember that the numbers in ``x``, an array or a part of one, were just edited."""
    memory = _memories.get(id(x))
    if memory is not None and memory.owner() is x and not memory.parts:
        memory.all = new_order()  # the common case, a parameter's step: the rest, unrolled
        return
    owner = _owner(x)
    if owner.base is not None:
        memory = _foreign
    else:
        memory = _memories.get(id(owner))
        if memory is None or memory.owner() is not owner:
            _forget_the_dead()
            memory = _memories[id(owner)] = _Memory(owner)
        if x is owner or x.size == owner.size or owner.size <= WHOLE:
            memory.all = new_order()
            memory.parts = {}
            return
    if len(memory.parts) == _MANY:  # keep one stretch around them all
        low, high = min(a for a, _ in memory.parts), max(b for _, b in memory.parts)
        memory.parts = {(low, high): max(memory.parts.values())}
    memory.parts[byte_bounds(x)] = new_order()


def noted_since(x: NDArray[Any], order: int) -> bool:
    """Whether memory that ``x`` occupies was edited after event ``order``.

    Stretches of memory are compared from their first to their last byte, so two columns of a matrix
    count as one.
    """
    owner = x if x.base is None else _owner(x)
    memory = _memories.get(id(owner)) if owner.base is None else _foreign
    if memory is None:
        return False
    if memory.all > order or not memory.parts:
        return memory.all > order
    recent = [part for part, number in list(memory.parts.items()) if number > order]
    if not recent:
        return False
    low, high = byte_bounds(x)
    return any(a < high and low < b for a, b in recent)


def _owner(x: Any) -> Any:
    """The array whose memory ``x`` shows; views of views lead there, and NumPy's strided ones."""
    while (base := x.base) is not None:
        if type(base) is memoryview:
            base = base.obj
        if not hasattr(base, "base"):
            break
        x = base
    return x


def _forget_the_dead() -> None:
    """Drop what is remembered of arrays that are gone, once there may be many."""
    global _room
    if len(_memories) < _room:
        return
    for key, memory in list(_memories.items()):
        if memory.owner() is None:
            _memories.pop(key, None)
    _room = max(_FEW, 2 * len(_memories))


# ---- fingerprints --------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _grid(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Strided slices that pick about 64 entries from all over an array."""
    per_axis = max(2, round(WHOLE ** (1 / len(shape))))
    return tuple(slice(None, None, -(-n // per_axis)) for n in shape)


def fingerprints(
    reads: tuple[int, ...], values: tuple[Any, ...], out: Tensor
) -> tuple[Any, ...] | bytes:
    """For each position read: what the array there holds now.

    Positions count the arguments, whose arrays are ``values``; -1 is the result ``out``. An entry
    is the bytes of a small array; of a large one the array, the compared entries, as a view, and
    their bytes. For two small arrays, the usual case, the bytes of both are joined.
    """
    if reads == _BOTH:
        x, y = values[0], values[1]
        if type(x) is _ndarray and type(y) is _ndarray and x.size <= WHOLE and y.size <= WHOLE:
            return x.tobytes() + y.tobytes()
    found: list[Any] = []
    for r in reads:
        x = values[r] if r >= 0 else out._data
        if type(x) is not _ndarray:
            found.append(None)  # numbers cannot be edited
        elif x.size <= WHOLE:
            found.append(x.tobytes())
        else:
            some = x[_grid(x.shape)]
            found.append((x, some, some.tobytes()))
    return tuple(found)


def edited(node: tuple[Any, ...], t: Tensor) -> int | None:
    """The first position read whose array is not what it was when ``t`` was made, if any."""
    values, before = node[2], node[6]
    if type(before) is bytes:
        x, y = values[0].tobytes(), values[1].tobytes()
        return None if x + y == before else 0 if x != before[: len(x)] else 1
    for r, content in zip(node[5], before, strict=True):
        if content is None:
            continue
        x = values[r] if r >= 0 else t._data
        if type(content) is tuple:
            array, some, kept = content
            same = array is x and some.tobytes() == kept and not noted_since(x, t._order)
        else:
            same = x.tobytes() == content
        if not same:
            return r
    return None


def replaced(node: tuple[Any, ...]) -> int | None:
    """The first argument read that has been given other data (``t.data = new``), if any.

    The graph keeps the old array, and first derivatives are those at the old values. Rules that
    record themselves read the Tensor, and there the old values are gone.
    """
    _, args, values, _, _, reads, _ = node
    for r in reads:
        if r >= 0 and getattr(args[r], "_data", values[r]) is not values[r]:
            return r
    return None


# ---- the ways to edit ------------------------------------------------------------------------


class InPlaceEdits:
    """The ways to edit a Tensor, each noted: ``t[...] = v``, ``t += v`` and the like."""

    __slots__ = ()
    _data: NDArray[Any]
    _node: Any
    requires_grad: bool

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check_edit("t[index] = value", value)
        index = ops.index_values(index)
        value = _written(value)
        try:
            self._data[index] = value
        except (TypeError, ValueError) as error:
            raise misfit("t[index] = value", self._data, value, error) from error
        note_edit(_part(self._data, index))

    def __iadd__(self, other: Any) -> Any:
        return self._edit(np.add, "+=", other)

    def __isub__(self, other: Any) -> Any:
        return self._edit(np.subtract, "-=", other)

    def __imul__(self, other: Any) -> Any:
        return self._edit(np.multiply, "*=", other)

    def __itruediv__(self, other: Any) -> Any:
        return self._edit(np.divide, "/=", other)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._edit(np.floor_divide, "//=", other)

    def __imod__(self, other: Any) -> Any:
        return self._edit(np.remainder, "%=", other)

    def __ipow__(self, other: Any) -> Any:
        return self._edit(np.power, "**=", other)

    def __imatmul__(self, other: Any) -> Any:
        return self @ other  # NumPy's has no place for a result of another shape

    def _edit(self, ufunc: np.ufunc, sign: str, other: Any) -> Any:
        """``t += v``: a new tensor where the graph records, an edit in place where it does not."""
        if STATE.recording and (self._node is not None or getattr(other, "requires_grad", False)):
            return ufunc(self, other)
        self._check_edit(f"t {sign} value", other)
        value = _written(other)
        try:
            ufunc(self._data, value, out=self._data, casting="same_kind")
        except (TypeError, ValueError) as error:
            raise misfit(f"t {sign} value", self._data, value, error) from error
        note_edit(self._data)
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


def _written(value: Any) -> Any:
    """A value to write: a number, or a plain array of numbers."""
    return value if type(value) in (int, float, bool) else as_array(ops.values_of(value), "value")


def _part(x: NDArray[Any], index: Any) -> NDArray[Any]:
    """What ``x[index] = v`` edits: the view that a basic index picks, for others all of ``x``."""
    parts = index if type(index) is tuple else (index,)
    if all(
        i is None or i is ... or isinstance(i, slice | np.integer) or type(i) is int for i in parts
    ):
        return x[parts] if ... in parts else x[(*parts, ...)]
    return x
