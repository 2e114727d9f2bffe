"""Booking for a citizen who calls or stands at the counter: book, move, cancel, print a slip.

The citizen names dossier code and birth date, which open the dossier for a while in the session of
the officer who asked; every change is written down with the officer's name.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from scheduler import lanes, offers, places
from scheduler.booking import AlreadyBooked, Appointment, SlotFull, SlotGone, SlotRef
from scheduler.database import reading, retrying, transaction
from scheduler.history import Entry
from scheduler.lanes import LaneKind
from scheduler.life import AppointmentState
from scheduler.offers import Day, Offer
from scheduler.places import Place
from server.cases import appointments, assisted, messages, needs, officers, status, throttle
from server.cases.appointments import PersonUnknown
from server.cases.assisted import DayBarred, StationForeign, Unreached
from server.cases.messages import Reach
from server.clock import HERE
from server.rules import cases, fees, tickets
from server.rules.dossier import DossierState, NotNow
from server.rules.texts import words
from server.store.tables import Dossier
from server.web.citizen import forms, papers
from server.web.citizen.times import slot_name, slot_named
from server.web.guard import open_to
from server.web.officer.desk import AT_COUNTER, desk, me, signed_in

pages = Blueprint("assisted", __name__)

AHEAD = timedelta(days=42)
"""As many days as are opened ahead."""
LONGEST = 80
SAID = frozenset({"booked", "moved", "cancelled"})
TROUBLES: Mapping[type[Exception], str] = {
    SlotFull: "assisted.full",
    SlotGone: "assisted.full",
    AlreadyBooked: "assisted.already",
    PersonUnknown: "assisted.not_now",
    NotNow: "assisted.not_now",
    StationForeign: "assisted.foreign",
    DayBarred: "assisted.barred",
}
"""Why it was not done: the key of the sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A dossier as the officer who helps sees it."""

    id: UUID
    code: str
    name: str
    birth: date
    case: cases.Case
    state: DossierState
    language: str
    reach: Reach | None
    appointment: Appointment | None
    place: Place | None
    past: tuple[Entry, ...]

    @property
    def may_book(self) -> bool:
        """Whether a time may be chosen."""
        if self.appointment is None:
            return self.state is DossierState.FILED
        return self.appointment.state is AppointmentState.BOOKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """A time with room, and whose lane it is."""

    offer: Offer
    kind: LaneKind
    kept: bool
    """Whether only officers may still give it."""


@pages.url_value_preprocessor
def _take_proof(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.proof = (values or {}).pop("proof", "")


@pages.url_defaults
def _carry_proof(endpoint: str, values: MutableMapping[str, Any]) -> None:
    if current_app.url_map.is_endpoint_expecting(endpoint, "proof"):
        values.setdefault("proof", g.get("proof", ""))


@pages.before_request
def _refuse_unproved() -> ResponseReturnValue | None:
    """Let nobody at a dossier who was not told its code and birth date in this session."""
    here, who, dossier = desk(), signed_in(), (request.view_args or {}).get("dossier")
    if dossier is None or who is None:
        return None
    if assisted.is_proved(g.proof, dossier, who, secret=here.secret, now=here.now()):
        return None
    return redirect(url_for("assisted.ask", over="yes"), code=303)


def _ask(wrong: Mapping[str, str], code: int = 200) -> ResponseReturnValue:
    here, officer = desk(), me()
    day = forms.day(request.args.get("day", "")) or here.today() + timedelta(days=1)
    with reading(here.engine) as session:
        untold = assisted.unreached(session, officer.station, day)
    return _begin(wrong, day, untold), code


def _begin(wrong: Mapping[str, str], day: date, untold: tuple[Unreached, ...]) -> str:
    return render_template(
        "officer/assisted.html",
        errors=forms.in_words(wrong),
        values=forms.raw(request.form),
        day=day,
        untold=untold,
        over="over" in request.args,
    )


@pages.get("/assisted")
@open_to(*AT_COUNTER)
def ask() -> ResponseReturnValue:
    """Ask for code and birth date; show whom no message reaches tomorrow."""
    return _ask({})


@pages.post("/assisted")
@open_to(*AT_COUNTER)
def find() -> ResponseReturnValue:
    """Open the dossier of this code and birth date."""
    here, who = desk(), signed_in()
    read = forms.code_and_birth(request.form, here.today())
    if read.errors:
        return _ask(read.errors, 422)
    code: str = read.values["code"]
    with transaction(here.engine) as session:
        wait = throttle.count(session, status.BY_CODE, code, secret=here.secret, now=here.now())
        found = status.find(session, code, read.values["birth"]) if not wait else None
        known = found.id if found is not None else None
    if known is None or who is None:
        return _ask({"code": "assisted.slow" if wait else "code.unknown"}, 422)
    proof = assisted.prove(known, who, secret=here.secret, now=here.now())
    return redirect(url_for("assisted.show", dossier=known, proof=proof), code=303)


def _dossier(session: Session, dossier: UUID) -> Dossier:
    found = session.get(Dossier, dossier)
    if found is None or found.code is None or found.birth_date is None:
        raise NotFound
    return found


def _see(session: Session, dossier: UUID) -> Seen:
    found = _dossier(session, dossier)
    live = appointments.live(session, found)
    return Seen(
        id=found.id,
        code=found.code or "",
        name=found.full_name or "",
        birth=found.birth_date or date.min,
        case=cases.case(found.purpose, found.profile),
        state=found.state,
        language=found.language,
        reach=messages.reach(found),
        appointment=live,
        place=places.find(session, live.place) if live else None,
        past=assisted.past(session, found),
    )


def _show(dossier: UUID, trouble: str | None = None, code: int = 200) -> ResponseReturnValue:
    here = desk()
    with reading(here.engine) as session:
        seen = _see(session, dossier)
        ids = {entry.by.removeprefix("officer:") for entry in seen.past}
        names = officers.names(session, ids)
        known = {place.code: place.name for place in places.places(session)}
    ticket = tickets.derive(here.secret, seen.appointment.id) if seen.appointment else ""
    said = request.args.get("done", "")
    page = render_template(
        "officer/assisted_dossier.html",
        seen=seen,
        names=names,
        known=known,
        ticket=tickets.show(ticket) if ticket else "",
        trouble=trouble,
        said=said if said in SAID else None,
    )
    return page, code


@pages.get("/assisted/<uuid:dossier>/<proof>")
@open_to(*AT_COUNTER)
def show(dossier: UUID) -> ResponseReturnValue:
    """Show the dossier's appointment and everything that happened to it."""
    return _show(dossier)


