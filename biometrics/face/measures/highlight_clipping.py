"""HighlightClipping: share of the face that is burnt out in one colour at least.

Unit: share of pixels with a channel of 252..255. Our own component: the reference's
OverExposurePrevention waits until all three are gone, where red skin loses its red long before.
"""

from typing import Final

import numpy as np

from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_CLIPPED: Final = 252


def native(sight: Sight) -> float | None:
    """Return the share."""
    inside = sight.chip[sight.skin]
    return float(np.mean(inside.max(-1) >= _CLIPPED)) if inside.size else None


MEASURE = Measure(
    name="HighlightClipping",
    unit="share of face",
    native=native,
    scale=falling(0.05, 0.015),
)
