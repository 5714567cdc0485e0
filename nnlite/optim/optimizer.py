"""What all optimisers share: groups of parameters, state, ``zero_grad`` (lecture 04)."""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from nnlite.engine.state import recording
from nnlite.engine.tensor import Tensor


class Optimizer:
    """Base class: a subclass gives its defaults and writes ``_update(params, grads, ...)``.

    Attributes
    ----------
    param_groups : list of dict
        Each has ``"params"`` and the settings for them (``"lr"``, ...), which may be changed at any
        time.
    state : dict
        Parameter -> dict of what the optimiser remembers about it.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("an optimiser takes a list of parameters; write [p] for a single one.")
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        groups = list(params)
        if not groups:
            raise ValueError(
                "the optimiser got no parameters. A generator such as model.parameters() can be "
                "used only once, and modules in a plain list are not found: use nn.ModuleList."
            )
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with settings of their own: ``{"params": [...], "lr": 0.1}``."""
        given = param_group["params"]
        params = [given] if isinstance(given, Tensor) else list(given)
        known = {id(p) for group in self.param_groups for p in group["params"]}
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(f"parameter {i} is {type(p).__name__}; an optimiser takes Tensors.")
            if not p.is_leaf or p.dtype.kind != "f":
                raise ValueError(
                    f"parameter {i} of shape {p.shape} cannot be optimised: it must be a leaf of "
                    "floating-point dtype, not the result of an operation."
                )
            if id(p) in known:
                raise ValueError(f"parameter {i} of shape {p.shape} appears twice.")
            known.add(id(p))
        unknown = set(param_group) - set(self.defaults) - {"params"}
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no setting {', '.join(sorted(unknown))}; it has "
                f"{', '.join(self.defaults)}."
            )
        self.param_groups.append({**self.defaults, **param_group, "params": params})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients (or, with False, fill them with zeros)."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = np.zeros_like(p.data)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss with its gradients and returns it; called first.

        Raises
        ------
        ValueError
            If a gradient does not have the shape and dtype of its parameter.
        """
        loss = None
        if closure is not None:
            with recording(True):
                loss = closure()
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            if not moved:
                continue
            grads = [_gradient(p) for p in moved]
            # kernels work on contiguous arrays; other parameters are copied there and back
            values = [p.data if p.data.flags.c_contiguous else p.data.copy() for p in moved]
            self._update(values, grads, [self.state[p] for p in moved], group)
            for p, v in zip(moved, values, strict=True):
                data = p.data
                if v is not data:
                    data[...] = v
                p.data = data  # counts as an edit, should a graph still need the old values
        return loss

    def _update(
        self,
        params: list[np.ndarray],
        grads: list[np.ndarray],
        states: list[dict[str, Any]],
        group: dict[str, Any],
    ) -> None:
        """Change the arrays ``params`` in place.

        They are contiguous. For each there is a gradient, in any order of memory, and a dict of
        what the optimiser remembers.
        """
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """State and settings, with parameters replaced by their numbers, as copies.

        ``{"state": {number: {name: array or number}}, "param_groups": [...]}``, as in PyTorch.
        """
        numbers = {id(p): i for i, p in enumerate(self._all())}
        groups = [
            {
                **copy.deepcopy({k: v for k, v in g.items() if k != "params"}),
                "params": [numbers[id(p)] for p in g["params"]],
            }
            for g in self.param_groups
        ]
        state = {numbers[id(p)]: copy.deepcopy(s) for p, s in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go back to a saved state.

        Raises
        ------
        ValueError
            If groups, numbers of parameters or shapes differ; then nothing is loaded.
        """
        if not {"state", "param_groups"} <= set(state_dict):
            raise ValueError(
                "load_state_dict takes what state_dict() returned, 'state' and 'param_groups'; "
                f"got {', '.join(map(str, state_dict)) or 'an empty dict'}."
            )
        saved = state_dict["param_groups"]
        sizes = [len(g["params"]) for g in self.param_groups]
        if [len(g["params"]) for g in saved] != sizes:
            raise ValueError(
                f"load_state_dict: the optimiser has groups of {sizes} parameters, the saved one "
                f"of {[len(g['params']) for g in saved]}."
            )
        params = dict(zip((i for g in saved for i in g["params"]), self._all(), strict=True))
        state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        for i, entries in state_dict["state"].items():
            p = params[i]
            for name, value in entries.items():
                shape = np.shape(value)
                if shape not in ((), p.shape):
                    raise ValueError(
                        f"load_state_dict: {name} of parameter {i} has shape {shape}, the "
                        f"parameter has shape {p.shape}."
                    )
                if name == "step":
                    state[p][name] = int(value)
                else:
                    state[p][name] = np.array(value, p.dtype, order="C")
        self.state = state
        for group, old in zip(self.param_groups, saved, strict=True):
            group.update(copy.deepcopy({k: v for k, v in old.items() if k != "params"}))

    def _all(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {v}" for k, v in sorted(group.items()) if k != "params"]
        return "\n".join([*lines, ")"])


def _gradient(p: Tensor) -> np.ndarray:
    """The gradient of a parameter.

    Raises
    ------
    ValueError
        If it does not have the shape and dtype of the parameter.
    """
    g, data = p.grad, p.data
    assert g is not None
    if g.shape != data.shape or g.dtype != data.dtype:
        raise ValueError(
            f"a gradient of shape {g.shape} and dtype {g.dtype} does not belong to a parameter of "
            f"shape {p.shape} and dtype {p.dtype}."
        )
    return g


def memory(states: list[dict[str, Any]], name: str, like: list[np.ndarray]) -> list[np.ndarray]:
    """The arrays that the optimiser remembers about parameters: zeros at first."""
    for state, p in zip(states, like, strict=True):
        if name not in state:
            state[name] = np.zeros_like(p)
    return [state[name] for state in states]


def count(states: list[dict[str, Any]]) -> list[int]:
    """Count a step for every parameter and return the numbers of their steps.

    A parameter that had no gradient in some step is behind the others.
    """
    for state in states:
        state["step"] = state.get("step", 0) + 1
    return [state["step"] for state in states]


def together(keys: list[Any], *lists: list[Any]) -> Iterator[tuple[Any, list[list[Any]]]]:
    """Sort the entries of lists by key: (key, the entries of each list that have it)."""
    different = {*keys}
    if len(different) == 1:
        yield keys[0], [*lists]
        return
    for key in different:
        at = [i for i, k in enumerate(keys) if k == key]
        yield key, [[entries[i] for i in at] for entries in lists]


def check_settings(where: str, **settings: Any) -> None:
    """Refuse negative or non-finite settings."""
    for name, value in settings.items():
        if not 0 <= value < float("inf"):
            raise ValueError(f"{where}: {name} must be a number of at least 0; got {value}.")
