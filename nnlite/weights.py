"""Weights on disk: ``save`` and ``load`` in the safetensors format (lecture 08).

A file holds named arrays and nothing that could be executed, so files from strangers are safe to
open, and PyTorch's tools read and write the same ones. Nested states (an optimiser's) are
flattened: their nesting, and what is not an array, travels as JSON in the header.
"""

import json
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.engine.tensor import Tensor

_STRUCTURE = "nnlite"  #: key of the header's metadata under which the nesting is kept
_ARRAY = "array"


def save(path: str | os.PathLike[str], state: Any) -> None:
    """Write a state to a safetensors file, whole or not at all.

    Parameters
    ----------
    path : path
        By custom it ends in ``.safetensors``. An existing file is replaced in one instant: a crash
        leaves the old one.
    state : Module or mapping
        A Module stands for its ``state_dict()``. A mapping's values may be arrays, Tensors,
        numbers, text, None, and lists or mappings of these, such as ``optimizer.state_dict()``.

    Raises
    ------
    TypeError
        If a value is of another kind.
    ImportError
        If the library safetensors is not installed.
    """
    write = _safetensors("save").save
    if hasattr(state, "state_dict"):
        state = state.state_dict()
    if not isinstance(state, Mapping):
        raise TypeError(
            f"save takes a Module or a mapping of names to arrays; got {type(state).__name__}."
        )
    arrays: dict[str, NDArray[Any]] = {}
    structure = _flatten(state, "", arrays)
    flat = all(isinstance(v, dict) and v.get("is") == _ARRAY for v in structure["items"].values())
    metadata = {"format": "np"} if flat else {"format": "np", _STRUCTURE: json.dumps(structure)}
    _write_atomically(Path(path), write(arrays, metadata))


def load(path: str | os.PathLike[str]) -> dict[Any, Any]:
    """Read what :func:`save`, or any other writer of safetensors, has written.

    Returns
    -------
    dict
        Names -> arrays, or the nested state that was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated or not a safetensors file.
    ImportError
        If the library safetensors is not installed.
    """
    library = _safetensors("load")
    data = Path(path).read_bytes()
    try:
        arrays = library.load(data)
    except (_error_of_the_library(), ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{os.fspath(path)} is not a complete safetensors file of NumPy's numbers ({error}). "
            f"It has {len(data)} bytes and begins with {data[:16]!r}; if it was downloaded or "
            "copied, do it again. Pickles of torch.save are not read: write the weights with "
            "safetensors.torch.save_file instead."
        ) from error
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    structure = header.get("__metadata__", {}).get(_STRUCTURE)
    # the library's arrays look into the bytes of the file; these can be written to
    arrays = {name: np.array(a) for name, a in arrays.items()}
    return _unflatten(json.loads(structure), arrays) if structure else arrays


def _flatten(value: Any, name: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Put the arrays into a flat dict; return a description of everything else, made of JSON."""
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fiub":
            raise TypeError(f"save: {name} has dtype {value.dtype}; only numbers can be saved.")
        if name in arrays:
            raise ValueError(f"save: two values would have the name {name!r}.")
        arrays[name] = np.require(value, requirements="C")
        return {"is": _ARRAY, "name": name}
    if isinstance(value, Mapping):
        bad = [k for k in value if not isinstance(k, str | int)]
        if bad:
            raise TypeError(f"save: names must be text or integers; got {bad[0]!r} in {name!r}.")
        items = {
            json.dumps(k): _flatten(v, f"{name}.{k}" if name else str(k), arrays)
            for k, v in value.items()
        }
        return {"is": "mapping", "items": items}
    if isinstance(value, list | tuple):
        parts = [_flatten(v, f"{name}.{i}", arrays) for i, v in enumerate(value)]
        return {"is": type(value).__name__, "items": parts}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return {"is": "value", "value": value}
    raise TypeError(
        f"save: {name} is {type(value).__name__}; arrays, Tensors, numbers, text, None, lists and "
        "mappings can be saved. No code is ever stored."
    )


def _unflatten(structure: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    kind = structure["is"]
    if kind == _ARRAY:
        return arrays[structure["name"]]
    if kind == "value":
        return structure["value"]
    if kind == "mapping":
        return {json.loads(k): _unflatten(v, arrays) for k, v in structure["items"].items()}
    parts = [_unflatten(v, arrays) for v in structure["items"]]
    return tuple(parts) if kind == "tuple" else parts


def _write_atomically(path: Path, data: bytes) -> None:
    """Write beside the target, then rename: readers see the old file or the new one, whole."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(path.parent)!r}; make it first.")
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's files are private; ordinary ones are not
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _safetensors(what: str) -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            f"nnlite.{what} needs the library safetensors: pip install safetensors"
        ) from error
    return safetensors.numpy


def _error_of_the_library() -> type[Exception]:
    from safetensors import SafetensorError

    return SafetensorError
