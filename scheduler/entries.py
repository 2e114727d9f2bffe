"""Who is in the waiting room and in which order, read; nothing is changed here.

`scheduler.queue` changes it and offers what stands here under its own name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.calendar import HERE
from scheduler.line import RULES
from scheduler.queue_life import QueueState
from scheduler.tables_day import QueueRow

MINUTE = timedelta(minutes=1)


class EntryUnknown(LookupError):
    """Nobody has this number today."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class EntryRef:
    """Which entry: the number is unique at a place on a day."""

    place: str
    day: date
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody in the waiting room, as they stand."""

    ref: EntryRef
    lane: str
    appointment_id: UUID | None
    """None: came without one."""
    whose: str | None
    priority: bool
    minutes: int
    """How long they were planned for."""
    arrived_at: datetime
    """In the future: was told to come back then."""
    due_at: datetime
    promised_at: datetime | None
    """Until when they will be called, with 80 % probability, as it was told at arrival."""
    state: QueueState
    point: str | None
    """Where they are called to or served."""
    calls: int
    called_at: datetime | None
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def number(self) -> int:
        """What is called out."""
        return self.ref.number


def day_of(now: datetime) -> date:
    """Return the day of the waiting room."""
    return now.astimezone(HERE).date()


def find(session: Session, ref: EntryRef) -> Entry:
    """Return the entry.

    Raises:
        EntryUnknown: nobody has this number.
    """
    row = session.get(QueueRow, (ref.place, ref.day, ref.number))
    if row is None:
        raise EntryUnknown(str(ref))
    return entry_of(row)


def of_day(session: Session, place: str, day: date) -> tuple[Entry, ...]:
    """Return everybody who had a number that day, by number."""
    rows = session.scalars(
        sa.select(QueueRow)
        .where(QueueRow.place == place, QueueRow.day == day)
        .order_by(QueueRow.number)
    )
    return tuple(entry_of(row) for row in rows)


def present(session: Session, place: str, day: date) -> tuple[Entry, ...]:
    """Return who is called or being served, the last called first: what a display shows."""
    rows = session.scalars(
        sa.select(QueueRow)
        .where(QueueRow.place == place, QueueRow.day == day)
        .where(QueueRow.state.in_((QueueState.CALLED, QueueState.SERVING)))
        .order_by(QueueRow.called_at.desc(), QueueRow.number)
    )
    return tuple(entry_of(row) for row in rows)


def left_over(session: Session, *, before: date, limit: int) -> tuple[Entry, ...]:
    """Return whom nobody saw leave on the days before, the oldest first."""
    rows = session.scalars(
        sa.select(QueueRow)
        .where(
            QueueRow.day < before,
            QueueRow.state.in_((QueueState.WAITING, QueueState.CALLED, QueueState.SERVING)),
        )
        .order_by(QueueRow.day, QueueRow.place, QueueRow.number)
        .limit(limit)
    )
    return tuple(entry_of(row) for row in rows)


def waiting(session: Session, place: str, day: date) -> tuple[Entry, ...]:
    """Return who waits, in the order in which they are called; also who was told to come back."""
    rows = session.scalars(
        sa.select(QueueRow).where(
            QueueRow.place == place, QueueRow.day == day, QueueRow.state == QueueState.WAITING
        )
    )
    return in_line([entry_of(row) for row in rows])


def in_line(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries in the order in which they are called."""
    if not entries:
        return ()
    since = min(entry.due_at for entry in entries)
    due = [(entry.due_at - since) / MINUTE for entry in entries]
    ranks = RULES.rank(due, [entry.priority for entry in entries])
    ranked = sorted(zip(ranks, entries, strict=True), key=lambda pair: (pair[0], pair[1].ref))
    return tuple(entry for _, entry in ranked)


def entry_of(row: QueueRow) -> Entry:
    """Return a row as others read it."""
    return Entry(
        ref=EntryRef(place=row.place, day=row.day, number=row.number),
        lane=row.lane,
        appointment_id=row.appointment_id,
        whose=row.whose,
        priority=bool(row.priority),
        minutes=row.minutes,
        arrived_at=row.arrived_at,
        due_at=row.due_at,
        promised_at=row.promised_at,
        state=row.state,
        point=row.point,
        calls=row.calls,
        called_at=row.called_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
    )
