"""UnderExposurePrevention: share of the face that is nearly black. Never gated, see LuminanceMean.

Unit: share of pixels with luminance 0..25. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it,
without its occlusion mask.
"""

import numpy as np

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_DARK = 25


def native(sight: Sight) -> float | None:
    """Return the share."""
    inside = sight.face_luminance
    return float(np.mean(inside <= _DARK)) if inside.size else None


MEASURE = Measure(
    name="UnderExposurePrevention",
    unit="share of face",
    native=native,
    scale=SCALES["UnderExposurePrevention"],
)
