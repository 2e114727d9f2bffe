"""A booked appointment: its page, slip and calendar file; changing and cancelling it.

Whoever holds the browser's token sees it; `manage` gives the token for ticket and birth date.
"""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from scheduler.booking import SlotFull, SlotGone
from scheduler.life import AppointmentState
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from scheduler.database import transaction
from server.cases import appointments, filing, status, throttle
from server.cases.appointments import Booked
from server.cases.throttle import Limit
from server.clock import HERE
from server.rules import fields, tickets
from server.rules.dossier import DossierState, NotNow
from server.rules.fields import Refused
from server.store.tables import Dossier
from server.web import formats, guard
from server.web.citizen import booking_pages as choosing
from server.web.citizen import forms, papers
from server.web.citizen.desk import TOKEN, Draft, at_hand, desk, network, taken
from server.web.citizen.month import HORIZON
from server.web.guard import open_to
from server.web.shell import language, t

pages = Blueprint("ticket", __name__)

BY_NETWORK = Limit(name="manage", tries=60, seconds=600)
BY_TICKET = Limit(name="ticket", tries=8, seconds=900)
LIMITS = (BY_NETWORK, BY_TICKET)
BRING = ("bring.card", "bring.papers", "bring.early")
BRING_CHILD = ("bring.representative",)


def _booked(draft: Draft) -> Booked | None:
    if draft.live is None:
        return None
    return Booked(ticket=tickets.derive(desk().secret, draft.live.id), appointment=draft.live)


def _bring(draft: Draft, on: date) -> tuple[str, ...]:
    outcome = draft.outcome(on)
    child = BRING_CHILD if outcome is not None and outcome.accompanied else ()
    return tuple(t(key) for key in (*BRING, *child))


def _facts(draft: Draft, booked: Booked) -> tuple[tuple[str, str], ...]:
    place = choosing.place_names().get(booked.appointment.place)
    starts_at, reader = booked.appointment.starts_at, language()
    fee = choosing.fee_of(draft, starts_at.astimezone(HERE).date())
    told = formats.dong(fee.vnd, reader) if fee.vnd is not None else t("fee.then")
    return (
        (t("ticket.when"), formats.moment(starts_at, reader)),
        (
            t("ticket.where"),
            f"{place.name}, {place.address}" if place else booked.appointment.place,
        ),
        (t("ticket.who"), draft.person.full_name if draft.person else ""),
        (t("ticket.why"), draft.case.name.in_(reader)),
        (t("ticket.code"), draft.code or ""),
        (t("ticket.fee"), told),
    )


def _paper(draft: Draft, booked: Booked) -> papers.Paper:
    here, starts_at = desk(), booked.appointment.starts_at
    place = choosing.place_names().get(booked.appointment.place)
    words = {
        "name": t("shell.name"),
        "kind": t("ticket.kind"),
        "code": t("ticket.ticket"),
        "show": t("ticket.show"),
        "qr_alt": t("ticket.qr_alt"),
        "about": t("ticket.about"),
        "bring": t("ticket.bring"),
        "change": t("ticket.change_at"),
        "rehearsal": t("shell.rehearsal") if here.settings.rehearsal else "",
    }
    return papers.Paper(
        ticket=booked.ticket,
        title=t("ticket.title"),
        place=place.name if place else booked.appointment.place,
        address=place.address if place else "",
        starts_at=starts_at,
        minutes=booked.appointment.minutes,
        uid=f"{booked.appointment.id}@thunhan",
        changed=int(here.now().timestamp()),
        url=f"{here.settings.citizen_url}/manage",
        words=words,
        facts=((t("ticket.ticket"), tickets.show(booked.ticket)), *_facts(draft, booked)),
        bring=_bring(draft, starts_at.astimezone(HERE).date()),
        language=language(),
    )


def _mine() -> tuple[Draft, Booked] | None:
    draft = at_hand()
    booked = _booked(draft) if draft is not None else None
    return None if draft is None or booked is None else (draft, booked)


def _nothing() -> ResponseReturnValue:
    return redirect(url_for("ticket.manage"), code=303)


@pages.get("/booked")
@open_to("citizen")
def booked() -> ResponseReturnValue:
    """Show the ticket."""
    mine = _mine()
    if mine is None:
        return _nothing()
    draft, found = mine
    return render_template(
        "citizen/booked.html",
        draft=draft,
        ticket=tickets.show(found.ticket),
        # segno's own element of our own text: nothing a citizen typed is in it.
        qr=Markup(papers.qr_svg(found.ticket)),  # noqa: S704 - see above
        facts=_facts(draft, found),
        bring=_bring(draft, found.appointment.starts_at.astimezone(HERE).date()),
        movable=found.appointment.state is AppointmentState.BOOKED,
        done=request.args.get("done", "") == "changed",
    )


