"""LeftwardCropOfTheFaceImage: room on the left of the right eye.

Unit: IED. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it.
"""

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the room to the picture's edge."""
    return float(sight.face.right_eye[0]) / sight.ied


MEASURE = Measure(
    name="LeftwardCropOfTheFaceImage",
    unit="IED",
    native=native,
    scale=SCALES["LeftwardCropOfTheFaceImage"],
)
