"""Finds places by where they are and what they are called, each with its earliest free time.

It ranks nobody: what is found stands in the order that was asked for.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.places import PUBLIC
from scheduler.tables import PlaceRow, SlotRow
from scheduler.words import fold

EARTH_KM = 6371.0088
"""Mean radius of the Earth (IUGG)."""
KM_PER_DEGREE = EARTH_KM * math.pi / 180
"""Of latitude."""
WITHIN_KM = 50.0
"""[D] How far "near" goes where nobody says: further than anybody lives from a station."""
AHEAD = timedelta(days=62)
"""[D] How far ahead a free time is looked for: no place opens its slots earlier. A bound lets the
database go through the months in order instead of looking into each."""
LONGEST_QUERY = 80
"""Characters of what is searched for; more is no name."""
MOST = 200
"""[D] Places one answer holds at most, and places whose earliest time is asked for at once."""

Point = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place that takes people, as a list of places shows it."""

    code: str
    name: str
    address: str
    province: str
    ward: str
    where: Point | None
    """None: nobody entered it."""
    distance_km: float | None = None
    """From the point that was asked for, as the crow flies; None: no point, or not known where."""
    earliest: datetime | None = None
    """The first time with a free place; None: there is none within `AHEAD`."""


def distance_km(one: Point, other: Point) -> float:
    """Return how far two points are apart on a sphere (haversine; wrong by 0.5 % at most)."""
    north, south = math.radians(one[0]), math.radians(other[0])
    across = math.radians(other[1] - one[1])
    half = (
        math.sin((south - north) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(across / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def _box(near: Point, within_km: float) -> sa.ColumnElement[bool]:
    """Return what is true of everything within a circle, and of some things outside."""
    latitude, longitude = near
    high = within_km / KM_PER_DEGREE
    wide = high / max(0.01, math.cos(math.radians(latitude)))
    return sa.and_(
        PlaceRow.latitude.between(latitude - high, latitude + high),
        PlaceRow.longitude.between(longitude - wide, longitude + wide),
    )


_SHOWN = (
    PlaceRow.code,
    PlaceRow.name,
    PlaceRow.address,
    PlaceRow.province,
    PlaceRow.ward,
    PlaceRow.latitude,
    PlaceRow.longitude,
)


def earliest(
    codes: Sequence[str], *, now: datetime, lanes: Collection[str]
) -> sa.Select[str, datetime | None]:
    """Return the one question for the first free time of each place; None where there is none.

    For each place the database goes to the first slot with room and looks at no full one before
    it; it passes by those of other lanes.
    """
    first = (
        sa.select(SlotRow.starts_at)
        .where(
            SlotRow.place == PlaceRow.code,
            SlotRow.has_room,
            SlotRow.starts_at > now,
            SlotRow.starts_at < now + AHEAD,
            SlotRow.lane.in_(sorted(lanes)),
        )
        .order_by(SlotRow.starts_at)
        .limit(1)
        .correlate(PlaceRow)
        .scalar_subquery()
    )
    return sa.select(PlaceRow.code, first).where(PlaceRow.code.in_(codes))


def stations(
    session: Session,
    *,
    province: str | None = None,
    ward: str | None = None,
    near: Point | None = None,
    within_km: float = WITHIN_KM,
    words: str = "",
    soonest: bool = False,
    now: datetime,
    limit: int = 50,
    lanes: Collection[str] = PUBLIC,
) -> tuple[Station, ...]:
    """Return open places with their earliest free time, at most `limit`.

    Args:
        session: a transaction.
        province: its code; None: all.
        ward: the commune's name, accents and case do not matter; None: all.
        near: nearest first; places nobody knows the way to are left out.
        within_km: how far `near` goes.
        words: all of them stand in name, address or commune; accents and case do not matter.
        soonest: the earliest free time first, of the `MOST` places that would come first else.
        now: the time.
        limit: how many, at most `MOST`.
        lanes: the lanes the asker may book.
    """
    limit = max(0, min(limit, MOST))
    where = [] if province is None else [PlaceRow.province == province]
    where += [] if near is None else [_box(near, within_km)]
    wanted = fold(words[:LONGEST_QUERY]).split()
    commune = None if ward is None else fold(ward[:LONGEST_QUERY])
    found = [
        one
        for one in listed(session, *where, near=near)
        if (commune is None or fold(one.ward) == commune) and _holds(one, wanted)
    ]
    if near is not None:
        inside = (one for one in found if (one.distance_km or 0) <= within_km)
        found = sorted(inside, key=lambda one: one.distance_km or 0)
    found = found[: MOST if soonest else limit]
    asked = earliest([one.code for one in found], now=now, lanes=lanes)
    first = dict(session.execute(asked).all())
    found = [replace(one, earliest=first.get(one.code)) for one in found]
    if soonest:
        found.sort(key=lambda one: (one.earliest is None, one.earliest))
    return tuple(found[:limit])


def listed(
    session: Session, *where: sa.ColumnElement[bool], near: Point | None = None
) -> list[Station]:
    """Return the open places of which this is true, by province and name without accents."""
    rows = session.execute(sa.select(*_SHOWN).where(PlaceRow.open, *where))
    # Not by the database: each sorts accents in its own way.
    found = [_station(*row, near=near) for row in rows]
    return sorted(found, key=lambda one: (one.province, fold(one.name), one.code))


def _holds(one: Station, wanted: Sequence[str]) -> bool:
    if not wanted:
        return True
    text = fold(f"{one.name} {one.address} {one.ward}")
    return all(word in text for word in wanted)


def _station(
    code: str,
    name: str,
    address: str,
    province: str,
    ward: str,
    latitude: float | None,
    longitude: float | None,
    *,
    near: Point | None,
) -> Station:
    where = None if latitude is None or longitude is None else (latitude, longitude)
    return Station(
        code=code,
        name=name,
        address=address,
        province=province,
        ward=ward,
        where=where,
        distance_km=None if near is None or where is None else distance_km(near, where),
    )
