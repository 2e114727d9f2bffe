"""BackgroundLightness: how light the darker parts of the wall are. Our own component.

Unit: 5th percentile of L*, 0..100.
"""

import numpy as np

from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the percentile over the wall."""
    if sight.wall is None:
        return None
    return float(np.percentile(sight.view_lab[..., 0][sight.wall], 5))


MEASURE = Measure(
    name="BackgroundLightness",
    unit="L*",
    native=native,
    scale=rising(65, 5),
    cadence=Cadence.SCENE,
)
