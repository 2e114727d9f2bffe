"""The waiting list as a citizen sees it: the wish, the offered place, the answer; and public draws.

Nothing is kept or drawn here: `server.cases.waiting` does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import announcements, places, waiting_rules, wishes
from scheduler.announcements import Draw
from scheduler.booking import AlreadyBooked
from scheduler.database import reading
from scheduler.matching import Wanted
from scheduler.tables_waiting import WishState
from scheduler.wishes import AlreadyWaiting, WishRefused
from server.cases import filing, waiting
from server.cases.appointments import PersonUnknown
from server.cases.waiting import NothingOffered, Standing
from server.rules import dates
from server.rules.dossier import NotNow
from server.store.tables import Dossier
from server.web.citizen import booking_pages as choosing
from server.web.citizen import forms, stations, waiters
from server.web.citizen.desk import desk
from server.web.citizen.waiters import People, Waiter
from server.web.formats import weekday
from server.web.guard import open_to
from server.web.shell import language, t

pages = Blueprint("waiting", __name__)

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


@pages.get("/waiting")
@open_to("citizen")
def show() -> ResponseReturnValue:
    """Show where the wish stands, or ask for one; a message says of which dossier."""
    code = request.args.get("code", "")[:LONGEST]
    if code and not waiters.holds(code):
        return waiters.enter(code)
    waiter, found = waiters.at_hand(), waiters.standing()
    if waiter is None:
        return waiters.elsewhere()
    again = request.args.get("again") == "1"
    alive = found is not None and found.wish.state in wishes.ALIVE
    if found is not None and (alive or not again):
        return _show(waiter, found)
    return _ask(waiter, found=found) if waiter.may_wait else waiters.elsewhere()


def _show(
    waiter: Waiter, found: Standing, wrong: str | None = None, status: int = 200
) -> ResponseReturnValue:
    here = desk()
    offer, now = found.offer, here.now()
    left = None if offer is None else max(0, int((offer.answer_by - now).total_seconds()) // 60)
    done = request.args.get("done", "")
    html = render_template(
        "citizen/waiting.html",
        draft=waiter.draft,
        who=waiter.who,
        told=waiter.told,
        choosing=waiters.choosing(),
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


def _chosen(waiter: Waiter, found: Standing | None) -> list[str]:
    """Return the stations a form begins with: as typed, as asked for, as wished before."""
    typed = [code[:LONGEST] for code in request.form.getlist("station")]
    asked = [request.args.get("station", "")[:LONGEST]]
    before = [waiter.draft.answers.get("station") or ""]
    for codes in (typed, asked, before, list(found.wish.places) if found else []):
        if any(codes):
            return codes
    return [""]


def _ask(
    waiter: Waiter,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    found: Standing | None = None,
) -> ResponseReturnValue:
    here = desk()
    chosen, first = _chosen(waiter, found), waiter.first_day
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
        family = waiter.who is not None
        pick = url_for("family_booking.ask") if family else url_for("booking.ask", page="station")
        return redirect(pick, code=303)
    html = render_template(
        "citizen/wait.html",
        who=waiter.who,
        told=waiter.told,
        back=waiters.choosing(),
        stations=[p for p in known if p.code in chosen or p.province == near][:MOST_LISTED],
        chosen=(chosen + [""] * wishes.MOST_PLACES)[: wishes.MOST_PLACES],
        drawing=drawing,
        first=_typed("first") or first.isoformat(),
        last=_typed("last") or (first + SPAN).isoformat(),
        earliest=first,
        weekdays=[(str(n), weekday(MONDAY + timedelta(days=n), language()), "") for n in range(7)],
        days=[str(n) for n in range(7)] if errors is None else request.form.getlist("weekdays"),
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
    if first is not None and first > desk().today() + dates.FARTHEST:
        first = None
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

    def work(session: Session, people: People) -> None:
        now = here.now()
        consent = choosing.consent(now, "family.agree_label" if people[1:] else choosing.AGREED)
        for dossier in people:
            filing.answer(dossier, consent=consent)
        waiting.wish(
            session,
            people[0],
            asked.wanted,
            stations=asked.stations,
            now=now,
            draw=asked.draw,
            company=people[1:],
        )

    try:
        waiters.with_people(work)
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
    waiter = waiters.at_hand()
    if waiter is None or not waiter.may_wait:
        return waiters.elsewhere()
    asked = _read()
    try:
        errors = asked if isinstance(asked, dict) else _put(asked)
    except (NotNow, PersonUnknown):
        return waiters.elsewhere()
    if errors:
        return _ask(waiter, errors, 422)
    return redirect(url_for("waiting.show", who=waiter.who), code=303)


@pages.post("/waiting/answer")
@open_to("citizen")
def answer() -> ResponseReturnValue:
    """Take the place that is offered, or let it go to the next."""
    here, accept = desk(), request.form.get("answer") == "yes"
    now = here.now()

    def work(session: Session, people: People) -> None:
        asked = _asked_of(session, people)
        if accept:
            waiting.accept(session, asked, secret=here.secret, now=now)
        else:
            waiting.decline(session, asked, now=now)

    try:
        waiters.with_people(work)
    except NothingOffered:
        return _refused("waiting.error.answer")
    except AlreadyBooked:
        return _refused("waiting.error.booked")
    except NotNow:
        return waiters.elsewhere()
    return waiters.booked() if accept else _shown("declined")


def _shown(done: str | None = None) -> ResponseReturnValue:
    who = waiters.FAMILY if waiters.of_family() else None
    return redirect(url_for("waiting.show", who=who, done=done), code=303)


def _asked_of(session: Session, people: People) -> Dossier:
    """Return whose wish it is, of a family's people."""
    return next((one for one in people if waiting.standing(session, one)), people[0])


def _refused(wrong: str) -> ResponseReturnValue:
    waiter, found = waiters.at_hand(), waiters.standing()
    if waiter is None or found is None:
        return waiters.elsewhere()
    return _show(waiter, found, wrong, 409)


@pages.post("/waiting/withdraw")
@open_to("citizen")
def withdraw() -> ResponseReturnValue:
    """Leave the waiting list."""
    now = desk().now()

    def work(session: Session, people: People) -> None:
        waiting.withdraw(session, _asked_of(session, people), now=now)

    try:
        waiters.with_people(work)
    except (NothingOffered, NotNow):
        return _shown()
    return _shown("withdrawn")


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
        mine = waiters.standing_in(session)
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
