"""How a result was made: what :func:`nnlite.engine.tensor.record` notes as its ``_node``.

A node is a plain tuple, since making one is on the path of every operation:

    (operation, arguments, values, params, wanted, reads, fingerprints)

The arguments are Tensors, arrays and numbers, ``values`` the arrays and numbers that they stood
for, ``wanted`` the positions of those that require grad. ``reads`` are the positions of the arrays
that the rules will read (-1: the result), ``fingerprints`` tell whether these were edited. When
backward has let go of a graph, the operation is all that is left of its nodes, beside None. Leaves
have no node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnlite.engine.tensor import Tensor


def operation_of(t: Tensor) -> Any:
    """The :class:`~nnlite.ops.Operation` that made ``t``; None for a leaf."""
    return None if t._node is None else t._node[0]


def arguments_of(t: Tensor) -> Any:
    """What ``t`` was made of; nothing for a leaf, None if the graph was freed."""
    return () if t._node is None else t._node[1]


def parents_of(t: Tensor) -> list[Tensor]:
    """The arguments of ``t`` that require grad; none if the graph was freed."""
    if t._node is None:
        return []
    _, args, _, _, wanted, _, _ = t._node
    return [args[i] for i in wanted]
