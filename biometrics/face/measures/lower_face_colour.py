"""LowerFaceColour: how far nose tip or chin are in colour from the bridge and the upper cheeks.

Unit: distance in CIE a*b*, the larger one. Our own component: a coloured mask. The tone of the
skin falls out, and beards differ from skin less than dyed cloth. Not assessed in a grey picture.
"""

import numpy as np

from biometrics.face import regions
from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the distance."""
    tip, chin = regions.colour(sight, regions.NOSE_TIP), regions.colour(sight, regions.CHIN)
    above = regions.colour(sight, regions.NOSE_BRIDGE + regions.UPPER_CHEEKS)
    if tip is None or chin is None or above is None or not regions.coloured(sight):
        return None
    return max(float(np.hypot(*(part - above)[1:])) for part in (tip, chin))


MEASURE = Measure(
    name="LowerFaceColour",
    unit="a*b*",
    native=native,
    scale=falling(15, 2),
    cadence=Cadence.SCENE,
)
