"""What the citizen drew on the screen: checked, and written anew as a small grey PNG.

It compares no handwriting and reads none.
"""

import base64
import binascii
import enum
import struct
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.images import PNG, ImageRefused, decode

DATA_URL: Final = "data:image/png;base64,"
LARGEST: Final = 256 * 1024
"""Bytes of a drawing as the browser sends it."""
MAX_SIDE: Final = 2400
MIN_SIDE: Final = 32
WIDTH: Final = 800
"""Longer side of what is kept, pixels."""
_PAPER: Final = 200
_LEAST_INK: Final = 0.0006
"""Share of the field; a tap leaves less, the shortest initials leave more."""
_LEAST_REACH: Final = 0.08
"""Width or height of the drawn, share of the field's width."""


class NotSigned(enum.StrEnum):
    """Why a drawing is no signature."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NO_PICTURE = "no_picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """PNG, 8-bit grey, without metadata."""

    image: bytes


def read(text: str) -> Signature | NotSigned:
    """Return the signature in a data address that a canvas gave, or why it is none."""
    if not text:
        return NotSigned.EMPTY
    if len(text) > LARGEST * 4 // 3 + len(DATA_URL) + 4:
        return NotSigned.TOO_LARGE
    try:
        data = _octets(text)
        width, height = _size(data)
        if max(width, height) > MAX_SIDE:
            return NotSigned.TOO_LARGE
        pixels = decode(data)
    except (ImageRefused, binascii.Error, ValueError):
        return NotSigned.NO_PICTURE
    return _written(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8))


def _octets(text: str) -> bytes:
    if not text.startswith(DATA_URL):
        raise ImageRefused("no address of a PNG")
    return base64.b64decode(text.removeprefix(DATA_URL), validate=True)


def _size(data: bytes) -> tuple[int, int]:
    """Return width and height that a PNG declares, before a pixel of it is decoded."""
    if not data.startswith(PNG) or len(data) < 24:  # noqa: PLR2004 - signature, length, name, two sizes
        raise ImageRefused("no PNG")
    width, height = struct.unpack(">II", data[16:24])
    if min(width, height) < MIN_SIDE:
        raise ImageRefused("too small to sign in")
    return width, height


def _written(grey: NDArray[np.uint8]) -> Signature | NotSigned:
    rows, columns = np.nonzero(grey < _PAPER)
    if rows.size < _LEAST_INK * grey.size or rows.size > grey.size / 2:
        return NotSigned.EMPTY
    if max(np.ptp(rows), np.ptp(columns)) < _LEAST_REACH * grey.shape[1]:
        return NotSigned.EMPTY
    height, width = (max(1, round(side * WIDTH / max(grey.shape))) for side in grey.shape)
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return Signature(image=cv2.imencode(".png", small)[1].tobytes())


def attested(officer: str, day: str) -> Signature:
    """Return what stands for the signature of somebody who cannot sign: who says so, and when."""
    paper = np.full((240, WIDTH), 255, np.uint8)
    lines = (
        "KHONG KY DUOC / CANNOT SIGN",
        f"{officer[:24].encode('ascii', 'replace').decode()}",
        day,
    )
    for number, line in enumerate(lines):
        cv2.putText(paper, line, (24, 70 + 60 * number), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 0, 2)
    return Signature(image=cv2.imencode(".png", paper)[1].tobytes())
