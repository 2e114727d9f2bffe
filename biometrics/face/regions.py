"""Where the parts of a face lie in the small view, and what colour they have there.

It judges nothing; the measures of what covers a face share it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.face.sight import Sight

# Indices of the mesh; of a pair the first is the sitter's right.
NOSE_BRIDGE: Final = (6, 168, 197)
NOSE_TIP: Final = (1, 4, 5, 45, 275)
UPPER_CHEEKS: Final = (118, 119, 347, 348)
CHIN: Final = (175, 199, 200)
FOREHEAD: Final = (9, 108, 151, 337)
BELOW_EYES: Final = (
    (22, 23, 24, 26, 110, 228, 229, 230, 231, 232),
    (252, 253, 254, 256, 339, 448, 449, 450, 451, 452),
)
"""The lower lid and the skin under it: small lenses hide the one, hair either."""
CHEEKS: Final = ((50, 203, 205), (280, 423, 425))
NOSTRILS: Final = (98, 327)
PHILTRUM: Final = 164
BELOW_LIPS: Final = 18
UNDER_NOSE: Final = 2

GREY: Final = 3.0
"""Mean chroma of the face below which the picture has no colour to judge by."""
_SIDE: Final = 0.05
"""Half the side of a square that is looked at, eye distances."""
_DARKEST: Final = 1.0
"""L* that is added nowhere but below which no ratio is taken."""

Colour = NDArray[np.float32]


def colour(sight: Sight, points: Sequence[int]) -> Colour | None:
    """Return the median L*, a*, b* of small squares round these points; None outside the view."""
    reach = max(1, round(_SIDE * sight.view_ied))
    squares = [
        sight.view_lab[y - reach : y + reach + 1, x - reach : x + reach + 1].reshape(-1, 3)
        for x, y in np.rint(sight.view_points[list(points)]).astype(int).tolist()
        if reach <= x < sight.view_lab.shape[1] - reach
        and reach <= y < sight.view_lab.shape[0] - reach
    ]
    if not squares:
        return None
    return np.asarray(np.median(np.concatenate(squares), axis=0), np.float32)


def lightness(sight: Sight, box: tuple[float, float, float, float]) -> Colour:
    """Return L* of the view within left, top, right, bottom; empty outside the view."""
    left, top, right, bottom = (max(0, round(side)) for side in box)
    return sight.view_lab[top : bottom + 1, left : right + 1, 0]


def ratio(one: float, other: float) -> float:
    """Return the quotient of two lightnesses, held off the black of noise."""
    return max(one, _DARKEST) / max(other, _DARKEST)


def coloured(sight: Sight) -> bool:
    """Return whether the face has any colour: a grey picture tells nothing by it."""
    parts = [colour(sight, points) for points in (UPPER_CHEEKS, NOSE_BRIDGE, FOREHEAD)]
    chroma = [float(np.hypot(part[1], part[2])) for part in parts if part is not None]
    return bool(chroma) and max(chroma) >= GREY
