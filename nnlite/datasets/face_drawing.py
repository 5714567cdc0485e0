"""The drawing of procedural faces: attributes in, pixels out.

Shapes are anti-aliased: each is a signed distance in units of the picture, and its coverage of a
pixel is that distance clipped over one pixel width. Everything is vectorised over the faces.
"""

from __future__ import annotations

from typing import Any

import numpy as np

GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601 luma
_BACKGROUND = np.array([0.80, 0.88, 0.95])
_SHIRT = np.array([0.30, 0.45, 0.62])
_FRAME = np.array([0.05, 0.05, 0.10])
_WHITE = np.array([0.98, 0.98, 0.98])
_PUPIL = np.array([0.08, 0.06, 0.05])
SKIN = np.array([[0.98, 0.84, 0.72], [0.40, 0.25, 0.17]])  # light, dark
HAIR = np.array([[0.08, 0.06, 0.06], [0.93, 0.77, 0.42]])  # black, blond
_LIPS = np.array([[0.62, 0.34, 0.30], [0.75, 0.12, 0.20]])  # a man's, a woman's


def mix(ends: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Colours (n, 3) between two ends."""
    return ends[0] + share[:, None].astype(np.float64) * (ends[1] - ends[0])


class _Canvas:
    """Pictures of n faces that shapes are painted on, back to front."""

    def __init__(self, n: int, size: int, color: bool) -> None:
        axis = ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)
        self.x, self.y = axis[None, None, :], axis[None, :, None]  # y points down
        self.pixel = np.float32(2 / size)
        self.color = color
        self.image = np.empty((n, 3 if color else 1, size, size), np.float32)
        self.image[:] = self._tint(_BACKGROUND)

    def _tint(self, colour: np.ndarray) -> np.ndarray:
        """(3,) or (n, 3) -> (1 or n, channels, 1, 1)."""
        colour = np.atleast_2d(colour)
        if not self.color:
            colour = (colour @ GREY)[:, None]
        return colour[:, :, None, None].astype(np.float32)

    def cover(self, distance: np.ndarray) -> np.ndarray:
        """Share of each pixel inside a shape, from its signed distance."""
        return np.clip(0.5 - distance / self.pixel, 0, 1)

    def paint(self, share: np.ndarray, colour: np.ndarray) -> None:
        """Put ``colour`` over what is there; ``share`` (n, size, size) of each pixel."""
        self.image += share[:, None] * (self._tint(colour) - self.image)


def _column(values: np.ndarray | float) -> np.ndarray:
    """(n,) -> (n, 1, 1), float32."""
    return np.asarray(values, np.float32).reshape(-1, 1, 1)


def _egg(x: np.ndarray, y: np.ndarray, a: Any, b: Any, power: Any = 2) -> np.ndarray:
    """Signed distance, measured along the radius, to |x/a|^p + |y/b|^p = 1."""
    if np.ndim(power) == 0 and power == 2:  # much cheaper than two general powers
        g = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    else:
        g = (np.abs(x / a) ** power + np.abs(y / b) ** power) ** (1 / power)
    radius = np.sqrt(x * x + y * y)
    return radius - radius / np.maximum(g, 1e-3)


def _segment(x: np.ndarray, y: np.ndarray, x0: Any, x1: Any, y0: Any) -> np.ndarray:
    """Distance to a horizontal segment from x0 to x1 at height y0."""
    beyond = np.maximum(np.maximum(x0 - x, x - x1), 0)
    return np.sqrt(beyond**2 + (y - y0) ** 2)


def draw(a: np.ndarray, size: int, color: bool) -> np.ndarray:
    """Pictures (n, channels, size, size) of the attributes."""
    canvas = _Canvas(len(a), size, color)
    x, y = canvas.x, canvas.y
    man, hair, turn = (_column(a[name]) for name in ("man", "hair", "turn"))
    skin, shade = mix(SKIN, a["skin"]), mix(HAIR, a["hair_shade"])
    width = 0.50 + 0.05 * man
    power = np.where(y > 0.05, 2.0 + 0.9 * man, 2.0)  # a man's jaw is squarer
    head = _egg(x, y - 0.06, width, 0.70, power)

    _back_hair(canvas, _column(a["hair_length"]), hair, shade)
    neck = np.maximum(np.abs(x) - (0.19 + 0.06 * man), 0.3 - y)
    canvas.paint(canvas.cover(neck), skin * 0.82)
    canvas.paint(canvas.cover(_egg(x, y - 1.15, 0.95, 0.32)), _SHIRT)
    ear = _egg(np.abs(x + 0.06 * turn) - width, y - 0.06, 0.09, 0.15)
    canvas.paint(canvas.cover(ear), skin * 0.88)
    face = canvas.cover(head)
    canvas.paint(face, skin)
    # Rounded: the rim of the head, and the side it turns away, lie in shadow.
    shadow = np.clip(((x - 0.25 * turn) / 0.85) ** 2 + ((y - 0.06) / 1.1) ** 2, 0, 1)
    canvas.paint(0.28 * face * shadow, skin * 0.35)

    _beard(canvas, face, _column(a["beard"]), turn, shade)
    _features(canvas, a, man, turn, skin, shade)
    cap = np.maximum(_egg(x, y - 0.02, width + 0.07, 0.75), y + 0.34 + 0.25 * x * x - 0.06 * man)
    fringe = canvas.cover(cap) * hair
    canvas.paint(fringe, shade)
    _glasses(canvas, _column(a["glasses"]), turn, width)
    return np.clip(canvas.image, 0, 1)


def _back_hair(canvas: _Canvas, length: np.ndarray, hair: np.ndarray, shade: np.ndarray) -> None:
    """What falls behind the head, down to a height that grows with the length."""
    x, y = canvas.x, canvas.y
    bottom = -0.25 + 1.20 * length
    half = 0.56 + 0.13 * length
    curtain = np.maximum(np.abs(x) - half, np.maximum(y - bottom, -0.1 - y))
    crown = np.maximum(_egg(x, y - 0.0, half, 0.80), y - bottom)
    canvas.paint(canvas.cover(np.minimum(curtain, crown)) * hair, shade * 0.85)


def _beard(
    canvas: _Canvas, face: np.ndarray, beard: np.ndarray, turn: np.ndarray, shade: np.ndarray
) -> None:
    """The lower face, with the mouth left free."""
    x, y = canvas.x, canvas.y
    top = 0.34 - 0.55 * np.abs(x - 0.1 * turn)  # rises towards the ears
    free = _egg(x - 0.14 * turn, y - 0.42, 0.17, 0.09)
    share = canvas.cover(np.maximum(top - y, -free))
    canvas.paint(0.92 * face * share * beard, shade)


def _features(
    canvas: _Canvas,
    a: np.ndarray,
    man: np.ndarray,
    turn: np.ndarray,
    skin: np.ndarray,
    shade: np.ndarray,
) -> None:
    """Eyes, brows, nose and mouth; they move with the turn, the nose most."""
    x, y = canvas.x, canvas.y
    u = x - 0.16 * turn  # horizontal position on the face
    eye = _egg(np.abs(u) - 0.21, y + 0.06, 0.105, 0.07)
    canvas.paint(canvas.cover(eye), _WHITE)
    pupil = np.sqrt((np.abs(u - 0.03 * turn) - 0.21) ** 2 + (y + 0.06) ** 2) - 0.052
    canvas.paint(canvas.cover(np.maximum(pupil, eye)), _PUPIL)
    brow = _segment(np.abs(u), y, 0.11, 0.31, -0.215 + 0.15 * (np.abs(u) - 0.21))
    canvas.paint(0.9 * canvas.cover(brow - (0.018 + 0.022 * man)), np.minimum(shade, skin) * 0.6)
    nose = _egg(x - 0.24 * turn, y - 0.14, 0.055, 0.10)
    canvas.paint(0.75 * canvas.cover(nose), skin * 0.62)

    v = (x - 0.14 * turn) / 0.20  # along the mouth, corners at -1 and 1
    smile = _column(a["smile"])
    line = 0.42 + 0.10 * smile * (0.5 - v * v)  # y points down: a smile has its corners up
    slope = -0.20 * smile * v / 0.20
    away = np.abs(y - line) / np.sqrt(1 + slope * slope)
    lips = np.maximum(away - (0.060 - 0.022 * man) * (1 - 0.5 * v * v), (np.abs(v) - 1) * 0.20)
    tint = np.where(a["man"][:, None], _LIPS[0], _LIPS[1])
    canvas.paint(canvas.cover(lips), tint * (0.55 + 0.45 * skin.mean(1, keepdims=True)))


def _glasses(canvas: _Canvas, glasses: np.ndarray, turn: np.ndarray, width: np.ndarray) -> None:
    """Two rims, a bridge, and arms that reach the edge of the head."""
    x, y = canvas.x, canvas.y
    u = x - 0.16 * turn
    lens = np.sqrt((np.abs(u) - 0.215) ** 2 + (y + 0.05) ** 2) - 0.165
    canvas.paint(0.25 * canvas.cover(lens) * glasses, _WHITE)
    bridge = _segment(u, y, -0.06, 0.06, -0.08)
    arm = np.maximum(np.abs(np.abs(x) - (width + 0.38) / 2 * 1.0) - (width - 0.38) / 2, 0)
    arm = np.sqrt(arm**2 + (y + 0.10) ** 2)
    frame = np.minimum(np.abs(lens), np.minimum(bridge, arm)) - 0.028
    canvas.paint(canvas.cover(frame) * glasses, _FRAME)
