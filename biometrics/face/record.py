"""Face image records of ISO/IEC 19794-5:2005, version 010, with one image: written and read back.

It encodes no picture, holds no other version (2011 has another layout), and says of a person only
what a picture of them needs: gender, eyes' and hair's colour are written as unspecified.

Layout, big-endian, as jMRTD (`FaceInfo`, `FaceImageInfo`), NIST's libbiomeval
(`be_face_incitsview`) and the package iso19794 0.1.0 read it; all three agree. The codes of the
pose (two degrees a step, one degree of uncertainty a step) and its signs are quoted from the
standard's text by memory: to be checked against the paid one.
"""

import enum
import struct
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

from biometrics.face import encoding

# RecordRefused   the bytes are no record that we read
# RecordInvalid   a value has no place in a record

FORMAT: Final = b"FAC\x00"
VERSION: Final = b"010\x00"
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_POINTS: Final = 128
"""Feature points in one image; ISO/IEC 14496-2 names fewer than 90."""
FULL_TURN: Final = 360
_HEADER: Final = struct.Struct(">4s4sIH")
"""Facial record header: format, version, length of the record, how many images."""
_INFORMATION: Final = struct.Struct(">IHBBB3sH3B3B")
"""Facial information block: length of this image's data, how many points, gender, eye colour, hair
colour, property mask, expression, pose (yaw, pitch, roll), its uncertainty."""
_POINT: Final = struct.Struct(">BBHHH")
"""Feature point block: type, code, across, down, reserved."""
_IMAGE: Final = struct.Struct(">BBHHBBHH")
"""Image information block: image type, data type, width, height, colour space, source, device,
quality."""
_STEP: Final = 2
"""Degrees in one step of a pose angle."""
_LARGEST: Final = 0xFFFF
_SHORT: Final = 15
_MOST: Final = 180
_TWO_D: Final = 1
"""The only type of feature point: two coordinates."""
_CODES: Final = {
    "gender": frozenset({0, 1, 2, 0xFF}),
    "eye colour": frozenset({*range(8), 0xFF}),
    "hair colour": frozenset({*range(10), 0xFF}),
}


Code = TypeVar("Code", bound=enum.IntEnum)


class RecordRefused(ValueError):
    """The bytes are not a record we read: truncated, lying, of another version or unknown codes."""


class RecordInvalid(ValueError):
    """What is to be written has no place in a record."""


class ImageType(enum.IntEnum):
    """Which requirements the picture says to meet."""

    BASIC = 0
    FULL_FRONTAL = 1
    TOKEN_FRONTAL = 2


class DataType(enum.IntEnum):
    """How the picture is encoded."""

    JPEG = 0
    JPEG2000 = 1


class Colour(enum.IntEnum):
    """Colour space of the picture."""

    UNSPECIFIED = 0
    SRGB24 = 1
    YUV422 = 2
    GREY8 = 3
    OTHER = 4


