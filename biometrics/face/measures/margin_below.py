"""MarginBelowOfTheFaceImage: room below the eyes.

Unit: T, from between the eyes to the chin. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it.
"""

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the room to the picture's edge."""
    return (sight.height - float(sight.face.between_eyes[1])) / sight.t


MEASURE = Measure(
    name="MarginBelowOfTheFaceImage",
    unit="T",
    native=native,
    scale=SCALES["MarginBelowOfTheFaceImage"],
)
