"""Where in a picture at 500 dpi the finger lies.

It says nothing of how good the ridges are.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK: Final = 16
"""Pixels at 500 dpi: one to two ridges, the block of NFIQ 1 and of mindtct."""
_LEAST_SPREAD: Final = 6.0
"""Grey levels: what a sensor's own noise and shading reach over one block."""
_SHARE_OF_STRONG: Final = 0.3
"""Of the spread that the strongest blocks have."""


def spread(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the standard deviation of grey in the block around each pixel."""
    grey = image.astype(np.float32)
    size = (BLOCK, BLOCK)
    mean = cv2.blur(grey, size)
    square = cv2.blur(grey * grey, size)
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), np.float32)


def foreground(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which pixels belong to the finger: the largest patches of strong local contrast."""
    around = spread(image)
    least = max(_LEAST_SPREAD, _SHARE_OF_STRONG * float(np.percentile(around, 95)))
    mask = (around >= least).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BLOCK + 1, 2 * BLOCK + 1))
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 1:
        return np.zeros(image.shape, np.bool_)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.asarray(labels == 1 + int(areas.argmax()), np.bool_)
