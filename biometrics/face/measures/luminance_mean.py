"""LuminanceMean: how bright the face is. It moves with the tone of the skin and is never gated.

Unit: mean relative luminance, 0..1. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it.
"""

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the mean over the face's outline."""
    inside = sight.face_luminance
    return float(inside.mean()) / 255 if inside.size else None


MEASURE = Measure(
    name="LuminanceMean",
    unit="share",
    native=native,
    scale=SCALES["LuminanceMean"],
)
