"""Sharpness: of the eyes, by re-blurring: what is blurred already hardly changes by more of it.

Unit: 0 (blurred) .. 1 (sharp). Source: Crete, Dolmiere, Ladret and Nicolas 2007, on the strip
across the eyes because skin has no edges to judge by. OFIQ's own forest is not reachable, so that
the scale is ours.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.mapping import rising
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight

_TAPS: Final = 5
"""Pixels of a print: with the nine of the source, soft lashes read as blur."""
_GRAIN: Final = 0.7
"""Pixels of smoothing: the grain of a sensor is no sharpness, least of all of what moved."""
_FAINT: Final = 2.0
"""Grey levels from pixel to pixel up to which it is no edge, but what is left of the grain."""


def native(sight: Sight) -> float:
    """Return the sharpness of the strip across the eyes."""
    # In fractions of a grey level: of a strong blur little more is left.
    smooth = cv2.GaussianBlur(sight.strip.astype(np.float32), (3, 3), _GRAIN)
    return crete(np.asarray(smooth, np.float32))


def crete(strip: NDArray[np.uint8] | NDArray[np.float32]) -> float:
    """Return 0..1 of a grey strip."""
    image = strip.astype(np.float32)
    return 1.0 - max(_blur(image), _blur(image.T))


def _blur(image: NDArray[np.float32]) -> float:
    """Return the share of the row-wise differences that survives one more blur."""
    sums = np.cumsum(np.pad(image, ((0, 0), (_TAPS // 2 + 1, _TAPS // 2)), mode="edge"), axis=1)
    smooth = (sums[:, _TAPS:] - sums[:, :-_TAPS]) / _TAPS
    before = np.abs(np.diff(image, axis=1))
    after = np.abs(np.diff(smooth, axis=1))
    edges = before > _FAINT
    total = float(before[edges].sum())
    if total < 1.0:
        return 1.0
    return 1.0 - float(np.maximum(before - after, 0)[edges].sum()) / total


MEASURE = Measure(
    name="Sharpness",
    unit="1 - re-blur",
    native=native,
    scale=rising(0.2, 0.03),
)
