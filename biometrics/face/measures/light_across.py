"""LightAcross: how many times more light one side of the face has than the other.

Unit: stops (powers of two), negative where the picture's left side is the lighter. Our own
component: the median over pairs of points that mirror each other, so that a fringe, a scar or a
shine decides nothing; a ratio, so that the tone of the skin falls out.
"""

from typing import Final

import cv2
import numpy as np

from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_RIGHT: Final = (50, 205, 123, 187, 101, 36, 147, 103, 67, 118, 117, 69)
_LEFT: Final = (280, 425, 352, 411, 330, 266, 376, 332, 297, 347, 346, 299)
"""Points of the mesh on the cheeks and the forehead, and their mirror images."""
_SIDE: Final = 9
"""Pixels of the chip, 0.16 eye distances, over which a point's light is averaged."""


def native(sight: Sight) -> float:
    """Return the median; one step of luminance is added to all, for the black of noise."""
    light = np.log2(np.asarray(cv2.blur(sight.luminance.astype(np.float32), (_SIDE, _SIDE))) + 1)
    at = np.clip(np.rint(sight.chip_points).astype(int), 0, light.shape[0] - 1)
    right, left = (light[at[list(side), 1], at[list(side), 0]] for side in (_RIGHT, _LEFT))
    return float(np.median(left - right))


MEASURE = Measure(name="LightAcross", unit="stop", native=native, scale=falling(1.0, 0.2))
