"""What a place offers: days with free places, and the times of a day.

It only reads, and promises nothing: a place is sure when it is held.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import calendar, places, plan
from scheduler.calendar import HERE, Words
from scheduler.places import PUBLIC
from scheduler.slots import SlotRef, free_places
from scheduler.tables import SlotRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day at a place."""

    date: date
    free: int
    """Appointments that can still be made, one beside and one after the other."""
    capacity: int
    """Places in the slots still to come; 0: nothing is offered (yet)."""
    closed: str | None
    """Why the place is closed, in the calendar's own Vietnamese words; None: it is not."""
    closed_en: str | None
    """The same in English."""
    announced: bool
    """False: the nation has not published this year's swapped days yet."""
    by_lot: bool = False
    """Whether places of it are given by lot; these are not free to be booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A time that is offered."""

    slot: SlotRef
    """The first of the slots."""
    ends_at: datetime
    free: int
    by_lot: bool = False
    """Whether its places are given by lot; then nobody books one for themselves."""


@dataclass(slots=True, kw_only=True)
class _Room:
    """A slot and what is left in it."""

    slot: SlotRef
    minutes: int
    capacity: int
    free: int
    by_lot: bool


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


def capacity(*, public: bool) -> sa.ColumnElement[int]:
    """Return how many a slot takes when nobody is in it."""
    return SlotRow.public_capacity.expression if public else SlotRow.capacity.expression


def offered(
    first: date, last: date, *, now: datetime, lanes: Collection[str]
) -> sa.ColumnElement[bool]:
    """Return what is true of a slot somebody may still ask for, full ones too."""
    begins, ended = plan.bounds(first, last)
    return sa.and_(
        SlotRow.starts_at >= begins,
        SlotRow.starts_at > now,
        SlotRow.starts_at < ended,
        SlotRow.lane.in_(sorted(lanes)),
        SlotRow.offered,
    )


def month(
    place: str, first: date, last: date, *, now: datetime, lanes: Collection[str], public: bool
) -> sa.Select[datetime, str, int, int, int, bool]:
    """Return the one question a calendar asks: the slots of a place, in order."""
    return (
        sa.select(
            SlotRow.starts_at,
            SlotRow.lane,
            SlotRow.minutes,
            capacity(public=public),
            free_places(public=public),
            SlotRow.by_lot,
        )
        .where(SlotRow.place == place, offered(first, last, now=now, lanes=lanes))
        .order_by(SlotRow.starts_at, SlotRow.lane)
    )


def _rooms(
    session: Session,
    place: str,
    first: date,
    last: date,
    *,
    now: datetime,
    lanes: Collection[str],
    public: bool,
) -> list[_Room]:
    rows = session.execute(month(place, first, last, now=now, lanes=lanes, public=public))
    return [
        _Room(
            slot=SlotRef(place=place, starts_at=starts_at, lane=lane),
            minutes=minutes,
            capacity=there,
            free=free,
            by_lot=by_lot,
        )
        for starts_at, lane, minutes, there, free, by_lot in rows
    ]


def _runs(rooms: Iterable[_Room], length: int | None) -> Iterator[list[_Room]]:
    """Yield the slots an appointment of `length` minutes takes, from every start it fits at."""
    known = {room.slot: room for room in rooms}
    for first in known.values():
        run, minutes = [first], first.minutes
        while minutes < (length or 0):
            then = first.slot.starts_at + timedelta(minutes=minutes)
            after = known.get(SlotRef(place=first.slot.place, starts_at=then, lane=first.slot.lane))
            if after is None:
                break
            run.append(after)
            minutes += after.minutes
        if minutes >= (length or 0):
            yield run


def _fits(rooms: Iterable[_Room], length: int | None) -> Counter[date]:
    """Return how many appointments fit on each day.

    All are equally long, so that taking them in order of their starts wastes nothing.
    """
    left: Counter[SlotRef] = Counter({room.slot: room.free for room in rooms})
    found: Counter[date] = Counter()
    for run in _runs(rooms, length):
        taken = max(0, min(left[room.slot] for room in run))
        found[_day(run[0])] += taken
        for room in run:
            left[room.slot] -= taken
    return found


def _day(room: _Room) -> date:
    return room.slot.starts_at.astimezone(HERE).date()


def days(
    session: Session,
    place: str,
    *,
    first: date,
    last: date,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
    length: int | None = None,
    public: bool = True,
) -> tuple[Day, ...]:
    """Return every day from `first` to `last` with its free places, or why it is closed.

    Args:
        session: a transaction.
        place: where.
        first: the first day.
        last: the last day.
        now: the time.
        lanes: the lanes the asker may book.
        length: minutes the person needs, in slots of one lane that follow each other; None: one
            slot.
        public: False counts what officers may book, too.

    Raises:
        PlaceUnknown: there is no such place.
    """
    there = places.find(session, place)
    rules = tuple(rule for rule in places.rules(session, place) if rule.lane in lanes)
    unlike = places.exceptions(session, there, first=first, last=last)
    rooms = _rooms(session, place, first, last, now=now, lanes=lanes, public=public)
    fits, whole = _fits(rooms, length), Counter[date]()
    for room in rooms:
        whole[_day(room)] += room.capacity
    by_lot = {_day(room) for room in rooms if room.by_lot}
    found = []
    for day in plan.days_between(first, last):
        why = _closed(rules, unlike, day)
        found.append(
            Day(
                date=day,
                free=0 if why else fits[day],
                capacity=0 if why else whole[day],
                closed=why.vi if why else None,
                closed_en=why.en if why else None,
                announced=calendar.announced(day),
                by_lot=not why and day in by_lot,
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
    length: int | None = None,
    public: bool = True,
) -> tuple[Offer, ...]:
    """Return the times still to come that are offered on a day, full ones too; none if closed.

    With a `length` these are the starts from which so many minutes follow without a break, and
    `free` is what the fullest of their slots has left.

    Raises:
        PlaceUnknown: there is no such place.
    """
    there = places.find(session, place)
    rules = tuple(rule for rule in places.rules(session, place) if rule.lane in lanes)
    if _closed(rules, places.exceptions(session, there, first=day, last=day), day):
        return ()
    rooms = _rooms(session, place, day, day, now=now, lanes=lanes, public=public)
    return tuple(
        Offer(
            slot=run[0].slot,
            ends_at=run[-1].slot.starts_at + timedelta(minutes=run[-1].minutes),
            free=max(0, min(room.free for room in run)),
            by_lot=any(room.by_lot for room in run),
        )
        for run in _runs(rooms, length)
    )
