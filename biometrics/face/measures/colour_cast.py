"""ColourCast: how much of the wall's colour lies on the sitter too, and so is the light's.

Unit: chroma in CIE a*b*. Our own component. A coloured wall leaves the whites of the eyes and the
cheeks as they are; a coloured lamp, or a camera set for another, moves all three the same way.
Taken along the direction of the wall's colour, and never more than the wall's own: a neutral wall
tells that the light is neutral, whatever the skin.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.face.colour import lab
from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Pixels, Sight

_EYE_WHITE: Final = np.array([4.2, 2.4])
"""Median a*, b* of the whites of 54 studio sitters' eyes; half of them lie within 3."""
_SKIN: Final = np.array([11.4, 10.8])
"""Median a*, b* of their cheeks; deviations 2.3 and 3.7, all groups together."""
_NEUTRAL: Final = 1e-3


def native(sight: Sight) -> float | None:
    """Return the shared chroma; None where there is too little wall or no whole cheek."""
    wall = sight.wall
    if wall is None or sight.cheeks is None:
        return None
    tint = np.median(sight.view_lab[wall][:, 1:], axis=0).astype(np.float64)
    chroma = float(np.hypot(*tint))
    if chroma < _NEUTRAL:
        return 0.0
    cheeks = np.concatenate([sight.chip[square].reshape(-1, 3) for square in sight.cheeks])
    shifts = [_tint(cheeks) - _SKIN]
    if len(sight.eye_whites):
        shifts.append(_tint(sight.eye_whites) - _EYE_WHITE)
    shared = [min(chroma, float(shift @ tint) / chroma) for shift in shifts]
    return max(0.0, float(np.mean(shared)))


def _tint(pixels: Pixels) -> NDArray[np.float64]:
    """Return the median a* and b* of a list of pixels."""
    return np.asarray(np.median(lab(pixels[None])[0, :, 1:], axis=0), np.float64)


MEASURE = Measure(
    name="ColourCast",
    unit="a*b*",
    native=native,
    scale=falling(6, 1.5),
    cadence=Cadence.SCENE,
)
