"""HeadPosePitch: down is positive.

Unit: degrees. Source: axes of the mesh's own depth, see `biometrics.face.pose`.
"""

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the angle."""
    return sight.pose.pitch


MEASURE = Measure(
    name="HeadPosePitch",
    unit="degree",
    native=native,
    scale=SCALES["HeadPosePitch"],
)
