"""The living day at a station: who comes in, who is called where, who is not there.

Every function runs in the caller's transaction and never commits. Nothing here deletes or closes
a dossier: whoever did not come may come again. Rows are locked dossier first, then appointment,
then the line.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import arrivals, booking, entries, places, points, queue, walk_ins
from scheduler.arrivals import Punctuality
from scheduler.booking import AlreadyBooked, Appointment
from scheduler.life import AppointmentState
from scheduler.life import NotNow as AppointmentNotNow
from scheduler.places import WALK_IN
from scheduler.points import HELP
from scheduler.queue import Entry, EntryRef, QueueState
from server.cases import appointments, needs, waiting_room
from server.cases.filing import SYSTEM
from server.clock import HERE
from server.rules import codes, tickets
from server.rules.dossier import DossierState
from server.store.tables import Dossier, VisitRow

HELP_MINUTES = 15
"""[D] Planned for somebody without a dossier: data are checked and a request is filed with them."""
LONGEST_CODE = 64
LARGEST_NUMBER = 99_999
"""[D] No station serves more people on a day; what a 32-bit column takes."""


class Reason(enum.StrEnum):
    """Why somebody is not put in line; the sentence stands in texts/hall.json."""

    UNKNOWN = "unknown"
    ELSEWHERE = "elsewhere"
    WRONG_DAY = "wrong_day"
    AT_KIOSK = "at_kiosk"
    CAPTURED = "captured"
    NOT_FILED = "not_filed"
    NO_APPOINTMENT = "no_appointment"
    BOOKING_NOW = "booking_now"


class NotLetIn(Exception):
    """They are not put in line, and what to do instead; nothing was changed."""

    def __init__(self, reason: Reason, **values: object) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.values = values
        """What the sentence's places are filled with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedIn:
    """Somebody who is in line now."""

    entry: Entry
    how: Punctuality | None
    """None: without a booked time."""


PAST_CAPTURE = frozenset(
    {
        DossierState.CAPTURED,
        DossierState.IN_REVIEW,
        DossierState.ACCEPTED,
        DossierState.HANDED_OVER,
    }
)


def check_in(session: Session, station: str, code: str, *, by: str, now: datetime) -> CheckedIn:
    """Put somebody in line by the code of their appointment or dossier.

    Whoever is in line already keeps their number; who had gone away is put in line again.

    Raises:
        NotLetIn: not here, not today, not ready, or without an appointment (see `walk_in`).
    """
    dossier = _found(session, code)
    live = _today(session, dossier, station, now=now)
    if live is None:
        raise NotLetIn(Reason.NO_APPOINTMENT)
    return _arrived(session, dossier, live, by=by, now=now)


def arrive(
    session: Session, station: str, appointment_id: UUID, *, by: str, now: datetime
) -> CheckedIn:
    """Put somebody in line whom an officer found on the list of the day.

    Raises:
        NotLetIn: not here, not today, or not ready.
    """
    try:
        whose = UUID(booking.find(session, appointment_id).whose)
    except (booking.AppointmentUnknown, ValueError):
        raise NotLetIn(Reason.UNKNOWN) from None
    dossier = _locked(session, whose)
    live = _today(session, dossier, station, now=now)
    if live is None or live.id != appointment_id:
        raise NotLetIn(Reason.NO_APPOINTMENT)
    return _arrived(session, dossier, live, by=by, now=now)


def walk_in(
    session: Session,
    station: str,
    code: str,
    *,
    by: str,
    secret: bytes,
    now: datetime,
    back_at: datetime | None = None,
) -> CheckedIn:
    """Let somebody in who has a filed dossier and no appointment, now or at `back_at`.

    They get an appointment beside those that are booked, with a ticket to show at a kiosk.

    Raises:
        NotLetIn: they have an appointment elsewhere or on another day, or are not ready.
    """
    dossier = _found(session, code)
    live = _today(session, dossier, station, now=now)
    if live is not None:
        return _arrived(session, dossier, live, by=by, now=now)
    need = needs.of(dossier, queue.day_of(now))
    if need is None or dossier.person_key is None:
        raise NotLetIn(Reason.NOT_FILED)
    try:
        made = walk_ins.seat(
            session,
            station,
            whose=str(dossier.id),
            person_key=dossier.person_key,
            purpose=dossier.purpose,
            minutes=need.minutes,
            by=by,
            now=now,
        )
    except AlreadyBooked:
        raise NotLetIn(Reason.BOOKING_NOW) from None
    appointments.issue(session, dossier, made, secret=secret)
    booking.arrive(session, made.id, by=by, now=now)
    entry = waiting_room.join(session, dossier, made, now=now, back_at=back_at)
    _note(session, entry, "walk_in", by=by, now=now)
    return CheckedIn(entry=entry, how=None)


def number(
    session: Session,
    station: str,
    *,
    by: str,
    now: datetime,
    priority: bool = False,
    back_at: datetime | None = None,
) -> Entry:
    """Give a number to somebody without a dossier: an officer at a counter helps them first."""
    entry = queue.arrive(
        session,
        station,
        lane=HELP,
        priority=priority,
        minutes=HELP_MINUTES,
        back_at=back_at,
        now=now,
    )
    _note(session, entry, "number", by=by, now=now)
    return entry


