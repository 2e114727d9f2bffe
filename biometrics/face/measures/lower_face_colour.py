"""LowerFaceColour: how far the nose's tip is in colour from the bridge and the upper cheeks.

Unit: distance in CIE a*b*. Our own component: a coloured mask; beards grow on no nose, and the
tone of the skin falls out. Not assessed in a grey picture.
"""

import numpy as np

from biometrics.face import regions
from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the distance."""
    tip = regions.colour(sight, regions.NOSE_TIP)
    above = regions.colour(sight, regions.NOSE_BRIDGE + regions.UPPER_CHEEKS)
    if tip is None or above is None or not regions.coloured(sight):
        return None
    return float(np.hypot(*(tip - above)[1:]))


MEASURE = Measure(
    name="LowerFaceColour",
    unit="a*b*",
    native=native,
    scale=falling(12, 2),
    cadence=Cadence.SCENE,
)
