"""RightwardCropOfTheFaceImage: room on the right of the left eye.

Unit: IED. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it.
"""

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the room to the picture's edge."""
    return (sight.width - float(sight.face.left_eye[0])) / sight.ied


MEASURE = Measure(
    name="RightwardCropOfTheFaceImage",
    unit="IED",
    native=native,
    scale=SCALES["RightwardCropOfTheFaceImage"],
)
