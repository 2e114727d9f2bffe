"""LuminanceVariance: how much the brightness of the face varies. Never gated, see LuminanceMean.

Unit: variance of relative luminance. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it.
"""

import numpy as np

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the variance over the face's outline."""
    inside = sight.face_luminance
    return float((inside / np.float32(255)).var()) if inside.size else None


MEASURE = Measure(
    name="LuminanceVariance",
    unit="share",
    native=native,
    scale=SCALES["LuminanceVariance"],
)
