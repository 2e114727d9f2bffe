"""BackgroundGradient: how busy the wall is, in colour. Our own component.

Unit: 90th percentile of the gradient of L*a*b*, a pixel of the 192 x 256 view.
"""

import cv2
import numpy as np

from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the percentile over the wall."""
    if sight.wall is None:
        return None
    lab = sight.view_lab
    squares = [np.square(cv2.Scharr(lab, -1, dx, 1 - dx)).sum(-1) for dx in (0, 1)]
    return float(np.percentile(np.sqrt(squares[0] + squares[1])[sight.wall], 90)) / 32


MEASURE = Measure(
    name="BackgroundGradient",
    unit="L*a*b*/px",
    native=native,
    scale=falling(1.0, 0.25),
    cadence=Cadence.SCENE,
)
