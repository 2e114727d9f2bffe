"""Whom to ask whether they would come earlier, because a place will be free soon.

It asks nobody and moves nobody: whoever comes earlier is early, and keeps their time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import forecast, plan
from scheduler.calendar import HERE
from scheduler.life import AppointmentState
from scheduler.simulation import serve
from scheduler.tables import AppointmentRow

LEAD = timedelta(minutes=30)
"""[D] So long people need to come; nobody is asked to come sooner."""
WORTH = timedelta(minutes=40)
"""[D] Nobody is asked to come earlier by less."""
SURE = 0.8
"""[D] A place is called free where it is in so many of the draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who could come earlier."""

    appointment_id: UUID
    starts_at: datetime
    come_at: datetime


def candidates(session: Session, place: str, *, now: datetime) -> tuple[Candidate, ...]:
    """Return as many booked people of later today as places will be free, the next first."""
    free = _free(session, place, now)
    if not free:
        return ()
    day = now.astimezone(HERE).date()
    come_at = now + LEAD
    rows = session.execute(
        sa.select(AppointmentRow.id, AppointmentRow.starts_at)
        .where(
            AppointmentRow.place == place,
            AppointmentRow.state == AppointmentState.BOOKED,
            AppointmentRow.starts_at >= come_at + WORTH,
            AppointmentRow.starts_at < plan.bounds(day, day)[1],
        )
        .order_by(AppointmentRow.starts_at, AppointmentRow.id)
        .limit(free)
    )
    return tuple(
        Candidate(appointment_id=who, starts_at=starts, come_at=come_at) for who, starts in rows
    )


def _free(session: Session, place: str, now: datetime) -> int:
    """Return how many kiosks and counters will surely be idle when somebody asked now comes."""
    outlook = forecast.look(session, place, now=now)
    if not outlook.servers:
        return 0
    drawn = forecast.draw(outlook, outlook.rng())
    starts = serve(drawn.arrivals, drawn.ranks, drawn.durations, drawn.free_at)
    ends = starts + drawn.durations
    lead = LEAD / timedelta(minutes=1)
    busy = [
        ((starts <= at) & (ends > at)).sum(axis=1) + (drawn.free_at > at).sum(axis=1)
        for at in (lead, lead + outlook.service.of(15).mean)
    ]
    idle = outlook.servers - np.maximum(*busy)
    return int(np.quantile(idle, 1 - SURE, method="lower"))