def _file(body: bytes, kind: str, name: str) -> Response:
    response = Response(body, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@pages.get("/booked/appointment.ics")
@open_to("citizen")
def calendar() -> ResponseReturnValue:
    """Give the calendar file."""
    mine = _mine()
    if mine is None:
        return _nothing()
    paper = _paper(*mine)
    return _file(papers.calendar(paper, now=desk().now()), "text/calendar", "lich-hen.ics")


@pages.get("/booked/slip.pdf")
@open_to("citizen")
def slip() -> ResponseReturnValue:
    """Give the slip."""
    mine = _mine()
    if mine is None:
        return _nothing()
    return _file(papers.slip(_paper(*mine)), "application/pdf", "phieu-hen.pdf")


@pages.get("/manage")
@open_to("citizen")
def manage() -> ResponseReturnValue:
    """Ask for ticket and birth date."""
    return render_template("citizen/manage.html", wrong={}, values={})


def _find(session: Session, ticket: str, birth: fields.BirthDate) -> Dossier | None:
    found = appointments.of_ticket(session, ticket)
    if found is None or not status.born_then(found[0], birth):
        return None
    return found[0] if found[1].state is AppointmentState.BOOKED else None


@pages.post("/manage")
@open_to("citizen")
def open_ticket() -> ResponseReturnValue:
    """Give this browser the token of the dossier the ticket belongs to."""
    here, form = desk(), request.form
    errors: dict[str, str] = {}
    ticket, birth = "", None
    try:
        ticket = tickets.parse(form.get("ticket", ""))
    except tickets.TicketInvalid:
        errors["ticket"] = "ticket.wrong"
    try:
        birth = fields.birth_date(form, "birth", today=here.today())
    except Refused as refused:
        errors["birth"] = str(refused)
    token = None
    if birth is not None and not errors:
        now = here.now()
        with transaction(here.engine) as session:
            wait = max(
                throttle.count(session, BY_NETWORK, network(), secret=here.secret, now=now),
                throttle.count(session, BY_TICKET, ticket, secret=here.secret, now=now),
            )
        if wait:
            raise TooManyRequests(retry_after=wait)
        with transaction(here.engine) as session:
            dossier = _find(session, ticket, birth)
            token = filing.new_token(dossier) if dossier is not None else None
        if token is None:
            errors["ticket"] = "ticket.unknown"
    if token is None:
        page = render_template("citizen/manage.html", wrong=errors, values=forms.raw(form))
        return page, 422
    response = make_response(redirect(url_for("ticket.booked"), code=303))
    guard.set_cookie(response, TOKEN, token, max_age=None)
    return response


@pages.get("/booked/cancel")
@open_to("citizen")
def ask_cancel() -> ResponseReturnValue:
    """Ask whether the appointment is really to be cancelled."""
    mine = _mine()
    if mine is None:
        return _nothing()
    return render_template("citizen/cancel.html", facts=_facts(*mine), draft=mine[0])


@pages.post("/booked/cancel")
@open_to("citizen")
def cancel() -> ResponseReturnValue:
    """Cancel it; the dossier stays and may be booked again."""

    def work(session: Session) -> None:
        dossier = taken(session)
        if dossier is None:
            raise NotNow("this browser holds no dossier")
        appointments.cancel(session, dossier, now=desk().now())
        filing.answer(dossier, station=None, day=None)

    try:
        choosing.in_transaction(work)
    except NotNow:
        draft = at_hand()
        if draft is None or draft.live is not None:
            return _nothing()
    return redirect(url_for("ticket.cancelled"), code=303)


@pages.get("/booked/cancelled")
@open_to("citizen")
def cancelled() -> ResponseReturnValue:
    """Say that it is cancelled, and how to book again."""
    draft = at_hand()
    if draft is None or draft.state is not DossierState.FILED or draft.live is not None:
        return _nothing()
    return render_template("citizen/cancelled.html", draft=draft)


def _change(draft: Draft, wrong: str | None = None, code: int = 200) -> ResponseReturnValue:
    """Show station, then day, then time; the appointment stands until the new one is certain."""
    asked = request.args.get("station", "")[:40] or (draft.live.place if draft.live else "")
    place = choosing.place_of(asked)
    if request.args.get("pick") == "station" or place is None:
        return _changing(
            "change_station",
            draft,
            wrong,
            code,
            stations=choosing.stations(),
            provinces=choosing.with_stations(),
        )
    day = forms.day(request.args.get("day", ""))
    today = desk().today()
    if day is None or not today <= day <= today + timedelta(days=HORIZON + 31):
        return _changing(
            "change_day",
            draft,
            wrong,
            code,
            place=place,
            month=choosing.month_of(draft, place.code),
        )
    times = () if choosing.barred_days(draft, day, day) else choosing.times_of(place.code, day)
    return _changing(
        "change_time", draft, wrong, code, place=place, day=day, halves=choosing.by_half_day(times)
    )


def _changing(
    page: str, draft: Draft, wrong: str | None, code: int, **more: Any
) -> ResponseReturnValue:
    html = render_template(
        f"citizen/{page}.html",
        draft=draft,
        page=page,
        wrong={"time": wrong} if wrong else {},
        values={},
        slot_name=choosing.slot_name,
        today=desk().today(),
        **more,
    )
    return html, code


@pages.get("/booked/change")
@open_to("citizen")
def ask_change() -> ResponseReturnValue:
    """Show where and when else there is a place."""
    mine = _mine()
    if mine is None:
        return _nothing()
    if mine[1].appointment.state is not AppointmentState.BOOKED:
        return redirect(url_for("ticket.booked"), code=303)
    return _change(mine[0])


@pages.post("/booked/change")
@open_to("citizen")
def change() -> ResponseReturnValue:
    """Move the appointment."""
    mine = _mine()
    if mine is None:
        return _nothing()
    draft = mine[0]
    place = choosing.place_of(request.args.get("station", "")[:40])
    slot = choosing.slot_named(request.form.get("time", ""), place.code) if place else None
    on = slot.starts_at.astimezone(HERE).date() if slot else None
    if slot is None or on is None or choosing.barred_days(draft, on, on):
        return _change(draft, "time.empty", 422)

    def work(session: Session) -> None:
        dossier = taken(session)
        if dossier is None:
            raise NotNow("this browser holds no dossier")
        appointments.move(session, dossier, slot, now=desk().now())

    try:
        choosing.in_transaction(work)
    except (SlotFull, SlotGone):
        return _change(draft, "time.full", 409)
    except NotNow:
        return _nothing()
    return redirect(url_for("ticket.booked", done="changed"), code=303)
