"""From sRGB to linear light and to CIE L*a*b*, once for all who measure or mend colours.

It measures nothing and changes no picture.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_KNEE: Final = 0.04045
_RAMP: Final = np.arange(256) / 255
LINEAR: Final = np.where(_RAMP <= _KNEE, _RAMP / 12.92, ((_RAMP + 0.055) / 1.055) ** 2.4)
"""Linear light, 0..1, of each sRGB value (IEC 61966-2-1)."""
LUMINANCE: Final = np.array([0.0722, 0.7152, 0.2126])
"""Shares of linear blue, green and red in luminance (ITU-R BT.709)."""


def encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sRGB values, 0..1, of linear light, 0..1."""
    curved = 1.055 * light ** (1 / 2.4) - 0.055
    return np.where(light <= _KNEE / 12.92, light * 12.92, curved)


def lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return CIE L*a*b* (D65) of height x width x 3, blue-green-red, in the same shape."""
    scaled = (pixels / np.float32(255)).astype(np.float32)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2LAB), np.float32)
