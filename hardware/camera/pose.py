"""From a person to the points of one look: shape, expression, turn of the head.

It draws nothing.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hardware.camera.person import FACE, Person
from hardware.camera.photograph import cutout

Points = NDArray[np.float32]

STRAIGHTEN: Final = (0.2, -13.0, -3.3)
"""Yaw, pitch and roll in degrees that bring the photograph's head upright."""
# The rows of the lips between the corners, from the outside in.
_UPPER: Final = (
    (185, 40, 39, 37, 0, 267, 269, 270, 409),
    (184, 74, 73, 72, 11, 302, 303, 304, 408),
    (183, 42, 41, 38, 12, 268, 271, 272, 407),
    (191, 80, 81, 82, 13, 312, 311, 310, 415),
)
_LOWER: Final = (
    (146, 91, 181, 84, 17, 314, 405, 321, 375),
    (77, 90, 180, 85, 16, 315, 404, 320, 307),
    (96, 89, 179, 86, 15, 316, 403, 319, 325),
    (95, 88, 178, 87, 14, 317, 402, 318, 324),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a person looks at the camera; degrees, shares 0..1, and what is worn on the face."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    eyes_shut: bool = False
    mouth_open: float = 0.0
    smile: float = 0.0
    mask: bool = False
    glasses: bool = False


def place(who: Person, look: Look) -> Points:
    """Return n x 3: units of the eye distance, 0, 0 between the eyes of an upright head."""
    points = _shape(who).copy()
    _smile(points, look.smile)
    _open(points, look.mouth_open)
    return _turned(points, look)


@lru_cache(maxsize=64)
def _shape(who: Person) -> Points:
    """Return the person's neutral, upright points."""
    points = _neutral().copy()
    eyes = _centre(points, 33, 133), _centre(points, 263, 362)
    mouth, nose = _centre(points, 61, 291), points[1, :2].copy()
    chin = points[152, :2].copy()
    swell = _Swell(points)
    swell.scale((0.0, 0.35), 1.3, across=who.face_width)
    swell.scale((0.0, float(chin[1])), 0.75, across=who.jaw_width)
    swell.shift((0.0, float(chin[1])), 0.7, down=who.chin)
    swell.shift((0.0, -0.75), 0.6, down=-who.forehead)
    for eye, side in zip(eyes, (-1.0, 1.0), strict=True):
        spot = (float(eye[0]), float(eye[1]))
        swell.shift(spot, 0.38, across=side * who.eye_distance, down=who.eye_height)
        swell.scale(spot, 0.3, across=who.eye_size * 0.6, down=who.eye_size)
        swell.slant(spot, 0.35, side * who.eye_slant)
        swell.shift((spot[0], spot[1] - 0.3), 0.25, down=-who.brow_height)
        swell.scale((spot[0] * 1.2, spot[1] + 0.65), 0.35, across=who.cheeks)
    swell.scale((float(nose[0]), float(nose[1])), 0.25, across=who.nose_width)
    swell.shift((float(nose[0]), float(nose[1])), 0.3, down=who.nose_length)
    spot = (float(mouth[0]), float(mouth[1]))
    swell.shift(spot, 0.4, down=who.mouth_height)
    swell.scale(spot, 0.4, across=who.mouth_width)
    swell.scale(spot, 0.18, down=who.lip_fullness)
    return swell.points


@lru_cache(maxsize=1)
def _neutral() -> Points:
    """Return the photograph's points upright, with the smile taken out."""
    raw = cutout().points.astype(np.float64)
    origin = (_centre(raw, 33, 133) + _centre(raw, 263, 362)) / 2
    unit = float(np.linalg.norm(_centre(raw, 263, 362) - _centre(raw, 33, 133)))
    raw[:, :2] -= origin
    raw[:, 2] -= raw[[234, 454], 2].mean()
    raw /= unit
    points = np.asarray(raw @ _rotation(*STRAIGHTEN).T, np.float32)
    points[:, :2] -= (_centre(points, 33, 133) + _centre(points, 263, 362)) / 2
    mouth = _centre(points, 61, 291)
    swell = _Swell(points)
    spot = (float(mouth[0]), float(mouth[1]))
    swell.scale(spot, 0.5, across=-0.2)
    points = swell.points
    # The corners of a smile stand high, its lips are stretched thin.
    for corner in (61, 291):
        _pull(points, points[corner, :2].copy(), 0.17, (0.0, 0.045))
    upper, lower = list(_UPPER[-1]), list(_LOWER[-1])
    meet = points[upper, 1] * 0.55 + points[lower, 1] * 0.45
    gap = float((points[lower, 1] - points[upper, 1]).max())
    _pull(points, points[17, :2].copy(), 0.3, (0.0, -0.4 * gap))
    _pull(points, points[0, :2].copy(), 0.16, (0.0, 0.3 * gap))
    _part(points, meet, meet + np.float32(0.016))
    return points


def _part(points: Points, upper: NDArray[np.float32], lower: NDArray[np.float32]) -> None:
    """Bring the lips' inner rims to these heights and spread the rows behind them evenly."""
    for rows, rim in ((_UPPER, upper), (_LOWER, lower)):
        outer = points[list(rows[0]), 1].copy()
        for at, row in enumerate(rows[1:], start=1):
            points[list(row), 1] = outer + (rim - outer) * (at / 3)


class _Swell:
    """Smooth local changes of shape, each with the reach of a bell curve."""

    def __init__(self, points: Points) -> None:
        self.points = points.copy()

    def _weights(self, spot: tuple[float, float], reach: float) -> NDArray[np.float32]:
        away = self.points[:, :2] - np.array(spot, np.float32)
        return np.asarray(np.exp(-(away**2).sum(1) / (2 * reach**2)), np.float32)

    def scale(
        self, spot: tuple[float, float], reach: float, across: float = 0.0, down: float = 0.0
    ) -> None:
        weights = self._weights(spot, reach)
        away = self.points[:, :2] - np.array(spot, np.float32)
        self.points[:, 0] += weights * across * away[:, 0]
        self.points[:, 1] += weights * down * away[:, 1]

    def shift(
        self, spot: tuple[float, float], reach: float, across: float = 0.0, down: float = 0.0
    ) -> None:
        _pull(self.points, np.array(spot, np.float32), reach, (across, down))

    def slant(self, spot: tuple[float, float], reach: float, by: float) -> None:
        weights = self._weights(spot, reach)
        self.points[:, 1] -= weights * by * (self.points[:, 0] - spot[0])


def _pull(points: Points, spot: NDArray[np.float32], reach: float, by: tuple[float, float]) -> None:
    weights = np.exp(-((points[:, :2] - spot) ** 2).sum(1) / (2 * reach**2))
    points[:, :2] += weights[:, None] * np.array(by, np.float32)


def _smile(points: Points, share: float) -> None:
    """Draw the corners of the mouth apart and up, and the cheeks with them."""
    for corner, side in ((61, -1.0), (291, 1.0)):
        spot = points[corner, :2].copy()
        _pull(points, spot, 0.22, (side * 0.16 * share, -0.12 * share))


def _open(points: Points, share: float) -> None:
    if share <= 0:
        return
    drop = np.float32(0.30 * share)
    rims = [points[list(rows[-1]), :2].copy() for rows in (_UPPER, _LOWER)]
    meet = float(points[14, 1])
    # The jaw goes down whole below the mouth, and less and less towards ears and collar.
    ease = np.clip((points[:, 1] - meet) / 0.05, 0, 1)
    width = np.exp(-((points[:, 0] / 0.6) ** 2))
    below = np.exp(-(np.clip(points[:, 1] - 1.1, 0, None) ** 2) / (2 * 0.5**2))
    points[:, 1] += drop * ease * width * below
    arch = np.clip(1 - (np.linspace(-1, 1, 9) ** 2) * 0.6, 0, 1).astype(np.float32)
    _part(points, rims[0][:, 1] - drop * 0.12 * arch, rims[1][:, 1] + drop * 0.88 * arch)


def _turned(points: Points, look: Look) -> Points:
    """Return the points turned about the neck; the neck itself hardly follows."""
    pivot = np.array([0.0, 1.2, 0.15], np.float32)
    turned = (points - pivot) @ _rotation(look.yaw, look.pitch, look.roll).T.astype(
        np.float32
    ) + pivot
    chin = float(points[152, 1])
    stays = np.clip((points[:, 1] - chin) / 0.45, 0, 1)[:, None]
    stays[:FACE] = 0
    return np.asarray(turned * (1 - 0.8 * stays) + points * 0.8 * stays, np.float32)


def _rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Return the matrix for degrees: yaw to the sitter's left, pitch down, roll clockwise."""
    y, p, r = (math.radians(angle) for angle in (yaw, pitch, roll))
    about_y = np.array([[math.cos(y), 0, -math.sin(y)], [0, 1, 0], [math.sin(y), 0, math.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]])
    about_z = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, np.float64)


def _centre(points: NDArray[np.floating], one: int, other: int) -> NDArray[np.floating]:
    return np.asarray((points[one, :2] + points[other, :2]) / 2)
