"""FaceOcclusionPrevention: lightness of the nostrils over that of the nose and the upper lip.

Unit: ratio of L*; every bare face has two dark nostrils, a mask of any colour has none.
Our own component under the name of ISO/IEC 29794-5: its occlusion network is not reachable.
"""

import numpy as np

from biometrics.face import regions
from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight

_UP, _DOWN = 0.10, 0.08
_SPOTS = 5
"""Percentile: the nostrils are a small part of the nose's base."""


def native(sight: Sight) -> float | None:
    """Return the ratio."""
    around = regions.colour(sight, (1, 4, regions.PHILTRUM))
    points, ied = sight.view_points, sight.view_ied
    right, left = (float(points[i, 0]) for i in regions.NOSTRILS)
    base = float(points[regions.UNDER_NOSE, 1])
    box = regions.lightness(sight, (right, base - _UP * ied, left, base + _DOWN * ied))
    if around is None or not box.size:
        return None
    return regions.ratio(float(np.percentile(box, _SPOTS)), float(around[0]))


MEASURE = Measure(
    name="FaceOcclusionPrevention",
    unit="L* ratio",
    native=native,
    scale=falling(0.75, 0.08),
    cadence=Cadence.SCENE,
)
