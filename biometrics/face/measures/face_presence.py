"""FacePresence: how sure the mesh network is that it looks at a face. Our own component.

Unit: probability, 0..1. Source: model card of FaceMesh (MediaPipe).
"""

from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the network's own answer."""
    return sight.face.presence


MEASURE = Measure(
    name="FacePresence",
    unit="probability",
    native=native,
    scale=rising(0.5, 0.1),
)
