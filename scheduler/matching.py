"""Which times somebody wants, and how people who come together sit in slots that follow each other.

It asks no database and takes no place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.calendar import HERE
from scheduler.tables import LaneKind, LaneRow
from scheduler.tables_waiting import WishRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """When somebody would come, how many they are and how long each needs."""

    first_day: date
    last_day: date
    weekdays: frozenset[int] = frozenset(range(7))
    """0 is Monday."""
    from_time: time = time(0)
    to_time: time = time(23, 59)
    """The last start, too."""
    people: int = 1
    minutes: int = 1
    """How long each of them needs."""

    def wants(self, starts_at: datetime) -> bool:
        """Return whether they would come at this time."""
        here = starts_at.astimezone(HERE)
        return (
            self.first_day <= here.date() <= self.last_day
            and here.weekday() in self.weekdays
            and self.from_time <= here.time() <= self.to_time
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a slot of a lane has left."""

    minutes: int
    free: int


def run(
    rooms: Mapping[datetime, Room], start: datetime, minutes: int
) -> tuple[datetime, ...] | None:
    """Return the starts of the slots that hold `minutes` without a break, or None."""
    starts: list[datetime] = []
    then, left = start, minutes
    while left > 0:
        room = rooms.get(then)
        if room is None or room.free < 1:
            return None
        starts.append(then)
        left -= room.minutes
        then += timedelta(minutes=room.minutes)
    return tuple(starts)


def together(
    rooms: Mapping[datetime, Room], start: datetime, wanted: Wanted
) -> tuple[tuple[datetime, ...], ...] | None:
    """Return the slots of each of the people, or None where they do not sit together from `start`.

    They sit beside each other, or one begins no later than another ends; as many as there is room
    for begin at the same time.
    """
    left = dict(rooms)
    found: list[tuple[datetime, ...]] = []
    then = until = start
    while len(found) < wanted.people:
        if then > until or not wanted.wants(then):
            return None
        slots = run(left, then, wanted.minutes)
        if slots is not None:
            found.append(slots)
            for slot in slots:
                left[slot] = Room(minutes=left[slot].minutes, free=left[slot].free - 1)
            until = max(until, slots[-1] + timedelta(minutes=left[slots[-1]].minutes))
        elif not found or then not in rooms:
            return None
        else:
            then += timedelta(minutes=rooms[then].minutes)
    return tuple(found)


def places_of(
    rooms: Mapping[datetime, Room], wanted: Wanted, *, but: Iterable[datetime] = ()
) -> tuple[tuple[datetime, ...], ...] | None:
    """Return the slots of each of the people at the first time that fits, or None.

    Args:
        rooms: the slots of one lane, by start.
        wanted: when they would come.
        but: starts they have turned down.
    """
    passed = frozenset(but)
    for start in sorted(rooms):
        if start in passed or not wanted.wants(start):
            continue
        found = together(rooms, start, wanted)
        if found is not None:
            return found
    return None


def weekdays(mask: int) -> frozenset[int]:
    """Return the days of the week of a mask; bit 0 is Monday."""
    return frozenset(day for day in range(7) if mask >> day & 1)


def wanted(row: WishRow) -> Wanted:
    """Return what a wish wants."""
    return Wanted(
        first_day=row.first_day,
        last_day=row.last_day,
        weekdays=weekdays(row.weekdays),
        from_time=row.from_time,
        to_time=row.to_time,
        people=row.people,
        minutes=row.minutes,
    )


def lanes(session: Session, place: str) -> Mapping[bool, frozenset[str]]:
    """Return the lanes of a place a wish may get, by whether it is of a priority group."""
    rows = session.execute(sa.select(LaneRow.code, LaneRow.kind).where(LaneRow.place == place))
    kinds = dict(rows.all())
    regular = frozenset(code for code, kind in kinds.items() if kind is LaneKind.REGULAR)
    first = frozenset(code for code, kind in kinds.items() if kind is LaneKind.PRIORITY)
    return {False: regular, True: regular | first}


def passed(row: WishRow, *, place: str, lane: str) -> frozenset[datetime]:
    """Return the starts the wish turned down in a lane."""
    return frozenset(
        datetime.fromisoformat(start)
        for there, start, line in row.passed.get("starts", ())
        if (there, line) == (place, lane)
    )
