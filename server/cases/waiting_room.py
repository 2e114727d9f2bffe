"""What a dossier's person is in the waiting room: in line, at a kiosk, done; and who did what.

It lets nobody in (`server.cases.reception` and `server.cases.visits` do) and never commits.
"""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import arrivals, queue
from scheduler.booking import Appointment
from scheduler.places import REGULAR, WALK_IN
from scheduler.queue import Entry, QueueState
from server.cases import needs
from server.store.tables import Dossier, VisitRow
from server.store.tables_day import DayEntry

LONGEST_NOTE = 300


def entry_of(session: Session, dossier: Dossier, *, station: str, day: date) -> Entry | None:
    """Return where the dossier's person stands on a day, or None; who is done is not there."""
    whose = str(dossier.id)
    return next(
        (
            entry
            for entry in reversed(queue.of_day(session, station, day))
            if entry.whose == whose and entry.state is not QueueState.DONE
        ),
        None,
    )


def join(
    session: Session,
    dossier: Dossier,
    appointment: Appointment,
    *,
    now: datetime,
    back_at: datetime | None = None,
) -> Entry:
    """Put the dossier's person in line; who is in line already keeps their number.

    Args:
        session: a transaction that writes.
        dossier: whose.
        appointment: of today and of this station.
        now: the time.
        back_at: when somebody without a booked time was told to come back; None: they stay.

    Raises:
        NotNow: they are being served.
    """
    need = needs.of(dossier, queue.day_of(now))
    walked_in = appointment.lane == WALK_IN
    return queue.arrive(
        session,
        appointment.place,
        appointment=None if walked_in else appointment.id,
        whose=str(dossier.id),
        lane=REGULAR if walked_in else appointment.lane,
        priority=need is not None and need.goes_first,
        minutes=appointment.minutes,
        due_at=None if walked_in else arrivals.due(appointment.starts_at, now=now),
        back_at=back_at if walked_in else None,
        now=now,
    )


def begin(
    session: Session, dossier: Dossier, appointment: Appointment, *, point: str, now: datetime
) -> Entry:
    """Note that the person begins at a kiosk; who walked straight to it is in line from now on."""
    day = queue.day_of(now)
    there = entry_of(session, dossier, station=appointment.place, day=day)
    if there is None or there.state is QueueState.GONE:
        there = join(session, dossier, appointment, now=now)
    return queue.begin(session, there.ref, point=point, now=now)


def end(session: Session, dossier: Dossier, *, station: str, day: date, now: datetime) -> None:
    """Note that the person is done at a kiosk, if they were in line on that day."""
    there = entry_of(session, dossier, station=station, day=day)
    if there is not None and there.state is QueueState.SERVING:
        queue.end(session, there.ref, now=now)


def at_kiosk(session: Session, entries: Iterable[Entry]) -> frozenset[int]:
    """Return the numbers whose visit is open at a kiosk: only the kiosk ends those."""
    number_of = {UUID(entry.whose): entry.number for entry in entries if entry.whose is not None}
    open_ = session.scalars(
        sa.select(VisitRow.dossier_id).where(
            VisitRow.dossier_id.in_(number_of), VisitRow.closed_at.is_(None)
        )
    )
    return frozenset(number_of[dossier_id] for dossier_id in open_)


def write_down(
    session: Session,
    *,
    station: str,
    what: str,
    by: str,
    now: datetime,
    number: int | None = None,
    point: str | None = None,
    note: str | None = None,
) -> None:
    """Write down who did what at a station: nobody changes it later."""
    session.add(
        DayEntry(
            id=uuid4(),
            station=station,
            day=queue.day_of(now),
            at=now,
            actor=by,
            what=what,
            number=number,
            point=point,
            note=note,
        )
    )
    session.flush()


def note(
    session: Session,
    entry: Entry,
    what: str,
    *,
    by: str,
    now: datetime,
    point: str | None = None,
) -> None:
    """Write down who did what about somebody's number."""
    write_down(
        session,
        station=entry.ref.place,
        what=what,
        number=entry.number,
        point=point or entry.point,
        by=by,
        now=now,
    )


def locked(session: Session, dossier_id: UUID) -> Dossier:
    """Return a dossier that nobody else changes until the transaction is over.

    Raises:
        LookupError: there is none.
    """
    dossier = session.scalars(
        sa.select(Dossier)
        .where(Dossier.id == dossier_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if dossier is None:
        raise LookupError(f"no dossier {dossier_id}")
    return dossier
