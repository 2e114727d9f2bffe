"""Appointments: hold a place, make it certain, move it, give it back. A place is never sold twice.

Every function runs in the caller's transaction and never commits. Locks are always taken in one
order: claim, appointment, slots by place, start and lane. Only this file sets an appointment's
state, and only through `life.after`.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import claims, plan, slots
from scheduler.life import AppointmentEvent, AppointmentState, NotNow, after
from scheduler.places import PUBLIC
from scheduler.slots import Seat, SlotFull, SlotGone, SlotRef
from scheduler.tables import AppointmentRow, ClaimRow

__all__ = [
    "AlreadyBooked",
    "Appointment",
    "AppointmentUnknown",
    "NotNow",
    "SlotFull",
    "SlotGone",
    "SlotRef",
    "arrive",
    "cancel",
    "confirm",
    "expire_due",
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

LONGEST_HOLD = 10
"""A hold is renewed by choosing another time until it is so many times its length old
(WCAG 2.2, success criterion 2.2.1: a time limit can be extended at least ten times)."""
EXPECTED = (
    AppointmentState.BOOKED,
    AppointmentState.ARRIVED,
    AppointmentState.SERVED,
    AppointmentState.MISSED,
)
"""What stands on the list of a day."""


class AlreadyBooked(Exception):
    """This person has a live appointment for this purpose."""


class AppointmentUnknown(LookupError):
    """There is no appointment of this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An appointment as it stands."""

    id: UUID
    place: str
    starts_at: datetime
    lane: str
    minutes: int
    whose: str
    state: AppointmentState
    hold_until: datetime | None
    """Until when the place is held; None once it is certain or over."""

    @property
    def slot(self) -> SlotRef:
        """Which slot it has a place in."""
        return SlotRef(place=self.place, starts_at=self.starts_at, lane=self.lane)


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
) -> Appointment:
    """Hold a place in the slot for `minutes`.

    Args:
        session: a transaction that writes.
        slot: which slot.
        whose: what the appointment is for; one live appointment each.
        person_key: who, as bytes that tell nobody who; one live appointment a purpose.
        purpose: what the person comes for.
        now: the time.
        minutes: how long the place is held.
        lanes: the lanes the asker may book; all others are not offered to them.

    Raises:
        SlotFull: every place is taken.
        SlotGone: the time is past or not offered.
        AlreadyBooked: the person has a live appointment for this purpose, or `whose` has one.
    """
    _worth_trying(session, slot, now=now, lanes=lanes)
    with session.begin_nested():
        row = AppointmentRow(
            id=uuid4(),
            place=slot.place,
            starts_at=slot.starts_at,
            lane=slot.lane,
            whose=whose,
            state=AppointmentState.HELD,
            hold_until=now + timedelta(minutes=minutes),
            hold_minutes=minutes,
            created_at=now,
            changed_at=now,
        )
        _claim(session, row, person_key=person_key, purpose=purpose, now=now)
        row.minutes = _take(session, slot, now=now, lanes=lanes)
        session.add(row)
    return _record(row)


def confirm(session: Session, appointment_id: UUID, *, now: datetime) -> Appointment:
    """Make a held place certain.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is not held any more, or its time is over; it then expires as if nobody asked.
    """
    row = _locked(session, appointment_id)
    if row.hold_until is not None and row.hold_until <= now:
        raise NotNow("the hold has run out")
    return _happen(session, row, AppointmentEvent.CONFIRM, now=now)


def cancel(session: Session, appointment_id: UUID, *, now: datetime) -> Appointment:
    """Give a held or certain place back.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is over, or the person has arrived.
    """
    return _happen(session, _locked(session, appointment_id), AppointmentEvent.CANCEL, now=now)


def arrive(session: Session, appointment_id: UUID, *, now: datetime) -> Appointment:
    """Note that the person is here.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is not certain, or the person has arrived already.
    """
    return _happen(session, _locked(session, appointment_id), AppointmentEvent.ARRIVE, now=now)


def leave(session: Session, appointment_id: UUID, *, now: datetime) -> Appointment:
    """Note that the person went away without being served; the appointment stands.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: the person has not arrived.
    """
    return _happen(session, _locked(session, appointment_id), AppointmentEvent.LEAVE, now=now)


def serve(session: Session, appointment_id: UUID, *, now: datetime) -> Appointment:
    """Note that the person was served; they may book again for the same purpose.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: the person has not arrived.
    """
    return _happen(session, _locked(session, appointment_id), AppointmentEvent.SERVE, now=now)


def miss(session: Session, appointment_id: UUID, *, now: datetime) -> Appointment:
    """Note that nobody came; the person may book again.

    Raises:
        AppointmentUnknown: there is no such appointment.
        NotNow: it is not certain, or its time has not come yet.
    """
    row = _locked(session, appointment_id)
    if row.starts_at > now:
        raise NotNow("its time has not come")
    return _happen(session, row, AppointmentEvent.MISS, now=now)


def move(
    session: Session,
    appointment_id: UUID,
    *,
    to: SlotRef,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
) -> Appointment:
    """Move a held or certain appointment; a hold is renewed (see `LONGEST_HOLD`).

    Both places change in one step, or neither does: the old one is never lost.

    Raises:
        AppointmentUnknown: there is no such appointment.
        SlotFull: no place there; the old one stands.
        SlotGone: the time is past or not offered; the old one stands.
        NotNow: it is over, the hold has run out, or the person has arrived.
    """
    row = _locked(session, appointment_id)
    after(row.state, AppointmentEvent.CANCEL)  # what cannot be given back cannot be moved
    if row.hold_until is not None and row.hold_until <= now:
        raise NotNow("the hold has run out")
    old = _slot_of(row)
    with session.begin_nested():
        for slot in sorted({old, to}) if old != to else ():
            if slot == to:
                row.minutes = _take(session, to, now=now, lanes=lanes)
            else:
                slots.give_back(session, {Seat(slot=old, public=row.public): 1})
        row.place, row.starts_at, row.lane, row.changed_at = to.place, to.starts_at, to.lane, now
        if row.hold_until is not None:
            length = timedelta(minutes=row.hold_minutes)
            latest = row.created_at + length * LONGEST_HOLD
            row.hold_until = max(row.hold_until, min(now + length, latest))
    return _record(row)


def expire_due(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Let holds whose time is over expire, the oldest first; return how many."""
    return _expire(session, now=now, limit=limit)


