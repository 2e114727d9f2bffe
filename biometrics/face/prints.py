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
from biometrics.face.segment import PersonSegmenter

_PERSON: Final = 0.5
_ROUND_THE_EYES: Final = 0.5
"""T to each side of the middle in which the top of the hair is looked for."""
_TUFT: Final = 0.03
"""Share of that stretch from which a row holds hair and not a stray pixel."""
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
        chin_share_for_hair, eye_line_for_hair: the same where the hair stands highest; between
            both lies the nearest that cuts no hair off.
        headroom: room above the hair, in T.
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
    chin_share_for_hair: float
    eye_line_for_hair: float
    headroom: float
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
            name: Format(
                name=name,
                dated=content["dated"],
                headroom=content["hair"]["headroom"],
                **entry,
            )
            for name, entry in content["prints"].items()
        }
    )


def crown(master: NDArray[np.uint8], segmenter: PersonSegmenter) -> float | None:
    """Return how far the hair, or the bare head, reaches above the eyes of a master, in T.

    None where nobody is told from the wall above the eyes.
    """
    height, width = master.shape[:2]
    person = cv2.resize(segmenter.share(master), (width, height)) > _PERSON
    eyes, t = round(crop.EYE_LINE * height), crop.CHIN_SHARE * height
    reach = round(_ROUND_THE_EYES * t)
    head = person[:eyes, width // 2 - reach : width // 2 + reach].mean(axis=1) > _TUFT
    rows = np.flatnonzero(head)
    return float(eyes - rows[0]) / t if rows.size else None


def geometry(wanted: Format, hair: float | None) -> tuple[float, float]:
    """Return T and the eye line, shares of the print's height, for hair that reaches `hair` T.

    What is not known is taken for little hair.
    """
    close = np.array([wanted.chin_share, wanted.eye_line])
    loose = np.array([wanted.chin_share_for_hair, wanted.eye_line_for_hair])
    room = (0.0 if hair is None else hair) + wanted.headroom
    # eye line / T is the room above the eyes; between both geometries it grows steadily.
    lack = room * close[0] - close[1]
    gain = (loose[1] - close[1]) + room * (close[0] - loose[0])
    share = min(1.0, lack / gain) if lack > 0 else 0.0
    chin_share, eye_line = close + share * (loose - close)
    return float(chin_share), float(eye_line)


def region(
    wanted: Format, width: int, height: int, hair: float | None = None
) -> tuple[float, float, float, float] | None:
    """Return left, top, right, bottom of the print in a master of `width` x `height`, pixels.

    None where the master does not hold it: nothing beyond its edge is invented.
    """
    chin_share, eye_line = geometry(wanted, hair)
    # Where the eyes and the chin of a master are follows from how it was cropped.
    tall = crop.CHIN_SHARE * height / chin_share
    wide = tall * wanted.width / wanted.height
    left = width / 2 - wide / 2
    top = crop.EYE_LINE * height - eye_line * tall
    right, bottom = left + wide, top + tall
    if max(-left, -top, right - width, bottom - height) > _EDGE:
        return None
    return max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom)


def make(
    master: NDArray[np.uint8], wanted: Format, hair: float | None = None
) -> NDArray[np.uint8] | None:
    """Return the print's pixels, `wanted.height` x `wanted.width` x 3, blue-green-red.

    Args:
        master: as `biometrics.face.crop` made it: levelled, 3 to 4.
        wanted: one of `formats`.
        hair: see `crown`.

    Returns:
        None where the master does not hold the print.
    """
    height, width = master.shape[:2]
    held = region(wanted, width, height, hair)
    if held is None:
        return None
    left, top, right, bottom = (round(side) for side in held)
    part = master[top:bottom, left:right]
    shrinks = part.shape[0] >= wanted.height
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    size = (wanted.width, wanted.height)
    return np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
