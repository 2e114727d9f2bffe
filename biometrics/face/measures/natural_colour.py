"""NaturalColour: how far the cheeks' colour is from that of any skin.

Unit: distance in CIE a*b* from a* 5..25, b* 5..35; 100 where either is below 0.
Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it, with D65 for its D50.
"""

import math

import numpy as np

from biometrics.face.colour import lab
from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the distance of the cheeks' mean."""
    if sight.cheeks is None:
        return None
    patch = np.concatenate([sight.chip[square].reshape(-1, 3) for square in sight.cheeks])
    a, b = (float(v) for v in lab(patch[None])[0, :, 1:].mean(0))
    if a < 0 or b < 0:
        return 100.0
    return math.hypot(max(5 - a, 0, a - 25), max(5 - b, 0, b - 35))


MEASURE = Measure(
    name="NaturalColour",
    unit="a*b*",
    native=native,
    scale=SCALES["NaturalColour"],
)
