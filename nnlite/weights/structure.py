"""Nested states as flat arrays, and back.

The nesting, and what is not an array, is described in JSON, which travels as text beside the arrays
under :data:`KEY`: an array by its name, a number or text by itself, a mapping, list or tuple by its
items. Keys of mappings are JSON in their turn, so that 1 and "1" stay two.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_array
from nnlite.engine.tensor import Tensor
from nnlite.weights.safetensors import METADATA, dtype_name, read_json

KEY = "nnlite"
_DEEPEST = 100  # levels; no state has more, and what refers to itself has no end

Arrays = dict[str, NDArray[Any]]


def flattened(state: Mapping[Any, Any]) -> tuple[Arrays, dict[str, str]]:
    """The arrays of a state by name, and the metadata that describe the rest.

    Raises
    ------
    TypeError
        If a value or a key is of a kind that cannot be saved.
    ValueError
        If an array has masked entries, or the nesting is too deep.
    """
    arrays: Arrays = {}
    structure = _flatten(state, "", arrays, 0)
    plain = {json.dumps(name): {"is": "array", "name": name} for name in arrays}
    metadata = {"format": "np"}
    if structure["items"] != plain:
        try:
            metadata[KEY] = json.dumps(structure)
        except ValueError as error:  # an integer of thousands of digits
            raise ValueError(f"save: a number cannot be written as text ({error}).") from error
    return arrays, metadata


def restored(arrays: Arrays, description: str) -> dict[Any, Any]:
    """The state that :func:`flattened` described.

    Raises
    ------
    ValueError
        If the description does not belong to the arrays, or is none.
    """
    used: set[str] = set()
    state = _restore(read_json(description), arrays, used, 0)
    if not isinstance(state, dict) or used != set(arrays):
        raise ValueError("it does not describe the arrays of the file.")
    return state


def _flatten(value: Any, name: str, arrays: Arrays, depth: int) -> Any:
    """Put the arrays into a flat dict; return a description of everything else, made of JSON."""
    where = f"save: {name or 'the state'}"
    if depth > _DEEPEST:
        raise ValueError(
            f"{where[:60]}... is nested more than {_DEEPEST} levels deep; does it contain itself?"
        )
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.ndarray):
        return {"is": "array", "name": _add(value, name, where, arrays)}
    if isinstance(value, Mapping):
        items = {}
        for k, v in value.items():
            if not isinstance(k, str | int | np.integer):
                raise TypeError(f"{where} has the key {k!r}; names must be text or integers.")
            key = int(k) if isinstance(k, np.integer) else k
            inside = f"{name}.{key}" if depth else str(key)
            items[json.dumps(key)] = _flatten(v, inside, arrays, depth + 1)
        return {"is": "mapping", "items": items}
    if isinstance(value, list | tuple):
        parts = [_flatten(v, f"{name}.{i}", arrays, depth + 1) for i, v in enumerate(value)]
        return {"is": "tuple" if isinstance(value, tuple) else "list", "items": parts}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return {"is": "value", "value": value}
    if hasattr(value, "state_dict"):
        raise TypeError(f"{where} is {type(value).__name__}; save its state_dict() there.")
    raise TypeError(
        f"{where} is {type(value).__name__}; arrays, Tensors, numbers, text, None, lists and "
        "mappings can be saved. No code is ever stored."
    )


def _add(value: NDArray[Any], name: str, where: str, arrays: Arrays) -> str:
    """Put an array under a name of its own, which any reader of the format accepts."""
    array = as_array(value, where)
    if dtype_name(array.dtype) is None:
        raise TypeError(f"{where} has dtype {array.dtype}, which the safetensors format has not.")
    # half a character (a lone surrogate) is none in UTF-8
    name = name.encode("utf-8", "backslashreplace").decode()
    while name in arrays or name == METADATA:
        name += "_"
    arrays[name] = array
    return name


def _restore(structure: Any, arrays: Arrays, used: set[str], depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply.")
    match structure:
        case {"is": "array", "name": str(name)} if name in arrays and name not in used:
            used.add(name)
            return arrays[name]
        case {"is": "value", "value": None | bool() | int() | float() | str() as value}:
            return value
        case {"is": "mapping", "items": dict(items)}:
            state = {}
            for text, item in items.items():
                key = read_json(text)
                if not isinstance(key, str | int):
                    raise ValueError(f"it has the key {text[:60]}.")
                state[key] = _restore(item, arrays, used, depth + 1)
            return state
        case {"is": "list" | "tuple" as kind, "items": list(items)}:
            parts = [_restore(item, arrays, used, depth + 1) for item in items]
            return tuple(parts) if kind == "tuple" else parts
        case _:
            raise ValueError(f"it has an entry {str(structure)[:60]}.")
