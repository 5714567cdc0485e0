"""grad, jacobian, hessian, hvp: derivatives of any order as functions.

All are made of one thing, the walk of :mod:`nnlite.engine.backward`. With ``create_graph=True``
that walk records itself, so what it returns can be differentiated like anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import ops
from nnlite.engine.backward import free, seed_gradient, walk
from nnlite.engine.state import recording
from nnlite.engine.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def grad(
    output: Tensor,
    inputs: Tensor | Sequence[Tensor],
    gradient: ArrayLike | Tensor | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> Any:
    """Gradients of ``output`` with respect to ``inputs``, without touching any ``.grad``.

    Parameters
    ----------
    output : Tensor
        A single number, or any shape together with ``gradient``.
    inputs : Tensor or sequence of Tensors
        Leaves or intermediate results.
    gradient : array_like or Tensor, optional
        dL / d output, of the shape of ``output``. With ``create_graph`` a Tensor here is
        differentiated too.
    create_graph : bool
        Return Tensors that can be differentiated again.
    retain_graph : bool, optional
        Keep the graph of ``output``; by default it is kept exactly if ``create_graph`` is True.
    allow_unused : bool
        Return None for an input that ``output`` does not depend on, instead of raising.

    Returns
    -------
    ndarray or Tensor, or a tuple of them
        One gradient of the shape and dtype of each input; a tuple if ``inputs`` is a sequence.

    Raises
    ------
    TypeError
        If an argument is not a Tensor.
    RuntimeError
        If nothing requires grad, the graph was freed, or a needed array was edited.
    ValueError
        If an input is not used by ``output``, or a shape does not fit.

    Examples
    --------
    >>> x = nnlite.Tensor(3.0, requires_grad=True)
    >>> (slope,) = nnlite.grad(x**3, [x], create_graph=True)
    >>> float(nnlite.grad(slope, x))
    18.0
    """
    single = isinstance(inputs, Tensor)
    targets: list[Tensor] = [inputs] if single else list(inputs)  # type: ignore[list-item]
    for what, t in [("output", output), *((f"inputs[{i}]", t) for i, t in enumerate(targets))]:
        if not isinstance(t, Tensor):
            raise TypeError(
                f"grad: {what} must be a Tensor; got {type(t).__name__}. Make it with "
                "nnlite.Tensor(array, requires_grad=True)."
            )
    for i, t in enumerate(targets):
        if not t.requires_grad:
            raise ValueError(
                f"grad: inputs[{i}] does not require grad; create it with requires_grad=True."
            )
    seed: Any = seed_gradient(output, gradient)
    if create_graph:
        seed = gradient if isinstance(gradient, Tensor) else Tensor(seed)
    wanted = {t._order for t in targets}
    with recording(create_graph):
        visited, _, found, _ = walk(output, seed, create_graph, wanted, _leading_to(wanted, output))
    if retain_graph is None:
        retain_graph = create_graph
    if not retain_graph:
        free(visited)
    results = []
    for i, t in enumerate(targets):
        g = found.get(t._order)
        if g is None and not allow_unused:
            raise ValueError(
                f"grad: the output does not depend on inputs[{i}] (shape {t.shape}). "
                "Pass allow_unused=True to get None for it."
            )
        if create_graph and g is not None and not isinstance(g, Tensor):
            g = Tensor(g)  # a gradient that does not depend on anything
        elif not create_graph and g is not None:
            g = np.array(g)  # rules may hand back views and shared arrays
        results.append(g)
    return results[0] if single else tuple(results)


def _leading_to(wanted: set[int], output: Tensor) -> set[int]:
    """Creation numbers of the wanted tensors and of all results on the way from them."""
    below = {output._order: output}
    todo = [output]
    while todo:
        for parent in _parents(todo.pop()):
            if parent._order not in below:
                below[parent._order] = parent
                todo.append(parent)
    useful = set(wanted)
    for order in sorted(below):  # arguments are older than results
        if any(parent._order in useful for parent in _parents(below[order])):
            useful.add(order)
    return useful


def _parents(t: Tensor) -> list[Tensor]:
    """The arguments that ``t`` was made of and that require grad; none if the graph was freed."""
    if t._node is None or t._node[4] is None:
        return []
    return [t._node[1][i] for i in t._node[4]]


def _rows(output: Tensor, x: Tensor) -> NDArray[Any]:
    """D output / d x, one backward walk for each entry of the output."""
    rows = np.zeros((output.data.size, *x.shape), x.dtype)
    if output.requires_grad:
        for i in range(len(rows)):
            pick = np.zeros(output.data.size, output.dtype)
            pick[i] = 1
            g = grad(output, x, pick.reshape(output.shape), retain_graph=True, allow_unused=True)
            if g is not None:
                rows[i] = g
    return rows.reshape(output.shape + x.shape)


def _leaf(x: ArrayLike | Tensor, what: str) -> Tensor:
    array = np.array(x.data if isinstance(x, Tensor) else x)
    if array.dtype.kind in "iub":
        array = array.astype(float)
    if array.dtype.kind != "f":
        raise TypeError(f"{what} takes an array of real numbers; got dtype {array.dtype}.")
    return Tensor(array, requires_grad=True)


def _result(f: Callable[..., Any], x: Tensor, what: str) -> Tensor:
    with recording(True):  # derivatives are asked for, even inside no_grad
        y = f(x)
    if not isinstance(y, Tensor):
        raise TypeError(
            f"{what}: the function returned {type(y).__name__}, which does not depend on its "
            "argument as "
            "a Tensor would. Compute with NumPy operations on the argument itself."
        )
    return y


def _scalar(f: Callable[..., Any], x: Tensor, what: str) -> Tensor:
    y = _result(f, x, what)
    if y.data.size != 1:
        raise ValueError(
            f"{what} is for functions with one number as result; this one has shape {y.shape}. "
            "Reduce it (np.sum), or use nnlite.jacobian."
        )
    return y


def jacobian(f: Callable[[Tensor], Tensor], x: ArrayLike | Tensor) -> NDArray[Any]:
    """Matrix of first derivatives of ``f`` at ``x``.

    Parameters
    ----------
    f : callable
        Takes a Tensor, returns a Tensor of any shape; written in NumPy operations.
    x : array_like or Tensor
        Where to differentiate; integers become float64. It is copied.

    Returns
    -------
    ndarray of shape ``f(x).shape + x.shape`` and the dtype of x

    Examples
    --------
    >>> nnlite.jacobian(lambda x: x**2, [1.0, 2.0])
    array([[2., 0.],
           [0., 4.]])
    """
    leaf = _leaf(x, "jacobian")
    return _rows(_result(f, leaf, "jacobian"), leaf)


def hessian(f: Callable[[Tensor], Tensor], x: ArrayLike | Tensor) -> NDArray[Any]:
    """Matrix of second derivatives of ``f``, which gives one number, at ``x``.

    It is the Jacobian of the gradient: one backward walk for each entry of ``x``.

    Parameters
    ----------
    f : callable
        Takes a Tensor, returns a single number as a Tensor.
    x : array_like or Tensor
        Where to differentiate; integers become float64. It is copied.

    Returns
    -------
    ndarray of shape ``x.shape + x.shape``

    Examples
    --------
    >>> nnlite.hessian(lambda x: x[0] ** 2 * x[1], [1.0, 2.0])
    array([[4., 2.],
           [2., 0.]])
    """
    leaf = _leaf(x, "hessian")
    y = _scalar(f, leaf, "hessian")
    if not y.requires_grad:
        return np.zeros(leaf.shape + leaf.shape, leaf.dtype)
    slope = grad(y, leaf, np.ones(y.shape), create_graph=True, allow_unused=True)
    return _rows(slope, leaf) if slope is not None else np.zeros(leaf.shape * 2, leaf.dtype)


def hvp(f: Callable[[Tensor], Tensor], x: ArrayLike | Tensor, v: ArrayLike) -> NDArray[Any]:
    """Hessian of ``f`` at ``x`` times ``v``, without forming the Hessian.

    The Hessian is the Jacobian of the gradient, and it is symmetric: ``H v`` is one backward walk
    from the gradient with ``v`` as its seed (Pearlmutter 1994).

    Parameters
    ----------
    f : callable
        Takes a Tensor, returns a single number as a Tensor.
    x : array_like or Tensor
        Where to differentiate.
    v : array_like
        Direction, of the shape of ``x``.

    Returns
    -------
    ndarray of the shape of x
    """
    leaf = _leaf(x, "hvp")
    v = np.asarray(ops.values_of(v), leaf.dtype)
    if v.shape != leaf.shape:
        raise ValueError(
            f"hvp: v has shape {v.shape}; x has shape {leaf.shape}. They must be equal."
        )
    y = _scalar(f, leaf, "hvp")
    if not y.requires_grad:
        return np.zeros_like(leaf.data)
    slope = grad(y, leaf, np.ones(y.shape), create_graph=True, allow_unused=True)
    if slope is None or not slope.requires_grad:
        return np.zeros_like(leaf.data)
    g = grad(slope, leaf, v, allow_unused=True)
    return np.zeros_like(leaf.data) if g is None else g
