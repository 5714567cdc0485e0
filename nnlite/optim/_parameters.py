"""What optimisers and schedules are given: parameters and settings, checked where they come in."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from nnlite._arguments import as_flag
from nnlite.engine.tensor import Tensor

#: What PyTorch's optimisers can be told about how they compute. Here there is one way, with the
#: same results, so these settings are accepted and not kept.
WITHOUT_EFFECT = frozenset({"foreach", "fused", "capturable", "differentiable"})
#: What a group may hold beside parameters and settings: a schedule's start, and names.
LABELS = frozenset({"initial_lr", "name", "param_names"})


# ---- settings ----------------------------------------------------------------------------------


def check_without_effect(where: str, settings: Mapping[str, Any]) -> None:
    """Check settings that say how PyTorch is to compute; all but one change nothing here.

    Raises
    ------
    NotImplementedError
        If steps are to be differentiable.
    TypeError
        If one is not True, False or None.
    """
    for name in WITHOUT_EFFECT & set(settings):
        if settings[name] is not None:
            as_flag(settings[name], f"{where}: {name}")
    if settings.get("differentiable"):
        raise NotImplementedError(
            f"{where}: steps of an optimiser are not recorded, so differentiable=True is not "
            "offered. Write the step as an expression, w = w - lr * g, and differentiate that."
        )


# ---- parameters --------------------------------------------------------------------------------


def parameter_groups(where: str, params: Any) -> list[dict[str, Any]]:
    """The groups that an optimiser's first argument stands for.

    Raises
    ------
    TypeError
        If it is no iterable of Tensors, of pairs (name, Tensor) or of dicts.
    ValueError
        If there are no parameters.
    """
    if isinstance(params, Tensor):
        raise TypeError(
            f"{where}: an optimiser takes a list of parameters; write [p] for a single one."
        )
    if isinstance(params, Mapping):
        what = "[group], a list of groups" if "params" in params else "model.parameters()"
        raise TypeError(f"{where}: got a dict in place of a list of parameters; write {what}.")
    if callable(getattr(params, "parameters", None)):
        raise TypeError(
            f"{where}: got the model ({type(params).__name__}) in place of its parameters; write "
            f"{where}(model.parameters(), ...)."
        )
    if callable(params):
        name = getattr(params, "__name__", "parameters")
        raise TypeError(f"{where}: got the method {name} itself; call it: model.{name}().")
    groups = _listed(where, params)
    if not groups:
        raise ValueError(
            f"{where}: the optimiser got no parameters. A generator such as model.parameters() can "
            "be used only once, and modules in a plain list are not found: use nn.ModuleList."
        )
    dicts = sum(isinstance(group, Mapping) for group in groups)
    if dicts not in (0, len(groups)):
        raise TypeError(f"{where}: got {dicts} dicts among {len(groups)}; all or none may be.")
    return groups if dicts else [{"params": groups}]


def group_parameters(where: str, group: Any) -> tuple[list[Any], list[str]]:
    """The entries of a group's "params", and their names if it gives names."""
    if not isinstance(group, Mapping) or "params" not in group:
        raise TypeError(
            f"{where}: a group of parameters is a dict with 'params', such as "
            f"{{'params': [...], 'lr': 0.1}}; got {group!r:.60}."
        )
    given = group["params"]
    if isinstance(given, Tensor):
        return [given], []
    entries = _listed(where, given)
    if isinstance(given, Iterator) and not entries:
        raise ValueError(
            f"{where}: the generator given as 'params' is used up; call model.parameters() again."
        )
    named = [isinstance(entry, tuple) and len(entry) == 2 for entry in entries]
    if not any(named):
        return entries, []
    if not all(named):
        raise ValueError(f"{where}: either all parameters of a group have names or none.")
    return [p for _, p in entries], [str(name) for name, _ in entries]


def _listed(where: str, params: Any) -> list[Any]:
    if isinstance(params, set | frozenset):
        raise TypeError(f"{where}: a set has no order, which a saved state needs; write a list.")
    if isinstance(params, str | bytes | np.ndarray) or not isinstance(params, Iterable):
        kind = type(params).__name__
        hint = (
            "wrap arrays, nn.Parameter(array), and pass a list"
            if isinstance(params, np.ndarray)
            else "the parameters come first, then the settings"
        )
        raise TypeError(f"{where}: parameters must be a list of Tensors; got {kind}: {hint}.")
    return list(params)


def check_parameter(where: str, i: int, p: Any) -> None:
    """Refuse what an optimiser cannot move.

    Raises
    ------
    TypeError
        If it is no Tensor.
    ValueError
        If it is the result of an operation, not of float32 or float64, read-only, or a Tensor that
        never gets a gradient. A frozen Parameter is accepted: it may be released later.
    """
    if not isinstance(p, Tensor):
        hint = "; wrap it: nn.Parameter(array)" if isinstance(p, np.ndarray) else ""
        raise TypeError(
            f"{where}: parameter {i} is {type(p).__name__}; an optimiser takes Tensors{hint}."
        )
    if not p.is_leaf or p.dtype.name not in ("float32", "float64"):
        raise ValueError(
            f"{where}: parameter {i} of shape {p.shape} and dtype {p.dtype} cannot be optimised: "
            "it must be a leaf of dtype float32 or float64, not the result of an operation."
        )
    if type(p) is Tensor and not p.requires_grad:
        raise ValueError(
            f"{where}: parameter {i} of shape {p.shape} does not require grad, so no step would "
            "ever move it. Make it with requires_grad=True, or as nn.Parameter(values)."
        )
    if not p.data.flags.writeable:
        raise ValueError(
            f"{where}: parameter {i} of shape {p.shape} looks into read-only memory; make it from "
            "a copy, array.copy()."
        )