def miss_due(session: Session, *, before: datetime, now: datetime, limit: int = 500) -> int:
    """Note of certain appointments that began earlier than `before` that nobody came."""
    rows = session.scalars(
        sa.select(AppointmentRow)
        .where(AppointmentRow.state == AppointmentState.BOOKED, AppointmentRow.starts_at < before)
        .order_by(AppointmentRow.starts_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    return _happen_all(session, rows, AppointmentEvent.MISS, now=now)


def find(session: Session, appointment_id: UUID) -> Appointment:
    """Return the appointment.

    Raises:
        AppointmentUnknown: there is no such appointment.
    """
    row = session.scalars(
        sa.select(AppointmentRow).where(AppointmentRow.id == appointment_id)
    ).one_or_none()
    if row is None:
        raise AppointmentUnknown(str(appointment_id))
    return _record(row)


def live_of(session: Session, whose: str) -> Appointment | None:
    """Return the one live appointment of `whose`, or None.

    A hold is live until it was let expire, although its `hold_until` may be over.
    """
    row = session.scalars(
        sa.select(AppointmentRow)
        .join(ClaimRow, ClaimRow.holder == AppointmentRow.id)
        .where(ClaimRow.key == claims.of_dossier(whose))
    ).one_or_none()
    return None if row is None else _record(row)


def of_day(session: Session, place: str, day: date) -> tuple[Appointment, ...]:
    """Return who is expected at a place on a day, or came, or did not come, by time."""
    begins, ended = plan.bounds(day, day)
    rows = session.scalars(
        sa.select(AppointmentRow)
        .where(
            AppointmentRow.place == place,
            AppointmentRow.starts_at >= begins,
            AppointmentRow.starts_at < ended,
            AppointmentRow.state.in_(EXPECTED),
        )
        .order_by(AppointmentRow.starts_at, AppointmentRow.lane, AppointmentRow.created_at)
    )
    return tuple(_record(row) for row in rows)


def _record(row: AppointmentRow) -> Appointment:
    return Appointment(
        id=row.id,
        place=row.place,
        starts_at=row.starts_at,
        lane=row.lane,
        minutes=row.minutes,
        whose=row.whose,
        state=row.state,
        hold_until=row.hold_until,
    )


def _slot_of(row: AppointmentRow) -> SlotRef:
    return SlotRef(place=row.place, starts_at=row.starts_at, lane=row.lane)


def _locked(session: Session, appointment_id: UUID) -> AppointmentRow:
    """Return the row, which nobody else changes until the transaction is over."""
    row = session.scalars(
        sa.select(AppointmentRow)
        .where(AppointmentRow.id == appointment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise AppointmentUnknown(str(appointment_id))
    return row


def _happen(
    session: Session, row: AppointmentRow, event: AppointmentEvent, *, now: datetime
) -> Appointment:
    _happen_all(session, (row,), event, now=now)
    return _record(row)


def _happen_all(
    session: Session, rows: Iterable[AppointmentRow], event: AppointmentEvent, *, now: datetime
) -> int:
    """Let the event happen to locked rows; places and claims follow from the states."""
    freed: Counter[Seat] = Counter()
    over: list[UUID] = []
    happened = 0
    for row in rows:
        before, row.state = row.state, after(row.state, event)
        row.changed_at = now
        row.hold_until = None
        freed[Seat(slot=_slot_of(row), public=row.public)] += (
            before.takes_a_place - row.state.takes_a_place
        )
        over += [] if row.state.live else [row.id]
        happened += 1
    session.flush()
    slots.give_back(session, freed)
    if over:
        claims.give_up(session, over)
    return happened


def _expire(
    session: Session, *where: sa.ColumnElement[bool], now: datetime, limit: int = 500
) -> int:
    due = (AppointmentRow.state == AppointmentState.HELD, AppointmentRow.hold_until <= now)
    rows = session.scalars(
        sa.select(AppointmentRow)
        .where(*due, *where)
        .order_by(AppointmentRow.hold_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    return _happen_all(session, rows, AppointmentEvent.EXPIRE, now=now)


def _claim(
    session: Session, row: AppointmentRow, *, person_key: bytes, purpose: str, now: datetime
) -> None:
    keys = (claims.of_person(person_key, purpose), claims.of_dossier(row.whose))
    if claims.make(session, keys, holder=row.id, kind=claims.APPOINTMENT):
        return
    # An own hold that ran out is no appointment, though nobody has swept it away yet.
    _expire(session, AppointmentRow.id.in_(claims.holders(keys)), now=now)
    if not claims.make(session, keys, holder=row.id, kind=claims.APPOINTMENT):
        raise AlreadyBooked


def _overdue(slot: SlotRef, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        AppointmentRow.place == slot.place,
        AppointmentRow.starts_at == slot.starts_at,
        AppointmentRow.lane == slot.lane,
        AppointmentRow.state == AppointmentState.HELD,
        AppointmentRow.hold_until <= now,
    )


def _worth_trying(
    session: Session, slot: SlotRef, *, now: datetime, lanes: Collection[str]
) -> None:
    """Turn people away before anything is written: in a rush nearly everybody ends here."""
    try:
        slots.look(session, slot, now=now, lanes=lanes)
    except SlotFull:
        if session.scalars(sa.select(AppointmentRow.id).where(*_overdue(slot, now))).first():
            return
        raise


def _take(session: Session, slot: SlotRef, *, now: datetime, lanes: Collection[str]) -> int:
    try:
        return slots.take(session, slot, now=now, lanes=lanes)
    except SlotFull:
        # A hold that ran out is no reason to send somebody away, though nobody swept it yet.
        if not _expire(session, *_overdue(slot, now), now=now):
            raise
    return slots.take(session, slot, now=now, lanes=lanes)
