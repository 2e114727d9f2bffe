"""What anybody may know of free places: for each place, how many on which day, and the first time.

It holds nobody's data and promises nothing; who publishes it says how fresh it is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import search
from scheduler.calendar import HERE
from scheduler.offers import capacity, offered
from scheduler.places import PUBLIC, PlaceUnknown
from scheduler.search import Station
from scheduler.slots import free_places
from scheduler.tables import PlaceRow, SlotRow

A_DAY = 86400
"""Seconds."""
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How a day at a place stands."""

    date: date
    free: int
    """Places people may still book for themselves."""
    capacity: int
    """The same if nobody had booked; in times still to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What is free at a place."""

    station: Station
    """Without its earliest time, which stands here."""
    earliest: datetime | None
    """The first free time; None: there is none."""
    days: tuple[Count, ...]
    """The days that offer times, full ones too."""


def _here_seconds(day: date) -> int:
    """Return how far the clocks of Vietnam run before UTC; they know no summer time."""
    offset = datetime(day.year, day.month, day.day, tzinfo=HERE).utcoffset() or timedelta()
    return int(offset.total_seconds())


def counts(
    codes: Sequence[str], first: date, last: date, *, now: datetime, lanes: Collection[str]
) -> sa.Select[str, int, int, int, datetime | None]:
    """Return the one question for all of it: by place and day (since 1970) free, whole, first."""
    free = free_places(public=True)
    seconds = sa.cast(sa.extract("epoch", SlotRow.starts_at), sa.BigInteger)
    # Whole numbers on both sides: both databases then divide without a rest.
    day = (seconds + _here_seconds(first)) // A_DAY
    return (
        sa.select(
            SlotRow.place,
            day.label("day"),
            sa.func.sum(free),
            sa.func.sum(capacity(public=True)),
            sa.func.min(sa.case((free > 0, SlotRow.starts_at))),
        )
        .where(SlotRow.place.in_(codes), offered(first, last, now=now, lanes=lanes))
        .group_by(SlotRow.place, "day")
        .order_by(SlotRow.place, "day")
    )


def availability(
    session: Session,
    *,
    place: str | None = None,
    province: str | None = None,
    first: date,
    last: date,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
) -> tuple[Availability, ...]:
    """Return what is free at a place, or at each open place of a province.

    Raises:
        PlaceUnknown: there is no such place, or it takes nobody now.
        ValueError: neither a place nor a province, or both.
    """
    if (place is None) == (province is None):
        raise ValueError("either a place or a province")
    where = PlaceRow.code == place if place is not None else PlaceRow.province == province
    stations = search.listed(session, where)
    if place is not None and not stations:
        raise PlaceUnknown(place)
    codes = [station.code for station in stations]
    found: dict[str, list[Count]] = {code: [] for code in codes}
    earliest: dict[str, datetime] = {}
    for code, number, free, whole, start in session.execute(
        counts(codes, first, last, now=now, lanes=lanes)
    ):
        day = EPOCH + timedelta(days=number)
        found[code].append(Count(date=day, free=free, capacity=whole))
        if start is not None:
            earliest.setdefault(code, start)
    return tuple(
        Availability(
            station=station,
            earliest=earliest.get(station.code),
            days=tuple(found[station.code]),
        )
        for station in stations
    )