def call_next(
    session: Session, station: str, point: str, *, by: str, now: datetime
) -> Entry | None:
    """Call who is next to a kiosk or counter; None: nobody is waiting for it.

    Raises:
        PointUnknown: there is no such point.
        PointClosed: it is closed.
    """
    entry = queue.next(session, station, point, now=now)
    if entry is not None:
        _note(session, entry, "call", by=by, now=now)
    return entry


def call_again(session: Session, ref: EntryRef, *, by: str, now: datetime) -> Entry:
    """Call somebody once more.

    Raises:
        EntryUnknown: nobody has this number.
        queue.NotNow: they were not called, or have come.
    """
    entry = queue.call_again(session, ref, now=now)
    _note(session, entry, "call_again", by=by, now=now)
    return entry


def begin(session: Session, ref: EntryRef, *, by: str, now: datetime) -> Entry:
    """Note that somebody came to the counter they were called to; a kiosk notes that by itself.

    Raises:
        EntryUnknown: nobody has this number.
        queue.NotNow: they were not called.
    """
    called = queue.find(session, ref)
    if called.state is not QueueState.CALLED or called.point is None:
        raise queue.NotNow(f"{called.state} was not called")
    entry = queue.begin(session, ref, point=called.point, now=now)
    _note(session, entry, "begin", by=by, now=now)
    return entry


def end(session: Session, ref: EntryRef, *, by: str, now: datetime) -> Entry:
    """Note that somebody is done at a counter.

    Raises:
        EntryUnknown: nobody has this number.
        queue.NotNow: they are not being served.
    """
    entry = queue.end(session, ref, now=now)
    _note(session, entry, "end", by=by, now=now)
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
    _note(session, entry, "not_there", by=by, now=now, point=standing.point)
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
    _note(session, entry, "came_back", by=by, now=now)
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
        _note(session, entry, "not_there", by=SYSTEM, now=now)
    return len(left)


def _found(session: Session, code: str) -> Dossier:
    """Return the dossier of a ticket or of a dossier code, locked.

    Raises:
        NotLetIn: nobody has it.
    """
    text = code[:LONGEST_CODE]
    try:
        by_ticket = appointments.of_ticket(session, tickets.parse(text))
    except tickets.TicketInvalid:
        by_ticket = None
    if by_ticket is not None:
        return _locked(session, by_ticket[0].id)
    try:
        stored = codes.parse(text)
    except codes.CodeInvalid:
        raise NotLetIn(Reason.UNKNOWN) from None
    known = session.scalars(sa.select(Dossier.id).where(Dossier.code == stored)).one_or_none()
    if known is None:
        raise NotLetIn(Reason.UNKNOWN)
    return _locked(session, known)


def _locked(session: Session, dossier_id: UUID) -> Dossier:
    dossier = session.scalars(
        sa.select(Dossier)
        .where(Dossier.id == dossier_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if dossier is None:
        raise NotLetIn(Reason.UNKNOWN)
    return dossier


def _today(
    session: Session, dossier: Dossier, station: str, *, now: datetime
) -> Appointment | None:
    """Return the dossier's appointment of today at this station; None: it has none at all.

    Raises:
        NotLetIn: it has one elsewhere or on another day, is at a kiosk, or is not ready.
    """
    if dossier.state is DossierState.AT_STATION:
        raise NotLetIn(Reason.AT_KIOSK)
    if dossier.state in PAST_CAPTURE:
        raise NotLetIn(Reason.CAPTURED)
    if dossier.state is not DossierState.FILED:
        raise NotLetIn(Reason.NOT_FILED)
    live = appointments.live(session, dossier)
    if live is None:
        return None
    judged = arrivals.judge(live, place=station, now=now)
    if judged.due_at is None:
        place = places.find(session, live.place)
        starts = live.starts_at.astimezone(HERE)
        raise NotLetIn(
            Reason.ELSEWHERE if judged.how is Punctuality.ELSEWHERE else Reason.WRONG_DAY,
            place=place.name,
            address=place.address,
            day=f"{starts:%d/%m/%Y}",
            time=f"{starts:%H:%M}",
        )
    return live


def _arrived(
    session: Session, dossier: Dossier, live: Appointment, *, by: str, now: datetime
) -> CheckedIn:
    how = arrivals.judge(live, place=live.place, now=now).how
    if live.state is AppointmentState.BOOKED:
        booking.arrive(session, live.id, by=by, now=now)
    entry = waiting_room.join(session, dossier, live, now=now)
    _note(session, entry, "check_in", by=by, now=now)
    return CheckedIn(entry=entry, how=None if live.lane == WALK_IN else how)


def _appointment_of(session: Session, entry: Entry) -> Appointment | None:
    """Return the live appointment of somebody in line, the dossier locked; None: there is none."""
    if entry.whose is None:
        return None
    _locked(session, UUID(entry.whose))
    live = booking.live_of(session, entry.whose)
    if live is None or _has_open_visit(session, live.id):
        return None
    return live


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


def _note(
    session: Session,
    entry: Entry,
    what: str,
    *,
    by: str,
    now: datetime,
    point: str | None = None,
) -> None:
    waiting_room.write_down(
        session,
        station=entry.ref.place,
        what=what,
        number=entry.number,
        point=point or entry.point,
        by=by,
        now=now,
    )
