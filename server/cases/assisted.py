"""An officer books, moves or cancels for a citizen who names dossier code and birth date.

Officers have all lanes and the places kept from the public; who did what stands in the history.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, history
from scheduler.booking import Appointment, SlotRef
from scheduler.history import Entry
from scheduler.life import AppointmentState
from server.cases import appointments, hours, messages, needs, officers
from server.cases.appointments import Booked, PersonUnknown
from server.cases.officers import Acting
from server.cases.signing_in import SignedIn
from server.clock import HERE
from server.rules import cases
from server.rules.dossier import DossierState, NotNow
from server.rules.messages import MessageState
from server.store.tables import Dossier, Message, Ticket

OPEN_FOR: Final = timedelta(minutes=30)
"""[D] A call or a visit to the counter takes no longer; then code and birth date are asked anew."""
PROOF: Final = re.compile(r"([0-9a-f]{8,10})-([0-9a-f]{64})")


class StationForeign(Exception):
    """The officer does not book at that station."""


class DayBarred(Exception):
    """The law lets this citizen not come on that day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached:
    """Somebody who will come and whom no message reaches: an officer has to tell them."""

    appointment: Appointment
    code: str
    name: str
    gave_up: bool
    """Whether a message was tried and given up; otherwise there is no phone and no e-mail."""


def prove(dossier: UUID, signed_in: SignedIn, *, secret: bytes, now: datetime) -> str:
    """Return what says that in this session code and birth date of the dossier were named now."""
    until = int((now + OPEN_FOR).timestamp())
    return f"{until:x}-{_mac(dossier, signed_in, until, secret)}"


def is_proved(
    proof: str, dossier: UUID, signed_in: SignedIn, *, secret: bytes, now: datetime
) -> bool:
    """Return whether `prove` said so, for this dossier and in this session, and it still holds."""
    found = PROOF.fullmatch(proof)
    if found is None:
        return False
    until, mac = int(found[1], 16), found[2]
    same = hmac.compare_digest(mac, _mac(dossier, signed_in, until, secret))
    return same and now.timestamp() < until


def _mac(dossier: UUID, signed_in: SignedIn, until: int, secret: bytes) -> str:
    text = b"assisted:%d:" % until + dossier.bytes + signed_in.token_hash
    return hmac.new(secret, text, hashlib.sha256).hexdigest()


def may_come(dossier: Dossier, on: date) -> bool:
    """Return whether the law lets the dossier's person come on the day `on`."""
    if dossier.birth_date is None:
        return False
    return cases.coming(dossier.purpose, dossier.birth_date, on, dossier.profile).may_book


def _refuse(session: Session, dossier: Dossier, slot: SlotRef, officer: Acting) -> None:
    if slot.place not in officers.stations_of(session, officer):
        raise StationForeign(slot.place)
    if not may_come(dossier, slot.starts_at.astimezone(HERE).date()):
        raise DayBarred


def book(
    session: Session,
    dossier: Dossier,
    slot: SlotRef,
    *,
    officer: Acting,
    secret: bytes,
    now: datetime,
) -> Booked:
    """Book a time in one step and hand out its ticket.

    Raises:
        SlotFull: every place is taken, those kept from the public too.
        SlotGone: the time is past or not offered.
        AlreadyBooked: the person has an appointment for the same purpose.
        PersonUnknown: nobody's data were checked.
        StationForeign: the officer does not book there.
        DayBarred: the person may not come on that day.
        NotNow: the dossier is not where one books.
    """
    if dossier.state is not DossierState.FILED:
        raise NotNow(f"no place for a dossier that is {dossier.state}")
    need = needs.of(dossier, slot.starts_at.astimezone(HERE).date())
    if dossier.person_key is None or need is None:
        raise PersonUnknown
    _refuse(session, dossier, slot, officer)
    made = booking.book(
        session,
        slot=slot,
        whose=str(dossier.id),
        person_key=dossier.person_key,
        purpose=dossier.purpose,
        now=now,
        lanes=needs.every_lane(session, slot.place),
        length=need.minutes,
        public=False,
        by=officer.actor,
    )
    return appointments.hand_out(session, dossier, made, secret=secret, now=now)


def move(
    session: Session, dossier: Dossier, to: SlotRef, *, officer: Acting, now: datetime
) -> Appointment:
    """Move the appointment, however often it was moved; the old place is kept until it has.

    Raises:
        SlotFull: no place there; the old one stands.
        SlotGone: the time is past or not offered; the old one stands.
        StationForeign: the officer does not book there.
        DayBarred: the person may not come on that day.
        NotNow: there is no appointment to move.
    """
    _refuse(session, dossier, to, officer)
    return appointments.move(
        session,
        dossier,
        to,
        now=now,
        lanes=needs.every_lane(session, to.place),
        public=False,
        most=None,
        by=officer.actor,
    )


def cancel(session: Session, dossier: Dossier, *, officer: Acting, now: datetime) -> None:
    """Cancel the appointment; the dossier stays filed.

    Raises:
        NotNow: there is no appointment to cancel.
    """
    appointments.cancel(session, dossier, now=now, by=officer.actor)


def past(session: Session, dossier: Dossier) -> tuple[Entry, ...]:
    """Return everything that happened to the dossier's appointments, the latest first."""
    ids = set(
        session.scalars(sa.select(Ticket.appointment_id).where(Ticket.dossier_id == dossier.id))
    )
    live = booking.live_of(session, str(dossier.id))
    ids |= {live.id} if live is not None else set()
    found = [entry for one in ids for entry in history.of(session, one)]
    return tuple(sorted(found, key=lambda entry: (entry.at, entry.number), reverse=True))


def unreached(session: Session, place: str, day: date) -> tuple[Unreached, ...]:
    """Return who is expected on a day and cannot be told anything by a message, by time."""
    booked = [
        one for one in booking.of_day(session, place, day) if one.state is AppointmentState.BOOKED
    ]
    known = hours.dossiers(session, tuple(booked))
    gave_up = set(
        session.scalars(
            sa.select(Message.dossier_id).where(
                Message.dossier_id.in_([dossier.id for dossier in known.values()]),
                Message.state == MessageState.FAILED,
            )
        )
    )
    return tuple(
        Unreached(
            appointment=one,
            code=dossier.code or "",
            name=dossier.full_name or "",
            gave_up=dossier.id in gave_up,
        )
        for one in booked
        if (dossier := known.get(one.whose)) is not None
        and (messages.reach(dossier) is None or dossier.id in gave_up)
    )
