"""The line of a day at a place: numbers, calls, who is served where. Nobody is called twice.

Every function runs in the caller's transaction and never commits. Locks are taken in one order:
the point, the day's counter, entries. Only this file sets an entry's state, through
`queue_life.after`; the order of the line is `scheduler.line`'s.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import arrivals, points, waits
from scheduler.database import insert_missing
from scheduler.entries import (
    Entry,
    EntryRef,
    EntryUnknown,
    day_of,
    entry_of,
    find,
    in_line,
    of_day,
    present,
    waiting,
)
from scheduler.places import REGULAR
from scheduler.points import Point
from scheduler.queue_life import NotNow, QueueEvent, QueueState, after
from scheduler.tables_day import PointRow, QueueDayRow, QueueRow

__all__ = [
    "Entry",
    "EntryRef",
    "EntryUnknown",
    "NotNow",
    "PointClosed",
    "QueueState",
    "arrive",
    "begin",
    "call_again",
    "day_of",
    "end",
    "find",
    "gone",
    "in_line",
    "next",
    "of_day",
    "present",
    "return_",
    "waiting",
]


class PointClosed(Exception):
    """Nobody is called to a closed kiosk or counter."""


def arrive(
    session: Session,
    place: str,
    *,
    now: datetime,
    appointment: UUID | None = None,
    whose: str | None = None,
    lane: str = REGULAR,
    priority: bool = False,
    minutes: int,
    due_at: datetime | None = None,
    back_at: datetime | None = None,
) -> Entry:
    """Put somebody in line and give them a number; who has one already keeps it.

    Args:
        session: a transaction that writes.
        place: where.
        now: the time.
        appointment: None: came without one.
        whose: what the visit is for; None: not known.
        lane: in which lane.
        priority: whether the law lets them go first.
        minutes: how long they are planned for.
        due_at: by which they are put in line, see `arrivals.judge`; None: as a walk-in.
        back_at: when a walk-in was told to come back; nobody calls them before.

    Raises:
        NotNow: cannot happen to who is here; who went away is put in line again.
    """
    day = day_of(now)
    insert_missing(session, QueueDayRow, [{"place": place, "day": day, "last": 0}])
    counter = session.scalars(
        sa.select(QueueDayRow)
        .where(QueueDayRow.place == place, QueueDayRow.day == day)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    there = _here(session, place, day, appointment=appointment, whose=whose)
    if there is not None:
        return return_(session, there.ref, now=now) if there.state is QueueState.GONE else there
    counter.last += 1
    arrived = now if back_at is None else max(now, back_at)
    due = arrivals.due_walk_in(now=arrived) if due_at is None else due_at
    told = waits.promise(
        session,
        place,
        now=now,
        due_at=due,
        priority=priority,
        minutes=minutes,
        at=arrived,
        appointment=appointment,
        lane=lane,
    )
    row = QueueRow(
        place=place,
        day=day,
        number=counter.last,
        lane=lane,
        appointment_id=appointment,
        whose=whose,
        priority=int(priority),
        minutes=minutes,
        arrived_at=arrived,
        due_at=due,
        promised_at=told and arrived + timedelta(minutes=told.p80_minutes),
        state=QueueState.WAITING,
        calls=0,
    )
    session.add(row)
    session.flush()
    return entry_of(row)


def next(  # noqa: A001 - read as queue.next
    session: Session, place: str, point: str, *, now: datetime, ends: Collection[int] | None = None
) -> Entry | None:
    """Call who is next to the kiosk or counter, which is thereby free; None: nobody is waiting.

    Whoever was served there is done. Asked again before the called person has come, it returns
    the same person: `gone` says that they did not come.

    Args:
        session: a transaction that writes.
        place: where.
        point: to which kiosk or counter.
        now: the time.
        ends: the numbers that may be done by it; None: whoever is served there.

    Raises:
        PointUnknown: there is no such point.
        PointClosed: it is closed.
        NotNow: somebody is served there whom it may not end.
    """
    here = _locked_point(session, place, point)
    if not here.open:
        raise PointClosed(f"{place}: {point}")
    day = day_of(now)
    standing = _at_point(session, place, day, point, QueueState.CALLED)
    if standing:
        return entry_of(standing[0])
    _end_served(session, place, day, point, now=now, only=ends)
    waiting_here = [e for e in waiting(session, place, day) if e.arrived_at <= now]
    everybody = points.of(session, place)
    for entry in _for_point(waiting_here, here, everybody):
        row = _claimed(session, entry.ref)
        if row is not None:
            row.point = point
            return _happen(session, row, QueueEvent.CALL, now=now)
    return None


def call_again(session: Session, ref: EntryRef, *, now: datetime) -> Entry:
    """Call somebody once more, to where they were called.

    Raises:
        EntryUnknown: nobody has this number.
        NotNow: they were not called, or have come.
    """
    row = _locked(session, ref)
    if row.state is not QueueState.CALLED:
        raise NotNow(f"{row.state} is not called again")
    return _happen(session, row, QueueEvent.CALL, now=now)


def begin(session: Session, ref: EntryRef, *, point: str, now: datetime) -> Entry:
    """Note that the person is served at `point`, called there or not; whoever was there is done.

    Raises:
        EntryUnknown: nobody has this number.
        NotNow: they are done, or went away: `return_` puts them in line first.
    """
    row = _locked(session, ref)
    after(row.state, QueueEvent.BEGIN)
    _end_served(session, ref.place, ref.day, point, now=now, but=ref.number)
    row.point = point
    return _happen(session, row, QueueEvent.BEGIN, now=now)


def end(session: Session, ref: EntryRef, *, now: datetime) -> Entry:
    """Note that the person is done.

    Raises:
        EntryUnknown: nobody has this number.
        NotNow: they are not being served.
    """
    return _happen(session, _locked(session, ref), QueueEvent.END, now=now)


def gone(session: Session, ref: EntryRef, *, now: datetime) -> Entry:
    """Note that the person did not come when called, or went away; they may come back.

    Raises:
        EntryUnknown: nobody has this number.
        NotNow: they are being served, or done.
    """
    return _happen(session, _locked(session, ref), QueueEvent.NO_SHOW, now=now)


def return_(session: Session, ref: EntryRef, *, now: datetime) -> Entry:
    """Put somebody in line again: who went away is due now, who was called or served as before.

    Raises:
        EntryUnknown: nobody has this number.
        NotNow: they are waiting, or done.
    """
    row = _locked(session, ref)
    if row.state is QueueState.GONE:
        row.due_at = max(row.due_at, now)
    return _happen(session, row, QueueEvent.COME_BACK, now=now)


def _for_point(
    entries: Iterable[Entry], point: Point, everybody: Sequence[Point]
) -> Iterable[Entry]:
    """Return the entries as this point calls them.

    A point of a lane of its own serves that lane first, unless it alone serves everybody: else
    the regular people would starve.
    """
    entries = [entry for entry in entries if point.serves(entry.lane)]
    if point.lane == REGULAR or not any(p.open and p.lane == REGULAR for p in everybody):
        return entries
    return sorted(entries, key=lambda entry: entry.lane != point.lane)


def _here(
    session: Session, place: str, day: date, *, appointment: UUID | None, whose: str | None
) -> Entry | None:
    """Return who is in line, or went away, for the same appointment or the same thing."""
    if appointment is None and whose is None:
        return None
    same = QueueRow.appointment_id == appointment if appointment else QueueRow.whose == whose
    row = session.scalars(
        sa.select(QueueRow)
        .where(QueueRow.place == place, QueueRow.day == day, same)
        .where(QueueRow.state != QueueState.DONE)
        .execution_options(populate_existing=True)
    ).first()
    return None if row is None else entry_of(row)


def _locked_point(session: Session, place: str, code: str) -> Point:
    session.scalars(
        sa.select(PointRow)
        .where(PointRow.place == place, PointRow.code == code)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    return points.find(session, place, code)


def _claimed(session: Session, ref: EntryRef) -> QueueRow | None:
    """Return the row if the person still waits and no other point is calling them just now."""
    return session.scalars(
        sa.select(QueueRow)
        .where(*_is(ref), QueueRow.state == QueueState.WAITING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _locked(session: Session, ref: EntryRef) -> QueueRow:
    row = session.scalars(
        sa.select(QueueRow)
        .where(*_is(ref))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise EntryUnknown(str(ref))
    return row


def _is(ref: EntryRef) -> tuple[sa.ColumnElement[bool], ...]:
    return (QueueRow.place == ref.place, QueueRow.day == ref.day, QueueRow.number == ref.number)


def _at_point(
    session: Session, place: str, day: date, point: str, state: QueueState
) -> Sequence[QueueRow]:
    return session.scalars(
        sa.select(QueueRow)
        .where(QueueRow.place == place, QueueRow.day == day)
        .where(QueueRow.point == point, QueueRow.state == state)
        .order_by(QueueRow.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _end_served(
    session: Session,
    place: str,
    day: date,
    point: str,
    *,
    now: datetime,
    but: int = 0,
    only: Collection[int] | None = None,
) -> None:
    for row in _at_point(session, place, day, point, QueueState.SERVING):
        if only is not None and row.number not in only:
            raise NotNow(f"{row.number} is served there")
        if row.number != but:
            _happen(session, row, QueueEvent.END, now=now)


def _happen(session: Session, row: QueueRow, event: QueueEvent, *, now: datetime) -> Entry:
    row.state = after(row.state, event)
    match event:
        case QueueEvent.CALL:
            row.called_at, row.calls = now, row.calls + 1
        case QueueEvent.BEGIN:
            row.began_at = now
        case QueueEvent.END:
            row.ended_at = now
        case QueueEvent.COME_BACK:
            row.point, row.called_at, row.began_at, row.calls = None, None, None, 0
        case QueueEvent.NO_SHOW:
            row.point, row.promised_at = None, None
    session.flush()
    return entry_of(row)
