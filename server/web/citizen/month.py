"""A month as a page shows it: weeks of days, each with its free places or why there are none.

It counts nothing itself.
"""

import enum
from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from biometrics.words import Text
from scheduler import calendar
from scheduler.offers import Day
from server.web.citizen.desk import HORIZON
from server.web.shell import words

FARTHEST = HORIZON + timedelta(days=31)
"""The last month is shown whole."""


class Shut(enum.StrEnum):
    """Why a day cannot be chosen; the value is the key of the sentence that says so."""

    PAST = "day.past"
    WEEKLY = "day.weekly"
    """Said in the calendar's own words, as `CLOSED` is."""
    CLOSED = "day.closed"
    TOO_YOUNG = "day.too_young"
    NOT_OPEN = "day.not_open"
    FULL = "day.full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One day of the month."""

    date: date
    free: int = 0
    shut: Shut | None = None
    """None: it can be chosen."""
    why: Text | None = None
    """The same in words."""

    @property
    def worth_listing(self) -> bool:
        """Whether somebody who reads a list wants to know of the day."""
        return self.shut in {None, Shut.CLOSED, Shut.FULL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month."""

    first: date
    weeks: Sequence[Sequence[Cell | None]]
    """Monday first; None outside the month; weeks that are over are left out."""
    earlier: date | None
    later: date | None
    """First day of the month before and after, where there is something to look at."""
    announced: bool
    """False: the nation may still swap days of this month."""

    @property
    def cells(self) -> list[Cell]:
        """The days of the month."""
        return [cell for week in self.weeks for cell in week if cell is not None]

    @property
    def open_days(self) -> list[Cell]:
        """The days that can be chosen."""
        return [cell for cell in self.cells if cell.shut is None]

    @property
    def reasons(self) -> list[tuple[Text, list[date]]]:
        """Why days are closed that are open in other weeks, with the days."""
        found: dict[Text, list[date]] = {}
        for cell in self.cells:
            if cell.shut is Shut.CLOSED and cell.why is not None:
                found.setdefault(cell.why, []).append(cell.date)
        return list(found.items())


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
    return max(first_of(today), min(first_of(wanted), first_of(today + HORIZON)))


def _shut(day: date, offer: Day | None, *, today: date, barred: frozenset[date]) -> Shut | None:
    if day < today:
        return Shut.PAST
    if offer is not None and offer.closed:
        weekly = offer.closed == calendar.weekend().vi
        return Shut.WEEKLY if weekly else Shut.CLOSED
    if day in barred:
        return Shut.TOO_YOUNG
    if offer is None or offer.capacity == 0:
        return Shut.NOT_OPEN
    return None if offer.free else Shut.FULL


def _cell(day: date, offer: Day | None, *, today: date, barred: frozenset[date]) -> Cell:
    shut = _shut(day, offer, today=today, barred=barred)
    free = offer.free if offer is not None else 0
    if shut is None:
        return Cell(date=day, free=free)
    if offer is not None and offer.closed and shut is not Shut.PAST:
        return Cell(date=day, shut=shut, why=Text(vi=offer.closed, en=offer.closed_en or ""))
    return Cell(date=day, shut=shut, why=words()[shut.value])


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
    last = first_of(today + HORIZON)
    return Month(
        first=first,
        weeks=[
            [
                _cell(day, offered.get(day), today=today, barred=barred)
                if day.month == first.month
                else None
                for day in week
            ]
            for week in Calendar().monthdatescalendar(first.year, first.month)
            if week[-1] >= today
        ],
        earlier=first_of(first - timedelta(days=1)) if first > first_of(today) else None,
        later=after(first) if first < last else None,
        announced=all(day.announced for day in offered.values()),
    )
