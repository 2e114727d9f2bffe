"""Which days are worked in Vietnam, and why the others are not.

It knows no places: what one of them decides for itself stands in `scheduler.places`.
Days come from the package `holidays`, corrected by `data/days_vn.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import holidays

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Why a day is not worked, as people read it."""

    vi: str
    en: str


@cache
def _data() -> Mapping[str, Any]:
    text = files("scheduler").joinpath("data/days_vn.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def _off(year: int) -> Mapping[date, Words]:
    vi = holidays.country_holidays("VN", years=year, language="vi")
    en = holidays.country_holidays("VN", years=year, language="en_US")
    days = {day: Words(vi=str(vi[day]), en=str(en[day])) for day in vi}
    corrected = {
        date.fromisoformat(row["day"]): Words(vi=row["vi"], en=row["en"]) for row in _data()["off"]
    }
    return days | {day: words for day, words in corrected.items() if day.year == year}


@cache
def _make_up(year: int) -> Mapping[date, int]:
    """Return the weekday whose hours are worked, by make-up day."""
    seed = holidays.country_holidays("VN", years=year).weekend_workdays
    known = {
        date.fromisoformat(row["day"]): date.fromisoformat(row["for"]).weekday()
        for row in _data()["make_up"]
    }
    # Monday's hours where nobody wrote down which day is made up for.
    days = dict.fromkeys(seed, 0) | known
    return {day: weekday for day, weekday in days.items() if day.year == year}


def announced(day: date) -> bool:
    """Return whether the year's official schedule is known; if not, swaps may still come."""
    return day.year <= int(_data()["announced_through"])


def holiday(day: date) -> Words | None:
    """Return the holiday's name, or None where it is none; a make-up day is none."""
    return None if day in _make_up(day.year) else _off(day.year).get(day)


def make_up_for(day: date) -> int | None:
    """Return the weekday (0 is Monday) whose hours a make-up day has; None: it is none."""
    return _make_up(day.year).get(day)


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
