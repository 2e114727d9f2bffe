"""The limits of waiting for a place, from dated rows: how long an answer may take, when asked.

It knows no wish and no slot.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from scheduler.calendar import HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds on a day; every value is a decision of ours, its reason in the data."""

    opens: time
    closes: time
    """Between them people are asked, here."""
    morning: timedelta
    """What would come back at night comes back within so long of the morning."""
    at_once: timedelta
    """A place that is so near goes back to everybody."""
    shortest: timedelta
    longest: timedelta
    """Between them lies how long a place that nobody waits for stays away."""
    windows: tuple[tuple[timedelta, timedelta], ...]
    """How long an answer may take, by how much time is left; the longest first."""
    head_start: timedelta
    """Of priority groups."""
    most_passes: int
    """So many offers not taken, and the wish is over."""
    farthest: timedelta
    """How far ahead a wish may reach."""


def _rules(row: Mapping[str, Any]) -> Rules:
    opens, closes = (time.fromisoformat(text) for text in row["decent_hours"])
    shortest, longest = (timedelta(minutes=minutes) for minutes in row["delay_minutes"])
    return Rules(
        opens=opens,
        closes=closes,
        morning=timedelta(minutes=row["morning_minutes"]),
        at_once=timedelta(hours=row["returns_at_once_hours"]),
        shortest=shortest,
        longest=longest,
        windows=tuple(
            (timedelta(hours=window["hours_left"]), timedelta(minutes=window["minutes"]))
            for window in row["windows"]
        ),
        head_start=timedelta(hours=row["head_start_hours"]),
        most_passes=row["most_passes"],
        farthest=timedelta(days=row["most_days_ahead"]),
    )


@cache
def _editions() -> tuple[tuple[date, Rules], ...]:
    text = files("scheduler").joinpath("data/waiting.json").read_text(encoding="utf-8")
    rows = json.loads(text)["editions"]
    return tuple((date.fromisoformat(row["from"]), _rules(row)) for row in rows)


def of(now: datetime) -> Rules:
    """Return what holds at `now`: the last edition that has begun, or the first."""
    day = now.astimezone(HERE).date()
    begun = [rules for begins, rules in _editions() if begins <= day]
    return begun[-1] if begun else _editions()[0][1]


def decent(now: datetime) -> bool:
    """Return whether people may be asked at this hour."""
    rules = of(now)
    return rules.opens <= now.astimezone(HERE).time() < rules.closes


def answer_by(starts_at: datetime, *, now: datetime) -> datetime | None:
    """Return until when an offer made now is to be answered, or None if it is not to be made now.

    Nobody is asked at night, or so late that the answer's time would reach into it.
    """
    rules = of(now)
    left = starts_at - now
    if left < rules.at_once or not decent(now):
        return None
    window = next(minutes for least, minutes in rules.windows if left >= least)
    return now + window if decent(now + window) else None


def returns_at(
    starts_at: datetime, *, now: datetime, rng: np.random.Generator | None = None
) -> datetime | None:
    """Return when a place goes back to everybody, at random, or None: at once, it is too near.

    Args:
        starts_at: when it begins.
        now: the time.
        rng: where chance comes from; None: from the system, which nobody foresees.
    """
    rules = of(now)
    last = starts_at - rules.at_once
    earliest, latest = now + rules.shortest, min(now + rules.longest, last)
    if latest <= earliest:
        return None
    moment = earliest + _chance(latest - earliest, rng)
    if decent(moment):
        return moment
    # At night programs are alone: it comes back when people are awake, at a time nobody foresees.
    here = moment.astimezone(HERE)
    day = here.date() if here.time() < rules.opens else here.date() + timedelta(days=1)
    morning = datetime.combine(day, rules.opens, HERE)
    return min(last, morning + _chance(rules.morning, rng))


def _chance(span: timedelta, rng: np.random.Generator | None) -> timedelta:
    seconds = max(1, int(span.total_seconds()))
    drawn = secrets.randbelow(seconds) if rng is None else int(rng.integers(seconds))
    return timedelta(seconds=drawn)
