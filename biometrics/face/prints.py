"""Prints of the master picture, 3 x 4 and 4 x 6 cm, by dated geometry (`prints.json`).

It crops no frames (`biometrics.face.crop` does) and judges no wall: which background a format
wants is said, not made.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face import crop

_EDGE: Final = 1.0
"""Pixels of the master by which a print may reach over its edge: what rounding moves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One size of print.

    Attributes:
        width_mm, height_mm: of the paper.
        width, height: pixels at `dpi`.
        chin_share: T (eyes' midpoint to chin) over the print's height.
        eye_line: from the top, share of the height.
        background: what the format asks of the wall, in words.
        dated: ISO date of the geometry.
    """

    name: str
    width_mm: int
    height_mm: int
    width: int
    height: int
    dpi: int
    chin_share: float
    eye_line: float
    background: str
    source: str
    dated: str


@cache
def formats() -> Mapping[str, Format]:
    """Return every format by its name: ``3x4``, ``4x6``."""
    file = files("biometrics.face").joinpath("prints.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            name: Format(name=name, dated=content["dated"], **entry)
            for name, entry in content["prints"].items()
        }
    )


def region(wanted: Format, width: int, height: int) -> tuple[float, float, float, float] | None:
    """Return left, top, right, bottom of the print in a master of `width` x `height`, pixels.

    None where the master does not hold it: nothing beyond its edge is invented.
    """
    # Where the eyes and the chin of a master are follows from how it was cropped.
    tall = crop.CHIN_SHARE * height / wanted.chin_share
    wide = tall * wanted.width / wanted.height
    left = width / 2 - wide / 2
    top = crop.EYE_LINE * height - wanted.eye_line * tall
    right, bottom = left + wide, top + tall
    if max(-left, -top, right - width, bottom - height) > _EDGE:
        return None
    return max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom)


def make(master: NDArray[np.uint8], wanted: Format) -> NDArray[np.uint8] | None:
    """Return the print's pixels, `wanted.height` x `wanted.width` x 3, blue-green-red.

    Args:
        master: as `biometrics.face.crop` made it: levelled, 3 to 4.
        wanted: one of `formats`.

    Returns:
        None where the master does not hold the print.
    """
    height, width = master.shape[:2]
    held = region(wanted, width, height)
    if held is None:
        return None
    left, top, right, bottom = (round(side) for side in held)
    part = master[top:bottom, left:right]
    shrinks = part.shape[0] >= wanted.height
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    size = (wanted.width, wanted.height)
    return np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
