"""grad, jacobian, hessian, hvp: derivatives of any order as functions.

All are made of one thing, the walk of :mod:`nnlite.engine.backward`. With ``create_graph=True``
that walk records itself, so what it returns can be differentiated like anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import ops
from nnlite._arguments import as_array
from nnlite.engine.backward import free, seed_gradient, walk
from nnlite.engine.node import parents_of
from nnlite.engine.state import recording
from nnlite.engine.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def grad(
    output: Tensor | Sequence[Tensor] | None = None,
    inputs: Tensor | Sequence[Tensor] | None = None,
    gradient: Any = None,
    *,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
    outputs: Tensor | Sequence[Tensor] | None = None,
    grad_outputs: Any = None,
    only_inputs: bool = True,
) -> Any:
    """Gradients of ``output`` with respect to ``inputs``, without touching any ``.grad``.

    Parameters
    ----------
    output : Tensor or sequence of Tensors
        A single number, or any shape together with ``gradient``. The gradients of several outputs
        are added.
    inputs : Tensor or sequence of Tensors
        Leaves or intermediate results.
    gradient : array_like or Tensor, or a sequence of them, optional
        dL / d output, of the shape of ``output``; for several outputs one each (None for a single
        number). With ``create_graph`` a Tensor here is differentiated too.
    create_graph : bool
        Return Tensors that can be differentiated again.
    retain_graph : bool, optional
        Keep the graph of ``output``; by default it is kept exactly if ``create_graph`` is True.
    allow_unused : bool
        Return None for an input that ``output`` does not depend on, instead of raising.
    outputs, grad_outputs, only_inputs
        PyTorch's names for ``output`` and ``gradient``; ``only_inputs`` is always True.

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
    if not only_inputs:
        raise ValueError("grad: only_inputs=False does not exist; use backward() to fill .grad.")
    output = _one_of("output", output, "outputs", outputs)
    gradient = _one_of("gradient", gradient, "grad_outputs", grad_outputs)
    targets, single = _targets(output, inputs)
    root, seed = _root(output, gradient, create_graph)
    wanted = {t._order for t in targets}
    with recording(create_graph):
        visited, reached = walk(root, seed, create_graph, wanted, _leading_to(wanted, root))
    if retain_graph is None:
        retain_graph = create_graph
    if not retain_graph:
        free(visited)
    results = []
    for i, t in enumerate(targets):
        _, g, _ = reached.get(t._order, (t, None, False))
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


def _one_of(name: str, value: Any, torchs: str, other: Any) -> Any:
    """An argument that goes by two names."""
    if value is not None and other is not None:
        raise TypeError(f"grad: {name}= and {torchs}= are one thing; give one of them.")
    return value if other is None else other


def _targets(output: Any, inputs: Any) -> tuple[list[Tensor], bool]:
    """The inputs as a list, and whether there was a single one."""
    if callable(output):
        raise TypeError(
            f"grad differentiates a result, not the function {getattr(output, '__name__', output)}:"
            " nnlite.grad(f(x), x) with x = nnlite.Tensor(values, requires_grad=True). For a "
            "function and a point there are nnlite.jacobian(f, values) and nnlite.hessian."
        )
    single = isinstance(inputs, Tensor)
    if inputs is None or np.isscalar(inputs) or isinstance(inputs, dict | np.ndarray):
        raise TypeError(
            f"grad: inputs must be a Tensor or a list of Tensors; got {type(inputs).__name__}."
            f"{' Pass list(inputs.values()).' if isinstance(inputs, dict) else _MADE}"
        )
    targets: list[Tensor] = [inputs] if single else list(inputs)
    for i, t in enumerate(targets):
        if not isinstance(t, Tensor):
            raise TypeError(f"grad: inputs[{i}] must be a Tensor; got {type(t).__name__}.{_MADE}")
        if not t.requires_grad:
            raise ValueError(
                f"grad: inputs[{i}] does not require grad; create it with requires_grad=True."
            )
    return targets, single


_MADE = " Make it with nnlite.Tensor(array, requires_grad=True)."


