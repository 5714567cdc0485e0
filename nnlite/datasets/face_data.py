"""Procedural faces: images whose every attribute is known, because it was an input.

Photographs come with no ground truth. These cartoons do: sex, glasses, beard, hair, smile, skin
tone and orientation are arguments of a drawing, so that "man with glasses - man + woman" (lecture
12) or "reconstruct what you never saw" (lecture 05) can be *scored*. The reader in
``face_reader`` goes the other way, from pixels to attributes.

:mod:`nnlite.datasets.face_drawing` has the pictures.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnlite._arguments import as_array, as_integer
from nnlite.datasets.face_drawing import GREY, HAIR, SKIN, draw, mix
from nnlite.random import RNGLike, default_rng

#: One record per face. Shares in [0, 1] except smile and turn, which are in [-1, 1].
FACE_DTYPE = np.dtype(
    [
        ("man", "?"),  # square jaw, heavy brows; else narrow jaw, thin brows, full lips
        ("glasses", "?"),
        ("beard", "?"),
        ("hair", "?"),  # False: bald
        ("hair_length", "f4"),  # 0 cropped, 1 over the shoulders
        ("hair_shade", "f4"),  # 0 black, 1 blond; beard and brows share it
        ("smile", "f4"),  # -1 corners of the mouth down, 1 up
        ("skin", "f4"),  # 0 light, 1 dark
        ("turn", "f4"),  # -1 looks to the left edge of the picture, 1 to the right
    ]
)

BINARY = ("man", "glasses", "beard", "hair")
CONTINUOUS = ("hair_length", "hair_shade", "smile", "skin", "turn")

_DEFAULTS: dict[str, Any] = {
    "man": False,
    "glasses": False,
    "beard": False,
    "hair": True,
    "hair_length": 0.3,
    "hair_shade": 0.2,
    "smile": 0.5,
    "skin": 0.2,
    "turn": 0.0,
}

_CHUNK = 256  # faces drawn at a time: their shapes stay in cache


class Faces(NamedTuple):
    """Images and their attributes; unpacks as ``X, a = faces(100)``.

    Attributes
    ----------
    X : ndarray
        (n, size, size) grey or (n, 3, size, size) colour, in [0, 1].
    attributes : structured ndarray of dtype ``FACE_DTYPE``, (n,)
    """

    X: np.ndarray
    attributes: np.ndarray


def faces(
    n: int | None = None,
    rng: RNGLike | None = None,
    *,
    size: int = 32,
    color: bool = False,
    attributes: np.ndarray | None = None,
    dtype: np.typing.DTypeLike = "float32",
) -> Faces:
    """Draw faces with random or given attributes.

    Parameters
    ----------
    n : int, optional
        Number of faces; default 1, or as many as ``attributes`` has.
    rng : int, Generator or None
        Used only for random attributes: the drawing itself is deterministic.
    size : int
        Height and width in pixels, at least 16; :func:`read_attributes` wants at least 24.
    color : bool
        RGB, channels first as networks want it; else grey (the luma of the same picture).
    attributes : structured array, optional
        What to draw, from :func:`face_attributes`; default :func:`random_attributes`.
    dtype : floating dtype
        Of the images.

    Returns
    -------
    Faces
        A named tuple ``(X, attributes)``.

    Raises
    ------
    ValueError
        If ``attributes`` has the wrong fields or values out of range, or disagrees with ``n``.
    """
    size = as_integer(size, "size", 16)
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise ValueError(f"dtype must be a floating type, pixels are in [0, 1]; got {dtype}.")
    if attributes is None:
        attributes = random_attributes(1 if n is None else n, rng=rng)
    else:
        attributes = _checked(attributes)
        if n is not None and as_integer(n, "n", 0) != len(attributes):
            raise ValueError(f"n={n} faces asked for, but attributes has {len(attributes)}.")
    channels = 3 if color else 1
    X = np.empty((len(attributes), channels, size, size), dtype)
    for start in range(0, len(attributes), _CHUNK):
        X[start : start + _CHUNK] = draw(attributes[start : start + _CHUNK], size, color)
    return Faces(X if color else X[:, 0], attributes)


def face_attributes(**values: Any) -> np.ndarray:
    """Attributes by name, the rest at their defaults; arrays are broadcast to one length.

    Parameters
    ----------
    **values : bool, float or (n,) array
        Fields of ``FACE_DTYPE``: man, glasses, beard, hair (yes or no), hair_length, hair_shade,
        skin (0 to 1), smile, turn (-1 to 1).

    Returns
    -------
    structured ndarray of dtype ``FACE_DTYPE``, (n,)

    Examples
    --------
    >>> face_attributes(man=True, glasses=[False, True])["glasses"]
    array([False,  True])
    """
    unknown = set(values) - set(_DEFAULTS)
    if unknown:
        raise ValueError(f"faces have no attribute {sorted(unknown)}; they have {[*_DEFAULTS]}.")
    given = [as_array(values.get(name, default), name) for name, default in _DEFAULTS.items()]
    try:
        columns = np.broadcast_arrays(*given)
    except ValueError:
        lengths = {name: np.size(value) for name, value in values.items()}
        raise ValueError(f"attributes must be numbers or have one length; got {lengths}.") from None
    if columns[0].ndim > 1:
        raise ValueError(f"attributes must be numbers or vectors; got shape {columns[0].shape}.")
    table = np.empty(columns[0].size, FACE_DTYPE)
    for name, column in zip(_DEFAULTS, columns, strict=True):
        if name not in CONTINUOUS and not np.isin(column, (0, 1)).all():
            raise ValueError(f"{name} is yes or no, True or False; got {values[name]!r}.")
        table[name] = column
    return _checked(table)


def random_attributes(n: int, *, rng: RNGLike | None = None) -> np.ndarray:
    """Draw attributes: glasses, smile, skin and turn are independent of everything else.

    Half are men; 40 % of the faces have glasses, 40 % of the men a beard, 15 % of the men no
    hair. Women's hair is longer on average. Hair differs visibly from skin.
    """
    n, rng = as_integer(n, "n", 0), default_rng(rng)
    a = np.empty(n, FACE_DTYPE)
    a["man"] = rng.random(n) < 0.5
    a["glasses"] = rng.random(n) < 0.4
    a["beard"] = a["man"] & (rng.random(n) < 0.4)
    a["hair"] = ~(a["man"] & (rng.random(n) < 0.15))
    length = rng.random(n)
    length = np.where(a["man"], 0.4 * length, 0.3 + 0.7 * length)
    a["hair_length"] = np.where(a["hair"], length, 0)
    a["smile"] = rng.uniform(-1, 1, n)
    a["skin"] = rng.random(n)
    a["turn"] = rng.uniform(-1, 1, n)
    # Hair of nearly the brightness of the skin could not be seen: move it to the other end.
    shade = rng.random(n)
    skin, hair = mix(SKIN, a["skin"]) @ GREY, mix(HAIR, shade) @ GREY
    a["hair_shade"] = np.where(np.abs(skin - hair) < 0.15, (shade + 0.5) % 1, shade)
    return a


def _checked(attributes: np.ndarray) -> np.ndarray:
    if isinstance(attributes, np.ma.MaskedArray):  # of records NumPy cannot tell whether any is
        raise ValueError("attributes are a masked array; drop masked faces and pass its data.")
    a = np.atleast_1d(np.asarray(attributes))
    if a.dtype.names is None or set(a.dtype.names) != set(FACE_DTYPE.names or ()) or a.ndim != 1:
        raise ValueError(
            f"attributes must be a vector of records with fields {FACE_DTYPE.names}; got dtype "
            f"{a.dtype} and shape {a.shape}; make one with face_attributes(glasses=True, ...)."
        )
    a = a[list(FACE_DTYPE.names or ())].astype(FACE_DTYPE)
    for name in CONTINUOUS:
        low = -1.0 if name in ("smile", "turn") else 0.0
        if not ((a[name] >= low) & (a[name] <= 1)).all():
            raise ValueError(
                f"{name} must be between {low:g} and 1; got {a[name].min()} to {a[name].max()}."
            )
    return a
