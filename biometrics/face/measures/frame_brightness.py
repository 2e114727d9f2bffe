"""FrameBrightness: the brightest there is in the picture: a wall, a collar, a lamp's reflection.

Unit: L*, 0..100. Our own component: it tells too little light without looking at a face, whose
brightness is that of its skin.
"""

import numpy as np

from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_BRIGHT = 98.0


def native(sight: Sight) -> float:
    """Return the 98th percentile of the frame."""
    return float(np.percentile(sight.frame_lightness, _BRIGHT))


MEASURE = Measure(
    name="FrameBrightness",
    unit="L*",
    native=native,
    scale=rising(50, 5),
)
