"""RoomLeft: room the frame has on the left of the levelled picture for the card.

Unit: T, from between the eyes to the chin; below 0 the frame ends inside the picture. Our own
component: the reference's margins do not know what is cut out of the frame.
"""

from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float:
    """Return the room."""
    return sight.room[0]


MEASURE = Measure(
    name="RoomLeft",
    unit="T",
    native=native,
    scale=rising(0, 0.05),
)
