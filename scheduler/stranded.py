"""People whose time the calendar took away: found, told, called, settled. Nobody is dropped.

It moves nobody and cancels nothing: their appointment stands until they or an officer choose.
"""

import enum
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import slots
from scheduler.appointment import Appointment, of_row
from scheduler.database import insert_missing
from scheduler.life import AppointmentState
from scheduler.slots import SlotRef
from scheduler.tables import AppointmentRow, FurtherRow, SlotRow
from scheduler.tables_calendar import StrandedRow

LIVE = [state for state in AppointmentState if state.live]
SYSTEM = "system"
MOST = 500
"""[D] People on one list; more are reached by going through the first."""


class StrandedState(enum.StrEnum):
    """Where somebody stands whose time was taken away; computed, never stored."""

    OPEN = "open"
    """Nobody told them yet."""
    TOLD = "told"
    """They were sent other times and have not chosen."""
    CALLED = "called"
    """An officer spoke to them; they have not chosen."""
    MOVED = "moved"
    RESTORED = "restored"
    """Their time is offered again."""
    OVER = "over"
    """They cancelled, or came all the same."""
    SETTLED = "settled"
    """An officer says that nothing is left to be done."""

    @property
    def open(self) -> bool:
        """Whether something is left to be done."""
        return self in {_S.OPEN, _S.TOLD, _S.CALLED}


_S = StrandedState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranded:
    """Somebody whose time was taken away."""

    appointment: Appointment
    """As it stands now."""
    was: SlotRef
    """The time that was taken away."""
    state: StrandedState
    found_at: datetime
    told_at: datetime | None
    unreachable: bool
    called_at: datetime | None
    called_by: str | None
    settled_at: datetime | None
    settled_by: str | None


def _gone(place: str, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        SlotRow.place == place, SlotRow.starts_at > now, sa.not_(SlotRow.offered), SlotRow.taken > 0
    )


def mark(session: Session, place: str, *, now: datetime) -> int:
    """Write down whoever has a live appointment in a slot to come that is no longer offered.

    Whoever is written down already, or was settled by an officer, is left as they are. Returns how
    many are new.
    """
    of_slot = (SlotRow.place, SlotRow.starts_at, SlotRow.lane)
    first = sa.and_(
        *(
            mine == slots
            for mine, slots in zip(
                (AppointmentRow.place, AppointmentRow.starts_at, AppointmentRow.lane),
                of_slot,
                strict=True,
            )
        )
    )
    further = sa.and_(
        *(
            mine == slots
            for mine, slots in zip(
                (FurtherRow.place, FurtherRow.starts_at, FurtherRow.lane), of_slot, strict=True
            )
        )
    )
    columns = (AppointmentRow.id, AppointmentRow.starts_at, AppointmentRow.lane)
    live = AppointmentRow.state.in_(LIVE)
    rows = session.execute(
        sa.union(
            sa.select(*columns).join(SlotRow, first).where(_gone(place, now), live),
            sa.select(*columns)
            .join(FurtherRow, FurtherRow.appointment_id == AppointmentRow.id)
            .join(SlotRow, further)
            .where(_gone(place, now), live),
        )
    ).all()
    for id_, starts_at, _ in rows:
        # Their time was given back meanwhile, and now it is taken away again.
        session.execute(
            sa.update(StrandedRow)
            .where(
                StrandedRow.appointment_id == id_,
                StrandedRow.starts_at == starts_at,
                StrandedRow.settled_by == SYSTEM,
            )
            .values(settled_at=None, settled_by=None, told_at=None, called_at=None, found_at=now)
        )
    return insert_missing(
        session,
        StrandedRow,
        [
            {
                "appointment_id": id_,
                "starts_at": starts_at,
                "place": place,
                "lane": lane,
                "found_at": now,
                "unreachable": False,
            }
            for id_, starts_at, lane in rows
        ],
    )


def _state(row: StrandedRow, appointment: Appointment, *, missing: bool) -> StrandedState:
    """Return where somebody stands; the first thing that is true."""
    there = (appointment.place, appointment.starts_at, appointment.lane)
    happened = (
        (_S.MOVED, there != (row.place, row.starts_at, row.lane)),
        (_S.OVER, not appointment.state.live),
        (_S.RESTORED, not missing),
        (_S.SETTLED, row.settled_at is not None),
        (_S.CALLED, row.called_at is not None),
        (_S.TOLD, row.told_at is not None),
    )
    return next((state for state, is_so in happened if is_so), _S.OPEN)


def _missing() -> sa.ColumnElement[bool]:
    """Whether a slot of the lost time, the first or a further one, is still not offered."""
    gone = sa.and_(
        SlotRow.place == StrandedRow.place,
        SlotRow.lane == StrandedRow.lane,
        sa.not_(SlotRow.offered),
    )
    further = sa.and_(
        FurtherRow.appointment_id == StrandedRow.appointment_id,
        FurtherRow.starts_at == SlotRow.starts_at,
    )
    return sa.or_(
        sa.exists().where(gone, SlotRow.starts_at == StrandedRow.starts_at),
        sa.exists().where(gone, further),
    )


