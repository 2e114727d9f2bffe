"""GazeAcross: how far beside the camera the eyes look; to the sitter's left is positive.

Unit: degrees, from where the irises' centres stand between the corners of the eyes, with the turn
of the head taken off. Our own component. Up and down cannot be told: the irises hide under the
lids, and 20 degrees move their centres less than people differ (docs/portrait-covering.md).
"""

from typing import Final

from biometrics.face.landmarks import Points
from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_OUTER: Final = 0
_INNER: Final = 8
_DEGREE: Final = 0.0034
"""Eye widths by which the network moves an iris for each degree; docs/portrait-covering.md."""


def native(sight: Sight) -> float:
    """Return the mean of both eyes; crossing them falls out."""
    right, left = (_towards_nose(*eye) for eye in zip(sight.eyes, sight.irises, strict=True))
    return (right - left) / 2 / _DEGREE + sight.pose.yaw


def _towards_nose(contour: Points, iris: Points) -> float:
    """Return how far the iris stands off the middle, eye widths."""
    outer, inner = contour[_OUTER], contour[_INNER]
    across = inner - outer
    return float((iris[0] - (outer + inner) / 2) @ across / max(float(across @ across), 1e-6))


MEASURE = Measure(
    name="GazeAcross",
    unit="degree",
    native=native,
    scale=falling(12, 2),
)
