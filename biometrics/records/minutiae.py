"""Finger minutiae records of ISO/IEC 19794-2:2005 and 2011: written and read back.

It finds and compares no minutiae, and writes neither ridge counts nor cores nor deltas.

Layouts as FingerprintIO 1.3 (`iso19794p2v2005`, `iso19794p2v2011`, the reader inside SourceAFIS)
and a public C reader of version 030 have them; both agree. That an angle runs counter-clockwise
from the right in 256 steps of the turn, and that 0 (2005) or 254 (2011) is a quality not reported,
is read there too; the text of the standard itself was not at hand.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from biometrics.records import impressions
from biometrics.records.blocks import (
    UNSPECIFIED,
    Cursor,
    Origin,
    Quality,
    RecordInvalid,
    closed,
    opened,
    packed,
    per_centimetre,
    per_inch,
    read_origin,
    representation,
    represented,
    write_origin,
)
from biometrics.records.view import (
    MAX_SIDE,
    TURN,
    MinutiaType,
    Point,
    View,
    as_minutiae,
    check,
    of,
)

__all__ = [
    "Edition",
    "MinutiaType",
    "Point",
    "Record",
    "RecordInvalid",
    "View",
    "as_minutiae",
    "decode",
    "encode",
    "of",
]

Edition = Literal[2005, 2011]
FORMAT: Final = b"FMR\x00"
MAGIC: Final[dict[Edition, bytes]] = {2005: FORMAT + b" 20\x00", 2011: FORMAT + b"030\x00"}
MAX_BYTES: Final = 262_144
MAX_VIEWS: Final = 16
"""Of one finger in one record; the number of a view has four bits in 2005."""
_STEPS: Final = 256
"""Of a turn."""
_HEADER: Final = struct.Struct(">HHHHHBB")
"""2005, behind the length: capture equipment, width, height, resolution across and down, how many
views, reserved."""
_COUNTED: Final = struct.Struct(">HB")
"""2011, behind the length: how many representations, whether certificates follow."""
_VIEW_2005: Final = struct.Struct(">BBBB")
"""Position, number and impression type, quality, how many minutiae."""
_VIEW_2011: Final = struct.Struct(">BBHHBHHBB")
"""Position, number, resolution across and down, impression type, width, height, bytes a minutia and
kind of ridge endings, how many minutiae."""
_POINT: Final = struct.Struct(">HHBB")
_BARE_POINT: Final = struct.Struct(">HHB")
_EXTENDED: Final = struct.Struct(">H")
_RIDGE_ENDS: Final = 1
"""Ridge endings are ends of the ridge's skeleton, not bifurcations of the valley's."""
_NOT_REPORTED: Final = 254
_FAILED: Final = 255
_TYPE_AT: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was read."""

    edition: Edition
    views: tuple[View, ...]


def encode(views: Sequence[View], edition: Edition = 2011) -> bytes:
    """Return the record of one or more views.

    Raises:
        RecordInvalid: no view, more than 16 of one finger, a view without points or with a value
            that has no place; in 2005 also views of several sizes or resolutions, or of a kind
            that is not known.
    """
    if not views:
        raise RecordInvalid("a record has a view")
    for view in views:
        check(view)
    if max(Counter(view.position for view in views).values()) > MAX_VIEWS:
        raise RecordInvalid(f"more than {MAX_VIEWS} views of one finger")
    return _write_2005(views) if edition == 2005 else _write_2011(views)  # noqa: PLR2004 - a year


def decode(data: bytes) -> Record:
    """Return the record in `data`; extended data (ridge counts, cores) are passed over.

    Raises:
        RecordInvalid: truncated or with bytes beyond its end, over `MAX_BYTES`, of another format
            or version, without views, with a code or quality that is not defined, a resolution
            that is none or differs across and down, a view without points, a point outside.
    """
    if data.startswith(MAGIC[2005]):
        return Record(edition=2005, views=_read_2005(data))
    return Record(edition=2011, views=_read_2011(data))


def _write_2005(views: Sequence[View]) -> bytes:
    first = views[0]
    if len({(view.width, view.height, view.dpi) for view in views}) > 1:
        raise RecordInvalid("a record of 2005 has one size and resolution for all its views")
    rate = per_centimetre(first.dpi)
    parts = [packed(_HEADER, 0, first.width, first.height, rate, rate, len(views), 0)]
    seen: Counter[int] = Counter()
    for view in views:
        if view.kind is None:
            raise RecordInvalid("a record of 2005 says how the finger lay")
        head = (
            seen[view.position] << 4 | impressions.CODES[view.kind],
            view.quality or 0,
            len(view.points),
        )
        parts.append(packed(_VIEW_2005, view.position, *head))
        parts += [_POINT.pack(*_place(point), _step(point), _mark(point)) for point in view.points]
        parts.append(_EXTENDED.pack(0))
        seen[view.position] += 1
    return closed(MAGIC[2005], b"".join(parts), MAX_BYTES)


