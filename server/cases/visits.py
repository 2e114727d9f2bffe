"""Checking in at a kiosk, and leaving again without a capture. The functions never commit.

A ticket or a card finds an appointment; neither proves who stands there.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kiosk.protocol import BothLanguages, CardClaim, CheckIn, LeaveVisit, Visit
from scheduler import booking, places
from scheduler.booking import Appointment
from scheduler.life import AppointmentState
from server.cases import appointments, plans, waiting_room
from server.cases.filing import SYSTEM
from server.cases.refusals import Reason, Refused
from server.cases.status import born_then
from server.cases.throttle import Limit
from server.clock import HERE
from server.rules import cases, tickets
from server.rules.dossier import DossierEvent, DossierState
from server.rules.fields import BirthDate
from server.rules.persons import person_key
from server.store import journal
from server.store.tables import Device, Dossier, VisitRow

EARLY = timedelta(minutes=60)
"""[D] Most people come early; an hour fits a waiting room and keeps the queue in its order."""
LATE = timedelta(minutes=120)
"""[D] Rain and traffic are forgiven; after two hours the day's other visitors would wait for it."""
ALONE_FOR = timedelta(minutes=30)
"""[D] So long nobody begins elsewhere what was begun at one kiosk; a visit takes 10 to 15 minutes.
After that whoever stands before another kiosk has left the first one, broken or not."""
ABANDONED_AFTER = timedelta(days=14)
"""[D] A kiosk may be without a network for days and still bring the capture; not for so long."""
BY_CARD = Limit(name="card", tries=8, seconds=900)
"""[D] Birth dates tried for one number: as many as at the citizens' look-up."""
SEALED = "sealed"
REVOKED = "revoked"
SUPERSEDED = "superseded"
ABANDONED = "abandoned"

OVER: Mapping[AppointmentState, Reason] = {
    AppointmentState.HELD: Reason.UNKNOWN,
    AppointmentState.EXPIRED: Reason.UNKNOWN,
    AppointmentState.CANCELLED: Reason.CANCELLED,
    AppointmentState.MISSED: Reason.MISSED,
    AppointmentState.SERVED: Reason.ALREADY_CAPTURED,
}
"""Why nobody checks in to an appointment in this state."""


def actor(device: Device) -> str:
    """Return the device's name in journals."""
    return f"kiosk:{device.name}"


def check_in(
    session: Session, device: Device, asked: CheckIn, *, secret: bytes, now: datetime
) -> Visit:
    """Let somebody begin at this device; asked again by the same device, the same visit goes on.

    Raises:
        Refused: unknown, not here, not now, or already somewhere else; nothing was changed.
    """
    # The gate has let the device in before this transaction: it may have been revoked since.
    standing = session.get(Device, device.id, with_for_update={"key_share": True})
    if standing is None or standing.revoked_at is not None:
        raise Refused(Reason.DEVICE_REVOKED)
    dossier, appointment = _found(session, device, asked, secret=secret, now=now)
    # Two kiosks may be shown one ticket at one moment: the second waits here, then reads anew.
    session.expire_all()
    session.refresh(dossier, with_for_update={"key_share": True})
    appointment = booking.find(session, appointment.id)
    row = _open_visit(session, appointment)
    if row is not None:
        _refuse_another(device, row, appointment, now=now)
        if row.device_id == device.id:
            return _begun(dossier, appointment, visit_id=row.id, now=now)
        end(session, row, how=SUPERSEDED, by=actor(device), now=now)
    elif appointment.state is AppointmentState.ARRIVED:
        _refuse_other_room(session, device, appointment, now=now)
    elif (appointment.state, dossier.state) == (AppointmentState.SERVED, DossierState.FILED):
        # An officer asked for a new capture: the slip of the first one is what people find first.
        raise Refused(Reason.RECAPTURE)
    else:
        _refuse_elsewhere(session, device, appointment, now=now)
    if dossier.state is not DossierState.FILED:
        raise Refused(Reason.NOT_NOW)
    visit = _begun(dossier, appointment, visit_id=uuid4(), now=now)
    if appointment.state is not AppointmentState.ARRIVED or row is not None:
        booking.arrive(session, appointment.id, by=actor(device), now=now)
    waiting_room.begin(session, dossier, appointment, point=device.name, now=now)
    journal.move(session, dossier, DossierEvent.CHECK_IN, now=now, actor=actor(device))
    session.add(
        VisitRow(
            id=visit.visit_id,
            dossier_id=dossier.id,
            appointment_id=appointment.id,
            device_id=device.id,
            opened_at=now,
        )
    )
    session.flush()
    return visit


