"""What frames of an empty booth tell of a camera: focus, light, noise, and how fast they come.

It judges no portrait (`biometrics.face` does), and it sets no limits (see `camera`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.colour import LINEAR, LUMINANCE
from hardware.camera.port import Frame

_SMOOTH: Final = 1.5
"""Pixels: so much of a blur is added before edges are measured, against noise; taken off after."""
_SHARPEST: Final = 99.95
"""Percentile of the edges' steepness that speaks for them: 460 pixels of 1280 x 720."""
_LEAST_EDGE: Final = 6.0
"""Grey levels a pixel that an edge must rise, or a blank wall's noise would be measured."""
_PEAK: Final = 0.6065
"""exp(-1/2): the bend of a blurred edge peaks at this over the blur, of its slope's peak."""
_FLAT: Final = 1.0
"""Levels a pixel, squared: where less rises nothing bends."""
_PARTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What was measured over some frames.

    Attributes:
        rate: frames a second, by their own times; None of one frame.
        blur: of the sharpest edges, standard deviation in pixels; None where nothing in the
            picture has an edge.
        light: median brightness, 0..255 (sRGB).
        evenness: linear light of the darker side over that of the brighter one, 0..1.
        noise: standard deviation between one frame and the next where nothing moved, in levels.
        still: every frame is the same to the last bit.
    """

    rate: float | None
    blur: float | None
    light: float
    evenness: float
    noise: float
    still: bool


def measure(frames: Sequence[Frame]) -> Picture:
    """Return the measures of frames that follow each other; of their medians.

    Raises:
        ValueError: no frame.
    """
    if not frames:
        raise ValueError("no frame")
    pictures = [frame.pixels for frame in frames]
    greys = [np.asarray(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), np.float32) for one in pictures]
    blurs = [blur for grey in greys[-3:] if (blur := edge_blur(grey)) is not None]
    seconds = frames[-1].at - frames[0].at
    return Picture(
        rate=(len(frames) - 1) / seconds if seconds > 0 else None,
        blur=float(np.median(blurs)) if blurs else None,
        light=float(np.median(greys[-1])),
        evenness=_evenness(pictures[-1]),
        noise=_noise(greys),
        still=len(frames) > 1 and all(np.array_equal(pictures[0], one) for one in pictures[1:]),
    )


def edge_blur(grey: NDArray[np.float32]) -> float | None:
    """Return the blur of the sharpest edges, standard deviation in pixels; None without edges.

    An edge blurred by s rises with A/(s sqrt(2 pi)) at most, and bends across itself by exp(-1/2)/s
    of that: their ratio gives s, whatever the contrast A. (Along itself an edge bends at corners,
    which say nothing of blur.)
    """
    smooth = cv2.GaussianBlur(grey, (0, 0), _SMOOTH)
    x, y = (cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    slope = np.hypot(x, y)
    steepest = float(np.percentile(slope, _SHARPEST))
    if steepest < _LEAST_EDGE:
        return None
    xx, xy, yy = (
        cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 4) for order in ((2, 0), (1, 1), (0, 2))
    )
    bend = np.abs(xx * x * x + 2 * xy * x * y + yy * y * y) / (slope * slope + _FLAT)
    total = _PEAK * steepest / max(float(np.percentile(bend, _SHARPEST)), 1e-6)
    return float(np.sqrt(max(0.0, total**2 - _SMOOTH**2)))


def _evenness(pixels: NDArray[np.uint8]) -> float:
    """The picture's outer thirds: whoever sits in the middle does not make the light uneven."""
    light = LINEAR[pixels] @ LUMINANCE
    third = light.shape[1] // _PARTS
    sides = (float(np.median(light[:, :third])), float(np.median(light[:, -third:])))
    return min(sides) / max(*sides, 1e-6)


def _noise(greys: Sequence[NDArray[np.float32]]) -> float:
    """Median over the picture, so that what moves in a part of it does not count."""
    if len(greys) < 2:  # noqa: PLR2004 - a difference needs two
        return 0.0
    apart = np.abs(greys[-1] - greys[-2])
    # The median of |difference| of two normal values of deviation s is 0.954 s.
    return float(np.median(apart)) / 0.954
