"""Where and when a family comes, its tickets, and changing or cancelling for all or for one.

Who comes is asked in `family_pages`; places are counted in `scheduler`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from scheduler.appointment import MOST_CHANGES, MovedTooOften
from scheduler.booking import AlreadyBooked, SlotFull, SlotGone, SlotRef
from scheduler.database import reading
from server.cases import families, filing, needs
from server.cases.appointments import Booked, NothingHeld, PersonUnknown
from server.cases.families import FamilyUnknown
from server.clock import HERE
from server.rules import tickets
from server.rules.dossier import NotNow
from server.store.tables import Family
from server.web.availability import window
from server.web.citizen import booking_pages, forms, papers, stations, ticket, times
from server.web.citizen.desk import desk
from server.web.citizen.family_desk import Person, View, at_hand, go, with_family
from server.web.citizen.month import FARTHEST, Month, after, asked, month
from server.web.guard import open_to

pages = Blueprint("family_booking", __name__)
pages.after_request(stations.may_ask_where)

People = tuple[Person, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Which pages somebody chooses on: those of a first booking, or of a change."""

    endpoint: str
    hidden: Mapping[str, int] = field(default_factory=dict)
    """What every form of it carries along."""

    def to(self, **values: object) -> str:
        """Return the address of a page of it."""
        return url_for(self.endpoint, **self.hidden, **values)  # type: ignore[arg-type]  # Flask's


BOOKING = Way(endpoint="family_booking.ask")


@pages.errorhandler(FamilyUnknown)
def _unknown(_error: FamilyUnknown) -> ResponseReturnValue:
    return go()


def _month(family: View, people: People, station: str) -> Month:
    """Return the asked month with the days on which so many people may find room together."""
    here, today = desk(), desk().today()
    first = max(asked(request.args.get("month"), today), today)
    last = after(first) - timedelta(days=1)
    wanted = family.needs(first, people)
    goes_first = any(need.goes_first for need in wanted)
    with reading(here.engine) as session:
        lanes = needs.lanes(session, station, goes_first=goes_first)
    found = window().month(
        station,
        first=first,
        last=last,
        now=here.now(),
        lanes=lanes,
        length=max(need.minutes for need in wanted),
    )
    # A day with fewer places than people is full for them; whether they are adjacent is seen later.
    room = {d.date: replace(d, free=d.free if d.free >= len(people) else 0) for d in found}
    barred = frozenset[date]().union(*(times.barred_days(one.draft, first, last) for one in people))
    return month(first.replace(day=1), room, today=today, barred=barred)


def _starts(family: View, people: People, station: str, day: date) -> dict[str, list[SlotRef]]:
    """Return the times of a day from which there is room for all of them, by half day."""
    if any(times.barred_days(one.draft, day, day) for one in people):
        return {}
    here = desk()
    with reading(here.engine) as session:
        found = families.starts(
            session,
            family.needs(day, people),
            station,
            day,
            now=here.now(),
        )
    halves: dict[str, list[SlotRef]] = {"time.morning": [], "time.afternoon": []}
    for slot in found:
        early = slot.starts_at.astimezone(HERE).hour < times.NOON
        halves["time.morning" if early else "time.afternoon"].append(slot)
    return {name: some for name, some in halves.items() if some}


def _minutes(people: People, day: date) -> int:
    return sum(one.draft.need(day).minutes for one in people)


def _render(
    page: str,
    family: View,
    wrong: str | None = None,
    status: int = 200,
    **more: Any,  # noqa: ANN401 - what the page shows
) -> ResponseReturnValue:
    html = render_template(
        f"citizen/family_{page}.html",
        family=family,
        page=page,
        errors=forms.in_words({"time": wrong} if wrong else {}),
        slot_name=times.slot_name,
        today=desk().today(),
        **more,
    )
    return html, status


