"""What the records of ISO/IEC 19794:2011 have in common: bounds, time of capture, device, quality.

It knows no modality. Layout of ISO/IEC 19794-1:2011 as FingerprintIO (`iso19794p1v2011`) and
MOSIP's bio-utils read it; both agree. What a field means where they are silent is from memory.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

SCALE: Final = 2.54
"""Centimetres in an inch: most records count pixels on a centimetre."""
_DATE: Final = struct.Struct(">HBBBBBH")
_NO_DATE: Final = (0xFFFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFFFF)
_NO_MILLISECOND: Final = 0xFFFF
_DEVICE: Final = struct.Struct(">BHH")
"""Technology, vendor, type."""
_QUALITY: Final = struct.Struct(">BHH")
"""Score, vendor and number of the algorithm."""
_CERTIFICATE: Final = struct.Struct(">HB")
_COUNT: Final = struct.Struct(">B")
_LENGTH: Final = struct.Struct(">I")
_FAILED: Final = 0xFF
BEST: Final = 100
NIST: Final = 0x000F
"""Organisation 15 of the IBIA register, as FingerprintIO has it."""
FAMILIAR_DPI: Final = (250, 500, 1000)
"""Resolutions that a whole number of pixels on a centimetre stands for."""


class RecordInvalid(ValueError):
    """The bytes are no record that we read, or a value has no place in a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """Who computed a quality, by the numbers of the IBIA register; 0 is unspecified."""

    vendor: int = 0
    number: int = 0


