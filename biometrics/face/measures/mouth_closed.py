"""MouthClosed: the widest distance of the inner lips, by the mesh.

Unit: T. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it, with other landmarks.
"""

import numpy as np

from biometrics.face.landmarks import INNER_LIPS
from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the widest of three distances."""
    points = sight.face.points[:, :2]
    return max(float(np.linalg.norm(points[a] - points[b])) for a, b in INNER_LIPS) / sight.t


MEASURE = Measure(
    name="MouthClosed",
    unit="T",
    native=native,
    scale=SCALES["MouthClosed"],
)
