"""MNIST digits: a subset that ships with the package, the full set read from IDX files.

The subset holds 6,000 training and 1,000 test digits, so that every lecture runs without a
network. ``data/ATTRIBUTION.md`` names the authors and the licence. Used from lecture 01 on.
"""

from __future__ import annotations

import functools
import hashlib
import http.client
import io
import os
import urllib.request
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnlite._arguments import as_choice
from nnlite.datasets.idx import CorruptDataError, parse_idx, unpacked
from nnlite.weights.files import write_whole

_SUBSET = Path(__file__).parent / "data" / "mnist7k.npz"
_SUBSET_SHA256 = "24da039cffd0c9c336e4341a37d425d60ed7a01d935adf2eb798d5cbec43360d"
_SUBSET_TRAIN = 6_000

_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_TIMEOUT = 60.0  # seconds without an answer before the next mirror is tried

# name -> (SHA-256 of the unpacked file, SHA-256 of the .gz file as distributed). The unpacked
# sum is what is checked on reading: it does not depend on who compressed the file.
_FILES = {
    "train-images-idx3-ubyte": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    "train-labels-idx1-ubyte": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    "t10k-images-idx3-ubyte": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    "t10k-labels-idx1-ubyte": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
}
_SPLITS = {"train": "train", "test": "t10k"}


class Digits(NamedTuple):
    """Images and labels; unpacks as ``X, y = mnist()``.

    Attributes
    ----------
    X : ndarray
        Images, (n, 784) or (n, 28, 28).
    y : ndarray of intp, (n,)
        The digit shown, 0 to 9; intp is the dtype of indices, int64 on all but 32-bit machines.
    """

    X: np.ndarray
    y: np.ndarray


def mnist(
    split: str = "train",
    *,
    flatten: bool = True,
    dtype: np.typing.DTypeLike = "float32",
    full: bool = False,
    root: str | os.PathLike | None = None,
    download: bool = False,
    verify: bool = True,
) -> Digits:
    """Handwritten digits (LeCun, Cortes and Burges).

    ``X, y = mnist()`` gives 6,000 training digits as rows of 784 pixels in [0, 1];
    ``mnist("test")`` gives 1,000 others.

    Parameters
    ----------
    split : {"train", "test", "all"}
        ``"all"`` is the training digits followed by the test digits.
    flatten : bool
        Rows of 784 pixels if true, else images of shape (n, 28, 28). A convolution wants
        ``X.reshape(-1, 1, 28, 28)``.
    dtype : dtype
        A floating dtype scales pixels to [0, 1] (0 is background, 1 is ink); ``"uint8"`` gives
        the grey levels 0 to 255 as stored.
    full : bool
        Read the full set (60,000 and 10,000 digits) from the four IDX files in ``root`` instead of
        the subset that ships with the package. Files may be gzipped (``.gz``) or not.
    root : path, optional
        Folder of the IDX files, only with ``full=True``. Default: the environment variable
        ``NNLITE_DATA`` if set, else ``~/.cache/nnlite/mnist``.
    download : bool
        Fetch files that are missing from ``root``, about 11 MB. Without it nothing is ever
        downloaded. A file takes its place in ``root`` only when its checksum is right.
    verify : bool
        Check the SHA-256 sum of the full set's files. ``False`` reads any well-formed pair of
        IDX files of these names, for instance a look-alike data set.

    Returns
    -------
    Digits
        A named tuple ``(X, y)``; the arrays are fresh copies.

    Raises
    ------
    ValueError
        For an unknown ``split``, a ``dtype`` that cannot hold pixels, or ``root`` without ``full``.
    FileNotFoundError
        If a file of the full set is missing and ``download`` is false.
    CorruptDataError
        If a file is damaged, truncated, empty or has another checksum (a ``ValueError``).
    ConnectionError
        If no mirror could be reached.
    OSError
        If a file is to be downloaded and cannot be kept in ``root``.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document
    recognition, Proceedings of the IEEE 86(11).
    """
    as_choice(split, "split", ("train", "test", "all"))
    dtype = np.dtype(dtype)
    if dtype != np.uint8 and dtype.kind != "f":
        raise ValueError(
            f'dtype must be a floating type (pixels in [0, 1]) or "uint8" (grey levels 0 to 255); '
            f'got "{dtype}".'
        )
    if not full and (root is not None or download):
        raise ValueError(
            "root= and download= concern the full data set: call mnist(full=True, root=...); "
            "without full=True the digits that ship with the package are returned."
        )
    splits = ("train", "test") if split == "all" else (split,)
    if full:
        parts = [_read_full(part, _root(root), download, verify) for part in splits]
    else:
        parts = [_read_subset(part) for part in splits]
    sizes = {part[0].shape[1:] for part in parts}
    if len(sizes) != 1:
        raise CorruptDataError(f"training and test images have different sizes: {sizes}.")
    images = np.concatenate([part[0] for part in parts])  # (n, 28, 28) uint8, a copy
    labels = np.concatenate([part[1] for part in parts]).astype(np.intp)
    X = images
    if dtype != np.uint8:
        X = images.astype(dtype)
        X /= 255
    return Digits(X.reshape(len(X), -1) if flatten else X, labels)


