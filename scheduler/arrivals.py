"""What becomes of somebody who comes to their appointment early, late or on another day.

It changes nothing and knows no dossier: the edge says it in words and acts.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.booking import Appointment
from scheduler.calendar import HERE
from scheduler.line import RULES


class Punctuality(enum.StrEnum):
    """How somebody came to their appointment."""

    EARLY = "early"
    """In line at their time; called before it only where nobody who is due waits."""
    ON_TIME = "on_time"
    LATE = "late"
    """Within grace: in line at their time all the same."""
    VERY_LATE = "very_late"
    """In line from now on."""
    WRONG_DAY = "wrong_day"
    """Not let in: their appointment is on another day."""
    ELSEWHERE = "elsewhere"
    """Not let in: their appointment is at another place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How somebody came, and when they are due; `due_at` is None where they are not let in."""

    how: Punctuality
    starts_at: datetime
    """When the appointment is."""
    due_at: datetime | None


EARLY_BY = timedelta(minutes=1)
"""[D] Less is on time."""


def judge(appointment: Appointment, *, place: str, now: datetime) -> Arrival:
    """Return how the person comes who stands at `place` now."""
    starts = appointment.starts_at
    if appointment.place != place:
        return Arrival(how=Punctuality.ELSEWHERE, starts_at=starts, due_at=None)
    if starts.astimezone(HERE).date() != now.astimezone(HERE).date():
        return Arrival(how=Punctuality.WRONG_DAY, starts_at=starts, due_at=None)
    return Arrival(how=_how(starts, now), starts_at=starts, due_at=due(starts, now=now))


def due(starts_at: datetime, *, now: datetime) -> datetime:
    """Return when somebody is due who comes now to an appointment at `starts_at`."""
    late = (now - starts_at) / timedelta(minutes=1)
    return starts_at + timedelta(minutes=float(RULES.due_booked(0.0, late)))


def due_walk_in(*, now: datetime) -> datetime:
    """Return when somebody is due who comes now without an appointment."""
    return now + timedelta(minutes=float(RULES.due_walk_in(0.0)))


def _how(starts: datetime, now: datetime) -> Punctuality:
    if now < starts - EARLY_BY:
        return Punctuality.EARLY
    if now <= starts + EARLY_BY:
        return Punctuality.ON_TIME
    return Punctuality.LATE if due(starts, now=now) == starts else Punctuality.VERY_LATE
