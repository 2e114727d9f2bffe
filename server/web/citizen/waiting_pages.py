"""The waiting list as a citizen sees it: the wish, the offered place, the answer; and public draws.

Nothing is kept or drawn here: `server.cases.waiting` does.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import TypeVar
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import announcements, places, waiting_rules, wishes
from scheduler.announcements import Draw
from scheduler.booking import AlreadyBooked
from scheduler.database import reading, retrying
from scheduler.matching import Wanted
from scheduler.tables_waiting import WishState
from scheduler.wishes import AlreadyWaiting, WishRefused
from server.cases import filing, waiting
from server.cases.appointments import PersonUnknown
from server.cases.waiting import NothingOffered, Standing
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier
from server.web.citizen import booking_pages as choosing
from server.web.citizen import forms, stations, steps
from server.web.citizen.desk import Draft, at_hand, desk, taken
from server.web.formats import weekday
from server.web.guard import open_to
from server.web.shell import language, t

pages = Blueprint("waiting", __name__)

T = TypeVar("T")
MONDAY = date(2026, 11, 23)
NOON = time(12)
HOURS: Mapping[str, tuple[time, time]] = {
    "any": (time(0), time(23, 59)),
    "morning": (time(0), time(11, 59)),
    "afternoon": (NOON, time(23, 59)),
}
SPAN = timedelta(days=30)
"""How many days a form begins with."""
MOST_LISTED = 300
"""[D] Stations of one province a list holds: more than any province has."""
LONGEST = 40
"""Characters of a station's code, a day, an answer."""
SHOWN = frozenset({"declined", "withdrawn"})
AT = {
    "places": "station",
    "days": "last",
    "weekdays": "weekdays",
    "hours": "hours",
}
"""Which field of the form a trouble is about."""


def _standing() -> Standing | None:
    with reading(desk().engine) as session:
        dossier = taken(session)
        return None if dossier is None else waiting.standing(session, dossier)


def _with_dossier(work: Callable[[Session, Dossier], T]) -> T:
    """Run `work` in a transaction on the dossier of this browser.

    Raises:
        NotNow: this browser holds none, or the work says so.
    """

    def run(session: Session) -> T:
        dossier = taken(session)
        if dossier is None:
            raise NotNow("this browser holds no dossier")
        return work(session, dossier)

    return retrying(desk().engine, run)


def _may_wait(draft: Draft | None) -> bool:
    return draft is not None and steps.may_see("station", draft, desk().today())


def _elsewhere(draft: Draft | None) -> ResponseReturnValue:
    if draft is None:
        return redirect(url_for("ticket.manage"), code=303)
    if draft.live is not None:
        return redirect(url_for("ticket.booked"), code=303)
    if draft.state in {DossierState.DRAFT, DossierState.FILED}:
        return redirect(url_for("wizard.proceed"), code=303)
    return redirect(url_for("home.home"), code=303)


@pages.get("/waiting")
@open_to("citizen")
def show() -> ResponseReturnValue:
    """Show where the wish stands, or ask for one."""
    draft, found = at_hand(), _standing()
    if draft is None or draft.live is not None:
        return _elsewhere(draft)
    again = request.args.get("again") == "1"
    alive = found is not None and found.wish.state in wishes.ALIVE
    if found is not None and (alive or not again):
        return _show(draft, found)
    return _ask(draft, found=found) if _may_wait(draft) else _elsewhere(draft)


