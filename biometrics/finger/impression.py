"""An impression as the judges of fingers want it: checked, grey, at 500 dpi.

It judges no quality and keeps nothing.
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.finger import limits

DPI: Final = 500


class ImpressionInvalid(ValueError):
    """The pixels are not one grey picture of a size a finger can have."""


def at_500_dpi(pixels: NDArray[np.uint8], dpi: int) -> NDArray[np.uint8]:
    """Return the picture at 500 dpi, or the same picture where it is near enough.

    Args:
        pixels: height x width, uint8, dark ridges on light ground.
        dpi: of the reader, the same in both directions.

    Raises:
        ImpressionInvalid: another type or shape, an impossible resolution, or a side
            outside `limits.SMALLEST_SIDE` .. `limits.LARGEST_SIDE`.
    """
    _check(pixels, dpi)
    factor = scale(dpi)
    height, width = (round(side * factor) for side in pixels.shape)
    if min(height, width) < limits.SMALLEST_SIDE.value:
        raise ImpressionInvalid(f"{width} x {height} px at 500 dpi is smaller than a finger")
    if max(height, width) > limits.LARGEST_SIDE.value:
        raise ImpressionInvalid(f"{width} x {height} px at 500 dpi is larger than a finger")
    if (height, width) == pixels.shape:
        return np.ascontiguousarray(pixels)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=way), np.uint8)


def scale(dpi: int) -> float:
    """Return how many pixels at 500 dpi one pixel is; 1 where the difference is too small."""
    factor = DPI / dpi
    return 1.0 if abs(factor - 1) <= limits.DPI_SLACK.value else factor


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the picture as an 8-bit grey PNG.

    Raises:
        ImpressionInvalid: it cannot be written.
    """
    done, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise ImpressionInvalid("the picture cannot be written as PNG")
    return data.tobytes()


def pgm(pixels: NDArray[np.uint8]) -> bytes:
    """Return the picture as a binary PGM: its size in plain text, then its bytes."""
    height, width = pixels.shape
    return b"P5\n%d %d\n255\n" % (width, height) + pixels.tobytes()


def _check(pixels: Any, dpi: Any) -> None:  # noqa: ANN401 - what comes may be anything
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        raise ImpressionInvalid("an impression is an array of uint8")
    if pixels.ndim != 2:  # noqa: PLR2004 - height x width
        raise ImpressionInvalid("an impression is height x width, one grey value each")
    if isinstance(dpi, bool) or not isinstance(dpi, int | np.integer):
        raise ImpressionInvalid("the resolution is a whole number of dpi")
    if not limits.LOWEST_DPI.value <= dpi <= limits.HIGHEST_DPI.value:
        raise ImpressionInvalid(f"{dpi} dpi is no resolution of a fingerprint reader")
