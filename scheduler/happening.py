"""What happens to appointments that are there already: states, and what follows from them.

Only this file sets an appointment's state, and only through `life.after`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import claims, freed, history, slots
from scheduler.appointment import AppointmentUnknown
from scheduler.history import SYSTEM
from scheduler.life import AppointmentEvent, AppointmentState, after
from scheduler.slots import Seat, SlotFull, SlotRef
from scheduler.tables import AppointmentRow, FurtherRow

T = TypeVar("T")

SWEPT = timedelta(hours=6)
"""How far around a slot that seems full holds that ran out are looked for."""


def locked(session: Session, appointment_id: UUID) -> AppointmentRow:
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


def seats_of(session: Session, row: AppointmentRow) -> Counter[Seat]:
    """Return the places a row takes."""
    found = Counter([Seat(slot=slots.of_row(row), public=row.public)])
    if row.length:
        further = session.scalars(
            sa.select(FurtherRow).where(FurtherRow.appointment_id == row.id)
        ).all()
        for one in further:
            found[Seat(slot=slots.of_row(one), public=one.public)] += 1
    return found


def happen_all(
    session: Session,
    rows: Iterable[AppointmentRow],
    event: AppointmentEvent,
    *,
    now: datetime,
    by: str,
) -> int:
    """Let the event happen to locked rows; places, claims and history follow from the states.

    Raises:
        NotNow: it does not fit the state of one of them.
    """
    back: Counter[Seat] = Counter()
    kept: Counter[Seat] = Counter()
    over: list[UUID] = []
    entries = []
    for row in rows:
        before, row.state = row.state, after(row.state, event)
        row.changed_at = now
        row.hold_until = None
        if before.takes_a_place and not row.state.takes_a_place:
            # What was certain may be kept for somebody who waits; nobody ever had what was held.
            (kept if before is AppointmentState.BOOKED else back).update(seats_of(session, row))
        over += [] if row.state.live else [row.id]
        entries.append(history.goes_on(row, event=event, by=by, now=now))
    session.flush()
    _give_back(session, over, back=back, kept=kept, now=now)
    history.write(session, entries)
    return len(entries)


def _give_back(
    session: Session,
    over: Sequence[UUID],
    *,
    back: Counter[Seat],
    kept: Counter[Seat],
    now: datetime,
) -> None:
    """Give the places and the claims of appointments back that are over."""
    if back or kept:
        session.execute(
            sa.delete(FurtherRow)
            .where(FurtherRow.appointment_id.in_(over))
            .execution_options(synchronize_session=False)
        )
    slots.give_back(session, back)
    if kept:
        freed.release(session, kept, now=now)
    if over:
        claims.give_up(session, over)


def expire(
    session: Session, *where: sa.ColumnElement[bool], now: datetime, limit: int = 500
) -> int:
    """Let holds that ran out expire, the oldest first; return how many."""
    due = (AppointmentRow.state == AppointmentState.HELD, AppointmentRow.hold_until <= now)
    rows = session.scalars(
        sa.select(AppointmentRow)
        .where(*due, *where)
        .order_by(AppointmentRow.hold_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    return happen_all(session, rows, AppointmentEvent.EXPIRE, now=now, by=SYSTEM)


def sweep(session: Session, slot: SlotRef, *, now: datetime) -> int:
    """Let holds around a slot expire that ran out, though nobody swept them yet; say how many.

    They are no reason to send somebody away.
    """
    return expire(
        session,
        AppointmentRow.place == slot.place,
        AppointmentRow.lane == slot.lane,
        AppointmentRow.starts_at.between(slot.starts_at - SWEPT, slot.starts_at + SWEPT),
        now=now,
    )


def find_room(session: Session, slot: SlotRef, ask: Callable[[], T], *, now: datetime) -> T:
    """Return what `ask` returns; if no place seems left, it is asked again after a sweep.

    Raises:
        SlotFull: nothing was swept, or there is no place even so.
    """
    try:
        return ask()
    except SlotFull:
        if not sweep(session, slot, now=now):
            raise
    return ask()