def _root(output: Any, gradient: Any, create_graph: bool) -> tuple[Tensor, Any]:
    """Where the walk starts, and with which gradient.

    Several outputs become one number: the sum of their products with the gradients given.
    """
    if not isinstance(output, tuple | list):
        if not isinstance(output, Tensor):
            raise TypeError(f"grad: output must be a Tensor; got {type(output).__name__}.{_MADE}")
        seed = seed_gradient(output, gradient)
        if create_graph:
            return output, gradient if isinstance(gradient, Tensor) else Tensor(seed)
        return output, seed
    gradients = gradient if isinstance(gradient, tuple | list) else [gradient] * len(output)
    if not output or len(gradients) != len(output):
        raise ValueError(
            f"grad: {len(output)} outputs need as many gradients; got {len(gradients)}."
        )
    if len(output) == 1:
        return _root(output[0], gradients[0], create_graph)
    roots = [_root(y, g, create_graph) for y, g in zip(output, gradients, strict=True)]
    with recording(True):
        total: Any = sum(np.sum(y * seed) for y, seed in roots)
    return total, Tensor(np.ones((), total.dtype)) if create_graph else np.ones((), total.dtype)


def _leading_to(wanted: set[int], output: Tensor) -> set[int]:
    """Creation numbers of the wanted tensors and of all results on the way from them."""
    below = {output._order: output}
    todo = [output]
    while todo:
        for parent in parents_of(todo.pop()):
            if parent._order not in below:
                below[parent._order] = parent
                todo.append(parent)
    useful = set(wanted)
    for order in sorted(below):  # arguments are older than results
        if any(parent._order in useful for parent in parents_of(below[order])):
            useful.add(order)
    return useful


def _rows(output: Tensor, x: Tensor) -> NDArray[Any]:
    """The matrix d output / d x, by one backward walk for each entry of the output."""
    rows = np.zeros((output.data.size, *x.shape), x.dtype)
    if output.requires_grad:
        for i in range(len(rows)):
            pick = np.zeros(output.data.size, output.dtype)
            pick[i] = 1
            g = grad(output, x, pick.reshape(output.shape), retain_graph=True, allow_unused=True)
            if g is not None:
                rows[i] = g
    return rows.reshape(output.shape + x.shape)


def _leaf(f: Any, x: ArrayLike | Tensor, what: str) -> Tensor:
    """A copy of the point ``x``, at which ``what`` of the function ``f`` is asked for."""
    if not callable(f):
        raise TypeError(
            f"{what} takes a function and a point, {what}(f, x); got {type(f).__name__} for f."
        )
    several = isinstance(x, tuple | list) and any(np.ndim(ops.values_of(a)) for a in x if _array(a))
    if several or isinstance(x, dict):
        raise TypeError(
            f"{what} is for functions of one array; got a {type(x).__name__} of them. Join them "
            "(np.concatenate) and let the function take them apart, or use "
            "nnlite.grad(f(*inputs), inputs) for a result that is one number."
        )
    array = as_array(ops.values_of(x), f"{what} takes an array of real numbers: x").copy()
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    return Tensor(array, requires_grad=True)


def _array(x: Any) -> bool:
    return isinstance(x, Tensor | np.ndarray)


def _result(f: Callable[..., Any], x: Tensor, what: str) -> Tensor:
    with recording(True):  # derivatives are asked for, even inside no_grad
        y = f(x)
    if isinstance(y, tuple | list | dict):
        raise TypeError(
            f"{what}: the function returned a {type(y).__name__}; join its parts to one Tensor "
            "with np.stack or np.concatenate, or take the derivatives of one part after another."
        )
    if not isinstance(y, Tensor):
        raise TypeError(
            f"{what}: the function returned {type(y).__name__}, which does not depend on its "
            "argument as a Tensor would. Compute with NumPy operations on the argument itself."
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
    leaf = _leaf(f, x, "jacobian")
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
    leaf = _leaf(f, x, "hessian")
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
    leaf = _leaf(f, x, "hvp")
    v = as_array(ops.values_of(v), "hvp: v", leaf.dtype)
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
