"""SingleFacePresent: area of the second largest face over the largest's, 0 for one face.

Unit: ratio. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it; the square of the eye distances'
ratio stands for that of the boxes, and small faces are looked for too (`company`).
"""

from biometrics.face import company
from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the ratio; None where a face was followed and none were looked for."""
    if not sight.found:
        return None
    networks = sight.networks
    return (
        company.largest(networks.detector, networks.mesh, sight.work, sight.small, sight.found) ** 2
    )


MEASURE = Measure(
    name="SingleFacePresent",
    unit="area ratio",
    native=native,
    scale=SCALES["SingleFacePresent"],
    cadence=Cadence.SCENE,
)
