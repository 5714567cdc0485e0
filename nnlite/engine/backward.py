"""Reverse mode: from a result back to the leaves, every node once.

A tensor is created after the tensors it was made from. So taking nodes in falling order of creation
means that each is visited when every gradient that reaches it has been added up: a topological
order that costs a heap of integers. There is no recursion, so depth is limited by memory only.

The same walk serves first and higher order. With ``create_graph`` the gradients are Tensors and the
rules, being NumPy code, record themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import ops
from nnlite._arguments import as_array
from nnlite.engine.edits import edited, replaced
from nnlite.engine.state import recording

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnlite.engine.tensor import Tensor
    from nnlite.ops import Operation


def run_backward(root: Tensor, gradient: Any, retain_graph: bool) -> None:
    """Accumulate gradients in the leaves (see :meth:`nnlite.Tensor.backward`)."""
    seed = seed_gradient(root, gradient)
    with recording(False):
        visited, reached = walk(root, seed, create_graph=False)
    for leaf, g, owned in reached.values():
        if leaf._grad is None:
            # sums of single numbers are NumPy scalars, not arrays
            leaf._grad = np.asarray(g) if owned else np.array(g)
        else:
            leaf._grad = np.asarray(leaf._grad + g)
    if not retain_graph:
        free(visited)


def seed_gradient(root: Tensor, gradient: Any) -> NDArray[Any]:
    """The gradient dL / d root, of root's shape and dtype; 1 for a single number."""
    if not root.requires_grad:
        raise RuntimeError(
            "backward from a tensor that does not require grad: nothing in its computation was "
            "made with requires_grad=True, or it was computed inside nnlite.no_grad()."
        )
    if gradient is None:
        if root.size != 1:
            raise ValueError(
                "backward without an argument needs a single number; this tensor has shape "
                f"{root.shape}. Reduce it first (t.sum().backward()), or pass gradient= of the "
                "same shape."
            )
        return np.ones(root.shape, root.dtype)
    seed = as_array(ops.values_of(gradient), "gradient", root.dtype)
    if seed.shape != root.shape:
        raise ValueError(
            f"gradient has shape {seed.shape}; the tensor has shape {root.shape}. They must be "
            "equal."
        )
    return seed


def walk(
    root: Tensor,
    seed: Any,
    create_graph: bool,
    keep: Collection[int] = (),
    towards: Container[int] | None = None,
) -> tuple[list[Tensor], dict[int, list[Any]]]:
    """Hand gradients on from ``root`` to the leaves.

    Tensors are known by their creation numbers.

    Parameters
    ----------
    root, seed : where to start, and dL / d root.
    create_graph : whether gradients are Tensors and the rules record themselves.
    keep : results whose gradients are wanted; those of leaves always are.
    towards : the tensors that matter; None means all.

    Returns
    -------
    visited : the results passed, newest first.
    reached : creation number -> [tensor, gradient, owned] for the leaves and for ``keep``; owned
        says that the gradient shares memory with nothing else.
    """
    visited: list[Tensor] = []
    reached: dict[int, list[Any]] = {root._order: [root, seed, False]}
    newest = [] if root._node is None else [-root._order]  # heap of negative creation numbers
    while newest:
        order = -heappop(newest)
        t, g, _ = reached[order] if order in keep else reached.pop(order)
        visited.append(t)
        node = t._node
        op, args, values, params, wanted, reads, _ = node
        if args is None:
            raise RuntimeError(_freed(op))
        if reads and (edited(node, t) is not None or (create_graph and replaced(node) is not None)):
            raise RuntimeError(_edited(node, t))
        if towards is not None:
            wanted = _those_towards(towards, args, wanted)
        if create_graph:
            pulled = op.pull_back(g, t, args, params, wanted)
        else:
            pulled = op.pull_back(g, t._data, values, params, wanted)
        for i in wanted:
            d = pulled[i]
            if d is None:
                continue
            parent, data = args[i], values[i]
            if d.shape != data.shape:
                d = ops.unbroadcast(d, data.shape)
            if d.dtype is not data.dtype:
                d = _cast(d, data.dtype, op)
            key = parent._order
            entry = reached.get(key)
            if entry is None:
                reached[key] = [parent, d, op.fresh and not create_graph]
                if parent._node is not None:
                    heappush(newest, -key)
                elif parent._data is not data and parent._data.shape != data.shape:
                    raise RuntimeError(_unfit(parent, data))
            elif entry[2]:
                entry[1] += d  # in place for arrays; NumPy's scalars make a new one
            else:
                entry[1] = entry[1] + d
                entry[2] = not create_graph
    return visited, reached


def _those_towards(
    towards: Container[int], args: tuple[Any, ...], wanted: tuple[int, ...]
) -> tuple[int, ...]:
    """The positions whose arguments lead to the tensors that matter."""
    return tuple([i for i in wanted if args[i]._order in towards])


def _freed(op: Operation) -> str:
    """The message for a graph that was walked and let go of."""
    return (
        f"the graph through {op.name!r} was freed by an earlier backward. Pass "
        "retain_graph=True to the first call if you need two, or compute the result again."
    )


def _edited(node: tuple[Any, ...], t: Tensor) -> str:
    """The message for an array that was edited although a rule needs it."""
    r: Any = edited(node, t)
    if r is None:
        r = replaced(node)
    what = "its result" if r == ops.OUT else f"its argument {r + 1}"
    return (
        f"the derivative of {node[0].name!r} needs an array that was edited after the operation: "
        f"{what}, of shape {(*node[2], t._data)[r].shape}. Edit a copy, or run backward before the "
        "edit."
    )


def _unfit(leaf: Tensor, before: NDArray[Any]) -> str:
    """The message for a leaf that cannot hold its gradient any more."""
    return (
        f"a leaf was given data of shape {leaf.shape} after the graph was made; its gradient has "
        f"shape {before.shape}. Run backward before the data are replaced."
    )


def free(visited: list[Tensor]) -> None:
    """Let go of what results were made of; the operation stays, for error messages."""
    for t in visited:
        t._node = t._node[0].freed


def _cast(d: Any, dtype: np.dtype[Any], op: Any) -> Any:
    if d.dtype.kind == "c":
        raise TypeError(
            f"{op.name!r} mixed a tensor with complex numbers; only real gradients exist here. "
            "Keep real and imaginary parts as two tensors."
        )
    if dtype.kind != "f":
        raise RuntimeError(
            f"an argument of {op.name!r} requires grad and has dtype {dtype}: its gradient would "
            "be cut to that. Make it with nnlite.Tensor(data, requires_grad=True, dtype='float64')."
        )
    return d if d.dtype == dtype else d.astype(dtype)
