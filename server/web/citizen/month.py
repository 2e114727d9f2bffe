"""A month as a page shows it: weeks of days, each with its free places or why there are none.

It counts nothing itself.
"""

from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.offers import Day

HORIZON = 60
"""Days ahead that are looked at; the worker opens fewer, the rest says "not open yet"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One day of the month."""

    date: date
    free: int
    why: str | None
    """Key of the sentence why it cannot be chosen, or the calendar's own words; None: it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month."""

    first: date
    weeks: Sequence[Sequence[Cell | None]]
    """Monday first; None outside the month."""
    earlier: date | None
    later: date | None
    """First day of the month before and after, where there is something to look at."""

    @property
    def open_days(self) -> list[Cell]:
        """The days that can be chosen."""
        return [cell for week in self.weeks for cell in week if cell is not None and not cell.why]


def first_of(day: date) -> date:
    """Return the first of the month."""
    return day.replace(day=1)


def after(first: date) -> date:
    """Return the first of the next month."""
    return first_of(first + timedelta(days=31))


def asked(text: str | None, today: date) -> date:
    """Return the month in ``2026-11``, kept between today's and the horizon's."""
    try:
        wanted = date.fromisoformat(f"{text}-01")
    except ValueError:
        wanted = today
    return max(first_of(today), min(first_of(wanted), first_of(today + timedelta(days=HORIZON))))


def month(
    first: date, offered: Mapping[date, Day], *, today: date, barred: frozenset[date]
) -> Month:
    """Return the month that begins on `first`.

    Args:
        first: the first of a month.
        offered: what the place offers, by day.
        today: no day before it can be chosen.
        barred: days on which the law lets this citizen not come (a child turns 6 later).
    """

    def cell(day: date) -> Cell | None:
        if day.month != first.month:
            return None
        offer = offered.get(day)
        free = offer.free if offer else 0
        if day < today:
            return Cell(date=day, free=0, why="day.past")
        if offer is not None and offer.closed:
            return Cell(date=day, free=0, why=offer.closed)
        if day in barred:
            return Cell(date=day, free=free, why="day.too_young")
        if offer is None or offer.capacity == 0:
            return Cell(date=day, free=0, why="day.not_open")
        return Cell(date=day, free=free, why=None if free else "day.full")

    weeks = Calendar().monthdatescalendar(first.year, first.month)
    last = first_of(today + timedelta(days=HORIZON))
    return Month(
        first=first,
        weeks=[[cell(day) for day in week] for week in weeks],
        earlier=first_of(first - timedelta(days=1)) if first > first_of(today) else None,
        later=after(first) if first < last else None,
    )
