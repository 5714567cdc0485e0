"""Loading values into the parameters and buffers of a module, all of them or none (lecture 04)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_array
from nnlite.engine.tensor import Tensor
from nnlite.ops import values_of


class Keys(NamedTuple):
    """What :meth:`nnlite.nn.Module.load_state_dict` found not to match."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load(owner: str, targets: dict[str, Any], state: Any, strict: bool) -> Keys:
    """Copy a state into the parameters and buffers ``targets`` of a module named ``owner``.

    Parameters and errors are those of :meth:`nnlite.nn.Module.load_state_dict`.
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            "load_state_dict takes a mapping of names to arrays, as state_dict() and "
            f"nnlite.load() return it; got {type(state).__name__}."
        )
    keys = Keys([k for k in targets if k not in state], [k for k in state if k not in targets])
    values, problems = _fitting(targets, state)
    if strict and keys.missing_keys:
        problems.append(f"missing keys: {', '.join(keys.missing_keys)}")
    if strict and keys.unexpected_keys:
        problems.append(f"unexpected keys: {', '.join(map(str, keys.unexpected_keys))}")
    if problems:
        raise RuntimeError(
            f"load_state_dict: the state does not fit {owner}:\n  "
            + "\n  ".join(problems)
            + "\nNothing was loaded."
        )
    for k, value in values.items():
        target = targets[k]
        values_of(target)[...] = value
        if isinstance(target, Tensor):
            target.data = target.data  # counts as an edit, should a graph still need it
    return keys


def _fitting(
    targets: dict[str, Any], state: Mapping[str, Any]
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The arrays of a state that have a place, and why others do not fit into theirs."""
    values, problems = {}, []
    for k in targets:
        if k not in state:
            continue
        try:
            value = as_array(values_of(state[k]), k)
        except (TypeError, ValueError) as error:
            problems.append(str(error).rstrip("."))
            continue
        like = values_of(targets[k])
        if value.shape != like.shape:
            problems.append(f"{k} has shape {value.shape}, the model needs {like.shape}")
        elif like.dtype.kind in "iu" and not np.array_equal(value, np.trunc(value)):
            problems.append(f"{k} counts in whole numbers; got {value}")
        elif not _in_range(value, like.dtype):
            problems.append(f"{k} holds numbers that are too large for {like.dtype}")
        values[k] = value
    return values, problems


def _in_range(value: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Whether finite numbers stay what they are, as nearly as the dtype can say it."""
    if np.can_cast(value.dtype, dtype) or not value.size or dtype.kind == "b":
        return True
    if dtype.kind in "iu":
        # as Python's integers: 2^63 and its neighbour are one number in float64
        limits = np.iinfo(dtype)
        return limits.min <= value.min().item() and value.max().item() <= limits.max
    finite = value[np.isfinite(value)]
    return not finite.size or bool(np.abs(finite).max() <= np.finfo(dtype).max)
