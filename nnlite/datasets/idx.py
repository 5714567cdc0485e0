"""IDX files, the format that MNIST is distributed in: arrays with a header of a few bytes."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

_MOST_AXES = 64  # of NumPy's arrays
# Third byte of an IDX header. Multi-byte types are stored big-endian.
_IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class CorruptDataError(ValueError):
    """A data file is damaged, truncated or not the file it claims to be."""


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read an array from an IDX file, the format MNIST is distributed in.

    Parameters
    ----------
    path : path
        The file, gzipped if its name ends in ``.gz``.

    Returns
    -------
    ndarray
        With the shape and (native-endian) dtype the header names.

    Raises
    ------
    CorruptDataError
        If the header is not an IDX header, or the file is shorter or longer than it says.

    Notes
    -----
    Header: two zero bytes, a type code, the number of axes, then one big-endian uint32 length
    per axis; the entries follow in C order.
    """
    path = Path(path)
    return parse_idx(unpacked(path), path)


def unpacked(path: Path) -> bytes:
    """The bytes of a file, unzipped if its name ends in ``.gz``."""
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        with gzip.open(path, "rb") as stream:
            return stream.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CorruptDataError(
            f"{path} is not a complete gzip file ({error}); delete it and get it again."
        ) from error


def parse_idx(raw: bytes, path: Path) -> np.ndarray:
    """The array in the bytes of an IDX file; errors name it by its path."""
    if (
        len(raw) < 4
        or raw[:2] != b"\0\0"
        or raw[2] not in _IDX_DTYPES
        or not 0 < raw[3] <= _MOST_AXES
    ):
        packed = "; it is gzipped: its name must end in .gz" if raw[:2] == b"\x1f\x8b" else ""
        raise CorruptDataError(
            f"{path} is not an IDX file: it begins with the bytes {raw[:4].hex(' ') or '(none)'}, "
            f"expected 00 00, a type code (08 for bytes) and the number of axes{packed}."
        )
    dtype, ndim = np.dtype(_IDX_DTYPES[raw[2]]), raw[3]
    start = 4 + 4 * ndim
    if len(raw) < start:
        raise CorruptDataError(
            f"{path} is truncated: its header of {start} bytes ends after {len(raw)} bytes."
        )
    shape = tuple(int(length) for length in np.frombuffer(raw, ">u4", ndim, offset=4))
    expected = start + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(raw) != expected:
        state = "truncated" if len(raw) < expected else "too long"
        raise CorruptDataError(
            f"{path} is {state}: an array of shape {shape} takes {expected} bytes, the file has "
            f"{len(raw)}."
        )
    try:
        array = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    except ValueError as error:  # no entries, but axes that are too long
        raise CorruptDataError(f"{path} claims an impossible shape {shape}.") from error
    return array.astype(dtype.newbyteorder("="))