def _show(
    draft: Draft, found: Standing, wrong: str | None = None, status: int = 200
) -> ResponseReturnValue:
    here = desk()
    offer, now = found.offer, here.now()
    left = None if offer is None else max(0, int((offer.answer_by - now).total_seconds()) // 60)
    done = request.args.get("done", "")
    html = render_template(
        "citizen/waiting.html",
        draft=draft,
        found=found,
        wish=found.wish,
        offer=offer,
        minutes_left=left,
        alive=found.wish.state in wishes.ALIVE,
        withdrawn=found.wish.state is WishState.WITHDRAWN,
        most=waiting_rules.of(now).most_passes,
        names={code: place.name for code, place in stations.by_code().items()},
        draw=_draw(found.wish.drawn),
        errors={"answer": t(wrong)} if wrong else {},
        done=done if done in SHOWN else "",
    )
    return html, status


def _draw(draw_id: UUID | None) -> Draw | None:
    if draw_id is None:
        return None
    with reading(desk().engine) as session:
        return waiting.draw_of(session, draw_id)


def _chosen(draft: Draft, found: Standing | None) -> list[str]:
    """Return the stations a form begins with: as typed, as asked for, as wished before."""
    typed = [code[:LONGEST] for code in request.form.getlist("station")]
    asked = [request.args.get("station", "")[:LONGEST]]
    before = [draft.answers.get("station") or ""]
    for codes in (typed, asked, before, list(found.wish.places) if found else []):
        if any(codes):
            return codes
    return [""]


def _ask(
    draft: Draft,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    found: Standing | None = None,
) -> ResponseReturnValue:
    here = desk()
    chosen = _chosen(draft, found)
    first = draft.first_day(here.today()) or here.today()
    with reading(here.engine) as session:
        known = [place for place in places.places(session) if place.open]
        near = next((place.province for place in known if place.code in chosen), None)
        drawing = [
            one
            for place in known
            if place.code == chosen[0]
            for one in announcements.taking_wishes(session, place.code, now=here.now())
        ]
    if near is None and errors is None:  # the page of stations knows how to search among thousands
        return redirect(url_for("booking.ask", page="station"), code=303)
    html = render_template(
        "citizen/wait.html",
        draft=draft,
        stations=[p for p in known if p.code in chosen or p.province == near][:MOST_LISTED],
        chosen=(chosen + [""] * wishes.MOST_PLACES)[: wishes.MOST_PLACES],
        drawing=drawing,
        first=_typed("first") or first.isoformat(),
        last=_typed("last") or (first + SPAN).isoformat(),
        earliest=first,
        weekdays=[(str(n), weekday(MONDAY + timedelta(days=n), language()), "") for n in range(7)],
        days=request.form.getlist("weekdays") or [str(n) for n in range(7)],
        hours=[(name, t(f"waiting.hours.{name}"), "") for name in HOURS],
        hour=_typed("hours") or "any",
        errors={field: t(key) for field, key in (errors or {}).items()},
    )
    return html, status


def _typed(field: str) -> str:
    return request.form.get(field, "")[:LONGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a form asks for."""

    wanted: Wanted
    stations: tuple[str, ...]
    draw: UUID | None


def _read() -> Asked | dict[str, str]:
    """Return what the form asks for, or which field is wrong and why."""
    first, last = forms.day(_typed("first")), forms.day(_typed("last"))
    days = request.form.getlist("weekdays")[:7]
    hours = HOURS.get(_typed("hours"))
    draw = _draw(_identity(_typed("draw")))
    wrong = {
        "agree": "confirm.agree" if request.form.get("agree") != "yes" else "",
        "station": "waiting.error.draw" if _typed("draw") and draw is None else "",
        "last": "waiting.error.days" if first is None or last is None else "",
        "weekdays": "" if days and set(days) <= set("0123456") else "waiting.error.weekdays",
        "hours": "waiting.error.hours" if hours is None else "",
    }
    errors = {field: key for field, key in wrong.items() if key}
    if errors or first is None or last is None or hours is None:
        return errors
    codes = [code[:LONGEST].replace("\x00", "") for code in request.form.getlist("station")[:20]]
    return Asked(
        wanted=Wanted(
            first_day=max(first, desk().today()),
            last_day=last,
            weekdays=frozenset(int(day) for day in days),
            from_time=hours[0],
            to_time=hours[1],
        ),
        stations=tuple(code for code in codes if code) if draw is None else (draw.place,),
        draw=None if draw is None else draw.id,
    )


def _identity(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None


def _put(asked: Asked) -> dict[str, str]:
    """Put the dossier on the list; return which field is wrong and why, nothing if it is there.

    Raises:
        NotNow: the dossier is past waiting, or there is none.
        PersonUnknown: nobody's data were checked.
    """
    here = desk()

    def work(session: Session, dossier: Dossier) -> None:
        now = here.now()
        filing.answer(dossier, consent=choosing.consent(now))
        wanted, stations = asked.wanted, asked.stations
        waiting.wish(session, dossier, wanted, stations=stations, now=now, draw=asked.draw)

    try:
        _with_dossier(work)
    except WishRefused as refused:
        why = refused.trouble.value
        return {AT.get(why, "station"): f"waiting.error.{why}"}
    except AlreadyWaiting:
        return {"station": "waiting.error.already"}
    except AlreadyBooked:
        return {"station": "waiting.error.booked"}
    return {}


@pages.post("/waiting")
@open_to("citizen")
def take() -> ResponseReturnValue:
    """Put the dossier on the waiting list, or into the draw that was pressed."""
    draft = at_hand()
    if draft is None or draft.live is not None or not _may_wait(draft):
        return _elsewhere(draft)
    asked = _read()
    try:
        errors = asked if isinstance(asked, dict) else _put(asked)
    except (NotNow, PersonUnknown):
        return _elsewhere(at_hand())
    if errors:
        return _ask(draft, errors, 422)
    return redirect(url_for("waiting.show"), code=303)


@pages.post("/waiting/answer")
@open_to("citizen")
def answer() -> ResponseReturnValue:
    """Take the place that is offered, or let it go to the next."""
    here, accept = desk(), request.form.get("answer") == "yes"
    now = here.now()

    def work(session: Session, dossier: Dossier) -> None:
        if accept:
            waiting.accept(session, dossier, secret=here.secret, now=now)
        else:
            waiting.decline(session, dossier, now=now)

    try:
        _with_dossier(work)
    except NothingOffered:
        return _refused("waiting.error.answer")
    except AlreadyBooked:
        return _refused("waiting.error.booked")
    except NotNow:
        return _elsewhere(at_hand())
    if accept:
        return redirect(url_for("ticket.booked"), code=303)
    return redirect(url_for("waiting.show", done="declined"), code=303)


def _refused(wrong: str) -> ResponseReturnValue:
    draft, found = at_hand(), _standing()
    if draft is None or draft.live is not None or found is None:
        return _elsewhere(draft)
    return _show(draft, found, wrong, 409)


@pages.post("/waiting/withdraw")
@open_to("citizen")
def withdraw() -> ResponseReturnValue:
    """Leave the waiting list."""
    now = desk().now()
    try:
        _with_dossier(lambda session, dossier: waiting.withdraw(session, dossier, now=now))
    except (NothingOffered, NotNow):
        return redirect(url_for("waiting.show"), code=303)
    return redirect(url_for("waiting.show", done="withdrawn"), code=303)


@pages.get("/draw/<uuid:draw_id>")
@open_to("citizen")
def draw_page(draw_id: UUID) -> ResponseReturnValue:
    """Show a draw to anybody: what was promised, what came of it, how to check it."""
    with reading(desk().engine) as session:
        found = waiting.draw_of(session, draw_id)
        if found is None:
            abort(404)
        place = places.find(session, found.place)
        record = {} if found.frozen is None else announcements.public_record(session, draw_id)
        dossier = taken(session)
        mine = None if dossier is None else waiting.standing(session, dossier)
    entry = mine.wish.id if mine is not None and mine.wish.drawn == draw_id else None
    placed = {one["id"] for one in record.get("result", {}).get("placed", ())}
    return render_template(
        "citizen/draw.html",
        draw=found,
        place=place,
        record=record,
        entry=None if entry is None else entry.hex,
        got=entry is not None and entry.hex in placed,
    )


@pages.get("/draw/<uuid:draw_id>/record.json")
@open_to("citizen")
def draw_record(draw_id: UUID) -> ResponseReturnValue:
    """Give the public record of a draw; whose entries they are is not in it."""
    with reading(desk().engine) as session:
        try:
            record = announcements.public_record(session, draw_id)
        except (announcements.DrawUnknown, wishes.NotNow):
            abort(404)
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1)
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="boc-tham-{draw_id.hex}.json"'
    return response