class Source(enum.IntEnum):
    """Where the picture comes from."""

    UNSPECIFIED = 0
    PHOTOGRAPH = 1
    PHOTOGRAPH_DIGITAL = 2
    PHOTOGRAPH_SCANNED = 3
    VIDEO = 4
    VIDEO_ANALOGUE = 5
    VIDEO_DIGITAL = 6
    UNKNOWN = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A feature point of ISO/IEC 14496-2 (MPEG-4), e.g. 12.1: `major` 12, `minor` 1.

    `x` and `y` are pixels of the picture; sides are the sitter's own.
    """

    major: int
    minor: int
    x: int
    y: int


LEFT_EYE: Final = (12, 1)
RIGHT_EYE: Final = (12, 2)
"""Centres of the eyes, which the standard adds to the points of MPEG-4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Angle:
    """One angle of the pose, whole degrees, -180 to 180; uncertainty 0 to 180 or None.

    Yaw is positive to the sitter's left, pitch downwards, roll to their right shoulder. A record
    holds every second degree: the angle is rounded to the nearest.
    """

    degrees: int
    uncertainty: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceRecord:
    """One picture with what the record says of it.

    Attributes:
        image: JPEG or JP2; its kind is the record's data type.
        yaw, pitch, roll: None is unspecified.
        properties: mask of 24 bits; 0 is unspecified.
        expression: 0 is unspecified, 1 neutral.
        device: the vendor's number of the camera, 0 where it has none.
        quality: 0 is unspecified; the 2005 edition defines no other value.
    """

    image: bytes
    width: int
    height: int
    image_type: ImageType = ImageType.FULL_FRONTAL
    colour: Colour = Colour.SRGB24
    source: Source = Source.PHOTOGRAPH_DIGITAL
    device: int = 0
    quality: int = 0
    points: tuple[Point, ...] = ()
    yaw: Angle | None = None
    pitch: Angle | None = None
    roll: Angle | None = None
    gender: int = 0
    eye_colour: int = 0
    hair_colour: int = 0
    properties: int = 0
    expression: int = 0

    def encode(self) -> bytes:
        """Return the record's bytes.

        Raises:
            RecordInvalid: `decode` would refuse it, or read something else.
        """
        try:
            data = self._written()
        except (struct.error, OverflowError, encoding.EncodingInvalid) as error:
            raise RecordInvalid(str(error)) from error
        try:
            again = FaceRecord.decode(data)
        except RecordRefused as error:
            raise RecordInvalid(str(error)) from error
        if again != _rounded(self):
            raise RecordInvalid("the record would not be read as it was written")
        return data

    def _written(self) -> bytes:
        points = b"".join(
            _POINT.pack(_TWO_D, _code(point), point.x, point.y, 0) for point in self.points
        )
        image = _IMAGE.pack(
            self.image_type,
            _kind(self.image),
            self.width,
            self.height,
            self.colour,
            self.source,
            self.device,
            self.quality,
        )
        angles = (self.yaw, self.pitch, self.roll)
        length = _INFORMATION.size + len(points) + len(image) + len(self.image)
        information = _INFORMATION.pack(
            length,
            len(self.points),
            self.gender,
            self.eye_colour,
            self.hair_colour,
            self.properties.to_bytes(3),
            self.expression,
            *(_angle_byte(angle) for angle in angles),
            *(_uncertainty_byte(angle) for angle in angles),
        )
        header = _HEADER.pack(FORMAT, VERSION, _HEADER.size + length, 1)
        return b"".join([header, information, points, image, self.image])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the record in `data`.

        Raises:
            RecordRefused: truncated, over `MAX_BYTES`, of another format or version, with no or
                several images, a length that is not what is there, a code that is not defined, a
                point outside the picture, a picture of another kind or size than said.
        """
        if len(data) > MAX_BYTES:
            raise RecordRefused(f"a record has at most {MAX_BYTES} bytes")
        try:
            return cls._read(data)
        except (struct.error, encoding.EncodingInvalid) as error:
            raise RecordRefused(str(error)) from error

    @classmethod
    def _read(cls, data: bytes) -> Self:
        _check_header(data)
        (length, many, gender, eyes, hair, mask, expression, *pose) = _INFORMATION.unpack_from(
            data, _HEADER.size
        )
        if length != len(data) - _HEADER.size:
            raise RecordRefused("the image's length is not what is there")
        for name, code in (("gender", gender), ("eye colour", eyes), ("hair colour", hair)):
            if code not in _CODES[name]:
                raise RecordRefused(f"{name}: the code {code} is not defined")
        if many > MAX_POINTS:
            raise RecordRefused(f"{many} feature points are too many")
        at = _HEADER.size + _INFORMATION.size
        blocks = [_POINT.unpack_from(data, at + n * _POINT.size) for n in range(many)]
        at += many * _POINT.size
        kind, coding, width, height, colour, source, device, quality = _IMAGE.unpack_from(data, at)
        image = data[at + _IMAGE.size :]
        _check_picture(image, coding, width, height)
        return cls(
            image=image,
            width=width,
            height=height,
            image_type=_member(ImageType, kind),
            colour=_member(Colour, colour),
            source=_member(Source, source),
            device=device,
            quality=quality,
            points=tuple(_point(block, width, height) for block in blocks),
            yaw=_angle(pose[0], pose[3]),
            pitch=_angle(pose[1], pose[4]),
            roll=_angle(pose[2], pose[5]),
            gender=gender,
            eye_colour=eyes,
            hair_colour=hair,
            properties=int.from_bytes(mask),
            expression=expression,
        )


def _rounded(record: FaceRecord) -> FaceRecord:
    yaw, pitch, roll = (
        _angle(_angle_byte(angle), _uncertainty_byte(angle))
        for angle in (record.yaw, record.pitch, record.roll)
    )
    return replace(record, yaw=yaw, pitch=pitch, roll=roll)


def _check_header(data: bytes) -> None:
    name, version, length, images = _HEADER.unpack_from(data)
    if name != FORMAT:
        raise RecordRefused("not a face image record")
    if version != VERSION:
        raise RecordRefused("another version than 010")
    if length != len(data):
        raise RecordRefused("the record's length is not what is there")
    if images != 1:
        raise RecordRefused(f"{images} images; one is read")


def _check_picture(image: bytes, coding: int, width: int, height: int) -> None:
    if _kind(image) is not _member(DataType, coding):
        raise RecordRefused("the picture is of another kind than said")
    if encoding.size(image) != (width, height):
        raise RecordRefused("the picture has another size than said")
    if not width or not height:
        raise RecordRefused("the picture has no size")


def _kind(image: bytes) -> DataType:
    encoding.size(image)
    return DataType.JPEG2000 if image.startswith(encoding.JP2) else DataType.JPEG


def _member(codes: type[Code], value: int) -> Code:
    try:
        return codes(value)
    except ValueError:
        raise RecordRefused(f"{codes.__name__}: the code {value} is not defined") from None


def _code(point: Point) -> int:
    if not (0 < point.major <= _SHORT and 0 <= point.minor <= _SHORT):
        raise RecordInvalid(f"there is no feature point {point.major}.{point.minor}")
    return point.major << 4 | point.minor


def _point(block: tuple[int, ...], width: int, height: int) -> Point:
    kind, code, x, y, reserved = block
    if kind != _TWO_D or not code >> 4 or reserved:
        raise RecordRefused("a feature point of a kind we do not read")
    if x >= width or y >= height:
        raise RecordRefused("a feature point outside the picture")
    return Point(major=code >> 4, minor=code & _SHORT, x=x, y=y)


def _angle_byte(angle: Angle | None) -> int:
    """Return 0 for unspecified, else 1 to 180: every second degree of the turn, from 0 up."""
    if angle is None:
        return 0
    if not -_MOST <= angle.degrees <= _MOST:
        raise RecordInvalid(f"{angle.degrees} is no angle of a pose")
    return round(angle.degrees / _STEP) % _MOST + 1


def _uncertainty_byte(angle: Angle | None) -> int:
    if angle is None or angle.uncertainty is None:
        return 0
    if not 0 <= angle.uncertainty <= _MOST:
        raise RecordInvalid(f"{angle.uncertainty} is no uncertainty of an angle")
    return angle.uncertainty + 1


def _angle(code: int, uncertainty: int) -> Angle | None:
    if code == 0:
        if uncertainty:
            raise RecordRefused("the uncertainty of no angle")
        return None
    if code > _MOST or uncertainty > _MOST + 1:
        raise RecordRefused("an angle beyond the whole turn")
    degrees = (code - 1) * _STEP
    return Angle(
        degrees=degrees - FULL_TURN if degrees > _MOST else degrees,
        uncertainty=uncertainty - 1 if uncertainty else None,
    )
