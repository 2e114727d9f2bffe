"""Which pixels NFIQ 2 takes for the finger: the largest dark patch of a blurred picture.

It judges nothing. Our own foreground, which is tighter, stands in `ground`. It is seen at 250 dpi
instead of 500, for a quarter of the time: of its wide blurs nothing is lost by that.
"""

from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from biometrics.finger.ground import halved

Image = NDArray[np.uint8]

_DETAIL: Final = np.ones((3, 3), np.uint8)
_BLUR: Final = ((21, 21), 3.25)
_WIDER_BLUR: Final = ((45, 45), 7.0)
"""Pixels and sigma at 250 dpi: half of NFIQ 2.3's."""
_WHITE: Final = 255


def region(image: Image) -> NDArray[np.bool_]:
    """Return the pixels of the finger.

    Args:
        image: height x width at 500 dpi, dark ridges on light ground.
    """
    half = halved(image)
    dark = _dark(cv2.GaussianBlur(cv2.erode(half, _DETAIL), *_BLUR))
    patch = _dark(cv2.GaussianBlur(np.where(dark, 0, _WHITE).astype(np.uint8), *_WIDER_BLUR))
    outlines, nested = cv2.findContours(
        patch.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
    )
    filled = np.where(patch, 0, _WHITE).astype(np.uint8)
    for number in range(len(outlines)):
        if nested[0][number][3] >= 0:
            cv2.drawContours(filled, outlines, number, (0,), cv2.FILLED, 8, nested)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (filled == 0).astype(np.uint8), connectivity=4
    )
    if count <= 1:
        return np.zeros(image.shape, np.bool_)
    high, wide = image.shape
    boxes = stats[1:, cv2.CC_STAT_WIDTH] * stats[1:, cv2.CC_STAT_HEIGHT]
    chosen = (labels == 1 + int(boxes.argmax())).astype(np.uint8)
    whole = cv2.resize(chosen, (wide, high), interpolation=cv2.INTER_NEAREST)
    return np.asarray(whole > 0, np.bool_)


def _dark(image: MatLike) -> NDArray[np.bool_]:
    _, split = cv2.threshold(image, 0, _WHITE, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(split == 0, np.bool_)
