"""A dossier's appointment: hold a place, make it certain, move it, give it back; and its ticket.

Places are counted in `scheduler`; who stands at the door is known in `server.cases.visits`.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking
from scheduler.appointment import MOST_CHANGES
from scheduler.booking import Appointment, SlotRef
from scheduler.history import CITIZEN
from scheduler.life import AppointmentState
from server.cases import filing, needs
from server.cases.needs import Need
from server.cases.throttle import Limit
from server.clock import HERE
from server.rules import tickets
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier, Ticket

HOLD_MINUTES = 10
"""[D] Enough to read the confirmation page with care; choosing anew renews it."""
BY_NETWORK = Limit(name="manage", tries=60, seconds=600)
"""[D] Tickets tried from one /24, as many as at the status look-up."""
BY_TICKET = Limit(name="ticket", tries=8, seconds=900)
"""[D] Birth dates tried for one ticket, as many as for one dossier code."""
LIMITS = (BY_NETWORK, BY_TICKET)


class NothingHeld(Exception):
    """There is no held place to make certain: its time ran out, or it was never taken."""


class PersonUnknown(Exception):
    """The dossier has no person yet: data are checked before a place is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """An appointment that is certain."""

    ticket: str
    appointment: Appointment


@contextmanager
def told_as_ours() -> Iterator[None]:
    """Tell what the appointment's life refuses as what the dossier's life refuses."""
    try:
        yield
    except booking.NotNow as late:
        raise NotNow(str(late)) from late


def hold(
    session: Session,
    dossier: Dossier,
    slot: SlotRef,
    *,
    now: datetime,
    request: bytes | None = None,
) -> Appointment:
    """Hold a place for the dossier; one held before is given back for it.

    The same `request` again changes nothing more, nor does the same time.

    Raises:
        SlotFull: the last place was taken meanwhile.
        SlotGone: the time is no longer offered.
        AlreadyBooked: this person has an appointment for the same purpose.
        PersonUnknown: nobody's data were checked.
        NotNow: the dossier is past booking.
    """
    if dossier.state not in {DossierState.DRAFT, DossierState.FILED}:
        raise NotNow(f"no place for a dossier that is {dossier.state}")
    if dossier.person_key is None:
        raise PersonUnknown
    standing = held(session, dossier, now=now)
    need = _need(dossier, slot)
    lanes = _lanes(session, dossier, slot)
    if standing is not None and standing.slot == slot:
        return standing
    if standing is not None:
        with told_as_ours():
            return booking.move(session, standing.id, to=slot, now=now, lanes=lanes)
    take = partial(
        booking.hold,
        session,
        slot=slot,
        whose=str(dossier.id),
        person_key=dossier.person_key,
        purpose=dossier.purpose,
        now=now,
        minutes=HOLD_MINUTES,
        lanes=lanes,
        length=None if need is None else need.minutes,
    )
    made = take(request=request)
    # A form of long ago, whose hold is over: whoever presses it now wants a place now.
    return made if made.hold_until is not None and made.hold_until > now else take()


def extend(session: Session, dossier: Dossier, *, now: datetime) -> Appointment:
    """Hold the place longer, up to as long as it may be held.

    Raises:
        NothingHeld: the hold ran out.
    """
    standing = held(session, dossier, now=now)
    if standing is None:
        raise NothingHeld
    with told_as_ours():
        return booking.extend(session, standing.id, now=now)


def _need(dossier: Dossier, slot: SlotRef) -> Need | None:
    return needs.of(dossier, slot.starts_at.astimezone(HERE).date())


def _lanes(session: Session, dossier: Dossier, slot: SlotRef) -> frozenset[str]:
    """Return the lanes of the slot's place that are open to the dossier's person on its day."""
    need = _need(dossier, slot)
    return needs.lanes(session, slot.place, goes_first=need is not None and need.goes_first)


def held(session: Session, dossier: Dossier, *, now: datetime) -> Appointment | None:
    """Return the place held for the dossier, or None where there is none any more."""
    live = booking.live_of(session, str(dossier.id))
    if live is None or live.state is not AppointmentState.HELD:
        return None
    return live if live.hold_until is not None and live.hold_until > now else None


def live(session: Session, dossier: Dossier) -> Appointment | None:
    """Return the dossier's appointment that is certain and not over, or None."""
    found = booking.live_of(session, str(dossier.id))
    return None if found is None or found.state is AppointmentState.HELD else found


