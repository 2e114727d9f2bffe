"""Noise: grain of the sensor where the face is smoothest. Our own component.

Unit: standard deviation, grey levels of 255, of a face whose eyes are at most 60 pixels apart.
Source: Immerkaer 1996, whose operator does not see flat shading, on squares of 8 pixels; that a
tenth of them is less grainy leaves brows, beards and hair out. Shot noise is much the same on
light and on dark skin once the picture is gamma-encoded; clipped squares are left out.
"""

from typing import Final

import cv2
import numpy as np

from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_OPERATOR: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_TO_DEVIATION: Final = float(np.sqrt(np.pi / 2)) / 6
_SQUARE: Final = 8
_SMOOTHEST: Final = 10
"""Per cent."""
_FEWEST: Final = 8
_DARKEST, _LIGHTEST = 6, 252


def native(sight: Sight) -> float | None:
    """Return the lowest tenth of the squares' deviations; None where too few are unclipped."""
    grey = sight.near_face
    height, width = (side // _SQUARE * _SQUARE for side in grey.shape)
    if not height or not width:
        return None
    edges = np.abs(cv2.filter2D(grey.astype(np.float32), -1, _OPERATOR)) * _TO_DEVIATION
    shape = (height // _SQUARE, _SQUARE, width // _SQUARE, _SQUARE)
    squares = grey[:height, :width].reshape(shape)
    whole = (squares.min((1, 3)) > _DARKEST) & (squares.max((1, 3)) < _LIGHTEST)
    if int(whole.sum()) < _FEWEST:
        return None
    deviations = edges[:height, :width].reshape(shape).mean((1, 3))
    return float(np.percentile(deviations[whole], _SMOOTHEST))


MEASURE = Measure(name="Noise", unit="grey levels", native=native, scale=falling(1.5, 0.3))
