"""Weights on disk: ``save`` and ``load`` in the safetensors format (lecture 08).

A file holds named arrays and nothing that could be executed, so files from strangers are safe to
open, and PyTorch's tools read and write the same ones. Nested states (an optimiser's) are
flattened: their nesting, and what is not an array, travels as JSON in the header.
"""

import os
from collections.abc import Mapping
from typing import Any

from nnlite.weights.files import path_argument, write_whole
from nnlite.weights.safetensors import encoded, read
from nnlite.weights.structure import KEY, flattened, restored

__all__ = ["load", "save"]


def save(path: str | os.PathLike[str], state: Any) -> None:
    """Write a state to a safetensors file, whole or not at all.

    Parameters
    ----------
    path : path
        By custom it ends in ``.safetensors``. An existing file is replaced in one instant and keeps
        its permissions: a crash leaves the old one. A symbolic link is followed.
    state : Module or mapping
        A Module stands for its ``state_dict()``. A mapping's values may be arrays, Tensors,
        numbers, text, None, and lists or mappings of these, such as ``optimizer.state_dict()``;
        keys may be text or integers. Tensors come back as arrays, NumPy's scalars as Python's,
        named tuples as tuples.

    Raises
    ------
    TypeError
        If path is no path, or a value is of another kind or of a dtype the format does not have.
    ValueError
        If an array has masked entries, or mappings are nested more than 100 levels deep.
    OSError
        If the file cannot be written: no such folder (FileNotFoundError), a read-only file, a
        folder of that name. An existing file stays as it was.
    """
    if isinstance(state, str | bytes | os.PathLike) and not isinstance(path, str | os.PathLike):
        raise TypeError(
            "save takes the path first and the state second, unlike torch.save: write "
            f"nnlite.save({state!r}, ...)."
        )
    target = path_argument("save", path)
    if isinstance(state, type):
        raise TypeError(f"save takes a Module or a mapping; got the class {state.__name__} itself.")
    if hasattr(state, "state_dict"):
        state = state.state_dict()
    if not isinstance(state, Mapping):
        raise TypeError(
            f"save takes a Module or a mapping of names to arrays; got {type(state).__name__}."
        )
    write_whole(target, encoded(*flattened(state)))


def load(path: str | os.PathLike[str]) -> dict[Any, Any]:
    """Read what :func:`save`, or any other writer of safetensors, has written.

    Returns
    -------
    dict
        Names -> arrays, or the nested state that was saved.

    Raises
    ------
    TypeError
        If path is no path.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated or not a safetensors file, or holds numbers that NumPy does not
        have (BF16).
    """
    source = path_argument("load", path)
    arrays, metadata = read(source)
    if KEY not in metadata:
        return arrays
    try:
        return restored(arrays, metadata[KEY])
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ValueError(
            f"{source}: the metadata under {KEY!r} are not as nnlite.save writes them ({reason}). "
            "Another program may have used the name, or changed the arrays."
        ) from error
