"""Tells citizens of their appointments to come: one message a reminder, one for a whole family.

When to remind is decided in `scheduler.reminders`; how somebody is reached in `messages`.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import places, reminders
from scheduler.booking import Appointment
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow
from server.cases import messages
from server.store.tables import Dossier


def remind(session: Session, *, now: datetime, limit: int) -> int:
    """Queue what is due; return how many appointments it was about.

    Who gave no phone number and no e-mail address is told by an officer: the day's list says so.
    """
    due = reminders.due(session, now=now, limit=limit)
    for reminder in due:
        _tell(session, reminder.rule, reminder.appointment, now)
    return len(due)


def _tell(session: Session, rule: str, appointment: Appointment, now: datetime) -> None:
    dossier = _dossier(session, appointment.whose)
    if dossier is None:
        return
    company = _company(session, appointment)
    if company and company[0] != appointment.id:
        return  # the first of the family is told for all of them
    key = f"reminder.{rule}.family" if len(company) > 1 else f"reminder.{rule}"
    place = places.find(session, appointment.place).name
    values = {"when": appointment.starts_at, "place": place, "n": len(company)}
    messages.queue(session, dossier, key, values, now=now, about=appointment)


def _dossier(session: Session, whose: str) -> Dossier | None:
    try:
        return session.get(Dossier, UUID(whose))
    except ValueError:
        return None


def _company(session: Session, appointment: Appointment) -> list[UUID]:
    """Return the appointments of the family that still stand on that day, the earliest first."""
    party = session.scalar(
        sa.select(AppointmentRow.party).where(AppointmentRow.id == appointment.id)
    )
    if party is None:
        return []
    return list(
        session.scalars(
            sa.select(AppointmentRow.id)
            .where(AppointmentRow.party == party, AppointmentRow.state == AppointmentState.BOOKED)
            .order_by(AppointmentRow.starts_at, AppointmentRow.id)
        )
    )
