"""Where in a picture the finger lies, seen at 250 dpi.

It says nothing of how good the ridges are.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

DPI: Final = 250
"""Ridges are 4 to 6 pixels apart at this resolution: enough to see them, a quarter of the work."""
_BLOCK: Final = 8
"""Pixels: one to two ridges, the block of mindtct."""
_LEAST_SPREAD: Final = 6.0
"""Grey levels: what a sensor's own noise and shading reach over one block."""
_SHARE_OF_STRONG: Final = 0.3
"""Of the spread that the strongest blocks have."""


def halved(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture at 500 dpi at 250 dpi."""
    return np.asarray(
        cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
    )


def spread(half: NDArray[np.uint8]) -> Floats:
    """Return the standard deviation of grey in the block around each pixel, in levels."""
    grey = half.astype(np.float32)
    mean = cv2.blur(grey, (_BLOCK, _BLOCK))
    square = cv2.blur(grey * grey, (_BLOCK, _BLOCK))
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), np.float32)


def foreground(half: NDArray[np.uint8]) -> Mask:
    """Return which pixels belong to the finger: the largest patch of strong local contrast."""
    around = spread(half)
    least = max(_LEAST_SPREAD, _SHARE_OF_STRONG * float(np.percentile(around, 95)))
    side = 2 * _BLOCK + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    mask = cv2.morphologyEx((around >= least).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 1:
        return np.zeros(half.shape, np.bool_)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.asarray(labels == 1 + int(areas.argmax()), np.bool_)
