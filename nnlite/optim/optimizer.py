"""What all optimisers share: groups of parameters, state, ``zero_grad`` (lecture 04)."""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from nnlite.engine.state import recording
from nnlite.engine.tensor import Tensor


class Optimizer:
    """Base class: a subclass gives its defaults and writes ``_update(p, g, state, group)``.

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
            for p in group["params"]:
                g = p.grad
                if g is None:
                    continue
                data = p.data
                if g.shape != data.shape or g.dtype != data.dtype:
                    raise ValueError(
                        f"a gradient of shape {g.shape} and dtype {g.dtype} does not belong to a "
                        f"parameter of shape {p.shape} and dtype {p.dtype}."
                    )
                values = data if data.flags.c_contiguous else data.copy()
                g = g if g.flags.c_contiguous else g.copy()
                self._update(values, g, self.state[p], group)
                if values is not data:
                    data[...] = values
                p.data = data  # counts as an edit, should a graph still need the old values
        return loss

    def _update(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """Change the array ``p`` in place; both arrays are contiguous."""
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


def flat(array: np.ndarray) -> np.ndarray:
    """A contiguous array as a flat vector, as the kernels take it: a view."""
    return array.reshape(-1)


def memory(state: dict[str, Any], name: str, like: np.ndarray) -> np.ndarray:
    """An array that the optimiser remembers about a parameter: zeros at first."""
    if name not in state:
        state[name] = np.zeros_like(like)
    return state[name]


def check_settings(where: str, **settings: Any) -> None:
    """Refuse negative or non-finite settings."""
    for name, value in settings.items():
        if not 0 <= value < float("inf"):
            raise ValueError(f"{where}: {name} must be a number of at least 0; got {value}.")
