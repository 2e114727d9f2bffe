"""Who lost their time at a station by a change of its hours, and what becomes of them.

Other times are looked for only for whom the officer opens: there may be hundreds on the list.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import booking, places, stranded
from scheduler.booking import SlotFull, SlotGone, SlotRef
from scheduler.database import reading, retrying
from server.cases import officers, rebooking
from server.cases.rebooking import Alternative
from server.rules import dates
from server.rules.dossier import NotNow
from server.store.tables import Dossier, Role
from server.web.guard import open_to
from server.web.officer.desk import desk, me
from server.web.officer.hours_pages import station

pages = Blueprint("stranded", __name__)

SUPERVISOR: Final = Role.SUPERVISOR.value


def _page(
    opened: UUID | None, trouble: str | None = None, status: int = 200
) -> ResponseReturnValue:
    here, now = desk(), desk().now()
    with reading(here.engine) as session:
        code = station(session)
        allowed = officers.stations_of(session, me())
        names = {place.code: place.name for place in places.places(session)}
        lines = rebooking.listed(session, [code], now=now)
        mine = any(line.who.dossier_id == opened for line in lines)
        others = _others(session, opened, now) if opened and mine else ()
        count = stranded.count_open(session, code)
    page = render_template(
        "officer/hours_stranded.html",
        station=code,
        station_name=names.get(code, code),
        stations=sorted((one, names[one]) for one in allowed if one in names),
        lines=lines,
        opened=opened,
        others=others,
        open=count,
        trouble=trouble,
        now=now,
    )
    return page, status


def _others(session: Session, dossier_id: UUID, now: datetime) -> tuple[Alternative, ...]:
    """Return other times for whom the officer opened."""
    dossier = session.get(Dossier, dossier_id)
    return () if dossier is None else rebooking.alternatives(session, dossier, now=now)


@pages.get("/hours/stranded")
@open_to(SUPERVISOR)
def show() -> ResponseReturnValue:
    """Show who lost their time at a station, and other times for the one that is opened."""
    return _page(request.args.get("open", type=UUID))


def _of_station(session: Session, dossier_id: UUID) -> Dossier:
    """Return a dossier whose time was taken away at a station the officer sees, or end in 404."""
    dossier = session.get(Dossier, dossier_id)
    live = None if dossier is None else booking.live_of(session, str(dossier.id))
    seen = officers.stations_of(session, me())
    if dossier is None or live is None or live.place not in seen:
        abort(404)
    return dossier


@pages.post("/hours/stranded/<uuid:dossier_id>")
@open_to(SUPERVISOR)
def answer(dossier_id: UUID) -> ResponseReturnValue:
    """Note that somebody was called, give them another time, or note that it is arranged."""
    here, officer, now = desk(), me(), desk().now()
    what, slot = request.form.get("what"), _slot(request.form.get("slot", ""))

    def work(session: Session) -> str:
        code = station(session)
        dossier = _of_station(session, dossier_id)
        match what:
            case "called":
                rebooking.called(session, dossier, by=officer.actor, now=now)
            case "settled":
                rebooking.settle(session, dossier, by=officer.actor, now=now)
            case "move" if slot is not None:
                rebooking.accept(session, dossier, slot, now=now, by=officer.actor)
            case _:
                abort(400)
        return code

    try:
        code = retrying(here.engine, work)
    except (SlotFull, SlotGone):
        return _page(dossier_id, "full", 409)
    except NotNow:
        return _page(None, "moved_on", 409)
    return redirect(url_for("stranded.show", station=code), code=303)


def _slot(text: str) -> SlotRef | None:
    """Return the slot a button names: place, moment and lane."""
    place, _, rest = text[:80].partition("|")
    moment, _, lane_code = rest.partition("|")
    starts_at = dates.moment(moment)
    if starts_at is None or not place or not lane_code:
        return None
    return SlotRef(place=place, starts_at=starts_at, lane=lane_code)
