"""The saved state of an optimiser: whether it belongs to the optimiser that is to take it."""

import copy
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite._arguments import as_array, as_integer, as_number
from nnlite.engine.tensor import Tensor
from nnlite.optim._parameters import LABELS, WITHOUT_EFFECT

if TYPE_CHECKING:
    from nnlite.optim.optimizer import Optimizer

_WHERE = "load_state_dict"


def checked_state(
    optimizer: "Optimizer", state_dict: Any
) -> tuple[dict[Tensor, dict[str, Any]], list[dict[str, Any]]]:
    """What an optimiser remembers about its parameters, and its groups' settings, as saved.

    Raises
    ------
    TypeError
        If this is no mapping.
    ValueError
        If anything in it does not belong to this optimiser.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(
            f"{_WHERE} takes what state_dict() returned; got {type(state_dict).__name__}."
        )
    if not {"state", "param_groups"} <= set(state_dict):
        raise ValueError(
            f"{_WHERE} takes what state_dict() returned, 'state' and 'param_groups'; "
            f"got {', '.join(map(str, state_dict)) or 'an empty dict'}."
        )
    kind = type(optimizer).__name__
    saved = state_dict.get("optimizer", kind)
    if saved != kind:
        raise ValueError(f"{_WHERE}: the saved state is that of {saved}, this optimiser is {kind}.")
    groups = _groups(optimizer, state_dict["param_groups"])
    settings = [_settings(optimizer, i, group) for i, group in enumerate(groups)]
    numbers = [i for group in groups for i in group["params"]]
    params = dict(zip(numbers, optimizer._all(), strict=True))
    if len(params) != len(numbers):
        raise ValueError(f"{_WHERE}: a parameter appears twice in the saved groups, {numbers}.")
    saved_state = state_dict["state"]
    if not isinstance(saved_state, Mapping) or not set(saved_state) <= set(params):
        raise ValueError(
            f"{_WHERE}: 'state' must be a dict with entries for the parameters {numbers} of the "
            "saved groups, and for no others."
        )
    state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
    for i, entries in saved_state.items():
        state[params[i]] = _memories(optimizer, i, params[i], entries)
    return state, settings


def _groups(optimizer: "Optimizer", groups: Any) -> list[Any]:
    if not isinstance(groups, list | tuple) or not all(
        isinstance(g, Mapping) and isinstance(g.get("params"), list | tuple) for g in groups
    ):
        raise ValueError(f"{_WHERE}: 'param_groups' must be a list of dicts with 'params'.")
    sizes = [len(g["params"]) for g in optimizer.param_groups]
    if [len(g["params"]) for g in groups] != sizes:
        raise ValueError(
            f"{_WHERE}: the optimiser has groups of {sizes} parameters, the saved one of "
            f"{[len(g['params']) for g in groups]}."
        )
    return list(groups)


def _settings(optimizer: "Optimizer", i: int, group: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a saved group, complete and sensible."""
    settings = {k: v for k, v in group.items() if k != "params" and k not in WITHOUT_EFFECT}
    found, needed = set(settings) - LABELS, set(optimizer.defaults)
    if found != needed:
        odd = ", ".join(sorted(map(str, found - needed))) or "none that it has not"
        raise ValueError(
            f"{_WHERE}: the saved state is that of another optimiser than "
            f"{type(optimizer).__name__}: group {i} has settings it does not have ({odd}), or "
            f"lacks some ({', '.join(sorted(needed - found)) or 'none'})."
        )
    as_number(settings["lr"], f"{_WHERE}: lr")  # a schedule may lead below 0
    optimizer._check({**settings, "lr": 0.0, "initial_lr": 0.0})
    return copy.deepcopy(settings)


def _memories(optimizer: "Optimizer", i: Any, p: Tensor, entries: Any) -> dict[str, Any]:
    """What is remembered about a parameter, copied, of its shape and dtype."""
    kind, known = type(optimizer).__name__, optimizer._memories
    if not isinstance(entries, Mapping):
        raise ValueError(f"{_WHERE}: the state of parameter {i} must be a dict.")
    needed = {name for name, always in (known or {}).items() if always}
    if known is not None and (set(entries) - set(known) or (entries and needed - set(entries))):
        raise ValueError(
            f"{_WHERE}: the state of parameter {i} holds {', '.join(map(str, entries))}; {kind} "
            f"remembers {', '.join(known)}."
        )
    copied: dict[str, Any] = {}
    for name, value in entries.items():
        if name == "step":
            copied[name] = as_integer(value, f"{_WHERE}: step of parameter {i}", 0)
            continue
        if known is None and not np.ndim(value):  # a number of a subclass's own
            copied[name] = copy.deepcopy(value)
            continue
        array = as_array(value, f"{name} of parameter {i}")
        if array.shape != p.shape:
            raise ValueError(
                f"{_WHERE}: {name} of parameter {i} has shape {array.shape}, the parameter has "
                f"shape {p.shape}."
            )
        if array.dtype != p.dtype:
            raise ValueError(
                f"{_WHERE}: {name} of parameter {i} is {array.dtype}, the parameter is {p.dtype}. "
                "Convert the model first (model.double() or model.float())."
            )
        copied[name] = np.array(array, order="C")
    return copied
