"""EyesOpen: the narrower eye's widest lid distance, by the iris network.

Unit: T. Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it, with other landmarks: the iris network
tells closed lids where the mesh does not (docs/portrait.md).
"""

import numpy as np

from biometrics.face.landmarks import Points
from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_LOWER_LID = range(1, 8)


def native(sight: Sight) -> float:
    """Return the smaller of both eyes' widest distance."""
    return min(widest(contour) for contour in sight.eyes) / sight.t


def widest(contour: Points) -> float:
    """Return the widest distance of the lids in an eye's contour, 71 x 2, pixels."""
    return max(float(np.linalg.norm(contour[low] - contour[low + 8])) for low in _LOWER_LID)


MEASURE = Measure(
    name="EyesOpen",
    unit="T",
    native=native,
    scale=SCALES["EyesOpen"],
)
