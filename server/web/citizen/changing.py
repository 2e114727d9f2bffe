"""Changing an appointment's station, day and time; giving it back; withdrawing the dossier.

The appointment stands until the new one is certain.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.appointment import MovedTooOften
from scheduler.booking import SlotFull, SlotGone, SlotRef
from scheduler.life import AppointmentState
from server.cases import appointments, filing, rebooking
from server.clock import HERE
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier
from server.web.citizen import booking_pages as choosing
from server.web.citizen import forms, stations, times
from server.web.citizen.desk import Draft, at_hand, desk, taken
from server.web.citizen.month import FARTHEST
from server.web.citizen.ticket import facts, mine, nothing
from server.web.guard import open_to

pages = Blueprint("changing", __name__)
pages.after_request(stations.may_ask_where)

WITHDRAWABLE = frozenset({DossierState.FILED, DossierState.TO_CORRECT})


def _movable() -> Draft | None:
    held = mine()
    if held is None or held[1].appointment.state is not AppointmentState.BOOKED:
        return None
    return held[0]


def _with_dossier(work: Callable[[Session, Dossier], None]) -> None:
    """Run `work` in a transaction on the dossier of this browser.

    Raises:
        NotNow: this browser holds none, or the work says so.
    """

    def run(session: Session) -> None:
        dossier = taken(session)
        if dossier is None:
            raise NotNow("this browser holds no dossier")
        work(session, dossier)

    choosing.in_transaction(run)


def _change(draft: Draft, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    """Show station, then day, then time."""
    asked = request.args.get("station", "")[:40] or (draft.live.place if draft.live else "")
    place = stations.named(asked)
    if request.args.get("pick") == "station" or place is None:
        return _render("change_station", draft, wrong, status, stations=stations.asked())
    day, today = forms.day(request.args.get("day", "")), desk().today()
    if day is None or not today <= day <= today + FARTHEST:
        month = times.month_of(draft, place.code)
        return _render("change_day", draft, wrong, status, place=place, month=month)
    barred = times.barred_days(draft, day, day)
    found = () if barred else times.times_of(draft.need(day), place.code, day)
    halves = times.by_half_day(found)
    return _render("change_time", draft, wrong, status, place=place, day=day, halves=halves)


def _render(
    page: str,
    draft: Draft,
    wrong: str | None,
    status: int,
    **more: Any,  # noqa: ANN401 - what the page shows
) -> ResponseReturnValue:
    html = render_template(
        f"citizen/{page}.html",
        draft=draft,
        errors=forms.in_words({"time": wrong} if wrong else {}),
        slot_name=times.slot_name,
        today=desk().today(),
        now_place=stations.by_code().get(draft.live.place) if draft.live else None,
        **more,
    )
    return html, status


@pages.get("/booked/change")
@open_to("citizen")
def ask_change() -> ResponseReturnValue:
    """Show where and when else there is a place; the ticket's page says what else can be done."""
    draft = _movable()
    if draft is None or draft.live is None or not draft.live.changes_left:
        return redirect(url_for("ticket.booked"), code=303)
    return _change(draft)


@pages.post("/booked/change")
@open_to("citizen")
def change() -> ResponseReturnValue:
    """Move the appointment."""
    draft = _movable()
    if draft is None:
        return redirect(url_for("ticket.booked"), code=303)
    place = stations.named(request.args.get("station", "")[:40])
    named = request.form.get("time", "")
    slot = times.slot_named(named, place.code, today=desk().today()) if place else None
    on = slot.starts_at.astimezone(HERE).date() if slot else None
    if slot is None or on is None or times.barred_days(draft, on, on):
        return _change(draft, "time.empty", 422)
    try:
        _with_dossier(lambda session, dossier: _move(session, dossier, slot))
    except (SlotFull, SlotGone):
        return _change(draft, "time.full", 409)
    except MovedTooOften:
        return _change(draft, "change.too_often", 409)
    except NotNow:
        return nothing()
    return redirect(url_for("ticket.booked", done="changed"), code=303)


def _move(session: Session, dossier: Dossier, slot: SlotRef) -> None:
    appointments.move(session, dossier, slot, now=desk().now())


@pages.post("/booked/other")
@open_to("citizen")
def take_other() -> ResponseReturnValue:
    """Take one of the times that are offered for one the office took away."""
    place, _, name = request.form.get("time", "")[: stations.LONGEST].partition(" ")
    slot = times.slot_named(name, place, today=desk().today())
    if slot is None or mine() is None:
        return redirect(url_for("ticket.booked"), code=303)
    now = desk().now()

    def work(session: Session, dossier: Dossier) -> None:
        rebooking.accept(session, dossier, slot, now=now)

    try:
        _with_dossier(work)
    except (SlotFull, SlotGone):
        return redirect(url_for("ticket.booked", done="gone"), code=303)
    except NotNow:
        return redirect(url_for("ticket.booked"), code=303)
    return redirect(url_for("ticket.booked", done="changed"), code=303)


@pages.get("/booked/cancel")
@open_to("citizen")
def ask_cancel() -> ResponseReturnValue:
    """Ask whether the appointment is really to be cancelled."""
    held = mine()
    if held is None or _movable() is None:
        return redirect(url_for("ticket.booked"), code=303)
    return render_template("citizen/cancel.html", facts=facts(*held))


@pages.post("/booked/cancel")
@open_to("citizen")
def cancel() -> ResponseReturnValue:
    """Cancel it; the dossier stays and may be booked again."""

    def work(session: Session, dossier: Dossier) -> None:
        appointments.cancel(session, dossier, now=desk().now())
        filing.answer(dossier, station=None, day=None)

    try:
        _with_dossier(work)
    except NotNow:
        draft = at_hand()
        if draft is None or draft.live is not None:
            return nothing()
    return redirect(url_for("changing.cancelled"), code=303)


@pages.get("/booked/cancelled")
@open_to("citizen")
def cancelled() -> ResponseReturnValue:
    """Say that it is cancelled, and how to book again."""
    draft = at_hand()
    if draft is None or draft.state is not DossierState.FILED or draft.live is not None:
        return nothing()
    return render_template("citizen/cancelled.html", draft=draft)


@pages.get("/withdraw")
@open_to("citizen")
def ask_withdraw() -> ResponseReturnValue:
    """Ask whether the dossier is really to be withdrawn."""
    draft = at_hand()
    if draft is None or draft.state not in WITHDRAWABLE:
        return nothing()
    return render_template("citizen/withdraw.html", draft=draft)


@pages.post("/withdraw")
@open_to("citizen")
def withdraw() -> ResponseReturnValue:
    """Withdraw the dossier and give its place back."""
    try:
        _with_dossier(lambda session, dossier: filing.withdraw(session, dossier, now=desk().now()))
    except NotNow:
        draft = at_hand()
        if draft is None or draft.state is not DossierState.WITHDRAWN:
            return nothing()
    return redirect(url_for("changing.withdrawn"), code=303)


@pages.get("/withdrawn")
@open_to("citizen")
def withdrawn() -> ResponseReturnValue:
    """Say that it is withdrawn."""
    draft = at_hand()
    if draft is None or draft.state is not DossierState.WITHDRAWN:
        return nothing()
    return render_template("citizen/withdrawn.html", draft=draft)
