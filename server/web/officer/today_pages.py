"""A station's day: who is expected, waits, is called and served; and what was just done.

It changes nothing: `server.web.officer.hall_pages` does.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import booking, places, queue
from scheduler.database import reading
from scheduler.places import WALK_IN
from scheduler.queue import Entry, EntryRef
from server.cases import day_view, officers
from server.rules import tickets
from server.web.guard import open_to
from server.web.officer.desk import AT_COUNTER, desk, me

pages = Blueprint("today", __name__)

FARTHEST: Final = timedelta(days=366)
REFRESHED: Final = 10
"""[D] Seconds: a waiting room changes about once a minute."""
LONGEST_NUMBER: Final = 6
SAID: Final = frozenset(
    {
        *("in_line", "later", "called", "again", "gone", "back", "begun", "ended"),
        *("nobody", "opened", "closed", "noted"),
    }
)
"""What may have been done just now; the sentence is ``hall.said.<name>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done just now."""

    what: str
    entry: Entry | None
    ticket: str | None
    """Of somebody who came without an appointment, as they show it at a kiosk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why something was not done: a text's key and what its places are filled with."""

    key: str
    values: dict[str, object]


def _day(today: date) -> date:
    """Return the day asked for, today where it makes no sense."""
    try:
        asked = date.fromisoformat(request.args.get("day", "")[:10])
    except ValueError:
        return today
    return asked if abs(asked - today) <= FARTHEST else today


def _done(session: Session, station: str, day: date) -> Done | None:
    what, given = request.args.get("said", ""), request.args.get("number", "")
    if what not in SAID:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= LONGEST_NUMBER):
        return Done(what=what, entry=None, ticket=None)
    try:
        entry = queue.find(session, EntryRef(place=station, day=day, number=int(given)))
    except queue.EntryUnknown:
        return None
    return Done(what=what, entry=entry, ticket=_ticket(session, entry))


def _ticket(session: Session, entry: Entry) -> str | None:
    live = None if entry.whose is None else booking.live_of(session, entry.whose)
    if live is None or live.lane != WALK_IN:
        return None
    return tickets.show(tickets.derive(desk().secret, live.id))


def page(station: str | None = None, *, trouble: Trouble | None = None, code: str = "") -> str:
    """Return the page of the day asked for, or of today where something was not done."""
    here, officer, now = desk(), me(), desk().now()
    today = here.today()
    day = today if trouble else _day(today)
    with reading(here.engine) as session:
        allowed = officers.stations_of(session, officer)
        known = {place.code: place.name for place in places.places(session)}
        asked = station or request.args.get("station", officer.station)
        chosen = asked if asked in allowed else officer.station
        seen = day_view.look(session, chosen, day, now=now)
        done = None if trouble else _done(session, chosen, day)
    return render_template(
        "officer/today.html",
        seen=seen,
        done=done,
        trouble=trouble,
        code=code,
        now=now,
        day=day,
        today=today,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        station=chosen,
        stations=sorted((code, known.get(code, code)) for code in allowed),
        station_name=known.get(chosen, chosen),
        refreshed=REFRESHED,
        minutes=lambda since: max(int((now - since) / timedelta(minutes=1)), 0),
    )


@pages.get("/today")
@open_to(*AT_COUNTER)
def show() -> ResponseReturnValue:
    """Show who is expected, who came, and who is where."""
    return page()
