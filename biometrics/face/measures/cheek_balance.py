"""CheekBalance: the darker cheek's mean luminance over the lighter one's. Our own component.

Unit: ratio, 0..1; a ratio, so that the tone of the skin falls out.
"""

from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the ratio; one step of luminance is added to both, for the black of noise."""
    if sight.cheeks is None:
        return None
    means = [float(sight.luminance[square].mean()) + 1.0 for square in sight.cheeks]
    return min(means) / max(means)


MEASURE = Measure(
    name="CheekBalance",
    unit="ratio",
    native=native,
    scale=rising(0.6, 0.06),
)
