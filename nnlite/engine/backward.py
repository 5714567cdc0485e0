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


def run_backward(root: Tensor, gradient: Any, retain_graph: bool) -> None:
    """Accumulate gradients in the leaves (see :meth:`nnlite.Tensor.backward`)."""
    seed = seed_gradient(root, gradient)
    with recording(False):
        visited, leaves, grads, owned = walk(root, seed, create_graph=False)
    for leaf in leaves:
        g = grads[leaf._order]
        if leaf._grad is None:
            # sums of single numbers are NumPy scalars, not arrays
            leaf._grad = np.asarray(g) if leaf._order in owned else np.array(g)
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
) -> tuple[list[Tensor], list[Tensor], dict[int, Any], set[int]]:
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
    leaves : the leaves reached.
    grads : creation number -> gradient, for leaves and for ``keep``.
    owned : creation numbers whose gradient shares memory with nothing else.
    """
    visited: list[Tensor] = []
    leaves: list[Tensor] = []
    owned: set[int] = set()
    grads = {root._order: seed}
    newest: list[tuple[int, Tensor]] = []  # heap by negative creation number

    if root._node is None:
        leaves.append(root)
    else:
        newest.append((-root._order, root))
    while newest:
        t = heappop(newest)[1]
        visited.append(t)
        order = t._order
        g = grads[order] if keep and order in keep else grads.pop(order)
        op, args, values, params, wanted, _, prints = t._node
        if wanted is None:
            raise RuntimeError(
                f"the graph through {op.name!r} was freed by an earlier backward. Pass "
                "retain_graph=True to the first call if you need two, or compute the result again."
            )
        out: Any = t._data
        if prints:
            if type(prints) is bytes:  # two small arrays: edited(), unrolled
                clean = values[0].tobytes() + values[1].tobytes() == prints
            else:
                clean = edited(t._node, t) is None
            if not clean or (create_graph and replaced(t._node) is not None):
                raise RuntimeError(_edited(t))
        inputs = values
        if create_graph:
            inputs, out = args, t
        rules, binary, every = op.vjps, op.binary, None
        if binary:
            x, y = inputs
        elif op.joint is not None:
            if op.selective:
                useful = wanted
                if towards is not None:
                    useful = tuple(i for i in wanted if args[i]._order in towards)
                every = op.joint(g, out, *inputs, wanted=useful, **params)
            else:
                every = op.joint(g, out, *inputs, **params)
        for i in wanted:
            parent = args[i]
            key = parent._order
            if towards is not None and key not in towards:
                continue
            if binary:  # unrolled: a starred call costs as much as the rule of a small product
                d = rules[i](g, out, x, y)
            elif every is not None:
                d = every[i]
            elif op.variadic:
                d = rules[0](i, g, out, *inputs, **params)
            else:
                d = rules[i](g, out, *inputs, **params)
            if d is None:
                continue
            data = values[i]
            if d.shape != data.shape:
                d = ops.unbroadcast(d, data.shape)
            if d.dtype is not data.dtype:
                d = _cast(d, data.dtype, op)
            total = grads.get(key)
            if total is None:
                grads[key] = d
                if op.fresh and not create_graph:
                    owned.add(key)
                if parent._node is None:
                    if parent._data is not data and parent._data.shape != data.shape:
                        raise RuntimeError(_unfit(parent, data))
                    leaves.append(parent)
                else:
                    heappush(newest, (-key, parent))
            elif key in owned:
                total += d  # in place for arrays; NumPy's scalars make a new one
                grads[key] = total
            else:
                grads[key] = total + d
                if not create_graph:
                    owned.add(key)
    return visited, leaves, grads, owned


def free(visited: list[Tensor]) -> None:
    """Let go of the arguments that results hold on to; their names stay for error messages."""
    for t in visited:
        t._node = t._node[0].freed


def _unfit(leaf: Tensor, before: NDArray[Any]) -> str:
    """The message for a leaf that cannot hold its gradient any more."""
    return (
        f"a leaf was given data of shape {leaf.shape} after the graph was made; its gradient has "
        f"shape {before.shape}. Run backward before the data are replaced."
    )


def _edited(t: Tensor) -> str:
    """The message for an array that was edited although a rule needs it."""
    op, values = t._node[0], t._node[2]
    r: Any = edited(t._node, t)
    if r is None:
        r = replaced(t._node)
    what = "its result" if r == ops.OUT else f"its argument {r + 1}"
    return (
        f"the derivative of {op.name!r} needs an array that was edited after the operation: "
        f"{what}, of shape {(*values, t._data)[r].shape}. Edit a copy, or run backward before the "
        "edit."
    )


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
