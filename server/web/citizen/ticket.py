"""A booked appointment: its page, slip and calendar file, and the way back to it.

Whoever holds the browser's token sees it; `manage` gives the token for ticket and birth date.
"""

from collections.abc import Mapping

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from scheduler.appointment import MOST_CHANGES
from scheduler.database import reading, transaction
from scheduler.life import AppointmentState
from server.cases import appointments, families, filing, rebooking, status
from server.cases.appointments import Booked
from server.cases.rebooking import Alternative
from server.clock import HERE
from server.rules import fields, tickets
from server.store.tables import Dossier
from server.web import guard
from server.web.citizen import booking_pages as choosing
from server.web.citizen import forms, papers, stations, times
from server.web.citizen.desk import TOKEN, Draft, at_hand, desk, network, slow_down, taken
from server.web.citizen.family_desk import TOKEN as FAMILY_TOKEN
from server.web.guard import open_to
from server.web.shell import language, t

pages = Blueprint("ticket", __name__)


def _booked(draft: Draft) -> Booked | None:
    if draft.live is None:
        return None
    return Booked(ticket=tickets.derive(desk().secret, draft.live.id), appointment=draft.live)


def visit(draft: Draft, booked: Booked) -> papers.Visit:
    """Return everything there is to know of the appointment."""
    on = booked.appointment.starts_at.astimezone(HERE).date()
    outcome = draft.outcome(on)
    return papers.Visit(
        appointment=booked.appointment,
        ticket=booked.ticket,
        place=stations.by_code().get(booked.appointment.place),
        who=draft.person.full_name if draft.person else "",
        why=draft.case.name.in_(language()),
        code=draft.code or "",
        fee_vnd=choosing.fee_of(draft, on).vnd,
        accompanied=outcome is not None and outcome.accompanied,
    )


def facts(draft: Draft, booked: Booked) -> tuple[tuple[str, str], ...]:
    """Return name and value of what there is to know of an appointment."""
    return visit(draft, booked).facts(t, language())


def paper(draft: Draft, booked: Booked) -> papers.Paper:
    """Return what is printed of an appointment, in the reader's language."""
    here = desk()
    return papers.paper(
        visit(draft, booked),
        say=t,
        language=language(),
        url=f"{here.settings.citizen_url}/manage",
        rehearsal=here.settings.rehearsal,
        now=here.now(),
    )


def mine() -> tuple[Draft, Booked] | None:
    """Return the dossier this browser holds and its appointment, or None."""
    draft = at_hand()
    booked = _booked(draft) if draft is not None else None
    return None if draft is None or booked is None else (draft, booked)


def _instead() -> tuple[bool, tuple[Alternative, ...]]:
    """Return whether the office took the time away, and which others it offers."""
    here = desk()
    with reading(here.engine) as session:
        dossier = taken(session)
        if dossier is None or rebooking.of(session, dossier) is None:
            return False, ()
        return True, rebooking.alternatives(session, dossier, now=here.now())


def nothing() -> ResponseReturnValue:
    """Send a browser without an appointment to where it is asked for."""
    return redirect(url_for("ticket.manage"), code=303)


@pages.get("/booked")
@open_to("citizen")
def booked() -> ResponseReturnValue:
    """Show the ticket."""
    held = mine()
    if held is None:
        return nothing()
    draft, found = held
    lost, instead = _instead()
    return render_template(
        "citizen/booked.html",
        draft=draft,
        ticket=tickets.show(found.ticket),
        # segno's own element of our own text: nothing a citizen typed is in it.
        qr=Markup(papers.qr_svg(found.ticket)),  # noqa: S704 - see above
        facts=facts(draft, found),
        bring=visit(draft, found).bring(t),
        movable=found.appointment.state is AppointmentState.BOOKED,
        done=request.args.get("done", "") == "changed",
        gone=request.args.get("done", "") == "gone",
        left=found.appointment.changes_left,
        most=MOST_CHANGES,
        party=found.appointment.party is not None,
        lost=lost,
        instead=instead,
        slot_name=times.slot_name,
    )


def file(body: bytes, kind: str, name: str) -> Response:
    """Return a file to be kept under a name."""
    response = Response(body, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@pages.get("/booked/appointment.ics")
@open_to("citizen")
def calendar() -> ResponseReturnValue:
    """Give the calendar file."""
    held = mine()
    if held is None:
        return nothing()
    entry = paper(*held)
    return file(papers.calendar(entry, now=desk().now()), "text/calendar", "lich-hen.ics")


@pages.get("/booked/slip.pdf")
@open_to("citizen")
def slip() -> ResponseReturnValue:
    """Give the slip."""
    held = mine()
    if held is None:
        return nothing()
    return file(papers.slip(paper(*held)), "application/pdf", "phieu-hen.pdf")


@pages.get("/manage")
@open_to("citizen")
def manage() -> ResponseReturnValue:
    """Ask for ticket and birth date."""
    return _manage({}, 200)


def _manage(wrong: Mapping[str, str], status: int) -> ResponseReturnValue:
    page = render_template(
        "citizen/manage.html", errors=forms.in_words(wrong), values=forms.raw(request.form)
    )
    return page, status


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
    read = forms.ticket_and_birth(form, here.today())
    if read.errors:
        return _manage(read.errors, 422)
    ticket = read.values["ticket"]
    slow_down((appointments.BY_NETWORK, network()), (appointments.BY_TICKET, ticket))
    with transaction(here.engine) as session:
        dossier = _find(session, ticket, read.values["birth"])
        family = families.led_by(session, dossier) if dossier is not None else None
        if family is not None:
            return _opened(FAMILY_TOKEN, families.new_token(family), "family_booking.booked")
        token = filing.new_token(dossier) if dossier is not None else None
    if token is None:
        return _manage({"ticket": "ticket.unknown"}, 422)
    return _opened(TOKEN, token, "ticket.booked")


def _opened(name: str, token: str, page: str) -> ResponseReturnValue:
    response = make_response(redirect(url_for(page), code=303))
    guard.set_cookie(response, name, token, max_age=None)
    return response
