"""SingleFacePresent: area of the second largest face over the largest's, 0 for one face.

Unit: ratio. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it.
"""

from biometrics.face.detect import SECOND_SCORE
from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the ratio; None where a face was followed and none were looked for."""
    if not sight.found:
        return None
    others = [face.area for face in sight.found[1:] if face.score > SECOND_SCORE]
    return max(others, default=0.0) / max(sight.found[0].area, 1e-9)


MEASURE = Measure(
    name="SingleFacePresent",
    unit="area ratio",
    native=native,
    scale=SCALES["SingleFacePresent"],
    cadence=Cadence.SCENE,
)
