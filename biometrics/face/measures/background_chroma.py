"""BackgroundChroma: how coloured the wall is. Our own component.

Unit: median chroma in CIE a*b*.
"""

import numpy as np

from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the median over the wall."""
    if sight.wall is None:
        return None
    lab = sight.view_lab
    return float(np.median(np.hypot(lab[..., 1], lab[..., 2])[sight.wall]))


MEASURE = Measure(
    name="BackgroundChroma",
    unit="a*b*",
    native=native,
    scale=falling(6, 1.5),
    cadence=Cadence.SCENE,
)
