"""EyesAlike: the narrower eye's lid distance over the wider one's: a wink, a drooping lid.

Unit: ratio, 0..1. Our own component, on the contours of the iris network.
"""

from biometrics.face.mapping import rising
from biometrics.face.measures.eyes_open import widest
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the ratio; a thousandth of T is added to both, so that closed eyes are alike."""
    narrow, wide = sorted(widest(contour) + 0.001 * sight.t for contour in sight.eyes)
    return narrow / wide


MEASURE = Measure(
    name="EyesAlike",
    unit="ratio",
    native=native,
    scale=rising(0.75, 0.05),
)
