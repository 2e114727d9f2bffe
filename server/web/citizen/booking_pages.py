"""The wizard's last questions: which station, which day, what time, and is all of it right.

Places are counted in `scheduler`; here they are shown and asked for.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import offers, places
from scheduler.booking import AlreadyBooked, Appointment, SlotFull, SlotGone, SlotRef
from scheduler.database import reading, retrying
from scheduler.offers import Offer
from scheduler.places import Place
from server.cases import appointments, filing
from server.cases.appointments import NothingHeld, PersonUnknown
from server.clock import HERE
from server.rules import fees, lists
from server.rules.deadlines import working_days
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier
from server.web.citizen import forms, steps
from server.web.citizen.desk import Draft, at_hand, desk, taken
from server.web.citizen.month import FARTHEST, Month, after, asked, month
from server.web.citizen.wizard import address, back_from, go, onward
from server.web.guard import open_to
from server.web.shell import language, t

pages = Blueprint("booking", __name__)

NOON = 12
ALREADY = "time.already"
AGREED = "confirm.agree_label"
"""What a citizen agrees to."""
LONGEST_QUERY = 80
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """Stations to choose from, and how they were searched for."""

    found: tuple[Place, ...]
    province: str
    query: str


def stations() -> Stations:
    """Return the open stations of the asked province whose name or address holds the words."""
    province = request.args.get("province", "")[:8]
    query = request.args.get("q", "")[:LONGEST_QUERY].replace("\x00", "")
    words = lists.fold(query).split()
    with reading(desk().engine) as session:
        known = [place for place in places.places(session) if place.open]
    found = tuple(
        place
        for place in known
        if province in {"", place.province}
        and all(word in lists.fold(f"{place.name} {place.address}") for word in words)
    )
    return Stations(found=found, province=province, query=query)


def place_of(code: str) -> Place | None:
    """Return the open station of this code, or None."""
    with reading(desk().engine) as session:
        return next((p for p in places.places(session) if p.open and p.code == code), None)


def place_names() -> dict[str, Place]:
    """Return every station by code, closed ones too: an appointment may still name one."""
    with reading(desk().engine) as session:
        return {place.code: place for place in places.places(session)}


def barred_days(draft: Draft, first: date, last: date) -> frozenset[date]:
    """Return the days on which this citizen may not come."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return frozenset(
        day for day in days if (outcome := draft.outcome(day)) is not None and not outcome.may_book
    )


def month_of(draft: Draft, station: str) -> Month:
    """Return the asked month at a station, with free places."""
    here, today = desk(), desk().today()
    first = asked(request.args.get("month"), today)
    last = after(first) - timedelta(days=1)
    with reading(here.engine) as session:
        offered = offers.days(session, station, first=max(first, today), last=last, now=here.now())
    by_day = {day.date: day for day in offered}
    return month(first, by_day, today=today, barred=barred_days(draft, first, last))


def times_of(station: str, day: date) -> tuple[Offer, ...]:
    """Return the times of a day that still have a place."""
    here = desk()
    with reading(here.engine) as session:
        found = offers.times(session, station, day, now=here.now())
    return tuple(offer for offer in found if offer.free > 0)


def by_half_day(found: tuple[Offer, ...]) -> dict[str, list[Offer]]:
    """Return the times of the morning and of the afternoon."""
    halves: dict[str, list[Offer]] = {"time.morning": [], "time.afternoon": []}
    for offer in found:
        early = offer.slot.starts_at.astimezone(HERE).hour < NOON
        halves["time.morning" if early else "time.afternoon"].append(offer)
    return {name: some for name, some in halves.items() if some}


def slot_name(slot: SlotRef) -> str:
    """Return how a form names a time: ``2026-11-30T02:15+00:00 regular``."""
    return f"{slot.starts_at.astimezone(UTC).isoformat(timespec='minutes')} {slot.lane}"


def slot_named(text: str, station: str) -> SlotRef | None:
    """Return the slot a form names, or None."""
    moment, _, lane = text.partition(" ")
    if len(text) > 60 or not lane.isidentifier():  # noqa: PLR2004 - a time and a lane's name
        return None
    try:
        starts_at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if starts_at.tzinfo is None:
        return None
    return SlotRef(place=station, starts_at=starts_at.astimezone(UTC), lane=lane)


