"""What officers press on the page of the day: check in, call, call again, not there, numbers.

What may happen is decided in `server.cases.day`; every press ends on the page of the day.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import queue
from scheduler.database import retrying
from scheduler.points import PointUnknown
from scheduler.queue import Entry, EntryRef, EntryUnknown, PointClosed
from server.cases import day, officers, reception
from server.cases.reception import NotLetIn, Reason
from server.clock import HERE
from server.web.guard import open_to
from server.web.officer import today_pages
from server.web.officer.desk import AT_COUNTER, desk, me
from server.web.officer.today_pages import Trouble

pages = Blueprint("hall", __name__)

LONGEST_BACK: Final = timedelta(hours=12)
NUMBERS: Final[Mapping[str, tuple[Callable[..., Entry], str]]] = {
    "again": (day.call_again, "again"),
    "begin": (day.begin, "begun"),
    "end": (day.end, "ended"),
    "gone": (day.not_there, "gone"),
    "back": (day.came_back, "back"),
}
"""What may be done about a number, and what is said then."""
POINTS: Final[Mapping[str, tuple[Callable[..., None], str]]] = {
    "open": (day.open_point, "opened"),
    "close": (day.close_point, "closed"),
}


class Elsewhere(LookupError):
    """The station is none of this officer's."""


def _do(station: str, work: Callable[[Session, str, datetime], Entry | None]) -> Entry | None:
    """Do something at a station of this officer's, in one transaction."""
    here, officer, now = desk(), me(), desk().now()

    def whole(session: Session) -> Entry | None:
        if station not in officers.stations_of(session, officer):
            raise Elsewhere(station)
        return work(session, officer.actor, now)

    return retrying(here.engine, whole)


def _refuse_nul(point: str) -> None:
    """Refuse what no database takes as text.

    Raises:
        PointUnknown: it holds a NUL.
    """
    if "\x00" in point:
        raise PointUnknown(point)


def _shown() -> int | None:
    """Return the number that stood where somebody was called to; None: nobody's.

    Raises:
        EntryUnknown: it is none.
    """
    text = request.form.get("shown", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= today_pages.LONGEST_NUMBER):
        raise EntryUnknown(text[: today_pages.LONGEST_NUMBER])
    return int(text)


def _back(station: str, said: str, entry: Entry | None = None) -> ResponseReturnValue:
    number = None if entry is None else entry.number
    return redirect(url_for("today.show", station=station, said=said, number=number), code=303)


@pages.errorhandler(Elsewhere)
@pages.errorhandler(PointUnknown)
def _not_here(_error: Exception) -> ResponseReturnValue:
    return render_template("error.html", key="404", status=404), 404


@pages.errorhandler(EntryUnknown)
@pages.errorhandler(PointClosed)
@pages.errorhandler(queue.NotNow)
def _moved_on(_error: Exception) -> ResponseReturnValue:
    return _refused(Trouble(key="hall.not.moved_on", values={}))


def _refused(trouble: Trouble, *, code: str = "") -> ResponseReturnValue:
    station = (request.view_args or {}).get("station")
    return make_response(today_pages.page(station, trouble=trouble, code=code), 409)


@pages.errorhandler(NotLetIn)
def _not_let_in(error: NotLetIn) -> ResponseReturnValue:
    trouble = Trouble(key=f"hall.not.{error.reason.value}", values=error.values)
    return _refused(trouble, code=_code())


def _code() -> str:
    return request.form.get("code", "").replace("\x00", "")[: reception.LONGEST_CODE].strip()


def _back_at(now: datetime) -> datetime | None:
    """Return the time of today somebody is told to come back at; None: not given, or past."""
    try:
        clock = datetime.strptime(request.form.get("at", "")[:5], "%H:%M").time()  # noqa: DTZ007 - a wall clock's
    except ValueError:
        return None
    at = datetime.combine(now.astimezone(HERE).date(), clock, HERE)
    return at if now < at < now + LONGEST_BACK else None


@pages.post("/today/<station>/reception")
@open_to(*AT_COUNTER)
def let_in(station: str) -> ResponseReturnValue:
    """Put somebody in line: by a code, without an appointment, or without a dossier."""
    code, wanted = _code(), request.form.get("do", "check_in")
    back_at = _back_at(desk().now()) if wanted == "come_back" else None
    if wanted == "come_back" and back_at is None:
        return _refused(Trouble(key="hall.not.no_time", values={}), code=code)

    def work(session: Session, by: str, now: datetime) -> Entry:
        if wanted == "check_in":
            if not code:
                raise NotLetIn(Reason.UNKNOWN)
            return reception.check_in(session, station, code, by=by, now=now)
        if code:
            return reception.walk_in(
                session, station, code, by=by, secret=desk().secret, now=now, back_at=back_at
            )
        priority = request.form.get("priority") == "yes"
        return reception.number(
            session, station, by=by, now=now, priority=priority, back_at=back_at
        )

    return _back(station, "later" if back_at else "in_line", _do(station, work))


@pages.post("/today/<station>/appointments/<uuid:appointment>/arrive")
@open_to(*AT_COUNTER)
def arrive(station: str, appointment: UUID) -> ResponseReturnValue:
    """Put somebody in line whom the officer found on the list."""

    def work(session: Session, by: str, now: datetime) -> Entry:
        return reception.arrive(session, station, appointment, by=by, now=now)

    return _back(station, "in_line", _do(station, work))


@pages.post("/today/<station>/points/<point>/call")
@open_to(*AT_COUNTER)
def call(station: str, point: str) -> ResponseReturnValue:
    """Call who is next to a kiosk or counter."""
    _refuse_nul(point)
    shown = _shown()

    def work(session: Session, by: str, now: datetime) -> Entry | None:
        return day.call_next(session, station, point, shown=shown, by=by, now=now)

    called = _do(station, work)
    return _back(station, "nobody" if called is None else "called", called)


@pages.post("/today/<station>/points/<point>/<any(open,close):what>")
@open_to(*AT_COUNTER)
def point_is(station: str, point: str, what: str) -> ResponseReturnValue:
    """Open or close a kiosk or counter for calls."""
    change, said = POINTS[what]
    _refuse_nul(point)

    def work(session: Session, by: str, now: datetime) -> None:
        change(session, station, point, by=by, now=now)

    _do(station, work)
    return _back(station, said)


@pages.post("/today/<station>/numbers/<int:number>/<any(again,begin,end,gone,back):what>")
@open_to(*AT_COUNTER)
def number(station: str, number: int, what: str) -> ResponseReturnValue:
    """Call a number again, let it begin or end, or note that nobody came or they are back."""
    if number > day.LARGEST_NUMBER:
        raise EntryUnknown(str(number))
    change, said = NUMBERS[what]

    def work(session: Session, by: str, now: datetime) -> Entry:
        ref = EntryRef(place=station, day=queue.day_of(now), number=number)
        return change(session, ref, by=by, now=now)

    return _back(station, said, _do(station, work))


@pages.post("/today/<station>/note")
@open_to(*AT_COUNTER)
def note(station: str) -> ResponseReturnValue:
    """Write down what the others should know."""
    text = request.form.get("note", "").replace("\x00", "")

    def work(session: Session, by: str, now: datetime) -> None:
        day.note(session, station, text, by=by, now=now)

    _do(station, work)
    return _back(station, "noted")
