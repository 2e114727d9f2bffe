"""HeadSize: from between the eyes to the chin, over the height of the picture.

Unit: share of the height. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it; its score is best at
0.45, which no usual picture has (docs/portrait.md), so that only the native value is gated.
"""

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return T over the height."""
    return sight.face.eye_to_chin / sight.height


MEASURE = Measure(
    name="HeadSize",
    unit="T/height",
    native=native,
    scale=SCALES["HeadSize"],
)
