"""The status page: dossier code and birth date in, plain words out; and booking again from there.

Unknown and wrong look the same; tries are counted in the database.
"""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from scheduler.database import transaction
from server.cases import appointments, filing, status, throttle
from server.rules import codes, fields
from server.rules.dossier import DossierState
from server.rules.fields import BirthDate, Refused
from server.web import guard
from server.web.citizen import booking_pages as choosing
from server.web.citizen import forms
from server.web.citizen.desk import TOKEN, desk, network
from server.web.guard import open_to
from server.web.shell import language, t, words

pages = Blueprint("look_up", __name__)

PREFIX = -3
"""The code without its last three digits: running through one day's numbers is one bucket."""


@pages.get("/status")
@open_to("citizen")
def ask() -> ResponseReturnValue:
    """Ask for code and birth date."""
    return render_template("citizen/status.html", wrong={}, values={})


def _read() -> tuple[str, BirthDate | None, dict[str, str]]:
    errors: dict[str, str] = {}
    code, birth = "", None
    try:
        code = codes.parse(request.form.get("code", ""))
    except codes.CodeInvalid:
        errors["code"] = "code.wrong"
    try:
        birth = fields.birth_date(request.form, "birth", today=desk().today())
    except Refused as refused:
        errors["birth"] = str(refused)
    return code, birth, errors


def _slow_down(code: str) -> None:
    """Count a try in a transaction of its own: it counts whatever comes after.

    Raises:
        TooManyRequests: there were too many.
    """
    here = desk()
    now = here.now()
    with transaction(here.engine) as session:
        wait = max(
            throttle.count(session, limit, what, secret=here.secret, now=now)
            for limit, what in (
                (status.BY_NETWORK, network()),
                (status.BY_CODE, code),
                (status.BY_PREFIX, code[:PREFIX]),
            )
        )
    if wait:
        raise TooManyRequests(retry_after=wait)


def _refused(errors: dict[str, str]) -> ResponseReturnValue:
    page = render_template("citizen/status.html", wrong=errors, values=forms.raw(request.form))
    return page, 422


def _told(message: dict[str, str] | None) -> list[str]:
    """Return the officer's message in words: the reason from the table, then their own text."""
    if not message:
        return []
    key = f"message.{message.get('code', '')}"
    said = [t(key)] if key in words() else []
    own = message.get("text")
    return [*said, own] if own else said


@pages.post("/status")
@open_to("citizen")
def look() -> ResponseReturnValue:
    """Show where the dossier stands, or that nothing fits."""
    here = desk()
    code, birth, errors = _read()
    if birth is None or errors:
        return _refused(errors)
    _slow_down(code)
    with transaction(here.engine) as session:
        dossier = status.find(session, code, birth)
        seen = status.see(session, dossier) if dossier is not None else None
    if seen is None:
        return _refused({"code": "code.unknown"})
    return render_template(
        "citizen/standing.html",
        seen=seen,
        national=seen.line.national_name.in_(language()),
        told=_told(seen.message),
        place=choosing.place_names().get(seen.place or ""),
        entered=forms.raw(request.form),
    )


@pages.post("/status/book")
@open_to("citizen")
def book_again() -> ResponseReturnValue:
    """Give this browser the dossier's token, to choose a new time without entering data again."""
    here = desk()
    code, birth, errors = _read()
    if birth is None or errors:
        return _refused(errors)
    _slow_down(code)
    with transaction(here.engine) as session:
        dossier = status.find(session, code, birth)
        bookable = (
            dossier is not None
            and dossier.state is DossierState.FILED
            and appointments.live(session, dossier) is None
        )
        token = None
        if dossier is not None and bookable:
            token = filing.new_token(dossier)
            filing.answer(dossier, station=None, day=None)
    if token is None:
        return _refused({"code": "code.unknown"})
    response = make_response(redirect(url_for("booking.ask", page="station"), code=303))
    guard.set_cookie(response, TOKEN, token, max_age=None)
    return response
