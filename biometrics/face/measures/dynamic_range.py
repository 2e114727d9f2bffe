"""DynamicRange: how many shades the face has. Never gated: it moves with the tone of the skin.

Unit: entropy of the luminance histogram, bits. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it.
"""

import numpy as np

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the entropy."""
    inside = sight.face_luminance
    if not inside.size:
        return None
    shares = np.bincount(inside, minlength=256) / inside.size
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


MEASURE = Measure(
    name="DynamicRange",
    unit="bit",
    native=native,
    scale=SCALES["DynamicRange"],
)
