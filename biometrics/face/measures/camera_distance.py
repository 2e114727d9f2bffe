"""CameraDistance: how far the camera is from the eyes, if it is an uncropped usual one.

Unit: metres. Source: MediaPipe Iris (Ablavatski et al. 2020): an iris is 11.7 mm across, give or
take 0.5, whoever's it is; how many pixels that is tells the distance once the lens is known. Here
a lens is assumed that sees 63 degrees across, as desk cameras do. On record only: a zoom or a crop
makes it wrong, and the perspective of the face itself tells less than faces differ
(docs/portrait-covering.md).
"""

import math

import numpy as np

from biometrics.face.landmarks import Points
from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_IRIS = 0.0117
_VIEW = 63.0


def native(sight: Sight) -> float:
    """Return the distance by the mean of both irises."""
    focal = sight.width / 2 / math.tan(math.radians(_VIEW / 2))
    across = np.mean([_diameter(iris) for iris in sight.irises])
    return focal * _IRIS / max(float(across), 0.1)


def _diameter(iris: Points) -> float:
    """Return the mean of the two diameters between opposite points of the rim, pixels."""
    return float(np.linalg.norm(iris[1] - iris[3]) + np.linalg.norm(iris[2] - iris[4])) / 2


MEASURE = Measure(
    name="CameraDistance",
    unit="m",
    native=native,
    scale=rising(0.5, 0.05),
)
