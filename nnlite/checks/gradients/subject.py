"""What gradcheck can check: a function, a Module, a backward pass by hand, a gradient itself.

Each says which arrays can be varied (``values``, with ``names``), and computes the results and the
gradients for other values of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnlite._arguments import as_array
from nnlite.checks.differences import Array
from nnlite.engine import Tensor, grad


class Subject:
    """A function or Module with its arguments.

    Parameters
    ----------
    f : callable or Module
    inputs : Any
        A tuple or list of arguments, or one argument.
    """

    def __init__(self, f: Any, inputs: Any) -> None:
        if not callable(f):
            raise TypeError(f"gradcheck: f must be a function or a Module; got {type(f).__name__}.")
        self.f = f
        given = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
        self.args = _rebuild(given, _entered)
        self.parameters = (
            {n: p for n, p in f.named_parameters() if p.requires_grad}
            if hasattr(f, "named_parameters")
            else {}
        )
        leaves = [(_name(path), leaf) for path, leaf in _leaves(self.args)]
        marked = any(isinstance(leaf, Tensor) and leaf.requires_grad for _, leaf in leaves)
        self._chosen = [
            (isinstance(leaf, Tensor) and leaf.requires_grad) if marked else _is_float(leaf)
            for _, leaf in leaves
        ]
        picked = [pair for pair, chosen in zip(leaves, self._chosen, strict=True) if chosen]
        self.names = [*self.parameters, *(name for name, _ in picked)]
        self.values = [
            *(p.data.copy() for p in self.parameters.values()),
            *(self._plain(leaf) for _, leaf in picked),
        ]
        self.changed: list[str] = []
        if not self.values:
            raise ValueError(
                "gradcheck: there is nothing to check. Pass at least one floating-point array or a "
                f"Tensor that requires grad; got {', '.join(_kind(a) for a in self.args)}."
            )
        for name, x in zip(self.names, self.values, strict=True):
            if x.dtype.name not in ("float32", "float64"):
                raise TypeError(
                    f"gradcheck: {name} has dtype {x.dtype}; float32 or float64 is needed."
                )

    def _plain(self, leaf: Any) -> Array:
        """A copy of an argument; data for a Module come in the dtype of its parameters."""
        if isinstance(leaf, Tensor):
            return leaf.data.copy()
        dtype = next((p.dtype for p in self.parameters.values()), None)
        return np.array(leaf, dtype)

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Give a Module its own parameters and buffers back at the end."""
        before = {n: (p, p.data) for n, p in self.parameters.items()}
        buffers = {}
        if hasattr(self.f, "state_dict"):
            buffers = {k: _copy(v) for k, v in self.f.state_dict().items()}
        try:
            yield
        finally:
            for p, data in before.values():
                p.data = data
            if set(buffers) - set(before):
                self.f.load_state_dict(buffers)

    def run(self, values: list[Any]) -> tuple[list[Tensor], list[Tensor]]:
        """Results that are Tensors, and the leaves that hold ``values`` (shared, not copied)."""
        leaves = list(self.parameters.values())
        for p, v in zip(leaves, values, strict=False):
            p.data = v
        leaves += [Tensor(v, requires_grad=True) for v in values[len(leaves) :]]
        return self._tensors(self.f(*self._fill(leaves[len(self.parameters) :]))), leaves

    def _fill(self, leaves: list[Any]) -> Any:
        """The arguments with the checked ones replaced."""
        given, chosen = iter(leaves), iter(self._chosen)
        return _rebuild(self.args, lambda leaf: next(given) if next(chosen) else leaf)

    def _tensors(self, result: Any) -> list[Tensor]:
        found = [leaf for _, leaf in _leaves(result)]
        self._positions = [
            i for i, t in enumerate(found) if isinstance(t, Tensor) and t.dtype.kind == "f"
        ]
        tensors = [found[i] for i in self._positions]
        if not tensors:
            kinds = ", ".join(sorted({type(t).__name__ for t in found})) or "nothing"
            raise TypeError(
                f"gradcheck: f returned {kinds}, no floating-point Tensor. Was the gradient "
                "dropped by t.data or t.detach()? For a function on arrays with a backward pass "
                "of its own, pass vjp=."
            )
        return tensors

    def outputs(self, values: list[Array]) -> list[Array]:
        """Results for other values, as arrays."""
        tensors, _ = self.run([v.copy() for v in values])
        return [np.array(t.data) for t in tensors]

    def complex_outputs(self, values: list[Array]) -> list[Array]:
        """Results for complex values, those that the last run on real values gave as Tensors."""
        if self.parameters:
            raise TypeError("parameters of a Module are real.")
        found = [leaf for _, leaf in _leaves(self.f(*self._fill([v.copy() for v in values])))]
        return [np.asarray(found[i]) for i in self._positions]

    def gradients(self, values: list[Array], cotangents: list[Array]) -> list[Array | None]:
        """Gradients of the sum of cotangent * result; None where there is none.

        Also notes in ``changed`` which inputs were edited on the way.
        """
        given = [v.copy() for v in values]
        tensors, leaves = self.run(given)
        total = _weighted_sum(tensors, cotangents)
        found: tuple[Any, ...] = (None,) * len(leaves)
        if total.requires_grad:
            found = grad(total, leaves, allow_unused=True)
        self._note_changes(values, [leaf.data for leaf in leaves])
        return list(found)

    def _note_changes(self, before: list[Array], after: list[Array]) -> None:
        self.changed = [
            f"{name} was changed by f: f must leave its inputs as they are (work on a copy)"
            for name, b, a in zip(self.names, before, after, strict=True)
            if not np.array_equal(b, a)
        ]


