"""White balance of a print by the wall behind the sitter: one step, limited, off unless asked for.

It never looks at skin, changes no master picture, and trusts that the wall is grey: before a wall
of another colour it must not be used (docs/portrait-records.md).
"""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.colour import LINEAR, LUMINANCE, encoded
from biometrics.face.segment import PersonSegmenter

Done = Literal["balanced", "neutral_already", "too_little_wall", "wall_not_grey"]

ENOUGH: Final = 0.05
"""Share of the picture that must be usable wall. Own choice."""
DARKEST: Final = 60
BRIGHTEST: Final = 250
"""sRGB values between which a channel of the wall tells its colour: above is clipping, below
noise. Own choice."""
STRONGEST: Final = 1.25
"""Largest gain, and 1 over the smallest. A wall that needs more is taken for a painted one, or
the lamps are to be mended. Own choice: a b*-cast of 12 on a wall of L* 80."""
SMALLEST: Final = 0.015
"""Gains nearer to 1 than this are not applied: they are what rounding to eight bits leaves."""
_PERSON: Final = 0.1
"""Share of person from which a pixel is no wall: low, so that hair and its fringe are none."""
_MARGIN: Final = 0.03
"""Of the picture's width around the person that is no wall either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """A picture and what was done to it.

    Attributes:
        pixels: the picture; the same object where nothing was done.
        done: "balanced", or why not.
        gains: on linear blue, green and red; None where the wall could not be assessed.
    """

    pixels: NDArray[np.uint8]
    done: Done
    gains: tuple[float, float, float] | None


def wall_of(pixels: NDArray[np.uint8], segmenter: PersonSegmenter) -> NDArray[np.bool_]:
    """Return where a picture, height x width x 3, shows wall: away from the person."""
    height, width = pixels.shape[:2]
    person = cv2.resize(segmenter.share(pixels), (width, height)) > _PERSON
    side = 2 * max(1, round(_MARGIN * width)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(person.astype(np.uint8), kernel) == 0, np.bool_)


def balance(pixels: NDArray[np.uint8], wall: NDArray[np.bool_]) -> Balanced:
    """Return the picture with its wall made neutral grey of the same luminance.

    Args:
        pixels: height x width x 3, uint8, blue-green-red, sRGB.
        wall: height x width, true where the wall is (`wall_of`).
    """
    told = wall & np.all((pixels >= DARKEST) & (pixels <= BRIGHTEST), axis=2)
    if told.sum() < ENOUGH * told.size:
        return Balanced(pixels=pixels, done="too_little_wall", gains=None)
    colour = np.median(LINEAR[pixels[told]], axis=0)
    exact = float(LUMINANCE @ colour) / colour
    gains = (float(exact[0]), float(exact[1]), float(exact[2]))
    if not 1 / STRONGEST <= min(gains) <= max(gains) <= STRONGEST:
        return Balanced(pixels=pixels, done="wall_not_grey", gains=gains)
    if max(abs(gain - 1) for gain in gains) < SMALLEST:
        return Balanced(pixels=pixels, done="neutral_already", gains=gains)
    curves = np.stack([_curve(gain) for gain in gains], axis=-1)
    done = np.asarray(cv2.LUT(pixels, curves[None]), np.uint8)
    return Balanced(pixels=done, done="balanced", gains=gains)


def _curve(gain: float) -> NDArray[np.uint8]:
    """Return for each sRGB value what it becomes when its light is `gain` times as much."""
    return np.asarray(np.rint(encoded(np.clip(LINEAR * gain, 0, 1)) * 255), np.uint8)