def _pick(
    page: str,
    family: View,
    people: People,
    way: Way,
    wrong: str | None = None,
) -> ResponseReturnValue:
    """Show stations, days or times; `way` says where the choice is sent."""
    status = 409 if wrong else 200
    # Whoever changes stays at their station unless they ask for another.
    there = next((one.draft.live.place for one in people if one.draft.live is not None), "")
    station = stations.named(request.args.get("station", "")[: stations.LONGEST] or there)
    day = forms.day(request.args.get("day", ""))
    today = desk().today()
    if station is None or page == "station":
        return _render("station", family, wrong, status, stations=stations.asked(), way=way)
    if day is None or not today <= day <= today + FARTHEST:
        return _render(
            "day",
            family,
            wrong,
            status,
            month=_month(family, people, station.code),
            place=station,
            way=way,
        )
    return _render(
        "time",
        family,
        wrong,
        status,
        halves=_starts(family, people, station.code, day),
        place=station,
        day=day,
        people=people,
        minutes=_minutes(people, day),
        way=way,
    )


@pages.get("/family/when")
@open_to("citizen")
def ask() -> ResponseReturnValue:
    """Ask for station, day and time, one after the other."""
    family = at_hand()
    if family is None or not family.ready:
        return go()
    return _pick(request.args.get("page", ""), family, family.to_book, BOOKING)


@pages.post("/family/when")
@open_to("citizen")
def take() -> ResponseReturnValue:
    """Hold the places, all or none."""
    family, slot = at_hand(), _slot()
    if family is None or not family.ready:
        return go()
    people = family.to_book
    if slot is None or not _allowed(people, slot):
        return _pick("", family, people, BOOKING, "time.empty")
    now = desk().now()
    try:
        with_family(lambda session, row: families.hold(session, row, slot, now=now))
    except (SlotFull, SlotGone):
        return _pick("", family, people, BOOKING, "time.full")
    except AlreadyBooked:
        return _pick("", family, people, BOOKING, "family.already")
    except (NotNow, PersonUnknown):
        return go()
    return go("family_booking.ask_confirm")


def _slot() -> SlotRef | None:
    place = stations.named(request.args.get("station", "")[: stations.LONGEST])
    named = request.form.get("time", "")
    return times.slot_named(named, place.code, today=desk().today()) if place else None


def _allowed(people: People, slot: SlotRef) -> bool:
    on = slot.starts_at.astimezone(HERE).date()
    return not any(times.barred_days(one.draft, on, on) for one in people)


def _all_held(family: View | None) -> bool:
    return family is not None and bool(family.to_book) and family.held == family.to_book


