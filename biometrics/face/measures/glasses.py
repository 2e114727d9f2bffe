"""Glasses: the weaker of two level edges, a bridge across the nose and rims below both eyes.

Unit: gradient of L* a pixel of the view, share of the face's L*. Our own component, advice only:
thin rims of the skin's own colour are not seen, heavy bags below the eyes look like rims.
"""

import math

import cv2
import numpy as np

from biometrics.face import regions
from biometrics.face.landmarks import LEFT_EYE, RIGHT_EYE
from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight

_BRIDGE = (168, 195)
_RIM = (0.16, 0.48)
"""Where rims lie below the line of the eyes, eye distances."""
_LEVEL = 40
"""Percentile along a row: an edge that runs on has it high."""


def native(sight: Sight) -> float | None:
    """Return the geometric mean of both edges."""
    skin = regions.colour(sight, (*regions.UPPER_CHEEKS, *regions.FOREHEAD))
    points, ied = sight.view_points, sight.view_ied
    if skin is None:
        return None
    edges = np.asarray(
        np.abs(cv2.Sobel(sight.view_lab[..., 0], cv2.CV_32F, 0, 1, ksize=3)) / 8, np.float32
    )
    middle = float(points[6, 0])
    top, bottom = (float(points[i, 1]) for i in _BRIDGE)
    bridge = _row(edges, (middle - 0.08 * ied, top - 0.05 * ied, middle + 0.08 * ied, bottom), None)
    rims = []
    for eye in (RIGHT_EYE, LEFT_EYE):
        x, y = (float(v) for v in points[list(eye)].mean(0))
        box = (x - 0.2 * ied, y + _RIM[0] * ied, x + 0.2 * ied, y + _RIM[1] * ied)
        rims.append(_row(edges, box, _LEVEL))
    return math.sqrt(bridge * min(rims)) / max(float(skin[0]), 1.0)


def _row(
    edges: regions.Colour, box: tuple[float, float, float, float], percentile: float | None
) -> float:
    """Return the strongest row within left, top, right, bottom by mean or percentile."""
    left, top, right, bottom = (max(0, round(side)) for side in box)
    part = edges[top : bottom + 1, left : right + 1]
    if not part.size:
        return 0.0
    rows = part.mean(1) if percentile is None else np.percentile(part, percentile, axis=1)
    return float(rows.max())


MEASURE = Measure(
    name="Glasses",
    unit="share of L*/px",
    native=native,
    scale=falling(0.1, 0.02),
    cadence=Cadence.SCENE,
)
