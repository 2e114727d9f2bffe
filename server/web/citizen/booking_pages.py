"""The wizard's last questions: which station, which day, what time, and is all of it right.

Places are counted in `scheduler`; here they are shown and asked for.
"""

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.booking import AlreadyBooked, Appointment, SlotFull, SlotGone, SlotRef
from scheduler.database import retrying
from server.cases import appointments, filing
from server.cases.appointments import NothingHeld, PersonUnknown
from server.clock import HERE
from server.rules import fees, lists
from server.rules.deadlines import working_days
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier
from server.web.citizen import forms, requests, stations, steps, times
from server.web.citizen.desk import Draft, at_hand, desk, taken
from server.web.citizen.month import FARTHEST
from server.web.citizen.wizard import address, back_from, go, onward
from server.web.guard import open_to
from server.web.shell import language, t

pages = Blueprint("booking", __name__)
pages.after_request(stations.may_ask_where)

ALREADY = "time.already"
AGREED = "confirm.agree_label"
"""What a citizen agrees to."""
T = TypeVar("T")


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
        slot_name=times.slot_name,
        **more,
    )
    return html, status


def _station(draft: Draft, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    return _render("station", draft, wrong, status, stations=stations.asked())


def _day(draft: Draft, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    station = draft.answers["station"]
    return _render(
        "day",
        draft,
        wrong,
        status,
        month=times.month_of(draft, station),
        place=stations.named(station),
    )


def _time(draft: Draft, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    station, day = draft.answers["station"], date.fromisoformat(draft.answers["day"])
    found = times.by_half_day(times.times_of(draft.need(day), station, day))
    return _render(
        "time",
        draft,
        wrong,
        status,
        halves=found,
        day=day,
        place=stations.named(station),
        hold=appointments.HOLD_MINUTES,
        key=requests.new(),
        minutes=draft.need(day).minutes,
        groups=draft.groups(day),
    )


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
        seconds_left=seconds_left(held),
        groups=draft.groups(on),
        address=address,
        chosen_requests=[
            entry.name.in_(language())
            for entry in lists.requests()
            if entry.code in draft.answers.get("requests", ())
        ],
        slot=times.slot_name(held.slot),
        place=stations.by_code().get(held.place),
        fee=fee_of(draft, on),
        days=days_promised(draft, on),
        outcome=draft.outcome(on),
    )


def seconds_left(held: Appointment) -> int:
    """Return the whole seconds for which the place is still held."""
    if held.hold_until is None:
        return 0
    return max(0, int((held.hold_until - desk().now()).total_seconds()))


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
    place = stations.named(request.form.get("station", "")[: stations.LONGEST])
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
    if times.barred_days(draft, day, day):
        return _day(draft, "day.too_young", 422)
    if not times.times_of(draft.need(day), draft.answers["station"], day):
        return _day(draft, "day.full", 422)
    _keep(day=day.isoformat())
    return go("time")


def _named(field: str, station: str) -> SlotRef | None:
    return times.slot_named(request.form.get(field, ""), station, today=desk().today())


def _hold(slot: SlotRef) -> Appointment:
    def work(session: Session) -> Appointment:
        mine = _mine(session)
        key = requests.key(mine.id)
        return appointments.hold(session, mine, slot, now=desk().now(), request=key)

    return in_transaction(work)


def _extend() -> Appointment:
    def work(session: Session) -> Appointment:
        return appointments.extend(session, _mine(session), now=desk().now())

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
    slot = _named("time", draft.answers["station"])
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


@pages.post("/book/longer")
@open_to("citizen")
def longer() -> ResponseReturnValue:
    """Hold the place longer; if the hold ran out, hold the same one again while it is free."""
    draft = at_hand()
    station = draft.answers.get("station") if draft is not None and draft.live is None else None
    slot = _named("slot", station) if station else None
    if draft is None or slot is None:
        return _no_longer_held(draft)
    before = draft.held
    try:
        now_held = _hold(slot) if before is None or before.slot != slot else _extend()
    except (SlotFull, SlotGone, AlreadyBooked, NotNow, NothingHeld, PersonUnknown):
        return _no_longer_held(at_hand())
    kept = before is not None and before.hold_until == now_held.hold_until
    return go("confirm", "longest" if kept else "longer")


def consent(now: datetime, key: str = AGREED) -> dict[str, str]:
    """Return what is kept of the consent: when, in which language, and to which words."""
    said = t(key)
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
    if _named("slot", held.place) != held.slot:
        return _confirm(draft, held, "confirm.changed", 409)
    if request.form.get("agree") != "yes":
        return _confirm(draft, held, "confirm.agree", 422)

    def work(session: Session) -> None:
        here, dossier = desk(), _mine(session)
        now = here.now()
        filing.answer(dossier, consent=consent(now))
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