def _mark(point: Point) -> int:
    """Return a quality of 2005, where 0 means none was reported and 1 is the worst."""
    return 0 if point.quality is None else max(1, point.quality)


def _write_2011(views: Sequence[View]) -> bytes:
    parts = [packed(_COUNTED, len(views), 0)]
    seen: Counter[int] = Counter()
    for view in views:
        rate = per_centimetre(view.dpi)
        known = (
            () if view.quality is None else (Quality(score=view.quality, algorithm=view.algorithm),)
        )
        head = packed(
            _VIEW_2011,
            view.position,
            seen[view.position],
            rate,
            rate,
            impressions.CODES[view.kind],
            view.width,
            view.height,
            _POINT.size << 4 | _RIDGE_ENDS,
            len(view.points),
        )
        points = [
            _POINT.pack(
                *_place(point),
                _step(point),
                _NOT_REPORTED if point.quality is None else point.quality,
            )
            for point in view.points
        ]
        origin = write_origin(Origin(at=view.at, qualities=known))
        parts.append(represented(b"".join([origin, head, *points, _EXTENDED.pack(0)])))
        seen[view.position] += 1
    return closed(MAGIC[2011], b"".join(parts), MAX_BYTES)


def _read_2005(data: bytes) -> tuple[View, ...]:
    cursor = opened(data, MAGIC[2005], MAX_BYTES)
    _, width, height, across, down, count, _ = cursor.take(_HEADER)
    if count == 0:
        raise RecordInvalid("a record has a view")
    views = []
    for _ in range(count):
        position, numbered, quality, many = cursor.take(_VIEW_2005)
        points = tuple(_point(cursor, _POINT, none=0) for _ in range(many))
        cursor.octets(cursor.one(_EXTENDED))
        view = View(
            position=position,
            kind=impressions.kind_of(numbered & 0xF),
            quality=quality or None,
            width=width,
            height=height,
            dpi=_dpi(across, down),
            points=points,
            algorithm=UNSPECIFIED,
        )
        check(view)
        views.append(view)
    cursor.close()
    return tuple(views)


def _read_2011(data: bytes) -> tuple[View, ...]:
    cursor = opened(data, MAGIC[2011], MAX_BYTES)
    count, flag = cursor.take(_COUNTED)
    if count == 0 or flag not in (0, 1):
        raise RecordInvalid("a record has a view, and certificates or none")
    views = tuple(_view_2011(representation(cursor), certified=flag == 1) for _ in range(count))
    cursor.close()
    return views


def _view_2011(cursor: Cursor, *, certified: bool) -> View:
    origin = read_origin(cursor, certified=certified)
    position, _, across, down, kind, width, height, lengths, many = cursor.take(_VIEW_2011)
    layout = {5: _BARE_POINT, 6: _POINT}.get(lengths >> 4)
    if layout is None or lengths & 0xF > _RIDGE_ENDS:
        raise RecordInvalid("minutiae of a kind we do not read")
    points = tuple(_point(cursor, layout, none=_NOT_REPORTED) for _ in range(many))
    cursor.octets(cursor.one(_EXTENDED))
    cursor.close()
    view = View(
        position=position,
        kind=impressions.kind_of(kind),
        quality=origin.first.score,
        width=width,
        height=height,
        dpi=_dpi(across, down),
        points=points,
        algorithm=origin.first.algorithm,
        at=origin.at,
    )
    check(view)
    return view


def _dpi(across: int, down: int) -> int:
    if across != down:
        raise RecordInvalid("a resolution that differs across and down")
    return per_inch(across)


def _place(point: Point) -> tuple[int, int]:
    return point.type << _TYPE_AT | point.x, point.y


def _step(point: Point) -> int:
    return round(point.angle / TURN * _STEPS) % _STEPS


def _point(cursor: Cursor, layout: struct.Struct, *, none: int) -> Point:
    across, y, step, *more = cursor.take(layout)
    quality = more[0] if more else none
    if across >> _TYPE_AT not in tuple(MinutiaType):
        raise RecordInvalid("a minutia of a type that is not defined")
    return Point(
        x=across & MAX_SIDE,
        y=y,
        angle=step / _STEPS * TURN,
        quality=None if quality in (none, _FAILED) else quality,
        type=MinutiaType(across >> _TYPE_AT),
    )
