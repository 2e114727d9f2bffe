"""Finger minutiae records of ISO/IEC 19794-2:2005 and 2011: written and read back.

It finds and compares no minutiae, and writes neither ridge counts nor cores nor deltas.

Layouts as FingerprintIO 1.3 (`iso19794p2v2005`, `iso19794p2v2011`, the reader inside SourceAFIS)
and a public C reader of version 030 have them; both agree. That an angle runs counter-clockwise
from the right in 256 steps of the turn, and that 0 (2005) or 254 (2011) is a quality not reported,
is read there too; the text of the standard itself was not at hand.
"""

import enum
import math
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import ImpressionKind
from biometrics.finger.impression import DPI
from biometrics.finger.minutiae import Minutiae
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
    per_centimetre,
    per_inch,
    read_origin,
    representation,
    represented,
    write_origin,
)

__all__ = ["Edition", "MinutiaType", "Point", "Record", "RecordInvalid", "View"]

Edition = Literal[2005, 2011]
FORMAT: Final = b"FMR\x00"
MAGIC: Final[dict[Edition, bytes]] = {2005: FORMAT + b" 20\x00", 2011: FORMAT + b"030\x00"}
MAX_BYTES: Final = 262_144
MAX_POINTS: Final = 255
"""One byte counts them."""
MAX_SIDE: Final = 0x3FFF
"""A coordinate has 14 bits."""
MAX_VIEWS: Final = 16
"""Of one finger in one record; the number of a view has four bits in 2005."""
LEAST_DPI: Final = 250
"""ISO/IEC 19794-2: at least 98.45 pixels on a centimetre."""
MOST_DPI: Final = 2000
POSITIONS: Final = range(11)
"""0 is unknown, then right thumb to left little finger."""
_STEPS: Final = 256
"""Of a turn."""
_TURN: Final = 2 * math.pi
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
SURE: Final = 0.75
"""From here on an ending, from 1 minus this down a bifurcation; between them neither is claimed."""
UNKNOWN_KIND: Final = 29
KINDS: Final = {ImpressionKind.PLAIN: 0, ImpressionKind.ROLLED: 1}
IMPRESSIONS: Final = frozenset({*range(10), 24, 28, 29})
"""Impression types that ISO/IEC 19794-2:2011 defines; those that are not ours are read as None."""


class MinutiaType(enum.IntEnum):
    """What a ridge does there."""

    OTHER = 0
    """Neither, or it was not told apart."""
    ENDING = 1
    BIFURCATION = 2


_ENDING: Final = {
    MinutiaType.OTHER: 0.5,
    MinutiaType.ENDING: 1.0,
    MinutiaType.BIFURCATION: 0.0,
}
RECORD: Final = "record"
"""Extractor of minutiae that were read: a record does not say who found them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One minutia.

    Attributes:
        x, y: pixels of the impression, to the right and downwards.
        angle: radians, counter-clockwise from the right, 0 to 2 pi; a record holds 256 steps.
        quality: 0..100, None where it is not reported.
    """

    x: int
    y: int
    angle: float
    quality: int | None = None
    type: MinutiaType = MinutiaType.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One impression's minutiae.

    Attributes:
        position: 1 right thumb .. 10 left little, 0 unknown.
        kind: None where it is neither plain nor rolled on a glass, or not known.
        quality: of the impression, 0..100; None where the record does not say. A record of 2005
            cannot say 0: it is read back as None.
        algorithm: whose quality it is (2011 only).
        width, height: pixels of the impression.
        dpi: the same across and down; a record holds whole pixels on a centimetre.
        at: when it was taken (2011 only).
    """

    position: int
    kind: ImpressionKind | None
    quality: int | None
    width: int
    height: int
    dpi: int
    points: tuple[Point, ...]
    algorithm: Algorithm = NFIQ2
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was read."""

    edition: Edition
    views: tuple[View, ...]


def of(
    minutiae: Minutiae,
    *,
    position: int,
    kind: ImpressionKind,
    quality: int | None,
    width: int,
    height: int,
    dpi: int,
    at: datetime | None = None,
) -> View:
    """Return the view of an impression's minutiae, the strongest 255 of those inside it.

    Args:
        minutiae: at 500 dpi; their score is the points' quality.
        position: see `View`.
        kind: how the finger lay.
        quality: NFIQ 2 of the impression.
        width: pixels of the impression.
        height: pixels of the impression.
        dpi: of the impression.
        at: when it was taken.

    Raises:
        RecordInvalid: a value has no place in a record.
    """
    order = np.argsort(-minutiae.points[:, 3], kind="stable")
    rows = minutiae.points[order].astype(np.float64)
    kinds = _kinds(minutiae)[order]
    places = np.rint(rows[:, :2] * (dpi / DPI)).astype(np.int64)
    # A point may lie half a pixel beyond the last one.
    places = np.where(places == [width, height], places - 1, places)
    inside = ((places >= 0) & (places < [width, height])).all(axis=1)
    points = tuple(
        Point(
            x=int(x),
            y=int(y),
            angle=float(row[2]) % _TURN,
            quality=max(0, min(BEST, round(float(row[3]) * BEST))),
            type=MinutiaType(int(kind)),
        )
        for (x, y), row, kind in zip(places[inside], rows[inside], kinds[inside], strict=True)
    )
    view = View(
        position=position,
        kind=kind,
        quality=quality,
        width=width,
        height=height,
        dpi=dpi,
        points=points[:MAX_POINTS],
        at=at,
    )
    _check(view)
    return view


