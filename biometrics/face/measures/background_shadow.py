"""BackgroundShadow: how unevenly the wall near the head is lit. Our own component.

Unit: standard deviation of L* within 0.45 eye distances of the person.
"""

from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import ENOUGH, Sight

_REACH = 0.45


def native(sight: Sight) -> float | None:
    """Return the deviation; None where too little wall is seen there."""
    if sight.wall is None:
        return None
    around = sight.wall & sight.near(_REACH)
    if int(around.sum()) < ENOUGH:
        return None
    return float(sight.view_lab[..., 0][around].std())


MEASURE = Measure(
    name="BackgroundShadow",
    unit="L*",
    native=native,
    scale=falling(4.5, 1.0),
    cadence=Cadence.SCENE,
)