def _found(
    session: Session, device: Device, asked: CheckIn, *, secret: bytes, now: datetime
) -> tuple[Dossier, Appointment]:
    if asked.ticket is not None:
        found = _by_ticket(session, asked.ticket)
    elif asked.card is not None:
        found = _by_card(session, device, asked.card, secret=secret, now=now)
    else:
        found = None
    if found is None:
        raise Refused(Reason.UNKNOWN)
    return found


def _by_ticket(session: Session, text: str) -> tuple[Dossier, Appointment] | None:
    try:
        found = appointments.of_ticket(session, tickets.parse(text))
    except tickets.TicketInvalid:
        return None
    if found is None:
        return None
    # Somebody who was let in without a booked time may still hold up the slip they had missed.
    dossier, _ = found
    live = appointments.live(session, dossier)
    waits = live is not None and live.state is AppointmentState.ARRIVED
    return (dossier, live) if waits and live is not None else found


def _by_card(
    session: Session, device: Device, card: CardClaim, *, secret: bytes, now: datetime
) -> tuple[Dossier, Appointment] | None:
    """Return today's appointment of the card's holder, one at this station first."""
    birth = BirthDate(day=card.birth_date, year_only=False)
    dossiers = session.scalars(
        sa.select(Dossier).where(
            Dossier.person_key == person_key(secret, card.personal_number),
            Dossier.state.in_((DossierState.FILED, DossierState.AT_STATION)),
        )
    ).all()
    today = [
        (dossier, live)
        for dossier in dossiers
        if born_then(dossier, birth)
        and (live := appointments.live(session, dossier)) is not None
        and _day(live.starts_at) == _day(now)
    ]
    today.sort(key=lambda found: (found[1].place != device.station, found[1].starts_at))
    return today[0] if today else None


def _day(moment: datetime) -> date:
    return moment.astimezone(HERE).date()


def _open_visit(session: Session, appointment: Appointment) -> VisitRow | None:
    return session.scalars(
        sa.select(VisitRow).where(
            VisitRow.appointment_id == appointment.id, VisitRow.closed_at.is_(None)
        )
    ).one_or_none()


def _refuse_another(
    device: Device, row: VisitRow, appointment: Appointment, *, now: datetime
) -> None:
    """Let only the device go on that the visit is at, or one that may take it over.

    Raises:
        Refused: the person is at another kiosk.
    """
    here_today = (appointment.place, _day(appointment.starts_at)) == (device.station, _day(now))
    left = now - row.opened_at >= ALONE_FOR
    if row.device_id != device.id and not (here_today and left):
        raise Refused(Reason.ALREADY_HERE)


def _refuse_other_room(
    session: Session, device: Device, appointment: Appointment, *, now: datetime
) -> None:
    """Let whoever is in the waiting room begin, early or late, but only there and on that day.

    Raises:
        Refused: they wait somewhere else, or waited on another day.
    """
    starts = appointment.starts_at.astimezone(HERE)
    values = {"day": f"{starts:%d/%m/%Y}", "time": f"{starts:%H:%M}"}
    if appointment.place != device.station:
        place = places.find(session, appointment.place)
        raise Refused(Reason.WRONG_STATION, place=place.name, address=place.address, **values)
    if _day(now) != starts.date():
        raise Refused(Reason.MISSED, **values)