def confirm(session: Session, dossier: Dossier, *, secret: bytes, now: datetime) -> Booked:
    """Make the held place certain, file the dossier if it is a draft, and hand out the ticket.

    Raises:
        NothingHeld: the hold ran out; nothing was changed.
    """
    appointment = held(session, dossier, now=now)
    if appointment is None:
        raise NothingHeld
    try:
        booking.confirm(session, appointment.id, now=now)
    except booking.NotNow:
        raise NothingHeld from None
    return hand_out(session, dossier, appointment, secret=secret, now=now)


def hand_out(
    session: Session, dossier: Dossier, appointment: Appointment, *, secret: bytes, now: datetime
) -> Booked:
    """File a draft whose appointment is certain, and hand out the ticket."""
    if dossier.state is DossierState.DRAFT:
        filing.file(session, dossier, now=now)
    ticket = issue(session, dossier, appointment, secret=secret)
    return Booked(ticket=ticket, appointment=booking.find(session, appointment.id))


def issue(session: Session, dossier: Dossier, appointment: Appointment, *, secret: bytes) -> str:
    """Hand out the ticket of an appointment that is certain."""
    ticket = tickets.derive(secret, appointment.id)
    session.add(
        Ticket(
            token_hash=tickets.digest(ticket), appointment_id=appointment.id, dossier_id=dossier.id
        )
    )
    session.flush()
    return ticket


def of_ticket(session: Session, ticket: str) -> tuple[Dossier, Appointment] | None:
    """Return whose ticket this is and for which appointment, or None."""
    row = session.get(Ticket, tickets.digest(ticket))
    if row is None:
        return None
    dossier = session.get(Dossier, row.dossier_id)
    return None if dossier is None else (dossier, booking.find(session, row.appointment_id))


def move(
    session: Session,
    dossier: Dossier,
    to: SlotRef,
    *,
    now: datetime,
    lanes: Collection[str] | None = None,
    public: bool = True,
    most: int | None = MOST_CHANGES,
    by: str = CITIZEN,
) -> Appointment:
    """Move the certain appointment; the old place is kept until the new one is certain.

    Moved to where it is, nothing changes and nothing counts: a press may come twice.

    Args:
        session: a transaction that writes.
        dossier: whose appointment.
        to: where it begins from now on.
        now: the time.
        lanes: lanes that are open to the asker; None: those open to the dossier's person.
        public: whether it counts among the places people book for themselves.
        most: how often it may be moved; None: as often as it takes.
        by: who asks.

    Raises:
        SlotFull: no place there; the old one stands.
        SlotGone: the time is no longer offered; the old one stands.
        MovedTooOften: it was moved `most` times; the old place stands.
        NotNow: there is no appointment to move.
    """
    appointment = live(session, dossier)
    if appointment is None or appointment.state is not AppointmentState.BOOKED:
        raise NotNow("no appointment that could be moved")
    if appointment.slot == to:
        return appointment
    if lanes is None:
        lanes = _lanes(session, dossier, to)
    with told_as_ours():
        return booking.move(
            session,
            appointment.id,
            to=to,
            now=now,
            lanes=lanes,
            public=public,
            most=most,
            by=by,
        )


def cancel(session: Session, dossier: Dossier, *, now: datetime, by: str = CITIZEN) -> None:
    """Cancel the appointment; the dossier stays filed and may be booked again.

    Raises:
        NotNow: there is no appointment to cancel.
    """
    appointment = live(session, dossier)
    if appointment is None or appointment.state is not AppointmentState.BOOKED:
        raise NotNow("no appointment that could be cancelled")
    with told_as_ours():
        booking.cancel(session, appointment.id, now=now, by=by)


def last_state(session: Session, dossier_id: UUID) -> AppointmentState | None:
    """Return where the dossier's appointment stands: the live one, else the last that was.

    A capture outweighs what was cancelled after it: the dossier still waits for the next one.
    """
    current = booking.live_of(session, str(dossier_id))
    if current is not None:
        return current.state
    ids = session.scalars(sa.select(Ticket.appointment_id).where(Ticket.dossier_id == dossier_id))
    past = [booking.find(session, appointment_id) for appointment_id in ids]
    if any(appointment.state is AppointmentState.SERVED for appointment in past):
        return AppointmentState.SERVED
    if not past:
        return None
    return max(past, key=lambda appointment: appointment.starts_at).state
