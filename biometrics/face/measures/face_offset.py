"""FaceOffset: how far from the picture's middle the eyes' midpoint lies. Our own component.

Unit: share of the width; negative is the picture's left, which is the sitter's right.
"""

from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the offset."""
    return float(sight.face.between_eyes[0]) / sight.width - 0.5


MEASURE = Measure(
    name="FaceOffset",
    unit="share of width",
    native=native,
    scale=falling(0.25, 0.05),
)