def _confirm(family: View, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    first = min(
        (one.draft.held for one in family.held if one.draft.held is not None),
        key=lambda held: held.starts_at,
    )
    on = first.starts_at.astimezone(HERE).date()
    page = render_template(
        "citizen/family_confirm.html",
        family=family,
        errors=forms.in_words({"confirm": wrong} if wrong else {}),
        first=first,
        place=stations.by_code().get(first.place),
        slot=times.slot_name(first.slot),
        seconds_left=booking_pages.seconds_left(first),
        fees={one.number: booking_pages.fee_of(one.draft, on) for one in family.held},
    )
    return page, status


@pages.get("/family/confirm")
@open_to("citizen")
def ask_confirm() -> ResponseReturnValue:
    """Show everything once more."""
    family = at_hand()
    if family is None or not _all_held(family):
        return _no_longer(family)
    return _confirm(family)


def _no_longer(family: View | None) -> ResponseReturnValue:
    """Send the browser on where nothing is held: it is booked already, or the hold ran out."""
    if family is not None and family.booked and not family.to_book:
        return go("family_booking.booked")
    return go(note="gone" if family is not None and family.ready else None)


@pages.post("/family/longer")
@open_to("citizen")
def longer() -> ResponseReturnValue:
    """Hold the places longer."""
    now = desk().now()
    try:
        with_family(lambda session, row: families.extend(session, row, now=now))
    except (NothingHeld, NotNow):
        return _no_longer(at_hand())
    return go("family_booking.ask_confirm", note="longer")


@pages.post("/family/confirm")
@open_to("citizen")
def take_confirm() -> ResponseReturnValue:
    """Make all the places certain; a second press changes nothing."""
    family = at_hand()
    if family is None or not _all_held(family):
        return _no_longer(family)
    if request.form.get("agree") != "yes":
        return _confirm(family, "confirm.agree", 422)
    here = desk()
    now = here.now()
    consent = booking_pages.consent(now, "family.agree_label")

    def work(session: Session, row: Family) -> None:
        for dossier in families.members(session, row):
            filing.answer(dossier, consent=consent)
        families.confirm(session, row, secret=here.secret, now=now)

    try:
        with_family(work)
    except (NothingHeld, NotNow):
        return _no_longer(at_hand())
    return go("family_booking.booked")


def _tickets(family: View) -> dict[int, str]:
    secret = desk().secret
    return {
        one.number: tickets.derive(secret, one.draft.live.id)
        for one in family.booked
        if one.draft.live is not None
    }


@pages.get("/family/booked")
@open_to("citizen")
def booked() -> ResponseReturnValue:
    """Show everybody's ticket on one page."""
    family = at_hand()
    if family is None or not (family.booked or family.people):
        return go()
    lives = [one.draft.live for one in family.booked if one.draft.live is not None]
    first = min(lives, key=lambda live: live.starts_at) if lives else None
    codes = _tickets(family)
    return render_template(
        "citizen/family_booked.html",
        family=family,
        first=first,
        place=stations.by_code().get(first.place) if first else None,
        tickets={number: tickets.show(code) for number, code in codes.items()},
        # segno's own elements of our own text: nothing a citizen typed is in them.
        pictures={number: Markup(papers.qr_svg(code)) for number, code in codes.items()},  # noqa: S704 - see above
        most=MOST_CHANGES,
        note=request.args.get("note"),
        bring=papers.BRING,
    )


@pages.get("/family/<int:number>/slip.pdf")
@open_to("citizen")
def slip(number: int) -> ResponseReturnValue:
    """Give one person's slip."""
    family = at_hand()
    one = family.person(number) if family is not None else None
    if one is None or one.draft.live is None:
        return go()
    code = tickets.derive(desk().secret, one.draft.live.id)
    paper = ticket.paper(one.draft, Booked(ticket=code, appointment=one.draft.live))
    return ticket.file(papers.slip(paper), "application/pdf", f"phieu-hen-{number}.pdf")


def _changing(group: People) -> Way:
    return Way(endpoint="family_booking.ask_change", hidden={"group": group[0].number})


@pages.get("/family/change")
@open_to("citizen")
def ask_change() -> ResponseReturnValue:
    """Show where and when else there is room for all who were booked together."""
    family = at_hand()
    group = family.group(request.args.get("group", type=int)) if family is not None else ()
    if family is None or not group:
        return go()
    return _pick(request.args.get("page", ""), family, group, _changing(group))


@pages.post("/family/change")
@open_to("citizen")
def change() -> ResponseReturnValue:
    """Move all who were booked together, or nobody."""
    family, slot = at_hand(), _slot()
    group = family.group(request.args.get("group", type=int)) if family is not None else ()
    if family is None or not group:
        return go()
    way = _changing(group)
    if slot is None or not _allowed(group, slot):
        return _pick("", family, group, way, "time.empty")
    now, first = desk().now(), group[0].number
    try:
        with_family(lambda session, row: families.move(session, row, first, slot, now=now))
    except MovedTooOften:
        return _pick("", family, group, way, "change.too_often")
    except (SlotFull, SlotGone):
        return _pick("", family, group, way, "time.full")
    except NotNow:
        return go()
    return go("family_booking.booked", note="changed")


@pages.get("/family/cancel")
@open_to("citizen")
def ask_cancel() -> ResponseReturnValue:
    """Ask whether all, or the one that is asked for, are really to be cancelled."""
    family = at_hand()
    number = request.args.get("number", type=int)
    people = tuple(
        one for one in (family.movable if family else ()) if number in {None, one.number}
    )
    if family is None or not people:
        return go("family_booking.booked")
    return make_response(
        render_template("citizen/family_cancel.html", family=family, people=people, number=number)
    )


@pages.post("/family/cancel")
@open_to("citizen")
def cancel() -> ResponseReturnValue:
    """Cancel for all, or for one; the dossiers stay and may be booked again."""
    number = request.form.get("number", type=int)
    now = desk().now()
    with_family(lambda session, row: families.cancel(session, row, number, now=now))
    return redirect(url_for("family_booking.booked", note="cancelled"), code=303)
