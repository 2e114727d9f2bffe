"""A day's appointments at one station, with where each of them stands.

It changes none of them.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import booking, places
from scheduler.booking import Appointment
from scheduler.database import reading
from scheduler.life import AppointmentState
from server.cases import officers
from server.rules import cases
from server.store.tables import Dossier
from server.web.guard import open_to
from server.web.officer.desk import AT_COUNTER, desk, me
from server.web.shell import language

pages = Blueprint("today", __name__)

FARTHEST: Final = timedelta(days=366)
TONES: Final = {
    AppointmentState.BOOKED: "",
    AppointmentState.ARRIVED: "warn",
    AppointmentState.SERVED: "good",
    AppointmentState.MISSED: "bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One appointment: a name and a code, no number."""

    appointment: Appointment
    code: str
    name: str
    case: str
    tone: str


def _dossiers(session: Session, appointments: tuple[Appointment, ...]) -> dict[str, Dossier]:
    ids = []
    for appointment in appointments:
        with suppress(ValueError):
            ids.append(UUID(appointment.whose))
    rows = session.scalars(sa.select(Dossier).where(Dossier.id.in_(ids)))
    return {str(dossier.id): dossier for dossier in rows}


def _line(appointment: Appointment, dossier: Dossier | None) -> Line:
    case = None if dossier is None else cases.case(dossier.purpose, dossier.profile)
    return Line(
        appointment=appointment,
        code=(dossier.code if dossier else None) or "",
        name=(dossier.full_name if dossier else None) or "",
        case=case.name.in_(language()) if case else "",
        tone=TONES.get(appointment.state, ""),
    )


def _day(today: date) -> date:
    """Return the day asked for, today where it makes no sense."""
    try:
        asked = date.fromisoformat(request.args.get("day", "")[:10])
    except ValueError:
        return today
    return asked if abs(asked - today) <= FARTHEST else today


@pages.get("/today")
@open_to(*AT_COUNTER)
def show() -> ResponseReturnValue:
    """Show who is expected and who came."""
    here, officer = desk(), me()
    today = here.today()
    day = _day(today)
    with reading(here.engine) as session:
        allowed = officers.stations_of(session, officer)
        known = {place.code: place.name for place in places.places(session)}
        asked = request.args.get("station", officer.station)
        station = asked if asked in allowed else officer.station
        found = booking.of_day(session, station, day)
        dossiers = _dossiers(session, found)
        lines = [_line(appointment, dossiers.get(appointment.whose)) for appointment in found]
    counts = {state: sum(line.appointment.state is state for line in lines) for state in TONES}
    return render_template(
        "officer/today.html",
        lines=lines,
        counts=counts,
        day=day,
        today=today,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        station=station,
        stations=sorted((code, known.get(code, code)) for code in allowed),
        station_name=known.get(station, station),
    )
