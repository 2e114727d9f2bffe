"""ExpressionNeutrality: how wide the mouth is and how far its corners are drawn up: a smile.

Unit: mouth's width over IED plus 1.5 times the lift of its corners over its width. Our own
component under the name of ISO/IEC 29794-5 (its two networks are not reachable), advice only:
mouths differ, and a wide one at rest is wider than another's smile.
"""

import math

import numpy as np

from biometrics.face.landmarks import MOUTH_CORNERS
from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_MIDDLE = (13, 14)
_LIFT = 1.5


def native(sight: Sight) -> float:
    """Return the sum; larger is more of a smile."""
    points = sight.face.points[:, :2].astype(np.float64)
    right, left = points[list(MOUTH_CORNERS)]
    across = left - right
    width = max(math.hypot(*across), 1e-6)
    lowered = points[list(_MIDDLE)].mean(0) - (right + left) / 2
    lift = float(lowered[1] * across[0] - lowered[0] * across[1]) / width**2
    return width / sight.ied + _LIFT * lift


MEASURE = Measure(
    name="ExpressionNeutrality",
    unit="mouth width/IED + lift",
    native=native,
    scale=falling(0.95, 0.06),
)
