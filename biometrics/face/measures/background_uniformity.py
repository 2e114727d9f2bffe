"""BackgroundUniformity: how busy the wall is, in grey. Blind to a plain dark or coloured wall.

Unit: mean Scharr gradient of the grey view. Source: after ISO/IEC 29794-5 as OFIQ 1.0.3 takes it,
with another segmentation.
"""

import cv2
import numpy as np

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the mean over the wall."""
    if sight.wall is None:
        return None
    grey = np.asarray(cv2.cvtColor(sight.view, cv2.COLOR_BGR2GRAY), np.float32)
    edges = np.hypot(cv2.Scharr(grey, -1, 1, 0), cv2.Scharr(grey, -1, 0, 1))
    return float(edges[sight.wall].mean())


MEASURE = Measure(
    name="BackgroundUniformity",
    unit="gradient",
    native=native,
    scale=SCALES["BackgroundUniformity"],
    cadence=Cadence.SCENE,
)
