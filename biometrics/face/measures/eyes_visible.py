"""EyesVisible: lightness of an eye's lower lid and the skin below over the cheek's, darker eye.

Unit: ratio of L*; 1 for bare skin of whatever tone, little behind dark glasses or hair.
Our own component under the name of ISO/IEC 29794-5: its occlusion network is not reachable.
"""

from biometrics.face import regions
from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the smaller of both eyes' ratios."""
    ratios = []
    for below, cheek in zip(regions.BELOW_EYES, regions.CHEEKS, strict=True):
        parts = regions.colour(sight, below), regions.colour(sight, cheek)
        if parts[0] is None or parts[1] is None:
            return None
        ratios.append(regions.ratio(float(parts[0][0]), float(parts[1][0])))
    return min(ratios)


MEASURE = Measure(
    name="EyesVisible",
    unit="L* ratio",
    native=native,
    scale=rising(0.41, 0.05),
    cadence=Cadence.SCENE,
)
