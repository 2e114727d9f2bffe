"""Made-up irises: one person and one eye is one iris, and every look one picture of it.

For rehearsals and tests. No real person's eye is in it, it judges no quality, and nobody has held
it against recognition of irises: it shows a lid, lashes, a pupil, fibres and reflections, no more.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.iris.port import Eye

WIDTH: Final = 640
HEIGHT: Final = 480
"""Pixels, as in ISO/IEC 19794-6's VGA pictures."""
_RADIUS: Final = 116.0
"""Pixels of the iris; the standard wants 80 or more (medium quality)."""
_IRISES: Final = 31
_LOOKS: Final = 32
"""So that no iris and no look share their chance."""
_SKIN, _SCLERA, _PUPIL, _FIBRE = 148.0, 186.0, 18.0, 106.0
"""Grey values in near infrared."""
_SPOKES: Final = 512
_RINGS: Final = 48
_NOISE: Final = 2.6
_BLUR: Final = 0.9


_Grey = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class _Look:
    """One picture's chance: where the eye is, how wide the pupil and the lids are."""

    centre: tuple[float, float]
    pupil: float
    lids: tuple[float, float]
    turn: float


def draw(person_seed: int, eye: Eye, look: int) -> NDArray[np.uint8]:
    """Return HEIGHT x WIDTH uint8; the same arguments, the same picture."""
    which = list(Eye).index(Eye(eye))
    chance = np.random.default_rng([_LOOKS, person_seed, which, look])
    seen = _Look(
        centre=(WIDTH / 2 + chance.normal(0, 9), HEIGHT / 2 + chance.normal(0, 7)),
        pupil=float(chance.uniform(0.3, 0.42)),
        lids=(float(chance.uniform(0.72, 0.9)), float(chance.uniform(0.95, 1.1))),
        turn=float(chance.normal(0, 2.5)),
    )
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    x, y = x - seen.centre[0], y - seen.centre[1]
    out = np.hypot(x, y) / _RADIUS
    picture: _Grey = _SCLERA - 16 * np.clip(np.abs(x) / WIDTH, 0, 1) ** 2
    fibres = _fibres(np.random.default_rng([_IRISES, person_seed, which]))
    depth = np.clip((out - seen.pupil) / (1 - seen.pupil), 0, 1)
    angle = (np.arctan2(y, x) + np.radians(seen.turn)) % (2 * np.pi)
    texture = cv2.remap(
        fibres,
        (angle / (2 * np.pi) * _SPOKES).astype(np.float32),
        (depth * (_RINGS - 1)).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    picture = _over(picture, _FIBRE + texture, 1 - out, 4 / _RADIUS)
    picture = _over(picture, np.full_like(out, _PUPIL), seen.pupil - out, 2 / _RADIUS)
    for side in (-1, 1):
        glint = np.hypot(x - side * 14, y + 10)
        picture = _over(picture, np.full_like(out, 248.0), 5 - glint, 2)
    picture = _lidded(picture, x, y, seen, chance)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), _BLUR), np.float32)
    picture += _NOISE * chance.standard_normal(picture.shape).astype(np.float32)
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def _fibres(chance: np.random.Generator) -> _Grey:
    """Return grey values by depth (rows, from the pupil out) and angle (columns)."""
    fine = chance.standard_normal((_RINGS, _SPOKES)).astype(np.float32)
    # Fibres run outwards: much smoother along the depth than around it.
    wrapped = np.concatenate([fine[:, -16:], fine, fine[:, :16]], axis=1)
    streaks = cv2.GaussianBlur(wrapped, (0, 0), sigmaX=1.4, sigmaY=7)[:, 16:-16]
    clouds = cv2.GaussianBlur(wrapped, (0, 0), sigmaX=6, sigmaY=3)[:, 16:-16]
    rows = np.linspace(0, 1, _RINGS, dtype=np.float32)[:, None]
    collarette = 20 * np.exp(-(((rows - chance.uniform(0.25, 0.4)) / 0.09) ** 2))
    grey = 15 * streaks / streaks.std() + 11 * clouds / clouds.std() + collarette
    for _ in range(int(chance.integers(2, 7))):
        column, row = chance.uniform(0, _SPOKES), chance.uniform(0.4, 0.85)
        around = np.abs((np.arange(_SPOKES) - column + _SPOKES / 2) % _SPOKES - _SPOKES / 2)
        crypt = np.exp(-((around / 9) ** 2))[None] * np.exp(-(((rows - row) / 0.1) ** 2))
        grey -= 38 * crypt
    return np.asarray(grey - 22 * rows**4, np.float32)


def _over(under: _Grey, over: _Grey, inside: _Grey, soft: float) -> _Grey:
    """Return `over` where `inside` is positive, else `under`; `soft` wide between."""
    share = np.clip(inside / soft + 0.5, 0, 1)
    return np.asarray(under + share * (over - under), np.float32)


def _lidded(
    picture: _Grey,
    x: _Grey,
    y: _Grey,
    seen: _Look,
    chance: np.random.Generator,
) -> _Grey:
    """Return the picture with both lids and the upper lashes over it."""
    bow = (x / (2.6 * _RADIUS)) ** 2
    above = -seen.lids[0] * _RADIUS * (1 - bow)
    below = seen.lids[1] * _RADIUS * (1 - 0.8 * bow)
    shade = _SKIN + 10 * np.sin(x / 90) - 14 * np.clip(-y / HEIGHT, 0, 1)
    picture = _over(picture, shade, above - y, 5)
    picture = _over(picture, shade - 8, y - below, 5)
    canvas = np.zeros(picture.shape, np.uint8)
    for start in chance.uniform(-1.7 * _RADIUS, 1.7 * _RADIUS, 46):
        rim = -seen.lids[0] * _RADIUS * (1 - (start / (2.6 * _RADIUS)) ** 2)
        root = np.array([start, rim]) + seen.centre
        tip = root + np.array([start * 0.16 + chance.normal(0, 5), chance.uniform(12, 34)])
        line = np.rint(np.stack([root, tip]) * 8).astype(np.int32)
        cv2.polylines(canvas, [line], isClosed=False, color=255, lineType=cv2.LINE_AA, shift=3)
    lashes = np.asarray(canvas, np.float32) / 255
    return np.asarray(picture - lashes * 0.7 * (picture - 30), np.float32)
