"""The operators + - * / and their like once more, unrolled: the one fast path of recording.

Readers may skip this file: each method does what ``record(op, (x, y), {})`` does, which is what
:class:`nnlite.Tensor` has without it. Arithmetic on small tensors lives on its speed: without the
file a chain of small operations takes half as long again (``benchmarks/engine.py``, ``record``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite import ops
from nnlite.engine.advice import explained
from nnlite.engine.edits import fingerprints, new_order
from nnlite.engine.operands import unpromoting
from nnlite.engine.state import STATE
from nnlite.engine.tensor import Tensor
from nnlite.ops import Operation

_ndarray = np.ndarray
_make = object.__new__
_NO_PARAMS: dict[str, Any] = {}
_FIRST: tuple[int, ...] = (0,)
_SECOND, _BOTH = (1,), (0, 1)


def unrolled(op: Operation) -> Any:
    """The method for ``x op y``."""
    forward = op.forward
    reads_first, reads_second, reads_both = (
        op.reads_for(wanted, 2, _NO_PARAMS) for wanted in (_FIRST, _SECOND, _BOTH)
    )

    def method(x: Any, y: Any) -> Any:
        a = x._data
        if isinstance(y, Tensor):
            b = y._data
            y_wanted = y.requires_grad
        else:
            b = unpromoting(y, (x,))
            y_wanted = False
        try:
            out = forward(a, b)
        except (ValueError, TypeError) as error:
            raise explained(op, (a, b), error) from error
        t = _make(Tensor)
        t._data = out if type(out) is _ndarray else np.asarray(out)
        t._grad = None
        t._order = new_order()
        if (y_wanted or x.requires_grad) and STATE.recording:
            t.requires_grad = True
            if not y_wanted:
                wanted, reads = _FIRST, reads_first
            elif x.requires_grad:
                wanted, reads = _BOTH, reads_both
            else:
                wanted, reads = _SECOND, reads_second
            values = a, b
            taken = fingerprints(reads, values, t) if reads else ()
            t._node = (op, (x, y), values, _NO_PARAMS, wanted, reads, taken)
        else:
            t.requires_grad = False
            t._node = None
        return t

    method.__qualname__ = f"Tensor.{op.name}"
    return method


#: The methods that are unrolled, and their operations.
OPERATORS = {
    "__add__": ops.add,
    "__sub__": ops.subtract,
    "__mul__": ops.multiply,
    "__truediv__": ops.divide,
    "__floordiv__": ops.floor_divide,
    "__mod__": ops.mod,
    "__pow__": ops.power,
}
for _name, _op in OPERATORS.items():
    setattr(Tensor, _name, unrolled(_op))
