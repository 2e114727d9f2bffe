"""Iris image records of ISO/IEC 19794-6:2011: written and read back.

It finds no iris in a picture: centre, diameter, roll and range are written as not known. Layout as
NIST's libbiomeval (`be_iris_incitsview`) and MOSIP's bio-utils (`iris/ImageInformation`) have it;
both agree. Which value stands for "not known" is read in bio-utils.
"""

import enum
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import EyeSide
from biometrics.records import codings
from biometrics.records.blocks import (
    UNSPECIFIED,
    Algorithm,
    Cursor,
    Origin,
    Quality,
    RecordInvalid,
    closed,
    opened,
    packed,
    read_origin,
    representation,
    represented,
    write_origin,
)
from biometrics.records.codings import Coding

__all__ = ["Coding", "Framing", "IrisImage", "RecordInvalid", "decode", "encode"]

MAGIC: Final = b"IIR\x00020\x00"
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_IMAGES: Final = 4
_COUNTED: Final = struct.Struct(">HBB")
"""Behind the length: how many images, a flag that is 0, how many eyes."""
_IMAGE: Final = struct.Struct(">HBBBBHHB9HI")
"""Number, eye, framing, format, properties, width, height, bits; range, roll and its uncertainty,
centre least and largest across and down, diameter least and largest; length of the picture."""
_UNDEFINED: Final = 0xFFFF
_UNKNOWN: Final = (0, _UNDEFINED, _UNDEFINED, 0, 0, 0, 0, 0, 0)
"""Of range, roll, uncertainty, centre and diameter."""
_LOSSLESS: Final = 1 << 6
"""Properties: orientation not said, never compressed with loss."""
_BITS: Final = 8
_EYES: Final = {None: 0, EyeSide.RIGHT: 1, EyeSide.LEFT: 2}
_CODES: Final = {Coding.RAW: 2, Coding.JPEG2000: 10, Coding.PNG: 14}
_READ: Final = {
    2: Coding.RAW,
    6: Coding.JPEG,
    10: Coding.LOSSY_JPEG2000,
    14: Coding.PNG,
}
"""In grey; those in colours (4, 8, 12, 16) are not read. One code stands for either JPEG 2000."""


class Framing(enum.IntEnum):
    """What part of an eye the picture shows."""

    UNCROPPED = 1
    VGA = 2
    CROPPED = 3
    CROPPED_AND_MASKED = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IrisImage:
    """One eye.

    Attributes:
        eye: None where the record does not say.
        pixels: height x width, uint8; may be read-only.
        quality: 0..100, None where the record does not say.
        algorithm: whose quality it is.
        at: when it was taken.
        coding: how a record that was read had it; on writing it says nothing.
    """

    eye: EyeSide | None
    pixels: NDArray[np.uint8]
    quality: int | None
    framing: Framing = Framing.UNCROPPED
    algorithm: Algorithm = UNSPECIFIED
    at: datetime | None = None
    coding: Coding | None = None


def encode(images: Sequence[IrisImage], coding: Coding) -> bytes:
    """Return the record of one or more eyes.

    Raises:
        RecordInvalid: no or too many images, more than `MAX_BYTES`, a coding other than RAW,
            JPEG2000 or PNG, or a value that has no place in a record; see also `codings.write`.
    """
    if not 0 < len(images) <= MAX_IMAGES or coding not in _CODES:
        raise RecordInvalid(f"a record has 1 to {MAX_IMAGES} images without loss")
    eyes = len({image.eye for image in images})
    parts = [packed(_COUNTED, len(images), 0, eyes)]
    parts += [
        represented(_written(image, coding, number)) for number, image in enumerate(images, 1)
    ]
    return closed(MAGIC, b"".join(parts), MAX_BYTES)


def decode(data: bytes) -> tuple[IrisImage, ...]:
    """Return the images of a record.

    Raises:
        RecordInvalid: truncated or with bytes beyond its end, over `MAX_BYTES`, of another format
            or version, with no or too many images, a code that is not defined or not read, more
            than eight bits of grey; see also `codings.read`.
        RoomFull, RoomBroken: see `codings.read`.
    """
    cursor = opened(data, MAGIC, MAX_BYTES)
    count, flag, _ = cursor.take(_COUNTED)
    if not 0 < count <= MAX_IMAGES or flag:
        raise RecordInvalid(f"{count} images; 1 to {MAX_IMAGES} without certificates are read")
    parts = [representation(cursor) for _ in range(count)]
    cursor.close()
    return tuple(_image(part) for part in parts)


def _written(image: IrisImage, coding: Coding, number: int) -> bytes:
    picture = codings.write(image.pixels, coding)
    height, width = image.pixels.shape
    known = Quality(score=image.quality, algorithm=image.algorithm)
    head = packed(
        _IMAGE,
        number,
        _EYES[image.eye],
        image.framing,
        _CODES[coding],
        _LOSSLESS,
        width,
        height,
        _BITS,
        *_UNKNOWN,
        len(picture),
    )
    qualities = () if image.quality is None else (known,)
    return write_origin(Origin(at=image.at, qualities=qualities)) + head + picture


def _image(cursor: Cursor) -> IrisImage:
    origin = read_origin(cursor, certified=False)
    _, eye, framing, coding, _, width, height, bits, *_, length = cursor.take(_IMAGE)
    picture = cursor.octets(length)
    cursor.close()
    if eye not in _EYES.values() or framing not in tuple(Framing):
        raise RecordInvalid("an eye or a framing that is not defined")
    if bits != _BITS or coding not in _READ:
        raise RecordInvalid("a picture of a depth or format that is not read")
    return IrisImage(
        eye=next(side for side, code in _EYES.items() if code == eye),
        pixels=codings.read(picture, _READ[coding], width=width, height=height),
        quality=origin.first.score,
        framing=Framing(framing),
        algorithm=origin.first.algorithm,
        at=origin.at,
        coding=_READ[coding],
    )