class HandWritten(Subject):
    """A function on arrays with a backward pass ``vjp(g, *inputs)`` of its own."""

    def __init__(self, f: Callable[..., Any], inputs: Any, vjp: Callable[..., Any]) -> None:
        if hasattr(f, "named_parameters"):
            raise TypeError("gradcheck: a Module brings its own backward pass; leave vjp out.")
        super().__init__(f, inputs)
        self.vjp = vjp

    def outputs(self, values: list[Array]) -> list[Array]:
        """Results for other values."""
        result = self.f(*self._fill([v.copy() for v in values]))
        found = [y for _, y in _leaves(result)]
        self._positions = [i for i, y in enumerate(found) if _is_float(y)]
        if not self._positions:
            raise TypeError(
                f"gradcheck: f returned {type(result).__name__}, no floating-point array."
            )
        return [np.array(found[i]) for i in self._positions]

    def gradients(self, values: list[Array], cotangents: list[Array]) -> list[Array | None]:
        """What ``vjp`` returns; notes in ``changed`` what it edited."""
        given = [v.copy() for v in values]
        self.f(*self._fill(given))
        g = [u.copy() for u in cotangents]
        found = self.vjp(g[0] if len(g) == 1 else tuple(g), *self._fill(given))
        found = list(found) if isinstance(found, tuple | list) else [found]
        if len(found) != len(values):
            raise ValueError(
                f"gradcheck: vjp returned {len(found)} gradients for {len(values)} checked "
                f"arguments ({', '.join(self.names)})."
            )
        self._note_changes(values, given)
        if not all(np.array_equal(a, b) for a, b in zip(cotangents, g, strict=True)):
            self.changed.append("the incoming gradient was changed by vjp: work on a copy")
        return found


class Gradient:
    """The map (x, u) -> gradient of u . f(x), whose derivatives are the second derivatives of f."""

    def __init__(self, base: Subject, rng: np.random.Generator) -> None:
        self.base = base
        with base.borrowed():
            outputs = base.outputs(base.values)
        cotangents = [np.asarray(rng.standard_normal(y.shape), y.dtype) for y in outputs]
        several = len(outputs) > 1
        self.names = [
            *base.names,
            *(f"cotangent of result {i}" if several else "cotangent" for i in range(len(outputs))),
        ]
        self.values = [*base.values, *cotangents]
        self.changed: list[str] = []
        self.borrowed = base.borrowed

    def run(self, values: list[Array]) -> tuple[list[Tensor], list[Tensor]]:
        """Gradients, and the leaves they can be differentiated by."""
        n = len(self.base.values)
        tensors, leaves = self.base.run(values[:n])
        us = [Tensor(u, requires_grad=True) for u in values[n:]]
        total = _weighted_sum(tensors, us)
        found = grad(total, leaves, create_graph=True, allow_unused=True)
        return [g for g in found if g is not None], [*leaves, *us]

    def outputs(self, values: list[Array]) -> list[Array]:
        """Gradients for other values, as arrays."""
        gradients, _ = self.run([v.copy() for v in values])
        if not gradients:
            raise ValueError(
                "gradgradcheck: f depends on none of its inputs, so there is no gradient."
            )
        return [np.array(g.data) for g in gradients]

    def complex_outputs(self, values: list[Array]) -> list[Array]:
        """Raise: gradients are Tensors, which are real."""
        raise TypeError("gradients are Tensors, which are real.")

    def gradients(self, values: list[Array], cotangents: list[Array]) -> list[Array | None]:
        """Gradients of the sum of cotangent * gradient."""
        gradients, leaves = self.run([v.copy() for v in values])
        total = _weighted_sum(gradients, cotangents)
        found: tuple[Any, ...] = (None,) * len(leaves)
        if total.requires_grad:
            found = grad(total, leaves, allow_unused=True)
        return list(found)


def _weighted_sum(tensors: list[Tensor], weights: list[Any]) -> Tensor:
    total = np.sum(tensors[0] * weights[0])
    for t, w in zip(tensors[1:], weights[1:], strict=True):
        total = total + np.sum(t * w)
    return total


# ---- nested arguments and results ------------------------------------------------------------


def _leaves(structure: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) of everything inside tuples, lists and dicts."""
    if isinstance(structure, tuple | list):
        for i, part in enumerate(structure):
            yield from _leaves(part, (*path, i))
    elif isinstance(structure, dict):
        for key, part in structure.items():
            yield from _leaves(part, (*path, key))
    else:
        yield path, structure


def _rebuild(structure: Any, replace: Callable[[Any], Any]) -> Any:
    """The same structure with ``replace`` applied to its leaves, in the order of _leaves."""
    if isinstance(structure, tuple | list):
        parts = [_rebuild(part, replace) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    if isinstance(structure, dict):
        return {key: _rebuild(part, replace) for key, part in structure.items()}
    return replace(structure)


def _name(path: tuple[Any, ...]) -> str:
    return f"argument {path[0]}" + "".join(f"[{key!r}]" for key in path[1:])


def _is_float(x: Any) -> bool:
    if isinstance(x, Tensor | np.ndarray | np.generic):
        return x.dtype.kind == "f"
    return isinstance(x, float)


def _entered(leaf: Any) -> Any:
    """An argument as it is used: numbers in plain arrays, other objects as they are."""
    if isinstance(leaf, Tensor | np.generic) or not hasattr(leaf, "__array__"):
        return leaf
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind not in "fiub":
        return leaf
    return as_array(leaf, "gradcheck: an argument")


def _kind(x: Any) -> str:
    dtype = getattr(x, "dtype", None)
    return type(x).__name__ if dtype is None else f"{type(x).__name__} of dtype {dtype}"


def _copy(value: Any) -> Array:
    return np.array(value.data if isinstance(value, Tensor) else value)
