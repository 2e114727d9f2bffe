"""What can be measured of a print in a few milliseconds, each with its unit.

It weighs nothing and sets no limits: see `estimate` and `limits`.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.finger.ground import DPI, Floats, Mask, foreground, halved, spread

_PIXELS_PER_MM: Final = DPI / 25.4
_GROUND_FROM: Final = 125
"""Pixels of ground needed to say how bright it is."""
_OF_GROUND: Final = 60
"""Percentile of its grey that speaks for the ground: traces on the glass darken parts of it."""
_SCHARR: Final = 32.0
"""Sum of the positive weights of the Scharr kernel, twice over: makes grey levels per pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Native values over the finger, at 250 dpi where not said otherwise.

    Attributes:
        area: mm2 that the finger covers.
        off_centre: distance of the finger's middle from the picture's, as a share of the
            picture's half diagonal.
        coherence: mean agreement of the gradients' directions within 0.3 mm, 0..1.
        period: mm from ridge to ridge that the gradients speak of; blur makes it longer.
        contrast: mean spread of grey in a block of 0.8 mm, grey levels.
        ridges: share of the finger darker than its surroundings, 0..1.
        fine: share of the energy in details under 0.1 mm, at 500 dpi, 0..1.
        polarity: where the grey of the ground lies between the finger's dark (-0.5) and light
            (0.5) tenth; positive is right, None where the finger fills the picture.
    """

    area: float
    off_centre: float
    coherence: float
    period: float
    contrast: float
    ridges: float
    fine: float
    polarity: float | None


def measure(image: NDArray[np.uint8]) -> Measures | None:
    """Return the measures of a picture at 500 dpi, None where there is nothing like a finger."""
    half = halved(image)
    finger = foreground(half)
    if not finger.any():
        return None
    grey = half.astype(np.float32)
    around = _smooth(grey, 6)
    coherence, steepness = _gradients(grey)
    detail = _smooth(grey - around, 0.6)
    frequency = np.sqrt(steepness / (_smooth(detail * detail, 4) + 1))
    return Measures(
        area=float(finger.sum()) / _PIXELS_PER_MM**2,
        off_centre=_off_centre(finger),
        coherence=float(coherence[finger].mean()),
        period=2 * math.pi / max(1e-3, float(np.median(frequency[finger]))) / _PIXELS_PER_MM,
        contrast=float(spread(half)[finger].mean()),
        ridges=float((grey < _smooth(grey, 4))[finger].mean()),
        fine=_fine(image, finger, float(np.square(grey - around)[finger].mean())),
        polarity=_polarity(grey, finger),
    )


def _smooth(values: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _gradients(grey: Floats) -> tuple[Floats, Floats]:
    """Return the coherence of the structure tensor, 0..1, and its trace (levels / pixel)^2."""
    x = cv2.Scharr(grey, cv2.CV_32F, 1, 0, scale=1 / _SCHARR)
    y = cv2.Scharr(grey, cv2.CV_32F, 0, 1, scale=1 / _SCHARR)
    xx, yy, xy = (_smooth(np.asarray(product, np.float32), 3) for product in (x * x, y * y, x * y))
    trace = xx + yy
    return np.asarray(np.hypot(xx - yy, 2 * xy) / (trace + 1e-3), np.float32), trace


def _fine(image: NDArray[np.uint8], finger: Mask, energy: float) -> float:
    grey = image.astype(np.float32)
    rest = cv2.resize(np.square(grey - _smooth(grey, 0.7)), finger.shape[::-1])
    return float(rest[finger].mean()) / (energy + 1e-3)


def _off_centre(finger: Mask) -> float:
    rows, columns = np.nonzero(finger)
    height, width = finger.shape
    off = math.hypot(rows.mean() - (height - 1) / 2, columns.mean() - (width - 1) / 2)
    return off / math.hypot(height / 2, width / 2)


def _polarity(grey: Floats, finger: Mask) -> float | None:
    """Ground lies outside the finger's hull, because drops may fill parts of the finger."""
    outline, _ = cv2.findContours(finger.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.fillConvexPoly(
        np.zeros(finger.shape, np.uint8), cv2.convexHull(np.vstack(outline)), 1
    )
    ground = grey[cv2.dilate(hull, np.ones((9, 9), np.uint8)) == 0]
    if ground.size < _GROUND_FROM:
        return None
    dark, light = np.percentile(grey[finger], (10, 90))
    return float((np.percentile(ground, _OF_GROUND) - (dark + light) / 2) / max(1.0, light - dark))
