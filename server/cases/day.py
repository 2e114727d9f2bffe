"""The living day at a station: who is called where, who is not there, who is done.

Every function runs in the caller's transaction and never commits. Nothing here deletes or closes
a dossier: whoever did not come may come again. Rows are locked dossier first, then appointment,
then the line. Who is let in is in `server.cases.reception`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, entries, points, queue
from scheduler.booking import Appointment
from scheduler.life import AppointmentState
from scheduler.life import NotNow as AppointmentNotNow
from scheduler.queue import Entry, EntryRef, QueueState
from server.cases import waiting_room
from server.cases.filing import SYSTEM
from server.store.tables import VisitRow

LARGEST_NUMBER = 99_999
"""[D] No station serves more people on a day; what a 32-bit column takes."""


def call_next(
    session: Session, station: str, point: str, *, shown: int | None, by: str, now: datetime
) -> Entry | None:
    """Call who is next to a kiosk or counter; None: nobody is waiting for it.

    Args:
        session: a transaction that writes.
        station: where.
        point: to which kiosk or counter.
        shown: the number the officer saw there, who is done by it; None: they saw nobody.
        by: who calls.
        now: the time.

    Raises:
        PointUnknown: there is no such point.
        PointClosed: it is closed.
        queue.NotNow: somebody else is there by now, or is busy at the kiosk.
    """
    here = _standing(session, station, point, now=now)
    there = max(
        here, key=lambda entry: (entry.state is QueueState.CALLED, entry.number), default=None
    )
    if shown != (None if there is None else there.number):
        raise queue.NotNow("somebody else is there")
    _refuse_at_kiosk(session, here)
    ends = [entry.number for entry in here]
    entry = queue.next(session, station, point, now=now, ends=ends)
    if entry is not None:
        waiting_room.note(session, entry, "call", by=by, now=now)
    return entry


def call_again(session: Session, ref: EntryRef, *, by: str, now: datetime) -> Entry:
    """Call somebody once more.

    Raises:
        EntryUnknown: nobody has this number.
        queue.NotNow: they were not called, or have come.
    """
    entry = queue.call_again(session, ref, now=now)
    waiting_room.note(session, entry, "call_again", by=by, now=now)
    return entry


def begin(session: Session, ref: EntryRef, *, by: str, now: datetime) -> Entry:
    """Note that somebody came to the counter they were called to; a kiosk notes that by itself.

    Raises:
        EntryUnknown: nobody has this number.
        queue.NotNow: they were not called, or somebody is busy at the kiosk there.
    """
    called = queue.find(session, ref)
    if called.state is not QueueState.CALLED or called.point is None:
        raise queue.NotNow(f"{called.state} was not called")
    _refuse_at_kiosk(session, _standing(session, ref.place, called.point, now=now))
    entry = queue.begin(session, ref, point=called.point, now=now)
    waiting_room.note(session, entry, "begin", by=by, now=now)
    return entry


def end(session: Session, ref: EntryRef, *, by: str, now: datetime) -> Entry:
    """Note that somebody is done at a counter.

    Raises:
        EntryUnknown: nobody has this number.
        queue.NotNow: they are not being served, or are busy at a kiosk.
    """
    _refuse_at_kiosk(session, [queue.find(session, ref)])
    entry = queue.end(session, ref, now=now)
    waiting_room.note(session, entry, "end", by=by, now=now)
    return entry


def not_there(session: Session, ref: EntryRef, *, by: str, now: datetime) -> Entry:
    """Note that somebody did not come when called, or went away; their appointment stands.

    Raises:
        EntryUnknown: nobody has this number.
        queue.NotNow: they are being served, or done.
    """
    standing = queue.find(session, ref)
    appointment = _appointment_of(session, standing)
    if standing.state is QueueState.SERVING:
        raise queue.NotNow("they are being served")
    if appointment is not None and appointment.state is AppointmentState.ARRIVED:
        booking.leave(session, appointment.id, by=by, now=now)
    entry = queue.gone(session, ref, now=now)
    waiting_room.note(session, entry, "not_there", by=by, now=now, point=standing.point)
    return entry


def came_back(session: Session, ref: EntryRef, *, by: str, now: datetime) -> Entry:
    """Put somebody in line again who had gone away, or whom the kiosk could not serve.

    Raises:
        EntryUnknown: nobody has this number.
        queue.NotNow: they are waiting or done, or their appointment is over.
    """
    standing = queue.find(session, ref)
    appointment = _appointment_of(session, standing)
    if standing.whose is not None and appointment is None:
        raise queue.NotNow("the appointment is over")
    entry = queue.return_(session, ref, now=now)
    if appointment is not None and appointment.state is AppointmentState.BOOKED:
        try:
            booking.arrive(session, appointment.id, by=by, now=now)
        except AppointmentNotNow as late:
            raise queue.NotNow("the appointment is over") from late
    waiting_room.note(session, entry, "came_back", by=by, now=now)
    return entry


def open_point(session: Session, station: str, point: str, *, by: str, now: datetime) -> None:
    """Let people be called there again.

    Raises:
        PointUnknown: there is no such point.
    """
    points.open(session, station, point)
    waiting_room.write_down(session, station=station, what="open", point=point, by=by, now=now)


def close_point(session: Session, station: str, point: str, *, by: str, now: datetime) -> None:
    """Let nobody be called there; who is there stays until they are done.

    Raises:
        PointUnknown: there is no such point.
    """
    points.close(session, station, point)
    waiting_room.write_down(session, station=station, what="close", point=point, by=by, now=now)


def note(session: Session, station: str, text: str, *, by: str, now: datetime) -> None:
    """Write down what an officer wants the others to know; an empty text is none."""
    plain = " ".join(text.split())[: waiting_room.LONGEST_NOTE]
    if plain:
        waiting_room.write_down(session, station=station, what="note", note=plain, by=by, now=now)


def miss_late(session: Session, *, after: timedelta, now: datetime, limit: int) -> int:
    """Note of those who are later than `after` that they did not come; return how many.

    Their dossiers stand, their places are free, and they may book again or come without.
    """
    return booking.miss_due(session, before=now - after, now=now, limit=limit)


def empty_rooms(session: Session, *, now: datetime, limit: int) -> int:
    """Let nobody wait overnight: who was in line on an earlier day is gone; return how many."""
    left = entries.left_over(session, before=queue.day_of(now), limit=limit)
    for entry in left:
        if entry.state is QueueState.SERVING:
            queue.end(session, entry.ref, now=now)
            continue
        appointment = _appointment_of(session, entry)
        if appointment is not None and appointment.state is AppointmentState.ARRIVED:
            booking.leave(session, appointment.id, now=now)
        queue.gone(session, entry.ref, now=now)
        waiting_room.note(session, entry, "not_there", by=SYSTEM, now=now)
    return len(left)


def _appointment_of(session: Session, entry: Entry) -> Appointment | None:
    """Return the live appointment of somebody in line, the dossier locked; None: there is none."""
    if entry.whose is None:
        return None
    waiting_room.locked(session, UUID(entry.whose))
    live = booking.live_of(session, entry.whose)
    if live is None or _has_open_visit(session, live.id):
        return None
    return live


def _standing(session: Session, station: str, point: str, *, now: datetime) -> list[Entry]:
    """Return who is called to a kiosk or counter, or served there."""
    present = queue.present(session, station, queue.day_of(now))
    return [entry for entry in present if entry.point == point]


def _refuse_at_kiosk(session: Session, entries: Iterable[Entry]) -> None:
    """Leave it to the kiosk to end who is busy there.

    Raises:
        queue.NotNow: somebody is.
    """
    if busy := waiting_room.at_kiosk(session, entries):
        raise queue.NotNow(f"{sorted(busy)} are busy at a kiosk")


def _has_open_visit(session: Session, appointment_id: UUID) -> bool:
    return (
        session.scalar(
            sa.select(
                sa.exists().where(
                    VisitRow.appointment_id == appointment_id, VisitRow.closed_at.is_(None)
                )
            )
        )
        is True
    )
