"""What a place offers: days with free places, and the times of a day.

It only reads, and promises nothing: a place is sure when it is held.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import calendar, places, plan
from scheduler.calendar import HERE, Words
from scheduler.places import PUBLIC
from scheduler.slots import SlotRef
from scheduler.tables import SlotRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day at a place."""

    date: date
    free: int
    """Places that can still be taken."""
    capacity: int
    """Places in the slots still to come; 0: nothing is offered (yet)."""
    closed: str | None
    """Why the place is closed, in the calendar's own Vietnamese words; None: it is not."""
    closed_en: str | None
    """The same in English."""
    announced: bool
    """False: the nation has not published this year's swapped days yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A time that is offered."""

    slot: SlotRef
    ends_at: datetime
    free: int


def _closed(
    rules: Collection[places.Rule], unlike: dict[date, places.Unlike], day: date
) -> Words | None:
    like = plan.hours(day, unlike.get(day))
    if like.weekday is None:
        return like.why or calendar.closed()
    known = tuple(rules)
    if not known or any(plan.in_force(known, day, like.weekday)):
        return None
    return calendar.weekend() if day.weekday() >= calendar.SATURDAY else calendar.closed()


def _offered(
    place: str, first: date, last: date, *, now: datetime, lanes: Collection[str]
) -> sa.ColumnElement[bool]:
    """Return what is true of a slot that somebody may still take, full ones too."""
    begins, ended = plan.bounds(first, last)
    return sa.and_(
        SlotRow.place == place,
        SlotRow.starts_at >= begins,
        SlotRow.starts_at < ended,
        SlotRow.starts_at > now,
        SlotRow.lane.in_(lanes),
        SlotRow.offered,
    )


def days(
    session: Session,
    place: str,
    *,
    first: date,
    last: date,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
) -> tuple[Day, ...]:
    """Return every day from `first` to `last` with its free places, or why it is closed.

    Raises:
        PlaceUnknown: there is no such place.
    """
    there = places.find(session, place)
    rules = tuple(rule for rule in places.rules(session, place) if rule.lane in lanes)
    unlike = places.exceptions(session, there, first=first, last=last)
    capacity: Counter[date] = Counter()
    free: Counter[date] = Counter()
    for starts_at, places_there, taken in session.execute(
        sa.select(SlotRow.starts_at, SlotRow.capacity, SlotRow.taken).where(
            _offered(place, first, last, now=now, lanes=lanes)
        )
    ):
        day = starts_at.astimezone(HERE).date()
        capacity[day] += places_there
        free[day] += places_there - taken
    found = []
    for day in plan.days_between(first, last):
        why = _closed(rules, unlike, day)
        found.append(
            Day(
                date=day,
                free=0 if why else free[day],
                capacity=0 if why else capacity[day],
                closed=why.vi if why else None,
                closed_en=why.en if why else None,
                announced=calendar.announced(day),
            )
        )
    return tuple(found)


def times(
    session: Session,
    place: str,
    day: date,
    *,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
) -> tuple[Offer, ...]:
    """Return the times still to come that are offered on a day, full ones too; none if closed.

    Raises:
        PlaceUnknown: there is no such place.
    """
    (offered,) = days(session, place, first=day, last=day, now=now, lanes=lanes)
    if offered.closed:
        return ()
    rows = session.execute(
        sa.select(SlotRow.starts_at, SlotRow.lane, SlotRow.minutes, SlotRow.capacity, SlotRow.taken)
        .where(_offered(place, day, day, now=now, lanes=lanes))
        .order_by(SlotRow.starts_at, SlotRow.lane)
    )
    return tuple(
        Offer(
            slot=SlotRef(place=place, starts_at=row.starts_at, lane=row.lane),
            ends_at=row.starts_at + timedelta(minutes=row.minutes),
            free=row.capacity - row.taken,
        )
        for row in rows
    )