def as_minutiae(view: View) -> Minutiae:
    """Return a view's points at 500 dpi, strongest first.

    A quality that is not reported counts as full: nothing is known against such a point. Where no
    type is told, nobody looked.
    """
    rows = [
        (
            point.x * DPI / view.dpi,
            point.y * DPI / view.dpi,
            point.angle,
            1.0 if point.quality is None else point.quality / BEST,
        )
        for point in view.points
    ]
    points = np.array(rows, np.float32).reshape(-1, 4)
    order = np.argsort(-points[:, 3], kind="stable")
    types = {point.type for point in view.points}
    endings = np.array([_ENDING[point.type] for point in view.points], np.float32)[order]
    told = endings if types != {MinutiaType.OTHER} else None
    return Minutiae(points=points[order], endings=told, extractor=RECORD)


def _kinds(minutiae: Minutiae) -> NDArray[np.int64]:
    """Return a type for each point."""
    if minutiae.endings is None:
        return np.full(len(minutiae), MinutiaType.OTHER, np.int64)
    kinds = np.where(minutiae.endings >= SURE, MinutiaType.ENDING, MinutiaType.OTHER)
    return np.where(minutiae.endings <= 1 - SURE, MinutiaType.BIFURCATION, kinds).astype(np.int64)


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
        _check(view)
    if max(Counter(view.position for view in views).values()) > MAX_VIEWS:
        raise RecordInvalid(f"more than {MAX_VIEWS} views of one finger")
    data = _write_2005(views) if edition == 2005 else _write_2011(views)  # noqa: PLR2004 - a year
    if len(data) > MAX_BYTES:
        raise RecordInvalid(f"a record has at most {MAX_BYTES} bytes")
    return data


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


def _check(view: View) -> None:
    """Refuse what no record may hold, on both ways."""
    if view.position not in POSITIONS:
        raise RecordInvalid(f"{view.position} is no finger")
    if not (0 < view.width <= MAX_SIDE and 0 < view.height <= MAX_SIDE):
        raise RecordInvalid("an impression of no size, or a larger one than a record holds")
    if not LEAST_DPI <= view.dpi <= MOST_DPI:
        raise RecordInvalid(f"{view.dpi} dpi is no resolution of a finger")
    if not 0 < len(view.points) <= MAX_POINTS:
        raise RecordInvalid(f"{len(view.points)} minutiae; a record holds 1 to {MAX_POINTS}")
    qualities = [view.quality, *(point.quality for point in view.points)]
    if any(quality is not None and not 0 <= quality <= BEST for quality in qualities):
        raise RecordInvalid(f"a quality is 0..{BEST}")
    for point in view.points:
        if not (0 <= point.x < view.width and 0 <= point.y < view.height):
            raise RecordInvalid("a minutia outside the impression")
        if not math.isfinite(point.angle):
            raise RecordInvalid("an angle that is none")


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
        head = (seen[view.position] << 4 | KINDS[view.kind], view.quality or 0, len(view.points))
        parts.append(packed(_VIEW_2005, view.position, *head))
        parts += [_POINT.pack(*_place(point), _step(point), _mark(point)) for point in view.points]
        parts.append(_EXTENDED.pack(0))
        seen[view.position] += 1
    return closed(MAGIC[2005], b"".join(parts))


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
            UNKNOWN_KIND if view.kind is None else KINDS[view.kind],
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
    return closed(MAGIC[2011], b"".join(parts))


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
            kind=kind_of(numbered & 0xF),
            quality=quality or None,
            width=width,
            height=height,
            dpi=_dpi(across, down),
            points=points,
            algorithm=UNSPECIFIED,
        )
        _check(view)
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
        kind=kind_of(kind),
        quality=origin.first.score,
        width=width,
        height=height,
        dpi=_dpi(across, down),
        points=points,
        algorithm=origin.first.algorithm,
        at=origin.at,
    )
    _check(view)
    return view


def kind_of(code: int) -> ImpressionKind | None:
    """Return the kind that an impression type stands for, None for those that are not ours.

    Raises:
        RecordInvalid: the code is not defined.
    """
    if code not in IMPRESSIONS:
        raise RecordInvalid(f"the impression type {code} is not defined")
    return next((kind for kind, number in KINDS.items() if number == code), None)


def _dpi(across: int, down: int) -> int:
    if across != down:
        raise RecordInvalid("a resolution that differs across and down")
    return per_inch(across)


def _place(point: Point) -> tuple[int, int]:
    return point.type << _TYPE_AT | point.x, point.y


def _step(point: Point) -> int:
    return round(point.angle / _TURN * _STEPS) % _STEPS


def _point(cursor: Cursor, layout: struct.Struct, *, none: int) -> Point:
    across, y, step, *more = cursor.take(layout)
    quality = more[0] if more else none
    if across >> _TYPE_AT not in tuple(MinutiaType):
        raise RecordInvalid("a minutia of a type that is not defined")
    return Point(
        x=across & MAX_SIDE,
        y=y,
        angle=step / _STEPS * _TURN,
        quality=None if quality in (none, _FAILED) else quality,
        type=MinutiaType(across >> _TYPE_AT),
    )
