"""Finger image records of ISO/IEC 19794-4:2011, written and read; those of 2005 are read.

It judges no picture. Layout of 2011 as MOSIP's bio-utils (`finger/RepresentationHeader`) and the
package iso19794 0.1.0 have it, of 2005 as jMRTD (`FingerInfo`, `FingerImageInfo`) has it. Segments,
annotations and comments behind a picture (extended data) are passed over. That 254 is a quality of
2005 that is not known is from memory.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import ImpressionKind
from biometrics.records import codings, impressions
from biometrics.records.blocks import (
    BEST,
    NFIQ2,
    UNSPECIFIED,
    Algorithm,
    Cursor,
    Origin,
    Quality,
    RecordInvalid,
    closed,
    opened,
    packed,
    per_inch,
    read_origin,
    representation,
    represented,
    write_origin,
)
from biometrics.records.codings import Coding

__all__ = ["Coding", "FingerImage", "RecordInvalid", "decode", "encode"]

MAGIC: Final = b"FIR\x00020\x00"
MAGIC_2005: Final = b"FIR\x00010\x00\x00\x00"
"""With the upper half of its length, which has six bytes: no record is that long."""
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_IMAGES: Final = 20
"""Ten plain and ten rolled; each takes time to decode."""
POSITIONS: Final = frozenset({*range(11), 13, 14, 15, *range(40, 51)})
"""0 unknown, 1..10 right thumb to left little finger, then several fingers; palms are not read."""
LEAST_DPI: Final = 120
MOST_DPI: Final = 2000
_COUNTED: Final = struct.Struct(">HBB")
"""Behind the length: how many images, whether certificates follow, how many fingers."""
_IMAGE: Final = struct.Struct(">BBBHHHHBBBHH")
"""Position, number, unit of resolutions, resolution of the scan across and down, of the image
across and down, bits, coding, impression type, width, height."""
_LENGTH: Final = struct.Struct(">I")
_HEADER_2005: Final = struct.Struct(">HHBBHHHHBBH")
"""Behind the length: device, acquisition level, how many fingers, unit and resolutions, bits,
coding, reserved."""
_IMAGE_2005: Final = struct.Struct(">IBBBBBHHB")
"""Length of this image's data, position, views, number, quality, impression type, width, height,
reserved."""
_PER_INCH, _PER_CENTIMETRE = 1, 2
_BITS: Final = 8
_CODES: Final = {
    Coding.RAW: 0,
    Coding.WSQ: 2,
    Coding.JPEG: 3,
    Coding.LOSSY_JPEG2000: 4,
    Coding.JPEG2000: 5,
    Coding.PNG: 6,
}
_READ: Final = {code: coding for coding, code in _CODES.items()}
_READ_2005: Final = {
    0: Coding.RAW,
    2: Coding.WSQ,
    3: Coding.JPEG,
    4: Coding.LOSSY_JPEG2000,
    5: Coding.PNG,
}
"""2005 has one code for both kinds of JPEG 2000, and 5 is another one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FingerImage:
    """One impression.

    Attributes:
        position: 1 right thumb .. 10 left little; see `POSITIONS` for the others.
        kind: None where it is neither plain nor rolled on a glass, or not known.
        pixels: height x width, uint8, dark ridges on light ground; may be read-only.
        dpi: the same across and down.
        quality: 0..100, None where the record does not say.
        algorithm: whose quality it is.
        at: when it was taken.
        coding: how a record that was read had it; on writing it says nothing.
    """

    position: int
    kind: ImpressionKind | None
    pixels: NDArray[np.uint8]
    dpi: int
    quality: int | None
    algorithm: Algorithm = NFIQ2
    at: datetime | None = None
    coding: Coding | None = None


def encode(images: Sequence[FingerImage], coding: Coding) -> bytes:
    """Return a record of 2011 of one or more images.

    Raises:
        RecordInvalid: no or too many images, more than `MAX_BYTES`, or a value that has no place
            in a record; see also `codings.write`.
        RoomFull, RoomBroken: see `codings.write`.
    """
    if not 0 < len(images) <= MAX_IMAGES:
        raise RecordInvalid(f"a record has 1 to {MAX_IMAGES} images")
    fingers = len({image.position for image in images})
    parts = [packed(_COUNTED, len(images), 0, fingers)]
    seen: Counter[int] = Counter()
    for image in images:
        parts.append(represented(_written(image, coding, seen[image.position])))
        seen[image.position] += 1
    return closed(MAGIC, b"".join(parts), MAX_BYTES)