UNSPECIFIED: Final = Algorithm()
NFIQ2: Final = Algorithm(vendor=NIST)
"""NIST's; under which number NFIQ 2 stands in the register is not known to us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """One score of a sample, 0..100, None where it could not be computed."""

    score: int | None
    algorithm: Algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """When and by what a sample was taken.

    Attributes:
        at: aware, to the millisecond; None where the record does not say.
        technology, vendor, device: numbers of the part's own tables, 0 is unknown.
    """

    at: datetime | None = None
    technology: int = 0
    vendor: int = 0
    device: int = 0
    qualities: tuple[Quality, ...] = ()

    @property
    def first(self) -> Quality:
        """Return the first quality, or one that says nothing."""
        return self.qualities[0] if self.qualities else Quality(score=None, algorithm=UNSPECIFIED)


class Cursor:
    """Reads forward in bytes and never beyond their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Return how many bytes were not read yet."""
        return len(self._data) - self._at

    def take(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Return the next fields.

        Raises:
            RecordInvalid: fewer bytes are left.
        """
        return layout.unpack(self.octets(layout.size))

    def one(self, layout: struct.Struct) -> int:
        """Return the next number, as `take`."""
        return int(self.take(layout)[0])

    def octets(self, count: int) -> bytes:
        """Return the next bytes.

        Raises:
            RecordInvalid: fewer are left.
        """
        if count > self.left:
            raise RecordInvalid("the record ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def close(self) -> None:
        """Refuse what was not read.

        Raises:
            RecordInvalid: bytes are left.
        """
        if self.left:
            raise RecordInvalid(f"{self.left} bytes beyond the end")


def opened(data: bytes, magic: bytes, most: int) -> Cursor:
    """Return a cursor behind format, version and length of a record of at most `most` bytes.

    Raises:
        RecordInvalid: too long, of another format or version, or not as long as it says.
    """
    if len(data) > most:
        raise RecordInvalid(f"a record has at most {most} bytes")
    cursor = Cursor(data)
    if cursor.octets(len(magic)) != magic:
        raise RecordInvalid("another format or version")
    if cursor.one(_LENGTH) != len(data):
        raise RecordInvalid("the record's length is not what is there")
    return cursor


def representation(cursor: Cursor) -> Cursor:
    """Return a cursor over one representation, behind its length.

    Raises:
        RecordInvalid: it would end beyond the record.
    """
    length = cursor.one(_LENGTH)
    if length < _LENGTH.size:
        raise RecordInvalid("a representation is shorter than its own length")
    return Cursor(cursor.octets(length - _LENGTH.size))


def closed(magic: bytes, parts: bytes, most: int) -> bytes:
    """Return a record of `parts`, as `opened` reads it.

    Raises:
        RecordInvalid: more than `most` bytes.
    """
    length = len(magic) + _LENGTH.size + len(parts)
    if length > most:
        raise RecordInvalid(f"a record has at most {most} bytes")
    return magic + _LENGTH.pack(length) + parts


def represented(part: bytes) -> bytes:
    """Return one representation, as `representation` reads it."""
    return _LENGTH.pack(_LENGTH.size + len(part)) + part


def read_origin(cursor: Cursor, *, certified: bool) -> Origin:
    """Return the first fields of a representation; its certificates are passed over.

    Raises:
        RecordInvalid: cut short, a date that is none, a quality beyond 100.
    """
    at = _moment(cursor.take(_DATE))
    technology, vendor, device = cursor.take(_DEVICE)
    qualities = tuple(_quality(cursor.take(_QUALITY)) for _ in range(cursor.one(_COUNT)))
    if certified:
        cursor.octets(_CERTIFICATE.size * cursor.one(_COUNT))
    return Origin(at=at, technology=technology, vendor=vendor, device=device, qualities=qualities)


def write_origin(origin: Origin) -> bytes:
    """Return the first fields of a representation without certificates.

    Raises:
        RecordInvalid: a number has no place, or the time is not aware.
    """
    parts = [
        _DATE.pack(*_date(origin.at)),
        packed(_DEVICE, origin.technology, origin.vendor, origin.device),
        packed(_COUNT, len(origin.qualities)),
    ]
    for quality in origin.qualities:
        by = quality.algorithm
        parts += [packed(_QUALITY, _score(quality.score), by.vendor, by.number)]
    return b"".join(parts)


def packed(layout: struct.Struct, *values: object) -> bytes:
    """Return the fields' bytes.

    Raises:
        RecordInvalid: a value does not fit its field.
    """
    try:
        return layout.pack(*values)
    except struct.error as error:
        raise RecordInvalid(f"a value has no place in the record: {error}") from error


def per_centimetre(dpi: int) -> int:
    """Return the resolution as the records count it: whole pixels on a centimetre."""
    return round(dpi / SCALE)


def per_inch(count: int) -> int:
    """Return dpi of pixels on a centimetre: 197 is 500, 394 is 1000, as the standard pairs them."""
    for dpi in FAMILIAR_DPI:
        if per_centimetre(dpi) == count:
            return dpi
    return round(count * SCALE)


def _moment(fields: tuple[int, ...]) -> datetime | None:
    *whole, millisecond = fields
    # Devices without a clock leave zeros where the standard wants ones.
    unknown = any(got == none for got, none in zip(whole, _NO_DATE, strict=False))
    if unknown or not any(fields):
        return None
    year, month, day, hour, minute, second = whole
    part = 0 if millisecond == _NO_MILLISECOND else millisecond
    try:
        return datetime(year, month, day, hour, minute, second, part * 1000, tzinfo=UTC)
    except ValueError as error:
        raise RecordInvalid(f"the time of capture is none: {error}") from error


def _date(at: datetime | None) -> tuple[int, ...]:
    if at is None:
        return _NO_DATE
    if at.tzinfo is None:
        raise RecordInvalid("a time of capture has a time zone")
    there = at.astimezone(UTC)
    whole = (there.year, there.month, there.day, there.hour, there.minute, there.second)
    return (*whole, there.microsecond // 1000)


def _quality(fields: tuple[int, ...]) -> Quality:
    score, vendor, number = fields
    if score > BEST and score != _FAILED:
        raise RecordInvalid(f"{score} is no quality")
    return Quality(
        score=None if score == _FAILED else score,
        algorithm=Algorithm(vendor=vendor, number=number),
    )


def _score(score: int | None) -> int:
    if score is None:
        return _FAILED
    if not 0 <= score <= BEST:
        raise RecordInvalid(f"{score} is no quality")
    return score