@functools.cache
def _load_subset() -> tuple[np.ndarray, np.ndarray]:
    try:
        raw = _SUBSET.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"the digits that ship with nnlite are missing: there is no {_SUBSET}; reinstall "
            "nnlite."
        ) from error
    _check_sum(raw, _SUBSET_SHA256, _SUBSET, "reinstall nnlite")
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as stored:
            images, labels = stored["X"], stored["Y"]
    except (KeyError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise CorruptDataError(f"{_SUBSET} cannot be read ({error}); reinstall nnlite.") from error
    return images, labels


def _read_subset(split: str) -> tuple[np.ndarray, np.ndarray]:
    images, labels = _load_subset()
    rows = slice(None, _SUBSET_TRAIN) if split == "train" else slice(_SUBSET_TRAIN, None)
    return images[rows], labels[rows]


def _root(root: str | os.PathLike | None) -> Path:
    if root is not None:
        return Path(root).expanduser()
    if os.environ.get("NNLITE_DATA"):
        return Path(os.environ["NNLITE_DATA"]).expanduser()
    return Path.home() / ".cache" / "nnlite" / "mnist"


def _read_full(
    split: str, root: Path, download: bool, verify: bool
) -> tuple[np.ndarray, np.ndarray]:
    prefix = _SPLITS[split]
    images = _read_named(f"{prefix}-images-idx3-ubyte", root, download, verify)
    labels = _read_named(f"{prefix}-labels-idx1-ubyte", root, download, verify)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise CorruptDataError(
            f"the {split} images in {root} should be a uint8 array (n, rows, columns), the file "
            f"holds {images.dtype} {images.shape}."
        )
    if not images.size:
        raise CorruptDataError(
            f"the {split} images in {root} are none: the file holds an array {images.shape}."
        )
    if labels.shape != (len(images),) or labels.dtype != np.uint8:
        raise CorruptDataError(
            f"the {split} labels in {root} should be uint8 ({len(images)},), one per image, the "
            f"file holds {labels.dtype} {labels.shape}."
        )
    return images, labels


def _read_named(name: str, root: Path, download: bool, verify: bool) -> np.ndarray:
    candidates = [root / name, root / f"{name}.gz"]
    path = next((p for p in candidates if p.is_file()), None)
    if path is None:
        if not download:
            raise FileNotFoundError(
                f"no {name} or {name}.gz in {root}; put the file there, or let nnlite fetch it: "
                f"mnist(full=True, root={str(root)!r}, download=True)."
            )
        path = candidates[1]
        _download(path, _FILES[name][1])
    raw = unpacked(path)
    array = parse_idx(raw, path)  # first: a truncated file is reported as truncated
    if verify:
        _check_sum(
            raw,
            _FILES[name][0],
            path,
            "delete it and fetch it again with download=True, or, if it is meant to be another "
            "data set in MNIST's format, pass verify=False",
        )
    return array


def _check_sum(raw: bytes, expected: str, path: Path, advice: str) -> None:
    found = hashlib.sha256(raw).hexdigest()
    if found != expected:
        raise CorruptDataError(
            f"{path} has the wrong checksum: SHA-256 {found[:16]}..., expected "
            f"{expected[:16]}...; {advice}."
        )


def _download(target: Path, sha256: str) -> None:
    """Fetch ``target.name`` from the first mirror that delivers it intact."""
    _make_folder(target.parent)
    failures = []
    for mirror in _MIRRORS:
        url = mirror + target.name
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
                raw = answer.read()
            _check_sum(raw, sha256, Path(url), "the download is incomplete or altered")
        # URLError and timeouts are OSErrors; a connection cut short is an HTTPException
        except (OSError, http.client.HTTPException, CorruptDataError) as error:
            failures.append(f"{url}: {error}")
            continue
        _write_whole(target, raw)
        return
    raise ConnectionError(
        f"could not download {target.name}. Tried:\n  "
        + "\n  ".join(failures)
        + f"\nPut the file into {target.parent} by hand."
    )


def _make_folder(folder: Path) -> None:
    """Make a folder that can be written to; said before 11 MB are fetched, not after."""
    advice = "name a folder of your own: root=..., or the environment variable NNLITE_DATA"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(f"{folder} cannot be made ({error}); {advice}.") from error
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} is read-only; {advice}.")


def _write_whole(target: Path, raw: bytes) -> None:
    write_whole(target, [raw])
