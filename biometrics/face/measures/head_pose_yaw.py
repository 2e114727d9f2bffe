"""HeadPoseYaw: to the sitter's left is positive.

Unit: degrees. Source: axes of the mesh's own depth, see `biometrics.face.pose`.
"""

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the angle."""
    return sight.pose.yaw


MEASURE = Measure(
    name="HeadPoseYaw",
    unit="degree",
    native=native,
    scale=SCALES["HeadPoseYaw"],
)
