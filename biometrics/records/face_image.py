"""Face image records of ISO/IEC 19794-5:2011, version 030, with one picture: written and read back.

It decodes no pixel (`biometrics.face.record` holds the edition of 2005, which passports use). What
a record may say of a person beyond the picture (gender, colours, height, landmarks, pose) is
written as unspecified and passed over. Layout as MOSIP's bio-utils (`face/RepresentationHeader`,
`FacialInformation`, `ImageInformation`) has it; the package iso19794 0.1.0 agrees as far as the
landmarks and reads no further.
"""

import enum
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from biometrics.face import encoding
from biometrics.records import codings
from biometrics.records.blocks import (
    UNSPECIFIED,
    Algorithm,
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

__all__ = ["FaceImage", "Framing", "RecordInvalid", "decode", "encode"]

MAGIC: Final = b"FAC\x00030\x00"
MAX_BYTES: Final = 16 * 1024 * 1024
_COUNTED: Final = struct.Struct(">HBH")
"""Behind the length: how many pictures, a flag that is 0, how they follow each other."""
_FACE: Final = struct.Struct(">HBBBB3sH3B3B")
"""Landmarks, gender, eyes, hair, height, properties, expression, pose and its uncertainty."""
_NOTHING: Final = (0, 0, 0, 0, 0, bytes(3), 0, *bytes(6))
_LANDMARK: Final = 8
"""Bytes."""
_PICTURE: Final = struct.Struct(">BBHHBHBBI")
"""Framing, data type, width, height, sampling level, processing, cross-reference, colour space,
length of the picture."""
_JPEG, _LOSSY, _LOSSLESS = 0, 1, 2
_RGB: Final = 1


class Framing(enum.IntEnum):
    """Which requirements the picture says to meet."""

    BASIC = 0
    FULL_FRONTAL = 1
    TOKEN_FRONTAL = 2
    POST_PROCESSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceImage:
    """One picture.

    Attributes:
        image: JPEG or JP2, in colours.
        quality: 0..100, None where the record does not say.
        algorithm: whose quality it is.
        at: when it was taken.
    """

    image: bytes
    width: int
    height: int
    framing: Framing = Framing.BASIC
    quality: int | None = None
    algorithm: Algorithm = UNSPECIFIED
    at: datetime | None = None


def encode(face: FaceImage) -> bytes:
    """Return the record.

    Raises:
        RecordInvalid: the picture is neither a JPEG nor a JP2, is of another size than said, or a
            value has no place in a record, or the whole is more than `MAX_BYTES`.
    """
    kind = _kind(face.image)
    _check_size(face.image, face.width, face.height)
    known = Quality(score=face.quality, algorithm=face.algorithm)
    picture = packed(
        _PICTURE,
        face.framing,
        kind,
        face.width,
        face.height,
        0,
        0,
        0,
        _RGB,
        len(face.image),
    )
    origin = write_origin(Origin(at=face.at, qualities=() if face.quality is None else (known,)))
    part = represented(b"".join([origin, _FACE.pack(*_NOTHING), picture, face.image]))
    return closed(MAGIC, packed(_COUNTED, 1, 0, 0) + part, MAX_BYTES)


def decode(data: bytes) -> FaceImage:
    """Return the picture of a record.

    Raises:
        RecordInvalid: truncated or with bytes beyond its end, over `MAX_BYTES`, of another format
            or version, with no or several pictures, a framing or data type that is not read, a
            picture of another kind or size than said.
    """
    cursor = opened(data, MAGIC, MAX_BYTES)
    count, flag, _ = cursor.take(_COUNTED)
    if count != 1 or flag:
        raise RecordInvalid(f"{count} pictures; one without certificates is read")
    part = representation(cursor)
    cursor.close()
    origin = read_origin(part, certified=False)
    landmarks, *_ = part.take(_FACE)
    part.octets(_LANDMARK * landmarks)
    framing, kind, width, height, *_, length = part.take(_PICTURE)
    image = part.octets(length)
    part.close()
    if framing not in tuple(Framing):
        raise RecordInvalid("a framing that is not read")
    if _kind(image) != kind and (_kind(image), kind) != (_LOSSLESS, _LOSSY):
        raise RecordInvalid("the picture is of another kind than said")
    _check_size(image, width, height)
    return FaceImage(
        image=image,
        width=width,
        height=height,
        framing=Framing(framing),
        quality=origin.first.score,
        algorithm=origin.first.algorithm,
        at=origin.at,
    )


def _kind(image: bytes) -> int:
    if image.startswith(encoding.JPEG):
        return _JPEG
    return _LOSSLESS if codings.keeps_pixels(image) else _LOSSY


def _check_size(image: bytes, width: int, height: int) -> None:
    try:
        size = encoding.size(image)
    except encoding.EncodingInvalid as error:
        raise RecordInvalid(str(error)) from error
    if size != (width, height) or not (width and height):
        raise RecordInvalid("the picture has another size than said, or none")
