"""LipsParted: how far the lips are open by two witnesses, the mesh's points and the dark between.

Unit: geometric mean of the inner lips' distance over T and of the dark band's height over the
mouth's width times its contrast. Our own component: the mesh alone takes full lips for open ones,
the dark alone a moustache's shadow or the line between closed lips; together they are neither.
"""

import math
from typing import Final

import cv2
import numpy as np

from biometrics.face.landmarks import MOUTH_CORNERS
from biometrics.face.mapping import falling
from biometrics.face.measures import mouth_closed
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_OUTER: Final = (0, 17)
"""The upper lip's upper and the lower lip's lower edge in the middle of the mouth."""
_MIDDLE: Final = (13, 14)
_WIDTH: Final = 80
"""Pixels to which the mouth's width is brought."""
_STRIP: Final = (32, 160)
"""Width and height of the upright strip through the mouth's middle."""
_SHORTEST: Final = 5


def native(sight: Sight) -> float:
    """Return the mean of both; 0 where either sees closed lips."""
    return math.sqrt(mouth_closed.native(sight) * _dark(sight))


def _dark(sight: Sight) -> float:
    """Return the height of the band darker than half-way to the lips, times its contrast."""
    points = sight.face.points[:, :2].astype(np.float64)
    across = points[MOUTH_CORNERS[1]] - points[MOUTH_CORNERS[0]]
    angle = math.degrees(math.atan2(across[1], across[0]))
    window = cv2.getRotationMatrix2D((0.0, 0.0), angle, _WIDTH / max(math.hypot(*across), 1.0))
    centre = window[:, :2] @ points[list(_MIDDLE)].mean(0)
    window[:, 2] = np.array(_STRIP) / 2 - centre
    strip = cv2.warpAffine(sight.pixels, window, _STRIP, borderMode=cv2.BORDER_REPLICATE)
    grey = np.asarray(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), np.float64)
    down = np.median(grey[:, _STRIP[0] // 4 : 3 * _STRIP[0] // 4], axis=1)
    down = np.convolve(np.pad(down, 2, mode="edge"), np.full(5, 0.2), "valid")
    edges = points[list(_OUTER)] @ window[1, :2] + window[1, 2]
    top, bottom = (int(np.clip(round(edge), 0, _STRIP[1] - 1)) for edge in edges)
    lips = down[top : bottom + 1]
    if len(lips) < _SHORTEST:
        return 0.0
    darkest = int(np.argmin(lips))
    lip = max(1.0, min(float(lips[: darkest + 1].max()), float(lips[darkest:].max())))
    dark = lips >= (lip + lips[darkest]) / 2
    above, below = np.flatnonzero(dark[:darkest]), np.flatnonzero(dark[darkest:])
    first = int(above[-1]) + 1 if len(above) else 0
    last = darkest + int(below[0]) if len(below) else len(lips)
    return (last - first) / _WIDTH * float(lip - lips[darkest]) / lip


MEASURE = Measure(
    name="LipsParted",
    unit="mean share",
    native=native,
    scale=falling(0.07, 0.015),
)