def _waits() -> sa.ColumnElement[bool]:
    """Whether something is left to be done: in SQL what `StrandedState.open` says."""
    return sa.and_(
        StrandedRow.settled_at.is_(None),
        AppointmentRow.place == StrandedRow.place,
        AppointmentRow.starts_at == StrandedRow.starts_at,
        AppointmentRow.lane == StrandedRow.lane,
        AppointmentRow.state.in_(LIVE),
        _missing(),
    )


Found = sa.Select[StrandedRow, AppointmentRow, bool]


def _select() -> Found:
    return sa.select(StrandedRow, AppointmentRow, _missing()).join(
        AppointmentRow, AppointmentRow.id == StrandedRow.appointment_id
    )


def _records(session: Session, found: Found) -> tuple[Stranded, ...]:
    return tuple(_record(row) for row in session.execute(found))


def _record(found: sa.Row[StrandedRow, AppointmentRow, bool]) -> Stranded:
    row, appointment_row, missing = found
    appointment = of_row(appointment_row)
    return Stranded(
        appointment=appointment,
        was=slots.of_row(row),
        state=_state(row, appointment, missing=missing),
        found_at=row.found_at,
        told_at=row.told_at,
        unreachable=row.unreachable,
        called_at=row.called_at,
        called_by=row.called_by,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
    )


def of(session: Session, appointment: Appointment) -> Stranded | None:
    """Return how the time of an appointment was taken away, or None where it stands."""
    its_own = _select().where(
        StrandedRow.appointment_id == appointment.id,
        StrandedRow.starts_at == appointment.starts_at,
    )
    return next((one for one in _records(session, its_own) if one.state.open), None)


def at(session: Session, place: str, *, since: datetime) -> tuple[Stranded, ...]:
    """Return whoever lost their time at a place and is not settled, then who was since; by time."""
    return _records(
        session,
        _select()
        .where(
            StrandedRow.place == place,
            sa.or_(StrandedRow.settled_at.is_(None), StrandedRow.settled_at >= since),
        )
        .order_by(
            StrandedRow.settled_at.is_not(None), StrandedRow.starts_at, StrandedRow.appointment_id
        )
        .limit(MOST),
    )


def count_open(session: Session, place: str) -> int:
    """Return how many people at a place still have to be told or called, holds left out."""
    count = (
        sa.select(sa.func.count())
        .select_from(StrandedRow)
        .join(AppointmentRow, AppointmentRow.id == StrandedRow.appointment_id)
        .where(StrandedRow.place == place, AppointmentRow.state != AppointmentState.HELD, _waits())
    )
    return session.scalars(count).one()


def untold(session: Session, *, limit: int) -> tuple[Stranded, ...]:
    """Return whoever was sent nothing yet and can be, those who have to come first first."""
    return _records(
        session,
        _select()
        .where(
            StrandedRow.settled_at.is_(None),
            StrandedRow.told_at.is_(None),
            sa.not_(StrandedRow.unreachable),
        )
        .order_by(StrandedRow.starts_at)
        .limit(limit)
        .with_for_update(of=StrandedRow, skip_locked=True),
    )


def _row(session: Session, one: Stranded) -> StrandedRow:
    return session.get_one(
        StrandedRow, (one.appointment.id, one.was.starts_at), with_for_update=True
    )


def told(session: Session, one: Stranded, *, reached: bool, now: datetime) -> None:
    """Note that they were sent other times to choose from, or that there is no way to them."""
    row = _row(session, one)
    row.told_at, row.unreachable = (now, False) if reached else (None, True)
    session.flush()


def called(session: Session, one: Stranded, *, by: str, now: datetime) -> None:
    """Note that an officer spoke to them."""
    row = _row(session, one)
    row.called_at, row.called_by = now, by
    session.flush()


def settle(session: Session, one: Stranded, *, by: str, now: datetime) -> None:
    """Note that nothing is left to be done; said twice, the first holds."""
    row = _row(session, one)
    if row.settled_at is None:
        row.settled_at, row.settled_by = now, by
        session.flush()


def settle_done(session: Session, *, now: datetime, limit: int) -> int:
    """Settle whoever moved, cancelled or has all of their time back; return how many."""
    # Only rows that are settled are found: one that is not would be found again for ever.
    rows = session.scalars(
        sa.select(StrandedRow)
        .join(AppointmentRow, AppointmentRow.id == StrandedRow.appointment_id)
        .where(StrandedRow.settled_at.is_(None), sa.not_(_waits()))
        .order_by(StrandedRow.starts_at, StrandedRow.appointment_id)
        .limit(limit)
        .with_for_update(of=StrandedRow, skip_locked=True)
    ).all()
    for row in rows:
        row.settled_at, row.settled_by = now, SYSTEM
    session.flush()
    return len(rows)