def _station(session: Session) -> Place:
    officer = me()
    allowed = officers.stations_of(session, officer)
    asked = request.args.get("station", "")[:LONGEST]
    return places.find(session, asked if asked in allowed else officer.station)


def _days(session: Session, found: Dossier, place: Place, now: datetime) -> tuple[Day, ...]:
    today = now.astimezone(HERE).date()
    need = needs.of(found, today)
    days = offers.days(
        session,
        place.code,
        first=today,
        last=today + AHEAD,
        now=now,
        lanes=needs.every_lane(session, place.code),
        length=need.minutes if need else None,
        public=False,
    )
    return tuple(day for day in days if day.free and assisted.may_come(found, day.date))


def _times(
    session: Session, found: Dossier, place: Place, day: date, now: datetime
) -> tuple[Free, ...]:
    need = needs.of(found, day)
    every = needs.every_lane(session, place.code)
    length = need.minutes if need else None
    kinds = {lane.code: lane.kind for lane in lanes.of(session, place.code)}
    public = {
        offer.slot: offer.free
        for offer in offers.times(session, place.code, day, now=now, lanes=every, length=length)
    }
    found_times = offers.times(
        session, place.code, day, now=now, lanes=every, length=length, public=False
    )
    return tuple(
        Free(
            offer=offer,
            kind=kinds.get(offer.slot.lane, LaneKind.REGULAR),
            kept=not public.get(offer.slot),
        )
        for offer in found_times
        if offer.free
    )


