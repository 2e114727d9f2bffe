"""Which appointments are to be reminded of now, by rules that are data; each once.

It sends nothing and knows no addresses: whoever asks hands the reminder on.
"""

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking
from scheduler.booking import Appointment
from scheduler.calendar import HERE
from scheduler.database import insert_missing
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow, ReminderRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Remind so long before."""

    code: str
    before: timedelta
    late: timedelta
    """A reminder that could not be given for so long is not given any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When people may be written to."""

    begins: time
    ends: time
    evening: time
    """What falls after it is said then, what falls before morning the evening before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Remind of this appointment now."""

    rule: str
    appointment: Appointment


@cache
def _data() -> dict[str, Any]:
    text = files("scheduler").joinpath("data/reminders.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules, the earliest reminder first."""
    return tuple(
        Rule(
            code=row["code"],
            before=timedelta(minutes=row["before_minutes"]),
            late=timedelta(minutes=row["late_minutes"]),
        )
        for row in _data()["rules"]
    )


@cache
def hours() -> Hours:
    """Return the decent hours."""
    data = _data()
    return Hours(
        begins=time.fromisoformat(data["from"]),
        ends=time.fromisoformat(data["to"]),
        evening=time.fromisoformat(data["late_evening"]),
    )


def is_decent(moment: datetime) -> bool:
    """Return whether people may be written to at `moment`."""
    return hours().begins <= moment.astimezone(HERE).time() < hours().ends


def decent_from(moment: datetime) -> datetime:
    """Return `moment`, or where it is night the morning after it."""
    if is_decent(moment):
        return moment
    there = moment.astimezone(HERE)
    morning = there.replace(
        hour=hours().begins.hour, minute=hours().begins.minute, second=0, microsecond=0
    )
    later = morning + timedelta(days=1) if there.time() >= hours().ends else morning
    return later.astimezone(moment.tzinfo)


def moment(rule: Rule, starts_at: datetime) -> datetime:
    """Return when `rule` reminds of what begins at `starts_at`: the evening before, if at night.

    It never falls as `starts_at` grows.
    """
    at = starts_at - rule.before
    there = at.astimezone(HERE)
    evening = there.replace(
        hour=hours().evening.hour, minute=hours().evening.minute, second=0, microsecond=0
    )
    if there < there.replace(hour=hours().begins.hour, minute=hours().begins.minute):
        return (evening - timedelta(days=1)).astimezone(at.tzinfo)
    return min(at, evening.astimezone(at.tzinfo))


def due(session: Session, *, now: datetime, limit: int = 500) -> tuple[Due, ...]:
    """Return what is to be reminded of now, and note that it was; at night nothing is.

    Who booked or moved after the moment of a reminder has just read the time and gets none.
    A reminder that was noted is never returned again, by no other worker either, unless the
    appointment is moved.
    """
    if not is_decent(now):
        return ()
    found: list[Due] = []
    for rule in rules():
        found += _due(session, rule, now=now, limit=limit)
    return tuple(found)


def _due(session: Session, rule: Rule, *, now: datetime, limit: int) -> list[Due]:
    noted = (
        sa.select(ReminderRow.appointment_id)
        .where(
            ReminderRow.appointment_id == AppointmentRow.id,
            ReminderRow.rule == rule.code,
            ReminderRow.starts_at == AppointmentRow.starts_at,
        )
        .exists()
    )
    # A day is the longest that night moves a reminder forward.
    rows = session.execute(
        sa.select(AppointmentRow.id, AppointmentRow.starts_at, AppointmentRow.changed_at)
        .where(
            AppointmentRow.state == AppointmentState.BOOKED,
            AppointmentRow.starts_at > max(now, now + rule.before - rule.late),
            AppointmentRow.starts_at <= now + rule.before + timedelta(days=1),
            ~noted,
        )
        .order_by(AppointmentRow.starts_at, AppointmentRow.id)
        .limit(limit)
    ).all()
    ripe = [row for row in rows if moment(rule, row.starts_at) <= now]
    found = []
    for row in ripe:
        is_new = _note(session, row.id, row.starts_at, rule, now=now)
        if is_new and row.changed_at <= moment(rule, row.starts_at):
            found.append(Due(rule=rule.code, appointment=booking.find(session, row.id)))
    return found


def _note(
    session: Session, appointment_id: UUID, starts_at: datetime, rule: Rule, *, now: datetime
) -> bool:
    row = {"appointment_id": appointment_id, "rule": rule.code, "starts_at": starts_at, "at": now}
    return insert_missing(session, ReminderRow, [row]) == 1
