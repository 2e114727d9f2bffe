"""EarsVisible: share of the strip beside the face that has the cheek's colour, lesser side.

Unit: share, 0..1, from the line of the eyes down to the nose's base. Our own component, advice
only: no network of ears is reachable, flat ears show little, and bare necks may shine through.
"""

from typing import Final

import cv2
import numpy as np

from biometrics.face import regions
from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight

_EDGES: Final = ((127, 234, 93, 132), (356, 454, 323, 361))
_STRIP: Final = (0.06, 0.32)
"""Where an ear lies outside the mesh's edge, eye distances."""
_CHEEKS: Final = ((50, 117, 205), (280, 346, 425))
_EYES: Final = (33, 263)
_ALIKE: Final = (25.0, 12.0)
"""Distances in L* and in a*b* within which it is skin: ears are redder and less lit."""
_TURNED: Final = 12.0
"""Degrees of yaw from which the farther ear is hidden by the head itself."""


def native(sight: Sight) -> float | None:
    """Return the lesser share; None in a grey picture, of a turned head, outside the frame."""
    if abs(sight.pose.yaw) > _TURNED or not regions.coloured(sight):
        return None
    shares = [_share(sight, side) for side in (0, 1)]
    return None if None in shares else min(share for share in shares if share is not None)


def _share(sight: Sight, side: int) -> float | None:
    skin = regions.colour(sight, _CHEEKS[side])
    points = sight.view_points.astype(np.float64)
    edge = points[list(_EDGES[side])]
    edge = edge[np.argsort(edge[:, 1])]
    down = np.linspace(points[_EYES[side], 1], points[regions.UNDER_NOSE, 1], 20)
    out = np.linspace(*_STRIP, 14) * sight.view_ied * (1 if side else -1)
    x = np.interp(down, edge[:, 1], edge[:, 0])[:, None] + out[None]
    y = np.repeat(down[:, None], len(out), axis=1)
    height, width = sight.view_lab.shape[:2]
    if skin is None or x.min() < 0 or x.max() > width - 1 or y.min() < 0 or y.max() > height - 1:
        return None
    seen = cv2.remap(sight.view_lab, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    off = np.abs(seen - skin)
    alike = (off[..., 0] < _ALIKE[0]) & (np.hypot(off[..., 1], off[..., 2]) < _ALIKE[1])
    return float(alike.mean())


MEASURE = Measure(
    name="EarsVisible",
    unit="share",
    native=native,
    scale=rising(0.1, 0.03),
    cadence=Cadence.SCENE,
)