@pages.get("/assisted/<uuid:dossier>/<proof>/when")
@open_to(*AT_COUNTER)
def ask_when(dossier: UUID) -> ResponseReturnValue:
    """Show days, or the times of a day, with all lanes and the places kept from the public."""
    here, officer = desk(), me()
    now, day = here.now(), forms.day(request.args.get("day", ""))
    with reading(here.engine) as session:
        seen, found = _see(session, dossier), _dossier(session, dossier)
        if not seen.may_book:
            return _show(dossier, "assisted.not_now", 409)
        station = _station(session)
        days = _days(session, found, station, now)
        # Only a day that is offered is asked about: the law may say nothing of others.
        day = day if day in {one.date for one in days} else None
        times = _times(session, found, station, day, now) if day else ()
        stations = [
            place
            for place in places.places(session)
            if place.code in officers.stations_of(session, officer)
        ]
    return render_template(
        "officer/assisted_when.html",
        seen=seen,
        station=station,
        stations=stations,
        days=days,
        day=day,
        times=times,
        slot_name=slot_name,
    )


@pages.post("/assisted/<uuid:dossier>/<proof>/when")
@open_to(*AT_COUNTER)
def take_when(dossier: UUID) -> ResponseReturnValue:
    """Book the time, or move the appointment there; pressed twice, it is done once."""
    here, officer = desk(), me()
    with reading(here.engine) as session:
        station = _station(session)
    slot = slot_named(request.form.get("time", ""), station.code, today=here.today())
    if slot is None:
        return _show(dossier, "assisted.full", 422)

    def work(session: Session) -> str:
        found = _dossier(session, dossier)
        return _give(session, found, slot)

    def _give(session: Session, found: Dossier, slot: SlotRef) -> str:
        now = here.now()
        live = appointments.live(session, found)
        if live is not None and live.slot == slot:
            return "booked"
        if live is not None:
            assisted.move(session, found, slot, officer=officer, now=now)
            return "moved"
        assisted.book(session, found, slot, officer=officer, secret=here.secret, now=now)
        return "booked"

    try:
        done = retrying(here.engine, work)
    except tuple(TROUBLES) as trouble:
        return _show(dossier, TROUBLES[type(trouble)], 409)
    return redirect(url_for("assisted.show", dossier=dossier, done=done), code=303)


@pages.post("/assisted/<uuid:dossier>/<proof>/cancel")
@open_to(*AT_COUNTER)
def cancel(dossier: UUID) -> ResponseReturnValue:
    """Cancel the appointment."""
    here, officer = desk(), me()

    def work(session: Session) -> None:
        found = _dossier(session, dossier)
        assisted.cancel(session, found, officer=officer, now=here.now())

    try:
        retrying(here.engine, work)
    except NotNow:
        return _show(dossier, "assisted.not_now", 409)
    return redirect(url_for("assisted.show", dossier=dossier, done="cancelled"), code=303)


def _visit(seen: Seen, found: Dossier) -> papers.Visit | None:
    """Return what stands on the slip, or None where nothing is booked."""
    if seen.appointment is None:
        return None
    on = seen.appointment.starts_at.astimezone(HERE).date()
    has_card = (found.person or {}).get("card_issued_on") is not None
    return papers.Visit(
        appointment=seen.appointment,
        ticket=tickets.derive(desk().secret, seen.appointment.id),
        place=seen.place,
        who=seen.name,
        why=seen.case.name.in_(seen.language),
        code=seen.code,
        fee_vnd=fees.fee(fees.kinds_of(seen.case.fee, has_card=has_card)[0], on).vnd,
        accompanied=cases.coming(found.purpose, seen.birth, on, found.profile).accompanied,
    )


@pages.get("/assisted/<uuid:dossier>/<proof>/slip.pdf")
@open_to(*AT_COUNTER)
def slip(dossier: UUID) -> ResponseReturnValue:
    """Print the slip, in the citizen's language."""
    here = desk()
    with reading(here.engine) as session:
        seen = _see(session, dossier)
        visit = _visit(seen, _dossier(session, dossier))
    if visit is None:
        return _show(dossier, "assisted.not_now", 409)
    paper = papers.paper(
        visit,
        say=lambda key: words().say(key, seen.language),
        language=seen.language,
        url=f"{here.settings.citizen_url}/manage",
        rehearsal=here.settings.rehearsal,
        now=here.now(),
    )
    response = Response(papers.slip(paper), mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="phieu-hen.pdf"'
    return response
