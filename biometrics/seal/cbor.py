"""Reading the small part of deterministic CBOR (RFC 8949, 4.2) that headers and captures use.

It is no general CBOR reader: no tags but times, no indefinite lengths, no big numbers. Writing is
left to `cbor2`; callers write what they read again and compare, which holds the shortest forms.
Every length is compared with the bytes that are there before anything is allocated.
"""

import math
import struct
from datetime import datetime
from typing import cast

MAX_ITEMS = 50_000
"""Values in one document; a capture with a full journal has some thousands."""
MAX_DEPTH = 6

_UINT, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_INTEGERS = {_UINT, _NEGATIVE}
_STRINGS = {_BYTES, _TEXT}
_TIME_TAG = 0
_CONSTANTS = {20: False, 21: True, 22: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_LENGTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_DIRECT = 24


class NotPlain(ValueError):
    """The bytes are not of the part of CBOR we read, or a field is not what it must be."""


def read(data: bytes) -> object:
    """Return the one value in `data`: int, float, bytes, str, bool, None, datetime, list or dict.

    Raises:
        NotPlain: truncated, trailing bytes, too deep, too many values, unsorted or repeated keys,
            a key that is no text, a float that is no number, a time without offset, any other form.
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise NotPlain("bytes follow the value")
    return value


class _Reader:
    """A place in the bytes and a budget of values."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.left = MAX_ITEMS

    def value(self, depth: int) -> object:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise NotPlain("too many values, or nested too deep")
        first = self.take(1)[0]
        kind, info = first >> 5, first & 31
        if kind == _SIMPLE:
            return self.simple(info)
        number = self.number(info)
        if kind in _INTEGERS:
            return number if kind == _UINT else -1 - number
        if kind in _STRINGS:
            return self.take(number) if kind == _BYTES else self.text(number)
        if kind == _TAG:
            return self.time(number, depth + 1)
        return self.container(kind, self.fits(number), depth + 1)

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise NotPlain("the bytes end early")
        start, self.at = self.at, self.at + count
        return self.data[start : self.at]

    def number(self, info: int) -> int:
        if info < _DIRECT:
            return info
        if info not in _LENGTHS:
            raise NotPlain("a length without end, or a reserved one")
        return int.from_bytes(self.take(_LENGTHS[info]))

    def fits(self, count: int) -> int:
        if count > min(self.left, len(self.data) - self.at):
            raise NotPlain("more values are announced than can follow")
        return count

    def text(self, count: int) -> str:
        try:
            return self.take(count).decode("utf-8")
        except UnicodeDecodeError:
            raise NotPlain("a text is not UTF-8") from None

    def simple(self, info: int) -> object:
        if info in _CONSTANTS:
            return _CONSTANTS[info]
        if info not in _FLOATS:
            raise NotPlain("a simple value that is not read")
        form = _FLOATS[info]
        number: float = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        if not math.isfinite(number):
            raise NotPlain("a number that is none")
        return number

    def container(self, kind: int, count: int, depth: int) -> object:
        if kind == _MAP:
            return self.map(count, depth)
        return [self.value(depth) for _ in range(count)]

    def map(self, count: int, depth: int) -> dict[str, object]:
        table: dict[str, object] = {}
        before = b""
        for _ in range(count):
            start = self.at
            key = self.value(depth)
            encoded = self.data[start : self.at]
            if not isinstance(key, str) or encoded <= before:
                raise NotPlain("a map's keys are not ascending texts")
            table[key], before = self.value(depth), encoded
        return table

    def time(self, tag: int, depth: int) -> datetime:
        text = self.value(depth) if tag == _TIME_TAG else None
        if not isinstance(text, str):
            raise NotPlain("a tag that is not read")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise NotPlain("a time that is none") from None
        if moment.utcoffset() is None:
            raise NotPlain("a time without offset")
        return moment


class Fields:
    """The fields of one map, each taken once by name, type and bounds; `close` refuses the rest."""

    def __init__(self, value: object, name: str) -> None:
        if not isinstance(value, dict):
            raise NotPlain(f"{name} is not a map")
        self._left: dict[str, object] = dict(value)
        self._name = name

    def value(self, field: str) -> object:
        """Take a field as it is."""
        try:
            return self._left.pop(field)
        except KeyError:
            raise NotPlain(f"{self._name} has no {field}") from None

    def _absent(self, field: str) -> bool:
        if field not in self._left or self._left[field] is not None:
            return False
        del self._left[field]
        return True

    def _wrong(self, field: str) -> NotPlain:
        return NotPlain(f"{self._name}: {field} has a wrong type or is out of bounds")

    def text(self, field: str, longest: int, *, shortest: int = 1) -> str:
        """Take a text of so many characters, without NUL (which databases cannot hold)."""
        value = self.value(field)
        if not isinstance(value, str) or not shortest <= len(value) <= longest or "\0" in value:
            raise self._wrong(field)
        return value

    def text_or_none(self, field: str, longest: int) -> str | None:
        """Take a text or None."""
        if self._absent(field):
            return None
        return self.text(field, longest)

    def whole(self, field: str, least: int, most: int) -> int:
        """Take a whole number within both bounds."""
        value = self.value(field)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(field)
        return value

    def whole_or_none(self, field: str, least: int, most: int) -> int | None:
        """Take a whole number or None."""
        if self._absent(field):
            return None
        return self.whole(field, least, most)

    def number(self, field: str) -> float:
        """Take a number; a whole one stays whole, so that it is written again as it was read."""
        value = self.value(field)
        if type(value) not in {int, float}:
            raise self._wrong(field)
        return cast("float", value)

    def number_or_none(self, field: str) -> float | None:
        """Take a float or None."""
        if self._absent(field):
            return None
        return self.number(field)

    def flag(self, field: str) -> bool:
        """Take True or False."""
        value = self.value(field)
        if not isinstance(value, bool):
            raise self._wrong(field)
        return value

    def flag_or_none(self, field: str) -> bool | None:
        """Take True, False or None."""
        if self._absent(field):
            return None
        return self.flag(field)

    def octets(self, field: str, least: int, most: int) -> bytes:
        """Take bytes of a length within both bounds."""
        value = self.value(field)
        if not isinstance(value, bytes) or not least <= len(value) <= most:
            raise self._wrong(field)
        return value

    def octets_or_none(self, field: str, least: int, most: int) -> bytes | None:
        """Take bytes or None."""
        if self._absent(field):
            return None
        return self.octets(field, least, most)

    def time(self, field: str) -> datetime:
        """Take an aware time."""
        value = self.value(field)
        if not isinstance(value, datetime):
            raise self._wrong(field)
        return value

    def rows(self, field: str, most: int) -> list[object]:
        """Take an array of at most so many values."""
        value = self.value(field)
        if not isinstance(value, list) or len(value) > most:
            raise self._wrong(field)
        return value

    def close(self) -> None:
        """Refuse what nobody took."""
        if self._left:
            raise NotPlain(f"{self._name} has unknown fields: {len(self._left)}")
