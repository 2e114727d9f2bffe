"""InterEyeDistance: the eyes' distance, as it would be if the head looked straight on.

Unit: pixels. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it, IED over the cosine of the yaw.
"""

import math

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the distance; the cosine is held above 0.1, where no eye is seen any more."""
    return sight.face.eye_distance / max(math.cos(math.radians(sight.pose.yaw)), 0.1)


MEASURE = Measure(
    name="InterEyeDistance",
    unit="px",
    native=native,
    scale=SCALES["InterEyeDistance"],
)
