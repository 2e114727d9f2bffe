"""NoHeadCoverings: share of what lies above the forehead that is neither hair nor skin.

Unit: share of the person's pixels there, 0..1. Our own component under the name of ISO/IEC
29794-5, advice only: hair is told by its fine texture and its colours, so that knitted or woven
dark cloth passes for hair, and smooth shiny hair may not.
"""

from typing import Final

import cv2
import numpy as np

from biometrics.face import regions
from biometrics.face.landmarks import CHIN
from biometrics.face.landmarks import FOREHEAD as TOP
from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight

_ACROSS: Final = 0.55
_UP: Final = (0.15, 0.75)
"""The region above the mesh's upper edge, eye distances."""
_PERSON: Final = 0.5
_FEWEST: Final = 100
"""Pixels of person below which there is nothing to tell."""
_HAIRY: Final = 0.03
"""Local mean of the Laplacian of L* over L* from which it is hair."""
_SKIN: Final = (18.0, 8.0)
"""Distances in L* and a*b* to the forehead within which a bald head is bare."""
_HAIR_CHROMA: Final = 20.0
"""Chroma that no undyed hair has; the fairest of 54 sitters has 15."""


def native(sight: Sight) -> float | None:
    """Return the share; None where the view does not reach above the forehead."""
    forehead = regions.colour(sight, regions.FOREHEAD)
    lab = sight.view_lab
    points, ied = sight.view_points, sight.view_ied
    up = points[TOP] - points[CHIN]
    up = up / max(float(np.linalg.norm(up)), 1e-6)
    y, x = np.mgrid[: lab.shape[0], : lab.shape[1]].astype(np.float32)
    off = (x - points[TOP, 0], y - points[TOP, 1])
    above = off[0] * up[0] + off[1] * up[1]
    aside = np.abs(off[0] * up[1] - off[1] * up[0])
    region = (aside < _ACROSS * ied) & (above > _UP[0] * ied) & (above < _UP[1] * ied)
    region &= sight.person > _PERSON
    if forehead is None or int(region.sum()) < _FEWEST:
        return None
    fine = np.abs(cv2.Laplacian(lab[..., 0], cv2.CV_32F))
    texture = cv2.blur(fine, (7, 7)) / np.maximum(cv2.blur(lab[..., 0], (7, 7)), 5.0)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    away = np.abs(lab - forehead)
    skin = (away[..., 0] < _SKIN[0]) & (np.hypot(away[..., 1], away[..., 2]) < _SKIN[1])
    coloured = (chroma > _HAIR_CHROMA) & ~skin
    smooth = (texture < _HAIRY) & ~skin
    return float((coloured | smooth)[region].mean())


MEASURE = Measure(
    name="NoHeadCoverings",
    unit="share",
    native=native,
    scale=SCALES["NoHeadCoverings"],
    cadence=Cadence.SCENE,
)
