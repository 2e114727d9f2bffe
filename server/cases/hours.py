"""Changes of a place's calendar: who would lose their time, and the change itself, written down.

What a calendar is and which slots follow from it is known in `scheduler`.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import conflicts, horizon, places
from scheduler.booking import Appointment
from scheduler.conflicts import (
    AddDay,
    AddHours,
    Change,
    ClosePlace,
    EndHours,
    RemoveDay,
    Together,
)
from scheduler.horizon import Opened
from scheduler.tables import Scope
from server.cases.officers import Acting
from server.clock import HERE
from server.store import audit
from server.store.tables import Dossier

HORIZON = timedelta(days=42)
"""[D] How far ahead places are offered: six weeks keep people coming (short horizons lower
no-shows) and leave room to plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losing:
    """Somebody who loses their time, as an officer knows them."""

    appointment: Appointment
    dossier_id: UUID | None
    """None: nobody of ours booked it."""
    code: str
    name: str
    phone: str
    """Empty where none was given."""


def last_day(now: datetime) -> date:
    """Return the last day places are offered on."""
    return now.astimezone(HERE).date() + HORIZON


def open_days(session: Session, code: str, now: datetime) -> Opened:
    """Open the slots of a place up to the horizon."""
    today = now.astimezone(HERE).date()
    return horizon.materialise(session, code, first=today, last=today + HORIZON, now=now)


def touched(session: Session, scope: Scope, code: str) -> list[str]:
    """Return the places whose calendar a change of this scope touches.

    Raises:
        PlaceUnknown: the scope is a place, and there is none of this code.
    """
    match scope:
        case Scope.NATION:
            return [place.code for place in places.places(session)]
        case Scope.PROVINCE:
            return [place.code for place in places.places(session) if place.province == code]
        case Scope.PLACE:
            return [places.find(session, code).code]


def dossiers(session: Session, appointments: tuple[Appointment, ...]) -> dict[str, Dossier]:
    """Return whose appointments these are, by `whose`."""
    ids = {one.whose: _id(one.whose) for one in appointments}
    rows = session.scalars(
        sa.select(Dossier).where(Dossier.id.in_({id_ for id_ in ids.values() if id_ is not None}))
    )
    known = {row.id: row for row in rows}
    return {whose: known[id_] for whose, id_ in ids.items() if id_ in known}


def _id(whose: str) -> UUID | None:
    try:
        return UUID(whose)
    except ValueError:
        return None


def losing(session: Session, place: str, *, change: Change, now: datetime) -> tuple[Losing, ...]:
    """Return who would lose their time by a change at this place; nothing is changed.

    Raises:
        PlaceUnknown: there is no such place.
    """
    found = tuple(
        one.appointment for one in conflicts.preview(session, place, change=change, now=now)
    )
    known = dossiers(session, found)
    return tuple(known_as(one, known.get(one.whose)) for one in found)


def known_as(appointment: Appointment, dossier: Dossier | None) -> Losing:
    """Return whose appointment it is, as an officer knows them."""
    return Losing(
        appointment=appointment,
        dossier_id=dossier.id if dossier else None,
        code=(dossier.code if dossier else None) or "",
        name=(dossier.full_name if dossier else None) or "",
        phone=str(dossier.answers.get("phone") or "") if dossier else "",
    )


def _said(change: Change) -> dict[str, object]:
    """Return a change as it is written into the audit chain."""
    match change:
        case AddHours(rule=rule):
            return {
                "change": "hours.add",
                "lane": rule.lane,
                "days": sorted(rule.weekdays),
                "hours": f"{rule.opens:%H:%M}-{rule.closes:%H:%M}",
                "step": rule.step,
                "capacity": rule.capacity,
                "public": rule.public,
                "first": rule.valid_from.isoformat(),
                "last": rule.valid_to and rule.valid_to.isoformat(),
            }
        case EndHours(number=number, last=last):
            return {"change": "hours.end", "rule": number, "last": last.isoformat()}
        case AddDay(unlike=unlike):
            return {
                "change": "day.add",
                "day": unlike.day.isoformat(),
                "kind": unlike.kind.value,
                "source": unlike.source,
            }
        case RemoveDay(day=day):
            return {"change": "day.remove", "day": day.isoformat()}
        case ClosePlace():
            return {"change": "place.close"}
        case Together(changes=changes):
            return {"change": "together", "changes": [_said(one) for one in changes]}


def apply(
    session: Session, place: str, *, change: Change, officer: Acting, now: datetime
) -> Opened:
    """Make a change at one place, open it anew and write down who did it.

    Raises:
        PlaceUnknown: there is no such place.
        LookupError: there is no such rule at this place.
        sqlalchemy.exc.IntegrityError: the change makes no sense.
    """
    today = now.astimezone(HERE).date()
    done = conflicts.apply(
        session, place, change=change, first=today, last=today + HORIZON, now=now
    )
    audit.append(
        session,
        at=now,
        actor=officer.actor,
        action="calendar.change",
        subject=f"place:{place}",
        detail={**_said(change), "withdrawn": done.withdrawn},
    )
    return done