def _refuse_elsewhere(
    session: Session, device: Device, appointment: Appointment, *, now: datetime
) -> None:
    """Refuse an appointment that is over, somewhere else or at another time.

    Raises:
        Refused: it is, and where and when it is instead.
    """
    if appointment.state in OVER:
        raise Refused(OVER[appointment.state])
    starts = appointment.starts_at.astimezone(HERE)
    values = {"day": f"{starts:%d/%m/%Y}", "time": f"{starts:%H:%M}"}
    if appointment.place != device.station:
        place = places.find(session, appointment.place)
        raise Refused(Reason.WRONG_STATION, place=place.name, address=place.address, **values)
    if _day(now) != starts.date():
        past = now > appointment.starts_at
        raise Refused(Reason.MISSED if past else Reason.WRONG_DAY, **values)
    if now < appointment.starts_at - EARLY:
        opens = starts - EARLY
        raise Refused(Reason.TOO_EARLY, opens=f"{opens:%H:%M}", **values)
    if now > appointment.starts_at + LATE:
        raise Refused(Reason.TOO_LATE, **values)


def _begun(dossier: Dossier, appointment: Appointment, *, visit_id: UUID, now: datetime) -> Visit:
    birth, name, code = dossier.birth_date, dossier.full_name, dossier.code
    if birth is None or name is None or code is None:
        raise Refused(Reason.NOT_NOW)
    day = now.astimezone(HERE).date()
    purpose = cases.case(dossier.purpose, dossier.profile).name
    try:
        plan = plans.plan(dossier.profile, birth=birth, on=day)
        notice = plans.notice(dossier.profile, on=day)
    except plans.PlanMissing:
        raise Refused(Reason.NOT_NOW) from None
    return Visit(
        visit_id=visit_id,
        dossier=code,
        appointment=appointment.id,
        station=appointment.place,
        name=name,
        birth_date=f"{birth:%Y}" if dossier.birth_year_only else f"{birth:%d/%m/%Y}",
        purpose=BothLanguages(vi=purpose.vi, en=purpose.en),
        starts_at=appointment.starts_at,
        plan=plan,
        notice=notice,
    )


def leave(session: Session, device: Device, asked: LeaveVisit, *, now: datetime) -> None:
    """Let somebody go without a capture: the appointment is as before, nothing is kept.

    Told twice, it happens once.

    Raises:
        Refused: the device has no such visit, or its capture is stored already.
    """
    row = session.get(VisitRow, asked.visit_id, with_for_update={"key_share": True})
    if row is None or row.device_id != device.id:
        raise Refused(Reason.VISIT_UNKNOWN)
    if row.how == SEALED:
        raise Refused(Reason.VISIT_SEALED)
    if row.closed_at is None:
        end(session, row, how=asked.reason, by=actor(device), now=now)


def end(session: Session, row: VisitRow, *, how: str, by: str, now: datetime) -> None:
    """End an open visit without a capture.

    Raises:
        LookupError: the visit's dossier is gone.
    """
    dossier = session.get(Dossier, row.dossier_id, with_for_update={"key_share": True})
    if dossier is None:
        raise LookupError(f"visit {row.id} has no dossier")
    journal.move(session, dossier, DossierEvent.LEAVE, now=now, actor=by, note={"how": how})
    left = booking.leave(session, row.appointment_id, by=by, now=now)
    if how != SUPERSEDED:
        waiting_room.end(session, dossier, station=left.place, day=_day(row.opened_at), now=now)
    row.closed_at, row.how = now, how
    session.flush()


def end_abandoned(session: Session, *, now: datetime, limit: int = 500) -> int:
    """End visits nobody came back to and whose kiosk never sent a capture; return how many.

    The appointment is then missed in the ordinary way, and the person may book again.
    """
    rows = session.scalars(
        sa.select(VisitRow)
        .where(VisitRow.closed_at.is_(None), VisitRow.opened_at < now - ABANDONED_AFTER)
        .order_by(VisitRow.opened_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for row in rows:
        end(session, row, how=ABANDONED, by=SYSTEM, now=now)
    return len(rows)
