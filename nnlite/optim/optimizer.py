"""What all optimisers share: groups of parameters, state, ``zero_grad`` (lecture 04)."""

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import numpy as np

from nnlite._arguments import as_number, as_python
from nnlite.engine.edits import note_edit
from nnlite.engine.state import recording
from nnlite.engine.tensor import Tensor
from nnlite.optim._parameters import (
    LABELS,
    WITHOUT_EFFECT,
    check_parameter,
    check_without_effect,
    group_parameters,
    parameter_groups,
)
from nnlite.optim._saved import checked_state


class Optimizer:
    """Base class: a subclass gives its defaults and writes ``_check`` and ``_update``.

    Parameters
    ----------
    params : iterable
        Of Tensors, of pairs (name, Tensor) as ``model.named_parameters()`` yields them, or of dicts
        with ``"params"`` and settings of their own.
    defaults : dict
        The settings of groups that do not say otherwise.

    Attributes
    ----------
    param_groups : list of dict
        Each has ``"params"`` and the settings for them (``"lr"``, ...), which may be changed at any
        time.
    state : dict
        Parameter -> dict of what the optimiser remembers about it.

    Raises
    ------
    TypeError
        If parameters are not Tensors, or settings are of another kind.
    ValueError
        If there are no parameters, one cannot be optimised or appears twice, or a setting is out of
        its range.
    """

    #: What a parameter's state may hold; the entries named here with True belong together. None:
    #: anything.
    _memories: ClassVar[dict[str, bool] | None] = None

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        where = type(self).__name__
        check_without_effect(where, defaults)
        # Python's numbers do not widen the float32 that they are multiplied with
        self.defaults = {k: as_python(v) for k, v in defaults.items() if k not in WITHOUT_EFFECT}
        self._check(self.defaults)
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        for group in parameter_groups(where, params):
            self.add_param_group(group)
        if not self._all():
            raise ValueError(f"{where}: the optimiser got no parameters: all groups are empty.")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with settings of their own: ``{"params": [...], "lr": 0.1}``."""
        where = type(self).__name__
        params, names = group_parameters(where, param_group)
        known = {id(p) for p in self._all()}
        for i, p in enumerate(params):
            check_parameter(where, i, p)
            if id(p) in known:
                raise ValueError(f"{where}: parameter {i} of shape {p.shape} appears twice.")
            known.add(id(p))
        check_without_effect(where, param_group)
        settings = {
            k: as_python(v)
            for k, v in param_group.items()
            if k not in WITHOUT_EFFECT and k != "params"
        }
        unknown = set(settings) - set(self.defaults) - LABELS
        if unknown:
            raise TypeError(
                f"{where} has no setting {', '.join(sorted(map(str, unknown)))}; it has "
                f"{', '.join(self.defaults)}."
            )
        settings = {**self.defaults, **settings}
        self._check(settings)
        if names:
            settings["param_names"] = names
        self.param_groups.append({"params": params, **settings})

    def _check(self, settings: dict[str, Any]) -> None:
        """Refuse settings that make no sense; subclasses look at theirs."""
        for name in {"lr", "initial_lr"} & set(settings):
            as_number(settings[name], f"{type(self).__name__}: {name}", 0)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients (or, with False, fill them with zeros)."""
        for p in self._all():
            p._grad = None if set_to_none or p._grad is None else np.zeros_like(p.data)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss with its gradients and returns it; called first.

        Raises
        ------
        TypeError
            If a gradient set by hand is not an array, a rate no number, or closure not a function.
        ValueError
            If a gradient does not have the shape and dtype of its parameter, or a rate is not
            finite. Then nothing moves.
        """
        loss = None
        if closure is not None:
            if not callable(closure):
                raise TypeError(
                    "step takes a function that computes the loss, or nothing; got "
                    f"{type(closure).__name__}. Call loss.backward() first, then step()."
                )
            with recording(True):
                loss = closure()
        work = []
        for i, group in enumerate(self.param_groups):
            lr = group.get("lr", 0.0)  # perhaps changed by hand
            if type(lr) is not float or not math.isfinite(lr):
                group["lr"] = as_number(lr, f"{type(self).__name__}: lr of group {i}")
            moved = [p for p in group["params"] if p._grad is not None]
            if moved:
                data = [p._data for p in moved]
                work.append((group, moved, data, [*map(_gradient, moved, data)]))
        for group, moved, data, grads in work:  # all gradients are right: nothing is half done
            # kernels work on contiguous arrays; other parameters are copied there and back
            values = [d if d.flags.c_contiguous else d.copy() for d in data]
            self._update(values, grads, [self.state[p] for p in moved], group)
            for d, v in zip(data, values, strict=True):
                if v is not d:
                    d[...] = v
                note_edit(d)  # a graph may still need the old values
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

        ``{"state": {number: {name: array or number}}, "param_groups": [...]}``, as in PyTorch, and
        under ``"optimizer"`` the name of the class.
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
        return {"state": state, "param_groups": groups, "optimizer": type(self).__name__}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go back to a saved state.

        Raises
        ------
        ValueError
            If it is the state of another kind of optimiser, if groups, numbers of parameters,
            settings, shapes or dtypes differ, or entries are missing; then nothing is loaded.
        """
        state, groups = checked_state(self, state_dict)
        self.state = state
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.pop("initial_lr", None)  # a schedule's; it comes back if it was saved
            group.update(settings)

    def _all(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {v}" for k, v in sorted(group.items()) if k != "params"]
        return "\n".join([*lines, ")"])


def _gradient(p: Tensor, data: np.ndarray) -> np.ndarray:
    """The gradient of a parameter whose values are data.

    Raises
    ------
    TypeError
        If it is not an array.
    ValueError
        If it does not have the shape and dtype of the parameter.
    """
    g: Any = p._grad
    if type(g) is not np.ndarray:  # a masked array is none: its mask would be forgotten
        raise TypeError(
            f"the gradient of a parameter of shape {p.shape} is {type(g).__name__}; it must be a "
            "plain array of that shape."
        )
    if g.shape == data.shape and g.dtype == data.dtype:
        return g
    raise ValueError(
        f"a gradient of shape {g.shape} and dtype {g.dtype} does not belong to a parameter of "
        f"shape {p.shape} and dtype {p.dtype}. If it was set by hand, reshape or convert it; if "
        "the parameter was converted since, call zero_grad() and backward() again."
    )


def memory(states: list[dict[str, Any]], name: str, like: list[np.ndarray]) -> list[np.ndarray]:
    """The arrays that the optimiser remembers about parameters: zeros at first.

    Where a parameter was converted to another dtype since (``model.double()``), its memory follows.
    That shapes agree is checked by the kernels, which look at them anyway.
    """
    for state, p in zip(states, like, strict=True):
        if name not in state:
            state[name] = np.zeros_like(p)
        elif state[name].dtype is not p.dtype:
            state[name] = state[name].astype(p.dtype, copy=False)
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
