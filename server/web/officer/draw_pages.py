"""Draws by lot of a station: announced, drawn with the public number, called off.

How it is drawn stands in `scheduler.lottery`; what anybody sees of it in the citizens' app.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import announcements, lanes, places
from scheduler.announcements import DrawUnknown
from scheduler.database import reading, retrying
from scheduler.draws import DrawRefused, DrawTrouble
from scheduler.wish_life import NotNow
from server.cases import officers, waiting
from server.clock import HERE
from server.rules import dates
from server.store.tables import Role
from server.web.guard import open_to
from server.web.officer.desk import desk, me
from server.web.shell import t

pages = Blueprint("draws", __name__)

SUPERVISOR: Final = Role.SUPERVISOR.value
LONGEST: Final = 300
FIELDS: Final = {
    DrawTrouble.DAYS: "last",
    DrawTrouble.CLOSES: "closes",
    DrawTrouble.BEACON: "beacon",
    DrawTrouble.SLOTS: "first",
    DrawTrouble.OVERLAP: "first",
}
"""Which field of the form a trouble is about."""


def _station(session: Session) -> str:
    officer = me()
    asked = request.values.get("station", officer.station)[:LONGEST]
    return asked if asked in officers.stations_of(session, officer) else officer.station


def _page(error: tuple[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    here = desk()
    with reading(here.engine) as session:
        code = _station(session)
        names = {place.code: place.name for place in places.places(session)}
        found = announcements.of_place(session, code)
        lines = [(lane.code, t(f"hours.kind.{lane.kind}")) for lane in lanes.of(session, code)]
        allowed = officers.stations_of(session, me())
    page = render_template(
        "officer/draws.html",
        station=code,
        station_name=names.get(code, code),
        stations=sorted((one, names[one]) for one in allowed if one in names),
        lanes=lines or [("regular", t("hours.kind.regular"))],
        draws=found,
        now=here.now(),
        citizen_url=here.settings.citizen_url,
        entered=request.form,
        sentences={error[0]: t(error[1])} if error else {},
    )
    return page, status


@pages.get("/draws")
@open_to(SUPERVISOR)
def show() -> ResponseReturnValue:
    """Show the draws of a station, and the form that announces one."""
    return _page()


def _text(field: str) -> str:
    return request.form.get(field, "")[:LONGEST].strip().replace("\x00", "")


def _day(field: str) -> date | None:
    return dates.day(_text(field))


def _moment(field: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(field))
    except ValueError:
        return None
    return moment.replace(tzinfo=HERE) if moment.year in dates.YEARS else None


@pages.post("/draws")
@open_to(SUPERVISOR)
def announce() -> ResponseReturnValue:
    """Announce a draw: its places are booked by nobody from now on."""
    first, last, closes = _day("first"), _day("last"), _moment("closes")
    if first is None or last is None:
        return _page(("last", "draws.error.days"), 422)
    if closes is None:
        return _page(("closes", "draws.error.closes"), 422)
    beacon_at = _moment("beacon_at")
    if _text("beacon_at") and beacon_at is None:
        return _page(("beacon", "draws.error.beacon"), 422)

    def work(session: Session) -> None:
        waiting.announce(
            session,
            place=_station(session),
            lane=_text("lane")[:16],
            days=(first, last),
            closes_at=closes,
            beacon=_text("beacon"),
            beacon_at=beacon_at,
            officer=me(),
            now=desk().now(),
        )

    return _do(work)


def _do(work: Callable[[Session], object]) -> ResponseReturnValue:
    """Do it and show the page again, or say why not."""
    try:
        retrying(desk().engine, work)
    except DrawRefused as refused:
        why = refused.trouble
        return _page((FIELDS[why], f"draws.error.{why.value}"), 422)
    except (NotNow, DrawUnknown):
        return _page(("draws", "draws.error.not_now"), 409)
    return redirect(url_for("draws.show", station=request.form.get("station")), code=303)


def _here(session: Session, draw_id: UUID) -> None:
    """Return if the draw is of a station this officer works for.

    Raises:
        DrawUnknown: it is not, or there is none.
    """
    if announcements.find(session, draw_id).place not in officers.stations_of(session, me()):
        raise DrawUnknown(str(draw_id))


@pages.post("/draws/<uuid:draw_id>/draw")
@open_to(SUPERVISOR)
def draw(draw_id: UUID) -> ResponseReturnValue:
    """Draw with the public number that was announced."""
    here, value = desk(), _text("value")

    def work(session: Session) -> None:
        _here(session, draw_id)
        waiting.draw(
            session,
            draw_id,
            secret=here.secret,
            now=here.now(),
            beacon_value=value,
            actor=me().actor,
        )

    return _do(work)


@pages.post("/draws/<uuid:draw_id>/cancel")
@open_to(SUPERVISOR)
def cancel(draw_id: UUID) -> ResponseReturnValue:
    """Call a draw off: its places are open to everybody."""

    def work(session: Session) -> None:
        _here(session, draw_id)
        waiting.cancel_draw(session, draw_id, officer=me(), now=desk().now())

    return _do(work)
