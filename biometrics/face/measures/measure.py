"""What a measure is: a name, a unit, how it is taken, and how it reads as a score.

It takes none itself and knows no limits; those stand in the profiles.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from biometrics.face.mapping import Scale
from biometrics.face.sight import Sight


class Cadence(enum.StrEnum):
    """How often a live picture is asked again."""

    FRAME = "frame"
    """What a sitter changes within a moment: pose, lids, lips, light on the face."""
    SCENE = "scene"
    """What stays for a while and costs more: the wall, a second person, clothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One component of quality.

    Attributes:
        name: of ISO/IEC 29794-5 where it names the component, else our own.
        unit: of the native value.
        native: takes it; None says that it could not be assessed.
        scale: from the native value to 0..100, 100 best; the reference's where the native value
            is the reference's too, else our own.
        cadence: how often it is taken of a live picture.
    """

    name: str
    unit: str
    native: Callable[[Sight], float | None]
    scale: Scale
    cadence: Cadence = Cadence.FRAME