def in_transaction(work: Callable[[Session], T]) -> T:
    """Run `work` in a transaction, again where the database asks for it."""
    return retrying(desk().engine, work)


def _may_see(page: str) -> Draft | None:
    draft = at_hand()
    if draft is None or draft.live is not None:
        return None
    return draft if steps.may_see(page, draft, desk().today()) else None


def _elsewhere() -> ResponseReturnValue:
    draft = at_hand()
    if draft is not None and draft.live is not None:
        return redirect(url_for("ticket.booked"), code=303)
    if draft is not None and draft.state not in {DossierState.DRAFT, DossierState.FILED}:
        return redirect(url_for("home.home"), code=303)
    return onward()


def _render(
    page: str,
    draft: Draft,
    wrong: str | None = None,
    status: int = 200,
    **more: Any,  # noqa: ANN401 - what the page shows
) -> ResponseReturnValue:
    today = desk().today()
    html = render_template(
        f"citizen/{page}.html",
        page=page,
        draft=draft,
        errors=forms.in_words({page: wrong} if wrong else {}),
        already=wrong == ALREADY,
        values=draft.answers,
        back=back_from(page, draft),
        position=steps.position(page, draft, today),
        today=today,
        slot_name=slot_name,
        **more,
    )
    return html, status


def _station(draft: Draft, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    return _render("station", draft, wrong, status, stations=stations(), provinces=with_stations())


def with_stations() -> list[lists.Listed]:
    """Return the provinces that have a station."""
    present = {place.province for place in place_names().values() if place.open}
    return [province for province in lists.provinces() if province.code in present]


def _day(draft: Draft, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    station = draft.answers["station"]
    return _render(
        "day", draft, wrong, status, month=month_of(draft, station), place=place_of(station)
    )


def _time(draft: Draft, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    station, day = draft.answers["station"], date.fromisoformat(draft.answers["day"])
    halves = by_half_day(times_of(station, day))
    return _render("time", draft, wrong, status, halves=halves, day=day, place=place_of(station))


def fee_of(draft: Draft, on: date) -> fees.Fee:
    """Return the fee if the citizen comes on the day `on`."""
    has_card = draft.person is not None and draft.person.card_issued_on is not None
    return fees.fee(fees.kinds_of(draft.case.fee, has_card=has_card)[0], on)


def days_promised(draft: Draft, on: date) -> int:
    """Return how many working days are promised."""
    return working_days(draft.profile, draft.case.deadline, on)


def _confirm(
    draft: Draft, held: Appointment, wrong: str | None = None, status: int = 200
) -> ResponseReturnValue:
    on = held.starts_at.astimezone(HERE).date()
    return _render(
        "confirm",
        draft,
        wrong,
        status,
        held=held,
        minutes_left=_minutes_left(held),
        address=address,
        chosen_requests=[
            entry.name.in_(language())
            for entry in lists.requests()
            if entry.code in draft.answers.get("requests", ())
        ],
        slot=slot_name(held.slot),
        place=place_names().get(held.place),
        fee=fee_of(draft, on),
        days=days_promised(draft, on),
        outcome=draft.outcome(on),
    )


def _minutes_left(held: Appointment) -> int:
    """Return the whole minutes for which the place is still held, at least 1."""
    if held.hold_until is None:
        return 1
    return max(1, int((held.hold_until - desk().now()).total_seconds()) // 60)


@pages.get("/book/<any(station,day,time,confirm):page>")
@open_to("citizen")
def ask(page: str) -> ResponseReturnValue:
    """Ask one question about place and time."""
    draft = _may_see(page)
    if draft is None:
        return _no_longer_held(at_hand()) if page == "confirm" else _elsewhere()
    match page:
        case "station":
            return _station(draft)
        case "day":
            return _day(draft)
        case "time":
            return _time(draft)
        case _:
            held = draft.held
            return _elsewhere() if held is None else _confirm(draft, held)


def _keep(**values: Any) -> None:  # noqa: ANN401 - JSON values
    def work(session: Session) -> None:
        dossier = taken(session)
        if dossier is not None and dossier.state in {DossierState.DRAFT, DossierState.FILED}:
            filing.answer(dossier, **values)

    in_transaction(work)


@pages.post("/book/station")
@open_to("citizen")
def take_station() -> ResponseReturnValue:
    """Keep the station; another one makes the day void."""
    draft = _may_see("station")
    if draft is None:
        return _elsewhere()
    place = place_of(request.form.get("station", "")[:LONGEST_QUERY])
    if place is None:
        return _station(draft, "station.empty", 422)
    same = draft.answers.get("station") == place.code
    _keep(station=place.code, **({} if same else {"day": None}))
    return go("day")


@pages.post("/book/day")
@open_to("citizen")
def take_day() -> ResponseReturnValue:
    """Keep the day if it has a place and the citizen may come on it."""
    draft = _may_see("day")
    if draft is None:
        return _elsewhere()
    day = forms.day(request.form.get("day", ""))
    today = desk().today()
    if day is None or not today <= day <= today + FARTHEST:
        return _day(draft, "day.empty", 422)
    if barred_days(draft, day, day):
        return _day(draft, "day.too_young", 422)
    if not times_of(draft.answers["station"], day):
        return _day(draft, "day.full", 422)
    _keep(day=day.isoformat())
    return go("time")


def _hold(slot: SlotRef) -> Appointment:
    def work(session: Session) -> Appointment:
        return appointments.hold(session, _mine(session), slot, now=desk().now())

    return in_transaction(work)


def _mine(session: Session) -> Dossier:
    dossier = taken(session)
    if dossier is None:
        raise NotNow("this browser holds no dossier")
    return dossier


@pages.post("/book/time")
@open_to("citizen")
def take_time() -> ResponseReturnValue:
    """Hold the place."""
    draft = _may_see("time")
    if draft is None:
        return _elsewhere()
    slot = slot_named(request.form.get("time", ""), draft.answers["station"])
    if slot is None or slot.starts_at.astimezone(HERE).date().isoformat() != draft.answers["day"]:
        return _time(draft, "time.empty", 422)
    try:
        _hold(slot)
    except (SlotFull, SlotGone):
        return _time(draft, "time.full", 409)
    except AlreadyBooked:
        return _time(draft, ALREADY, 409)
    except (NotNow, PersonUnknown):
        return _elsewhere()
    return go("confirm")


def _consent(now: datetime) -> dict[str, str]:
    """Return what is kept of the consent: when, in which language, and to which words."""
    said = t(AGREED)
    return {
        "at": now.isoformat(),
        "language": language(),
        "text": said,
        "sha256": hashlib.sha256(said.encode()).hexdigest(),
    }


@pages.post("/book/confirm")
@open_to("citizen")
def take_confirm() -> ResponseReturnValue:
    """Make the place certain and file the dossier; a second press changes nothing."""
    draft = at_hand()
    held = draft.held if draft is not None else None
    if draft is None or held is None or not steps.may_see("confirm", draft, desk().today()):
        return _no_longer_held(draft)
    shown = slot_named(request.form.get("slot", ""), held.place)
    if shown != held.slot:
        return _confirm(draft, held, "confirm.changed", 409)
    if request.form.get("agree") != "yes":
        return _confirm(draft, held, "confirm.agree", 422)

    def work(session: Session) -> None:
        here, dossier = desk(), _mine(session)
        now = here.now()
        filing.answer(dossier, consent=_consent(now))
        appointments.confirm(session, dossier, secret=here.secret, now=now)

    try:
        in_transaction(work)
    except (NothingHeld, NotNow):
        return _no_longer_held(at_hand())
    return redirect(url_for("ticket.booked"), code=303)


def _no_longer_held(draft: Draft | None) -> ResponseReturnValue:
    """Send the browser on where no place is held: it is booked already, or the hold ran out."""
    if draft is not None and draft.live is not None:
        return redirect(url_for("ticket.booked"), code=303)
    return go("time", "expired") if _lost_the_hold(draft) else _elsewhere()


def _lost_the_hold(draft: Draft | None) -> bool:
    """Return whether only the held place is missing."""
    return (
        draft is not None
        and draft.live is None
        and draft.held is None
        and steps.next_page(draft, desk().today()) == "time"
    )
