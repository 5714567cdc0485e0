"""The safetensors format: named arrays in one file, and nothing that could be executed.

A file is the length of its header (8 bytes, little-endian), the header (JSON: name -> dtype, shape
and place of the data; under ``__metadata__`` text by name), and the arrays' bytes without gaps, in
C order, little-endian. https://huggingface.co/docs/safetensors describes it. The format is small
enough to be read and written here, and so it can be where the library of its authors cannot be
installed (browsers). Files from strangers are not trusted: all that the header claims is checked
against the file before an array is made.
"""

import json
import math
import re
import struct
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

METADATA = "__metadata__"
_DTYPES = {
    name: np.dtype(code)
    for name, code in {
        "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
        "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
    }.items()
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_LONGEST_HEADER = 100_000_000  # bytes; the limit of the format's authors
_DEEPEST_JSON = 256  # brackets in brackets: a header has 3, nnlite.save writes up to 203
_MOST_AXES = 64  # NumPy's limit


def dtype_name(dtype: np.dtype[Any]) -> str | None:
    """The format's name of a dtype, None if it has none."""
    return _NAMES.get(dtype.newbyteorder("<"))


def encoded(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> list[Any]:
    """The pieces of a file with these arrays, whose dtypes have names.

    Wide numbers lie before narrow ones, so that all are aligned.

    Raises
    ------
    ValueError
        If the header would be longer than readers accept.
    """
    places, end = {}, 0
    order = sorted(arrays, key=lambda name: -arrays[name].itemsize)
    for name in order:
        begin, end = end, end + arrays[name].nbytes
        places[name] = [begin, end]
    header: dict[str, Any] = {METADATA: dict(metadata)}
    for name, a in arrays.items():
        entry = {"dtype": dtype_name(a.dtype), "shape": a.shape, "data_offsets": places[name]}
        header[name] = entry
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _LONGEST_HEADER:
        raise ValueError(
            f"the names, text and numbers beside the arrays take {len(text)} bytes; a safetensors "
            f"file holds at most {_LONGEST_HEADER}. Save long lists of numbers as arrays."
        )
    data = [np.ascontiguousarray(arrays[name], _DTYPES[header[name]["dtype"]]) for name in order]
    return [struct.pack("<Q", len(text)), text, *[a.reshape(-1).view(np.uint8) for a in data]]


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays, which can be written to, and metadata of a file.

    Raises
    ------
    ValueError
        If the file is not as it should be, or holds numbers that NumPy has no dtype for.
    """
    data = path.read_bytes()
    try:
        header, start = _header(data)
        metadata = header.pop(METADATA, None)
        metadata = {} if metadata is None else metadata
        _check_header(header, metadata, len(data) - start)
        foreign = {n: e["dtype"] for n, e in header.items() if e["dtype"] not in _DTYPES}
        arrays = {} if foreign else {n: _array(n, e, data, start) for n, e in header.items()}
    except ValueError as error:
        raise ValueError(
            f"{path} is not a complete safetensors file: {error} "
            f"It has {len(data)} bytes and begins with {data[:16]!r}; if it was downloaded or "
            "copied, do it again. Pickles of torch.save are not read: write the weights with "
            "safetensors.torch.save_file instead."
        ) from error
    if foreign:
        name, dtype = next(iter(foreign.items()))
        raise ValueError(
            f"{path} holds {name!r} as {dtype} (so {len(foreign)} of its {len(header)} arrays), a "
            "dtype that NumPy does not have. Write it as float32 where it comes from: in PyTorch, "
            "safetensors.torch.save_file({k: v.float() for k, v in state.items()}, path)."
        )
    return arrays, metadata


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header, unchecked but for being an object, and where the data begin."""
    if len(data) < 8:
        raise ValueError("it ends before its header begins.")
    (length,) = struct.unpack_from("<Q", data)
    if length > min(_LONGEST_HEADER, len(data) - 8):
        raise ValueError(f"its header should have {length} bytes, which are not there.")
    try:
        header = read_json(data[8 : 8 + length].decode())
    except ValueError as error:  # also what is not UTF-8
        reason = str(error).rstrip(".")
        raise ValueError(f"its header cannot be read ({reason}).") from error
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object.")
    return header, 8 + length


def read_json(text: str) -> Any:
    """What a JSON text of a stranger says, if no key appears twice and it is not nested too deeply.

    The depth is counted first: Python's reader calls itself for each bracket, and where it would
    raise RecursionError, in a browser the stack is exhausted and the whole session ends.
    """
    brackets = re.sub(r'"(?:[^"\\]|\\.)*+"?|[^][{}]', "", text, flags=re.DOTALL)
    if max(accumulate(1 if b in "[{" else -1 for b in brackets), default=0) > _DEEPEST_JSON:
        raise ValueError("it is nested too deeply.")
    return json.loads(text, object_pairs_hook=_unique_keys)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, unless a key appears twice in it."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the name {next(k for k in keys if keys.count(k) > 1)!r} appears twice.")
    return found


def _check_header(header: dict[str, Any], metadata: Any, size: int) -> None:
    """Refuse entries that are not as they should be, or do not fill the data."""
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("its metadata are not text by name.")
    places = []
    for name, entry in header.items():
        match entry:
            case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [begin, end]} if (
                all(type(n) is int and n >= 0 for n in [*shape, begin, end])
                and len(shape) <= _MOST_AXES
            ):
                places.append((begin, end, name))
            case _:
                raise ValueError(f"its entry {name!r} is not dtype, shape and place of an array.")
        if dtype in _DTYPES and math.prod(shape) * _DTYPES[dtype].itemsize != end - begin:
            raise ValueError(
                f"{name!r}, {dtype} of shape {shape}, cannot take {end - begin} bytes."
            )
    last = 0
    for begin, end, name in sorted(places):
        if begin != last or end < begin:
            raise ValueError(f"{name!r} should begin at byte {last} of the data, not at {begin}.")
        last = end
    if last != size:
        raise ValueError(f"its arrays take {last} bytes, {size} are there.")


def _array(name: str, entry: dict[str, Any], data: bytes, start: int) -> NDArray[Any]:
    dtype, shape = _DTYPES[entry["dtype"]], tuple(entry["shape"])
    begin = start + entry["data_offsets"][0]
    if dtype.kind == "b" and max(data[begin : begin + math.prod(shape)], default=0) > 1:
        raise ValueError(f"{name!r} is BOOL but holds other bytes than 0 and 1.")
    flat = np.frombuffer(data, dtype, math.prod(shape), begin)
    return flat.reshape(shape).astype(dtype.newbyteorder("="))  # a copy, which can be written to
