"""MouthOcclusionPrevention: how dark the line between the lips is against what is around it.

Unit: share of the median L*; every bare mouth has such a line, a mask or a hand has none.
Our own component under the name of ISO/IEC 29794-5: its occlusion network is not reachable.
"""

import numpy as np

from biometrics.face import regions
from biometrics.face.landmarks import MOUTH_CORNERS
from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight

_ASIDE = 0.2
"""Share of the mouth's width that is left out at either corner."""


def native(sight: Sight) -> float | None:
    """Return the contrast of the darkest row; None where the mouth lies outside the view."""
    points = sight.view_points
    right, left = (float(points[i, 0]) for i in MOUTH_CORNERS)
    aside = _ASIDE * (left - right)
    top, bottom = (float(points[i, 1]) for i in (regions.PHILTRUM, regions.BELOW_LIPS))
    box = regions.lightness(sight, (right + aside, top, left - aside, bottom))
    if not box.size:
        return None
    rows = box.mean(axis=1)
    middle = max(float(np.median(rows)), 1.0)
    return (middle - float(rows.min())) / middle


MEASURE = Measure(
    name="MouthOcclusionPrevention",
    unit="share of L*",
    native=native,
    scale=rising(0.15, 0.03),
    cadence=Cadence.SCENE,
)