def decode(data: bytes) -> tuple[FingerImage, ...]:
    """Return the images of a record of 2011 or 2005.

    Raises:
        RecordInvalid: truncated or with bytes beyond its end, over `MAX_BYTES`, of another format
            or version, with no or too many images, a code that is not defined or not read, a
            resolution that is none or differs across and down, more than eight bits; see also
            `codings.read`.
        RoomFull, RoomBroken: see `codings.read`.
    """
    parts = _parts_2005(data) if data.startswith(MAGIC_2005) else _parts(data)
    return tuple(part.image() for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One image as it stands in a record, its fields checked, its picture not decoded yet."""

    position: int
    impression: int
    unit: int
    rates: tuple[int, int]
    bits: int
    coding: Coding | None
    width: int
    height: int
    quality: Quality
    at: datetime | None
    data: bytes

    def __post_init__(self) -> None:
        if self.position not in POSITIONS:
            raise RecordInvalid(f"{self.position} is no finger")
        if self.bits != _BITS or self.coding is None:
            raise RecordInvalid("a picture of a depth or coding that is not read")
        if self.unit not in (_PER_INCH, _PER_CENTIMETRE) or self.rates[0] != self.rates[1]:
            raise RecordInvalid("a resolution without unit, or that differs across and down")
        _check_dpi(self.dpi)
        impressions.kind_of(self.impression)

    @property
    def dpi(self) -> int:
        """Return the resolution in dpi."""
        return self.rates[0] if self.unit == _PER_INCH else per_inch(self.rates[0])

    def image(self) -> FingerImage:
        """Return the image, decoded."""
        coding = self.coding or Coding.RAW
        return FingerImage(
            position=self.position,
            kind=impressions.kind_of(self.impression),
            pixels=codings.read(self.data, coding, width=self.width, height=self.height),
            dpi=self.dpi,
            quality=self.quality.score,
            algorithm=self.quality.algorithm,
            at=self.at,
            coding=coding,
        )


def _written(image: FingerImage, coding: Coding, number: int) -> bytes:
    if image.position not in POSITIONS:
        raise RecordInvalid(f"{image.position} is no finger")
    _check_dpi(image.dpi)
    picture = codings.write(image.pixels, coding, dpi=image.dpi)
    known = Quality(score=image.quality, algorithm=image.algorithm)
    height, width = image.pixels.shape
    head = packed(
        _IMAGE,
        image.position,
        number,
        _PER_INCH,
        *(image.dpi,) * 4,
        _BITS,
        _CODES[coding],
        impressions.CODES[image.kind],
        width,
        height,
    )
    qualities = () if image.quality is None else (known,)
    origin = write_origin(Origin(at=image.at, qualities=qualities))
    return b"".join([origin, head, _LENGTH.pack(len(picture)), picture])


def _check_dpi(dpi: int) -> None:
    if not LEAST_DPI <= dpi <= MOST_DPI:
        raise RecordInvalid(f"{dpi} dpi is no resolution of a finger")


def _check_count(count: int) -> None:
    if not 0 < count <= MAX_IMAGES:
        raise RecordInvalid(f"{count} images; 1 to {MAX_IMAGES} are read")


def _parts(data: bytes) -> tuple[_Part, ...]:
    cursor = opened(data, MAGIC, MAX_BYTES)
    count, flag, _ = cursor.take(_COUNTED)
    _check_count(count)
    if flag not in (0, 1):
        raise RecordInvalid("certificates or none")
    parts = tuple(_part(representation(cursor), certified=flag == 1) for _ in range(count))
    cursor.close()
    return parts


def _part(cursor: Cursor, *, certified: bool) -> _Part:
    origin = read_origin(cursor, certified=certified)
    position, _, unit, _, _, across, down, bits, coding, impression, width, height = cursor.take(
        _IMAGE
    )
    return _Part(
        position=position,
        impression=impression,
        unit=unit,
        rates=(across, down),
        bits=bits,
        coding=_READ.get(coding),
        width=width,
        height=height,
        quality=origin.first,
        at=origin.at,
        data=cursor.octets(cursor.one(_LENGTH)),
    )


def _parts_2005(data: bytes) -> tuple[_Part, ...]:
    cursor = opened(data, MAGIC_2005, MAX_BYTES)
    _, _, count, unit, _, _, across, down, bits, coding, _ = cursor.take(_HEADER_2005)
    _check_count(count)
    parts = []
    for _ in range(count):
        length, position, _, _, score, impression, width, height, _ = cursor.take(_IMAGE_2005)
        if length < _IMAGE_2005.size:
            raise RecordInvalid("an image is shorter than its own header")
        quality = Quality(score=score if score <= BEST else None, algorithm=UNSPECIFIED)
        parts.append(
            _Part(
                position=position,
                impression=impression,
                unit=unit,
                rates=(across, down),
                bits=bits,
                coding=_READ_2005.get(coding),
                width=width,
                height=height,
                quality=quality,
                at=None,
                data=cursor.octets(length - _IMAGE_2005.size),
            )
        )
    cursor.close()
    return tuple(parts)
