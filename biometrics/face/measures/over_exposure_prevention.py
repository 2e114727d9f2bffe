"""OverExposurePrevention: share of the face that is clipped.

Unit: share of pixels with luminance 247..255. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it,
without its occlusion mask.
"""

import numpy as np

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_CLIPPED = 247


def native(sight: Sight) -> float | None:
    """Return the share."""
    inside = sight.face_luminance
    return float(np.mean(inside >= _CLIPPED)) if inside.size else None


MEASURE = Measure(
    name="OverExposurePrevention",
    unit="share of face",
    native=native,
    scale=SCALES["OverExposurePrevention"],
)
