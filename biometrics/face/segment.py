"""Who is person and who is wall: the share of person in every pixel.

It looks for no face and judges no background.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.models import load

_SIDE = 256


class PersonSegmenter:
    """MediaPipe's selfie segmentation, general model."""

    def __init__(self) -> None:
        self._net = load("person")

    def share(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return 256 x 256, 0..1: the picture squeezed to a square."""
        self._net.setInput(cv2.dnn.blobFromImage(pixels, 1 / 255, (_SIDE, _SIDE), swapRB=True))
        return np.asarray(self._net.forward()[0, 0], np.float32)
