"""Appointments that a program makes for a citizen who gave it dossier code and birth date.

It counts no places: `scheduler.booking` does, for programs as for everybody.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, history
from scheduler.booking import Appointment, AppointmentUnknown, SlotRef
from scheduler.database import insert_missing, table_of
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow
from server.cases import appointments, needs, programs, status, throttle
from server.cases.appointments import PersonUnknown
from server.cases.programs import Caller
from server.clock import HERE
from server.rules import cases, tickets
from server.rules.dossier import DossierState, NotNow
from server.rules.fields import BirthDate
from server.store.tables import Dossier, KeyKind, Ticket

MOST_A_DAY = 5
"""[D] Appointments programs make for one dossier in 24 hours: whoever changes their mind moves."""
A_DAY = timedelta(days=1)


class DossierUnknown(LookupError):
    """No dossier has this code and this birth date: one answer for both."""


class TriedTooOften(Exception):
    """Nothing more is answered about this for so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class DayBarred(Exception):
    """The law lets this citizen not come on that day."""


class RequestReused(Exception):
    """The same idempotency key came with another request before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a citizen tells a program so that it may act for them."""

    code: str
    birth: BirthDate


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An appointment as the program that made it is told."""

    appointment: Appointment
    ticket: str
    again: bool
    """Whether it was there before: the same request came twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A dossier whose code and birth date were told."""

    row: Dossier
    """To be read only, and only what a booking needs of it."""
    booked: int
    """How often it was ever booked."""


Lanes = Mapping[bool, Collection[str]]
"""The lanes of a place that are open to somebody, by whether they are let go first."""


def lanes(session: Session, place: str) -> Lanes:
    """Return which lanes of a place are open to whom; it may be kept for some seconds."""
    return {first: needs.lanes(session, place, goes_first=first) for first in (False, True)}


_DOSSIER = table_of(Dossier)
_COLUMNS = (
    "id",
    "code",
    "state",
    "profile",
    "purpose",
    "person_key",
    "answers",
    "birth_date",
    "birth_year_only",
)
"""What a booking needs of a dossier."""
_KNOWN = sa.select(
    *(_DOSSIER.c[name] for name in _COLUMNS),
    sa.select(sa.func.count())
    .select_from(Ticket)
    .where(Ticket.dossier_id == _DOSSIER.c.id)
    .scalar_subquery(),
    throttle.tried("code"),
    throttle.tried("program"),
).where(_DOSSIER.c.code == sa.bindparam("dossier_code"))
"""One question for all that is asked before something is written; built once, for rushes."""


def dossier(
    session: Session, proof: Proof, *, caller: Caller, secret: bytes, now: datetime
) -> Known:
    """Return the dossier of this code and birth date.

    A wrong try has to be counted by `wrong`, in a transaction that is committed.

    Raises:
        DossierUnknown: none has both.
        TriedTooOften: by this program or for this code; the right answer is not told either.
    """
    limits = (("code", status.BY_CODE, proof.code), ("program", programs.WRONG, caller.name))
    asked: dict[str, str | int] = {"dossier_code": proof.code}
    for name, limit, what in limits:
        asked |= throttle.tried_of(name, limit, what, secret=secret, now=now)
    row = session.execute(_KNOWN, asked).one_or_none()
    if row is None:
        raise DossierUnknown
    # Not one of the session's: what stands in a dossier is changed elsewhere.
    found = Dossier(**dict(zip(_COLUMNS, row, strict=False)))
    before, *counted = row[len(_COLUMNS) :]
    for (_, limit, _), count in zip(limits, counted, strict=True):
        if (count or 0) >= limit.tries:
            raise TriedTooOften(throttle.seconds_left(limit, now=now))
    if not status.born_then(found, proof.birth):
        raise DossierUnknown
    return Known(row=found, booked=before)


def wrong(session: Session, proof: Proof, *, caller: Caller, secret: bytes, now: datetime) -> int:
    """Count a try that fitted nothing; return 0, or the seconds until the next may be made."""
    limits = ((programs.WRONG, caller.name), (status.BY_CODE, proof.code))
    return max(
        throttle.count(session, limit, what, secret=secret, now=now) for limit, what in limits
    )


def book(
    session: Session,
    known: Known,
    slot: SlotRef,
    *,
    caller: Caller,
    lanes: Lanes,
    request: bytes,
    secret: bytes,
    now: datetime,
) -> Made:
    """Book a time for the dossier in one step; with the same `request` again, return the same.

    Args:
        session: a transaction that writes.
        known: the dossier.
        slot: the first slot.
        caller: the program.
        lanes: which lanes of the slot's place are open to whom.
        request: what the program calls this request, as a digest.
        secret: the installation's.
        now: the time.

    Raises:
        SlotFull: every place is taken.
        SlotGone: the time is past, not offered, or not for this person.
        AlreadyBooked: this person has an appointment for the same purpose.
        PersonUnknown: nobody's data were checked.
        DayBarred: the person may not come on that day.
        NotNow: the dossier is not where one books.
        TriedTooOften: too many appointments were made for it lately.
        RequestReused: the request was another one before.
    """
    whose = known.row
    if whose.state is not DossierState.FILED:
        raise NotNow(f"no place for a dossier that is {whose.state}")
    on = slot.starts_at.astimezone(HERE).date()
    need = needs.of(whose, on)
    if whose.person_key is None or need is None:
        raise PersonUnknown
    _refuse_barred(whose, on)
    if known.booked >= MOST_A_DAY:
        _refuse_too_many(session, whose, now=now)
    made = booking.book(
        session,
        slot=slot,
        whose=str(whose.id),
        person_key=whose.person_key,
        purpose=whose.purpose,
        now=now,
        lanes=lanes[need.goes_first],
        length=need.minutes,
        by=caller.actor,
        request=request,
    )
    ticket = tickets.derive(secret, made.id)
    row = {
        "token_hash": tickets.digest(ticket),
        "appointment_id": made.id,
        "dossier_id": whose.id,
    }
    again = insert_missing(session, Ticket, [row]) == 0
    if again and (made.whose != str(whose.id) or (made.moved == 0 and made.slot != slot)):
        raise RequestReused
    return Made(appointment=made, ticket=ticket, again=again)


def _refuse_barred(whose: Dossier, on: date) -> None:
    if whose.birth_date is None:
        raise PersonUnknown
    if not cases.coming(whose.purpose, whose.birth_date, on, whose.profile).may_book:
        raise DayBarred


def _refuse_too_many(session: Session, whose: Dossier, *, now: datetime) -> None:
    lately = session.scalars(
        sa.select(AppointmentRow.created_at)
        .where(
            AppointmentRow.whose == str(whose.id),
            AppointmentRow.created_at > now - A_DAY,
            AppointmentRow.state == AppointmentState.CANCELLED,
        )
        .order_by(AppointmentRow.created_at.desc())
        .limit(MOST_A_DAY)
    ).all()
    if len(lately) == MOST_A_DAY:
        raise TriedTooOften(max(1, int((lately[-1] + A_DAY - now).total_seconds())))


def standing(session: Session, whose: Dossier) -> Appointment:
    """Return the dossier's appointment that is certain and not over.

    Raises:
        AppointmentUnknown: there is none.
    """
    found = appointments.live(session, whose)
    if found is None:
        raise AppointmentUnknown(str(whose.id))
    return found


def find(session: Session, appointment_id: UUID, *, caller: Caller) -> Appointment:
    """Return an appointment this program may see: the hotline every one, a partner its own.

    Raises:
        AppointmentUnknown: there is none.
    """
    found = booking.find(session, appointment_id)
    if caller.kind is KeyKind.PARTNER:
        made_by = history.of(session, appointment_id)[0].by
        if made_by != caller.actor:
            raise AppointmentUnknown(str(appointment_id))
    return found


def move(
    session: Session,
    appointment_id: UUID,
    to: SlotRef,
    *,
    caller: Caller,
    lanes: Lanes,
    now: datetime,
) -> Appointment:
    """Move an appointment; asked for where it is already, it changes nothing.

    Raises:
        AppointmentUnknown: there is none this program may see.
        SlotFull: no place there; the old one stands.
        SlotGone: the time is not offered, or not for this person; the old one stands.
        DayBarred: the person may not come on that day.
        MovedTooOften: it was moved as often as anybody may.
        NotNow: it is over, or the person has arrived.
    """
    found = find(session, appointment_id, caller=caller)
    if found.state is not AppointmentState.BOOKED:
        raise booking.NotNow(f"it is {found.state}")
    whose = session.get(Dossier, UUID(found.whose))
    on = to.starts_at.astimezone(HERE).date()
    need = None if whose is None else needs.of(whose, on)
    if whose is None or need is None:
        raise AppointmentUnknown(str(appointment_id))
    _refuse_barred(whose, on)
    if found.slot == to:
        return found
    return booking.move(
        session,
        appointment_id,
        to=to,
        now=now,
        lanes=lanes[need.goes_first],
        by=caller.actor,
    )


def cancel(session: Session, appointment_id: UUID, *, caller: Caller, now: datetime) -> Appointment:
    """Cancel an appointment; one that is cancelled already stays so.

    Raises:
        AppointmentUnknown: there is none this program may see.
        NotNow: it is over, or the person has arrived.
    """
    found = find(session, appointment_id, caller=caller)
    if found.state is AppointmentState.CANCELLED:
        return found
    return booking.cancel(session, appointment_id, now=now, by=caller.actor)
