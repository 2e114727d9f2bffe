"""Who is let into the waiting room: by a code, from the list of the day, or without either.

Every function runs in the caller's transaction and never commits. Rows are locked dossier first,
then appointment, then the line. Who is called where is in `server.cases.day`.
"""

import enum
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import arrivals, booking, places, queue, walk_ins
from scheduler.arrivals import Punctuality
from scheduler.booking import AlreadyBooked, Appointment
from scheduler.life import AppointmentState
from scheduler.points import HELP
from scheduler.queue import Entry
from server.cases import appointments, needs, waiting_room
from server.clock import HERE
from server.rules import codes, tickets
from server.rules.dossier import DossierState
from server.store.tables import Dossier

HELP_MINUTES = 15
"""[D] Planned for somebody without a dossier: data are checked and a request is filed with them."""
LONGEST_CODE = 64


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


PAST_CAPTURE = frozenset(
    {
        DossierState.CAPTURED,
        DossierState.IN_REVIEW,
        DossierState.ACCEPTED,
        DossierState.HANDED_OVER,
    }
)


def check_in(session: Session, station: str, code: str, *, by: str, now: datetime) -> Entry:
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
) -> Entry:
    """Put somebody in line whom an officer found on the list of the day.

    Raises:
        NotLetIn: not here, not today, or not ready.
    """
    try:
        whose = UUID(booking.find(session, appointment_id).whose)
    except (booking.AppointmentUnknown, ValueError):
        raise NotLetIn(Reason.UNKNOWN) from None
    dossier = waiting_room.locked(session, whose)
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
) -> Entry:
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
    waiting_room.note(session, entry, "walk_in", by=by, now=now)
    return entry


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
    waiting_room.note(session, entry, "number", by=by, now=now)
    return entry


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
        return waiting_room.locked(session, by_ticket[0].id)
    try:
        stored = codes.parse(text)
    except codes.CodeInvalid:
        raise NotLetIn(Reason.UNKNOWN) from None
    known = session.scalars(sa.select(Dossier.id).where(Dossier.code == stored)).one_or_none()
    if known is None:
        raise NotLetIn(Reason.UNKNOWN)
    return waiting_room.locked(session, known)


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
) -> Entry:
    if live.state is AppointmentState.BOOKED:
        booking.arrive(session, live.id, by=by, now=now)
    entry = waiting_room.join(session, dossier, live, now=now)
    waiting_room.note(session, entry, "check_in", by=by, now=now)
    return entry
