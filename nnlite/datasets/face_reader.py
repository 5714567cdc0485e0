r"""Attributes of procedural faces, read back from pixels.

A ridge regression from pixels to attributes, fitted once per image size to faces it draws itself
(the penalty is worth training with noise of standard deviation :math:`\sqrt{10^{-3}}`, lecture
06, and keeps the reader steady on blurred or generated images). What a pixel of the lower face
means depends on the rest: a blond beard on dark skin is brighter than no beard, and the mouth moves
with the turn. So beard and smile get a second regression, on products of those pixels with what the
first one has read.

Measured on 2,000 fresh faces of 32 x 32 (``tests/datasets/test_faces.py``): the four yes-or-no
attributes right on all of them; root mean squared error 0.004 for skin, 0.05 for turn, 0.05 for
hair length, 0.04 for hair shade, 0.17 for the smile (whose standard deviation is 0.58).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from nnlite._arguments import as_array
from nnlite.datasets.face_data import BINARY, CONTINUOUS, FACE_DTYPE, faces, random_attributes
from nnlite.datasets.face_drawing import GREY

_TRAINING_FACES = 4000
_SEED = 20_061  # the reader is a fixed instrument: not the user's generator
_SIZE = 32  # larger pictures are averaged down to this: a regression on 64 x 64 has 4,096 inputs
_PENALTY, _PENALTY_LOWER = 1e-3, 3e-4
_LOWER_FACE = ("beard", "smile")


class _Linear(NamedTuple):
    """x -> (x - centre) @ W + offset."""

    W: np.ndarray
    centre: np.ndarray
    offset: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x - self.centre) @ self.W + self.offset


def read_attributes(images: np.typing.ArrayLike) -> np.ndarray:
    """Estimate the attributes of faces from their pixels.

    Parameters
    ----------
    images : array_like
        (n, size, size), (n, 1, size, size) or (n, 3, size, size) as :func:`faces` draws them, or
        (n, size * size); values around [0, 1], ``size`` at least 24. Generated or reconstructed
        faces are welcome.

    Returns
    -------
    structured ndarray of dtype ``FACE_DTYPE``, (n,)
        The hair of a bald head means nothing: look at ``hair`` first.

    Raises
    ------
    ValueError
        If the shape is not understood, or values are NaN or infinite.

    See Also
    --------
    read_scores : the same before rounding to yes or no.
    """
    scores = read_scores(images)
    a = np.empty(len(scores), FACE_DTYPE)
    for name in BINARY:
        a[name] = scores[name] > 0
    for name in CONTINUOUS:
        low = -1.0 if name in ("smile", "turn") else 0.0
        a[name] = np.clip(scores[name], low, 1.0)
    return a


def read_scores(images: np.typing.ArrayLike) -> np.ndarray:
    """As :func:`read_attributes`, unrounded.

    Returns
    -------
    structured ndarray of float32, (n,)
        man, glasses, beard, hair: about +1 for yes, -1 for no, near 0 undecided. The others are
        not clipped to their range.
    """
    grey = _as_grey(images)
    first, second = _fit(grey.shape[1])
    pixels = _pixels(grey)
    read = first(pixels)
    columns = dict(zip(BINARY + CONTINUOUS, read.T, strict=True))
    columns |= dict(zip(_LOWER_FACE, second(_lower_face(pixels, read)).T, strict=True))
    scores = np.empty(len(pixels), [(name, "f4") for name in FACE_DTYPE.names or ()])
    for name, column in columns.items():
        scores[name] = column
    return scores


@functools.cache
def _fit(size: int) -> tuple[_Linear, _Linear]:
    """Both regressions, from faces drawn for the purpose."""
    a = random_attributes(_TRAINING_FACES, rng=_SEED)
    pixels = _pixels(faces(attributes=a, size=size).X.astype(np.float64))
    yes_no = np.stack([np.where(a[name], 1.0, -1.0) for name in BINARY], axis=1)
    targets = np.column_stack([yes_no, *(a[name] for name in CONTINUOUS)])
    first = _ridge(pixels, targets, _PENALTY)
    columns = [(BINARY + CONTINUOUS).index(name) for name in _LOWER_FACE]
    features = _lower_face(pixels, first(pixels))
    return first, _ridge(features, targets[:, columns], _PENALTY_LOWER)


def _ridge(x: np.ndarray, t: np.ndarray, penalty: float) -> _Linear:
    centre, offset = x.mean(axis=0), t.mean(axis=0, dtype=np.float64)
    x, t = x - centre, t - offset
    W = np.linalg.solve(x.T @ x / len(x) + penalty * np.eye(x.shape[1]), x.T @ t / len(x))
    return _Linear(W, centre, offset)


def _lower_face(pixels: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Pixels around the mouth, and their products with what was read first."""
    size = round(pixels.shape[1] ** 0.5)
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    window = np.outer((axis > 0.22) & (axis < 0.78), np.abs(axis) < 0.46).ravel()
    columns = dict(zip(BINARY + CONTINUOUS, np.clip(read, -1.2, 1.2).T, strict=True))
    man, beard, skin, turn = (columns[name] for name in ("man", "beard", "skin", "turn"))
    shade = columns["hair_shade"]
    terms = [man, beard, skin, turn, shade, turn**2, turn * man, turn * skin, skin * man]
    context = np.stack([np.ones(len(read)), *terms, skin * shade], axis=1)  # (n, 11)
    products = pixels[:, window, None] * context[:, None, :]  # (n, window, 11)
    return np.concatenate([context, products.reshape(len(pixels), -1)], axis=1)


def _as_grey(images: np.typing.ArrayLike) -> np.ndarray:
    """(n, size, size) float64, from any accepted shape."""
    x = as_array(images, "images", np.float64)
    if x.ndim == 4 and x.shape[1] == 3:
        x = np.einsum("nchw,c->nhw", x, GREY)
    elif x.ndim == 4 and x.shape[1] == 1:
        x = x[:, 0]
    elif x.ndim == 2 and round(x.shape[1] ** 0.5) ** 2 == x.shape[1]:
        size = round(x.shape[1] ** 0.5)
        x = x.reshape(-1, size, size)
    if x.ndim != 3 or x.shape[1] != x.shape[2] or x.shape[1] < 24:
        raise ValueError(
            f"images must be square faces of at least 24 pixels: (n, size, size), (n, 1 or 3, "
            f"size, size) or (n, size * size); got shape {np.shape(images)}."
        )
    if not np.isfinite(x).all():
        raise ValueError("images contain NaN or infinity: there is nothing to read.")
    if x.size and not (x.min() >= -1 and x.max() <= 2):  # room for what a network paints
        raise ValueError(
            f"images are pixels in [0, 1]; got values from {x.min():.3g} to {x.max():.3g}; divide "
            "grey levels by 255."
        )
    return x


def _pixels(grey: np.ndarray) -> np.ndarray:
    """(n, size, size) -> (n, m * m), with large pictures averaged down to m = 32."""
    if grey.shape[1] > _SIZE:
        A = _averaging(grey.shape[1], _SIZE)
        grey = A @ grey @ A.T
    return grey.reshape(len(grey), -1)


def _averaging(large: int, small: int) -> np.ndarray:
    """(small, large): each row averages the pixels that one larger pixel covers."""
    edge = np.arange(small + 1)[:, None] * (large / small)
    pixel = np.arange(large)
    overlap = np.minimum(edge[1:], pixel + 1) - np.maximum(edge[:-1], pixel)
    return np.maximum(overlap, 0) * (small / large)
