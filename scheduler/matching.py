"""Which times and lanes somebody who waits would take.

It takes no place; how people who come together are seated is said in `scheduler.seating`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.calendar import HERE
from scheduler.places import PUBLIC
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


def wants(here: datetime) -> sa.ColumnElement[bool]:
    """Return the question of `Wanted.wants` to wishes, about a time here."""
    return sa.and_(
        WishRow.first_day <= here.date(),
        WishRow.last_day >= here.date(),
        WishRow.weekdays.bitwise_and(1 << here.weekday()) != 0,
        WishRow.from_time <= here.time(),
        WishRow.to_time >= here.time(),
    )


def lanes(session: Session, place: str) -> Mapping[bool, frozenset[str]]:
    """Return the lanes of a place a wish may get, by whether it is of a priority group."""
    rows = session.execute(sa.select(LaneRow.code, LaneRow.kind).where(LaneRow.place == place))
    kinds = dict(rows.all())
    regular = frozenset(code for code, kind in kinds.items() if kind is LaneKind.REGULAR)
    regular |= {code for code in PUBLIC if code not in kinds}  # nobody entered its lanes
    first = frozenset(code for code, kind in kinds.items() if kind is LaneKind.PRIORITY)
    return {False: regular, True: regular | first}


def passed(row: WishRow, *, place: str, lane: str) -> frozenset[datetime]:
    """Return the starts the wish turned down in a lane."""
    return frozenset(
        datetime.fromisoformat(start)
        for there, start, line in row.passed.get("starts", ())
        if (there, line) == (place, lane)
    )
