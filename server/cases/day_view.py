"""A station's day as officers see it: who is expected, waits, was called, is served, came not.

It only reads.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from biometrics.words import Text
from scheduler import admission, booking, points, pulling, queue
from scheduler.admission import Advice
from scheduler.booking import Appointment
from scheduler.life import AppointmentState
from scheduler.line import RULES
from scheduler.places import WALK_IN
from scheduler.points import Point
from scheduler.queue import Entry, QueueState
from server.cases import waiting_room
from server.rules import cases
from server.store.tables import Dossier
from server.store.tables_day import DayEntry

NOTE = "note"
MOST_NOTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Somebody of the day, with what an officer may know at a glance: no personal number."""

    appointment: Appointment | None
    """None: has none."""
    entry: Entry | None
    """None: has not come."""
    name: str
    code: str
    case: Text | None
    phone: str

    @property
    def booked(self) -> bool:
        """Whether the time was booked before they came."""
        return self.appointment is not None and self.appointment.lane != WALK_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A kiosk or counter and who is called there or served."""

    point: Point
    called: Line | None
    serving: Line | None
    busy: bool
    """Whether somebody's visit is open at this kiosk: it ends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Somebody who could come earlier, because a place is free."""

    line: Line
    come_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What an officer wanted the others to know."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a day came to so far."""

    waits: int
    """People whose wait is known."""
    half: int | None
    """Minutes half of them waited at most, from their due time if they came before it."""
    most: int | None
    """Minutes 8 of 10 waited at most."""
    kept: float | None
    """Share of those who were called by when they had been told."""
    missed: int
    came: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A station's day."""

    points: tuple[Standing, ...]
    waiting: tuple[Line, ...]
    """In the order in which they are called."""
    later: tuple[Line, ...]
    """Were told to come back at a time that has not come."""
    expected: tuple[Line, ...]
    overdue: tuple[Line, ...]
    """Expected, and later than grace."""
    gone: tuple[Line, ...]
    done: tuple[Line, ...]
    missed: tuple[Line, ...]
    calls: tuple[Call, ...]
    advice: Advice | None
    """What to tell who comes without an appointment; None: not today."""
    figures: Figures
    notes: tuple[Note, ...]
    """The latest first."""


def look(session: Session, station: str, day: date, *, now: datetime) -> Day:
    """Return the day of a station; forecasts only of today."""
    today = day == queue.day_of(now)
    entries = queue.of_day(session, station, day)
    expected = booking.of_day(session, station, day)
    whose = {*(e.whose for e in entries if e.whose), *(a.whose for a in expected)}
    book = _Book(
        dossiers=_dossiers(session, whose),
        appointments={appointment.whose: appointment for appointment in expected},
    )
    by_state = {state: [entry for entry in entries if entry.state is state] for state in QueueState}
    at_kiosks = waiting_room.at_kiosk(session, by_state[QueueState.SERVING])
    line = queue.in_line(by_state[QueueState.WAITING])
    # Who went away may come back, and stands there and not among those who have not come yet.
    seen = {entry.whose for entry in entries if entry.state is not QueueState.DONE}
    booked = [a for a in expected if a.state is AppointmentState.BOOKED]
    absent = [appointment for appointment in booked if appointment.whose not in seen]
    missed = [a for a in expected if a.state is AppointmentState.MISSED]
    over = {appointment.whose for appointment in missed}
    due = now - timedelta(minutes=RULES.grace)
    return Day(
        points=tuple(
            Standing(
                point=point,
                called=book.at(point, by_state[QueueState.CALLED]),
                serving=book.at(point, by_state[QueueState.SERVING]),
                busy=any(e.number in at_kiosks and e.point == point.code for e in entries),
            )
            for point in points.of(session, station)
        ),
        waiting=tuple(book.entered(entry) for entry in line if entry.arrived_at <= now),
        later=tuple(
            book.entered(entry)
            for entry in sorted(line, key=lambda entry: entry.arrived_at)
            if entry.arrived_at > now
        ),
        expected=tuple(book.expected(a) for a in absent if a.starts_at >= due),
        overdue=tuple(book.expected(a) for a in absent if a.starts_at < due),
        gone=tuple(book.entered(e) for e in by_state[QueueState.GONE] if e.whose not in over),
        done=tuple(book.entered(entry) for entry in by_state[QueueState.DONE]),
        missed=tuple(book.expected(appointment) for appointment in missed),
        calls=_calls(session, station, book, now=now) if today else (),
        advice=admission.advise(session, station, now=now) if today else None,
        figures=_figures(entries, missed=len(missed)),
        notes=_notes(session, station, day),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """Whose is whose on a day."""

    dossiers: Mapping[str, Dossier]
    appointments: Mapping[str, Appointment]

    def entered(self, entry: Entry) -> Line:
        whose = entry.whose or ""
        return self._line(whose, appointment=self.appointments.get(whose), entry=entry)

    def expected(self, appointment: Appointment) -> Line:
        return self._line(appointment.whose, appointment=appointment, entry=None)

    def at(self, point: Point, entries: Sequence[Entry]) -> Line | None:
        here = [entry for entry in entries if entry.point == point.code]
        return self.entered(here[-1]) if here else None

    def _line(self, whose: str, *, appointment: Appointment | None, entry: Entry | None) -> Line:
        dossier = self.dossiers.get(whose)
        if dossier is None:
            return Line(appointment=appointment, entry=entry, name="", code="", case=None, phone="")
        return Line(
            appointment=appointment,
            entry=entry,
            name=dossier.full_name or "",
            code=dossier.code or "",
            case=cases.case(dossier.purpose, dossier.profile).name,
            phone=str(dossier.answers.get("phone", "")),
        )


def _dossiers(session: Session, whose: Collection[str]) -> dict[str, Dossier]:
    ids = []
    for text in whose:
        with suppress(ValueError):
            ids.append(UUID(text))
    rows = session.scalars(sa.select(Dossier).where(Dossier.id.in_(ids)))
    return {str(dossier.id): dossier for dossier in rows}


def _calls(session: Session, station: str, book: _Book, *, now: datetime) -> tuple[Call, ...]:
    of_id = {appointment.id: appointment for appointment in book.appointments.values()}
    return tuple(
        Call(line=book.expected(of_id[found.appointment_id]), come_at=found.come_at)
        for found in pulling.candidates(session, station, now=now)
        if found.appointment_id in of_id
    )


def _figures(entries: Iterable[Entry], *, missed: int) -> Figures:
    """Return the waits of the day; who came early waits from when they are due."""
    came = list(entries)
    waits, kept = [], []
    for entry in came:
        called = entry.called_at or entry.began_at
        if called is None:
            continue
        since = entry.arrived_at if entry.appointment_id is None else entry.due_at
        waits.append(max((called - max(since, entry.arrived_at)) / timedelta(minutes=1), 0.0))
        if entry.promised_at is not None:
            kept.append(called <= entry.promised_at)
    half, most = np.quantile(waits, (0.5, 0.8)) if waits else (None, None)
    return Figures(
        waits=len(waits),
        half=None if half is None else round(float(half)),
        most=None if most is None else round(float(most)),
        kept=sum(kept) / len(kept) if kept else None,
        missed=missed,
        came=len(came),
    )


def _notes(session: Session, station: str, day: date) -> tuple[Note, ...]:
    rows = session.scalars(
        sa.select(DayEntry)
        .where(DayEntry.station == station, DayEntry.day == day, DayEntry.what == NOTE)
        .order_by(DayEntry.at.desc())
        .limit(MOST_NOTES)
    )
    return tuple(Note(at=row.at, by=row.actor, text=row.note or "") for row in rows)
