"""Appointments: hold a place, make it certain, move it, give it back. A place is never sold twice.

Every function runs in the caller's transaction and never commits. Locks are always taken in one
order: request, claim, appointment, slots by place, start and lane, history. How it is done stands
in `making`, `moving` and `happening`.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import appointment, happening, making, moving
from scheduler.appointment import (
    LONGEST_HOLD,
    MOST_CHANGES,
    AlreadyBooked,
    Appointment,
    AppointmentUnknown,
    MovedTooOften,
    find,
    live_of,
    of_day,
)
from scheduler.history import CITIZEN, SYSTEM
from scheduler.life import AppointmentEvent, AppointmentState, NotNow
from scheduler.places import PUBLIC
from scheduler.seating import Chain
from scheduler.slots import SlotFull, SlotGone, SlotRef
from scheduler.tables import AppointmentRow
from scheduler.tables_calendar import StrandedRow

__all__ = [
    "LONGEST_HOLD",
    "MOST_CHANGES",
    "AlreadyBooked",
    "Appointment",
    "AppointmentUnknown",
    "MovedTooOften",
    "NotNow",
    "SlotFull",
    "SlotGone",
    "SlotRef",
    "arrive",
    "book",
    "book_kept",
    "cancel",
    "confirm",
    "expire_due",
    "extend",
    "find",
    "hold",
    "leave",
    "live_of",
    "miss",
    "miss_due",
    "move",
    "of_day",
    "serve",
]


def hold(
    session: Session,
    *,
    slot: SlotRef,
    whose: str,
    person_key: bytes,
    purpose: str,
    now: datetime,
    minutes: int,
    lanes: Collection[str] = PUBLIC,
    length: int | None = None,
    public: bool = True,
    by: str = CITIZEN,
    request: bytes | None = None,
) -> Appointment:
    """Hold a place in the slot for `minutes`.

    Args:
        session: a transaction that writes.
        slot: the first slot.
        whose: what the appointment is for; one live appointment each.
        person_key: who, as bytes that tell nobody who; one live appointment a purpose.
        purpose: what the person comes for.
        now: the time.
        minutes: how long the place is held.
        lanes: the lanes the asker may book; all others are not offered to them.
        length: minutes the person needs: as many consecutive slots; None: one slot.
        public: whether people book for themselves; officers have the places kept from the public.
        by: who does it.
        request: digest of what the asker calls this request; asked again, it changes nothing.

    Raises:
        SlotFull: every place is taken.
        SlotGone: the time is past or not offered.
        AlreadyBooked: the person has a live appointment for this purpose, or `whose` has one.
    """
    return making.make(
        session,
        slot,
        {
            "whose": whose,
            "state": AppointmentState.HELD,
            "hold_until": now + timedelta(minutes=minutes),
            "hold_minutes": minutes,
            "public": public,
        },
        person=(person_key, purpose),
        length=length,
        lanes=lanes,
        by=by,
        request=request,
        now=now,
    )


def book(
    session: Session,
    *,
    slot: SlotRef,
    whose: str,
    person_key: bytes,
    purpose: str,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
    length: int | None = None,
    public: bool = True,
    by: str = CITIZEN,
    request: bytes | None = None,
) -> Appointment:
    """Take a place in the slot in one step.

    The arguments are those of `hold`.

    Raises:
        SlotFull: every place is taken.
        SlotGone: the time is past or not offered.
        AlreadyBooked: the person has a live appointment for this purpose, or `whose` has one.
    """
    return making.make(
        session,
        slot,
        {"whose": whose, "state": AppointmentState.BOOKED, "public": public},
        person=(person_key, purpose),
        length=length,
        lanes=lanes,
        by=by,
        request=request,
        now=now,
    )


def book_kept(
    session: Session,
    *,
    chain: Chain,
    whose: str,
    person_key: bytes,
    purpose: str,
    length: int,
    now: datetime,
    by: str = CITIZEN,
    public: bool = True,
    party: UUID | None = None,
) -> Appointment:
    """Make an appointment of places that were kept for this person and are counted already.

    `length`: minutes the person needs, wherever it is moved later.

    Raises:
        AlreadyBooked: the person has a live appointment for this purpose, or `whose` has one.
    """
    own = {"whose": whose, "public": public, "party": party, "length": length}
    row = making.blank(chain.first, own, now=now)
    row["state"] = AppointmentState.BOOKED
    making.claim(session, row, person=(person_key, purpose), now=now)
    return making.write(session, row, chain, by=by, now=now)


def confirm(
    session: Session, appointment_id: UUID, *, now: datetime, by: str = CITIZEN
) -> Appointment:
    """Make a held place certain.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is not held any more, or its time is over; it then expires as if nobody asked.
    """
    row = happening.locked(session, appointment_id)
    moving.refuse_run_out(row, now)
    return _happen(session, row, AppointmentEvent.CONFIRM, now=now, by=by)


def extend(
    session: Session, appointment_id: UUID, *, now: datetime, by: str = CITIZEN
) -> Appointment:
    """Hold a place for its length again from now on, at most until `hold_latest`.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is not held any more.
    """
    row = happening.locked(session, appointment_id)
    moving.extend(session, [row], by=by, now=now)
    return appointment.of_row(row)


def cancel(
    session: Session, appointment_id: UUID, *, now: datetime, by: str = CITIZEN
) -> Appointment:
    """Give a held or certain place back.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is over, or the person has arrived.
    """
    row = happening.locked(session, appointment_id)
    return _happen(session, row, AppointmentEvent.CANCEL, now=now, by=by)


def arrive(
    session: Session, appointment_id: UUID, *, now: datetime, by: str = SYSTEM
) -> Appointment:
    """Note that the person is here.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is not certain, or the person has arrived already.
    """
    row = happening.locked(session, appointment_id)
    return _happen(session, row, AppointmentEvent.ARRIVE, now=now, by=by)


def leave(
    session: Session, appointment_id: UUID, *, now: datetime, by: str = SYSTEM
) -> Appointment:
    """Note that the person went away without being served; the appointment stands.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: the person has not arrived.
    """
    row = happening.locked(session, appointment_id)
    return _happen(session, row, AppointmentEvent.LEAVE, now=now, by=by)


def serve(
    session: Session, appointment_id: UUID, *, now: datetime, by: str = SYSTEM
) -> Appointment:
    """Note that the person was served; they may book again for the same purpose.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: the person has not arrived.
    """
    row = happening.locked(session, appointment_id)
    return _happen(session, row, AppointmentEvent.SERVE, now=now, by=by)


def miss(session: Session, appointment_id: UUID, *, now: datetime, by: str = SYSTEM) -> Appointment:
    """Note that nobody came; the person may book again.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is not certain, or its time has not come yet.
    """
    row = happening.locked(session, appointment_id)
    if row.starts_at > now:
        raise NotNow("its time has not come")
    return _happen(session, row, AppointmentEvent.MISS, now=now, by=by)


def move(
    session: Session,
    appointment_id: UUID,
    *,
    to: SlotRef,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
    public: bool = True,
    by: str = CITIZEN,
    most: int | None = MOST_CHANGES,
) -> Appointment:
    """Move a held or certain appointment; a hold is renewed (see `LONGEST_HOLD`).

    Both places change in one step, or neither does: the old one is never lost.

    Args:
        session: a transaction that writes.
        appointment_id: which.
        to: where it begins from now on.
        now: the time.
        lanes: the lanes the asker may book.
        public: whether people move it for themselves.
        by: who does it.
        most: how often it may be moved, this time included; None: this time is not counted.

    Raises:
        AppointmentUnknown: there is no such appointment.
        SlotFull: no place there; the old one stands.
        SlotGone: the time is past or not offered; the old one stands.
        MovedTooOften: it was certain, and moved `most` times already.
        NotNow: it is over, the hold has run out, or the person has arrived.
    """
    row = happening.locked(session, appointment_id)
    moving.rows_to(session, [row], to, now=now, lanes=lanes, public=public, by=by, most=most)
    return appointment.of_row(row)


def expire_due(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Let holds whose time is over expire, the oldest first; return how many."""
    return happening.expire(session, now=now, limit=limit)


def miss_due(session: Session, *, before: datetime, now: datetime, limit: int = 500) -> int:
    """Note of certain appointments that began earlier than `before` that nobody came.

    Whose time the calendar took away stays until an officer settled it: the place was closed.
    """
    taken_away = sa.exists().where(
        StrandedRow.appointment_id == AppointmentRow.id,
        StrandedRow.starts_at == AppointmentRow.starts_at,
        StrandedRow.settled_at.is_(None),
    )
    rows = session.scalars(
        sa.select(AppointmentRow)
        .where(
            AppointmentRow.state == AppointmentState.BOOKED,
            AppointmentRow.starts_at < before,
            ~taken_away,
        )
        .order_by(AppointmentRow.starts_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    return happening.happen_all(session, rows, AppointmentEvent.MISS, now=now, by=SYSTEM)


def _happen(
    session: Session, row: AppointmentRow, event: AppointmentEvent, *, now: datetime, by: str
) -> Appointment:
    happening.happen_all(session, (row,), event, now=now, by=by)
    return appointment.of_row(row)
