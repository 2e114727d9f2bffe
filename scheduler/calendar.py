"""Which days are worked in Vietnam, and why the others are not.

It knows no places: what one of them decides for itself stands in `scheduler.places`.
Days come from the package `holidays`, corrected by `data/days_vn.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import holidays

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
SATURDAY = 5
OFF = frozenset({"off", "closed"})
"""What a day may be that nobody works; else it is `worked` or `short`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Why a day is not worked, as people read it."""

    vi: str
    en: str


@cache
def _data() -> Mapping[str, Any]:
    text = files("scheduler").joinpath("data/days_vn.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What was written down of one day, and the document that says so."""

    day: date
    is_: str
    words: Words | None
    like: int | None
    closes: time | None
    source: str


def _row(row: Mapping[str, str]) -> _Row:
    return _Row(
        day=date.fromisoformat(row["day"]),
        is_=row["is"],
        words=Words(vi=row["vi"], en=row["en"]) if "vi" in row else None,
        like=date.fromisoformat(row["for"]).weekday() if "for" in row else None,
        closes=time.fromisoformat(row["closes"]) if "closes" in row else None,
        source=row["source"],
    )


@cache
def _rows(year: int) -> tuple[_Row, ...]:
    """Return what was written down of a year; it outweighs the package."""
    return tuple(row for row in map(_row, _data()["days"]) if row.day.year == year)


@cache
def _off(year: int) -> Mapping[date, Words]:
    vi = holidays.country_holidays("VN", years=year, language="vi")
    en = holidays.country_holidays("VN", years=year, language="en_US")
    days = {day: Words(vi=str(vi[day]), en=str(en[day])) for day in vi}
    for row in _rows(year):
        if row.is_ in OFF:
            days[row.day] = row.words or closed()
        else:
            days.pop(row.day, None)
    return days


@cache
def _make_up(year: int) -> Mapping[date, int]:
    """Return the weekday whose hours are worked, by make-up day."""
    seed = holidays.country_holidays("VN", years=year).weekend_workdays
    # Monday's hours where nobody wrote down which day is made up for.
    days = {day: 0 for day in seed if day.year == year}
    for row in _rows(year):
        days.pop(row.day, None)
        if row.is_ == "worked":
            days[row.day] = row.day.weekday() if row.like is None else row.like
    return days


@cache
def edition() -> str:
    """Return which edition of the days this is; another one opens every calendar anew."""
    return f"{_data()['version']} {version('holidays')}"


def announced(day: date) -> bool:
    """Return whether the year's official schedule is known; if not, swaps may still come."""
    return day.year <= max(int(year) for year in _data()["announced"])


def source_of(year: int) -> str | None:
    """Return the documents that announced the year's days off, or None where there are none."""
    said = _data()["announced"].get(str(year))
    return None if said is None else str(said)


def holiday(day: date) -> Words | None:
    """Return the holiday's name, or None where it is none; a make-up day is none."""
    return None if day in _make_up(day.year) else _off(day.year).get(day)


def make_up_for(day: date) -> int | None:
    """Return the weekday (0 is Monday) whose hours a make-up day has; None: it is none."""
    return _make_up(day.year).get(day)


def closes_early(day: date) -> time | None:
    """Return when offices close everywhere on a short day; None: as usual."""
    return next((row.closes for row in _rows(day.year) if row.day == day), None)


def is_working(day: date) -> bool:
    """Return whether offices work on the day."""
    if day in _make_up(day.year):
        return True
    return day.weekday() < SATURDAY and day not in _off(day.year)


def weekend() -> Words:
    """Return what is said of a day of the week without hours."""
    return Words(**_data()["weekend"])


def closed() -> Words:
    """Return what is said of a day that is closed for a reason nobody gave."""
    return Words(**_data()["closed"])
