"""The status page: dossier code and birth date in, plain words out; and what to do next from there.

Unknown and wrong look the same; tries are counted in the database.
"""

from collections.abc import Callable, Mapping

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.database import transaction
from server.cases import appointments, families, filing, status, waiting
from server.registry.port import RegistryDown
from server.rules.dossier import DossierState, NotNow
from server.rules.fields import BirthDate
from server.web import guard
from server.web.citizen import forms, stations, waiters
from server.web.citizen.desk import TOKEN, desk, network, slow_down
from server.web.citizen.family_desk import TOKEN as FAMILY_TOKEN
from server.web.guard import open_to
from server.web.shell import language, t, words

pages = Blueprint("look_up", __name__)

PREFIX = -3
"""The code without its last three digits: running through one day's numbers is one bucket."""
LONGEST = 60
"""Characters of a code that came with a message's link."""
DATA_WRONG = "data_wrong"
"""The officer's message that only a corrected record answers."""


def _ask(wrong: Mapping[str, str], code: int) -> ResponseReturnValue:
    page = render_template(
        "citizen/status.html",
        errors=forms.in_words(wrong),
        values=forms.raw(request.form),
        given=request.args.get("code", "")[:LONGEST],
    )
    return page, code


def _unknown() -> ResponseReturnValue:
    return _ask({"code": "code.unknown"}, 422)


@pages.get("/status")
@open_to("citizen")
def ask() -> ResponseReturnValue:
    """Ask for code and birth date."""
    return _ask({}, 200)


def _entered(use: Callable[[str, BirthDate], ResponseReturnValue]) -> ResponseReturnValue:
    """Give what was entered to `use`, with the try counted; or say what is wrong with it."""
    read = forms.code_and_birth(request.form, desk().today())
    if read.errors:
        return _ask(read.errors, 422)
    code: str = read.values["code"]
    slow_down(
        (status.BY_NETWORK, network()), (status.BY_CODE, code), (status.BY_PREFIX, code[:PREFIX])
    )
    return use(code, read.values["birth"])


def _told(message: Mapping[str, str] | None) -> list[str]:
    """Return the officer's message in words: the reason from the table, then their own text."""
    if not message:
        return []
    key = f"message.{message.get('code', '')}"
    said = [t(key)] if key in words() else []
    own = message.get("text")
    return [*said, own] if own else said


def _standing(
    code: str, birth: BirthDate, *, note: str | None = None, answer: int = 200
) -> ResponseReturnValue:
    with transaction(desk().engine) as session:
        dossier = status.find(session, code, birth)
        seen = status.see(session, dossier) if dossier is not None else None
        books = dossier is not None and seen is not None and seen.line.may_book
        waits = waiting.to_return_to(session, dossier) if dossier is not None and books else None
    if seen is None:
        return _unknown()
    page = render_template(
        "citizen/standing.html",
        seen=seen,
        waits=waits,
        national=seen.line.national_name.in_(language()),
        told=_told(seen.message),
        place=stations.by_code().get(seen.place or ""),
        entered=forms.raw(request.form),
        note=note,
    )
    return page, answer


@pages.post("/status")
@open_to("citizen")
def look() -> ResponseReturnValue:
    """Show where the dossier stands, or that nothing fits."""
    return _entered(_standing)


def _book(code: str, birth: BirthDate) -> ResponseReturnValue:
    with transaction(desk().engine) as session:
        dossier = status.find(session, code, birth)
        if dossier is None or dossier.state is not DossierState.FILED:
            return _unknown()
        if appointments.live(session, dossier) is not None:
            return _unknown()
        waits = waiting.to_return_to(session, dossier) is not None
        family = families.told_by(session, dossier) if waits else None
        if family is not None:
            who, name, token = waiters.FAMILY, FAMILY_TOKEN, families.new_token(family)
        else:
            who, name, token = None, TOKEN, filing.new_token(dossier)
            filing.answer(dossier, station=None, day=None)
    ask = url_for("booking.ask", page="station")
    response = make_response(redirect(url_for("waiting.show", who=who) if waits else ask, code=303))
    guard.set_cookie(response, name, token, max_age=None)
    return response


@pages.post("/status/book")
@open_to("citizen")
def book_again() -> ResponseReturnValue:
    """Give this browser the dossier's token, to choose a new time without entering data again."""
    return _entered(_book)


def _corrected(code: str, birth: BirthDate) -> ResponseReturnValue:
    here = desk()
    with transaction(here.engine) as session:
        dossier = status.find(session, code, birth)
    if dossier is None or dossier.personal_number is None:
        return _unknown()
    if dossier.state is not DossierState.TO_CORRECT:
        return _standing(code, birth)
    # The transaction is over: the registry may take its time.
    try:
        person = here.registry.find(dossier.personal_number)
    except RegistryDown:
        return _standing(code, birth, note="standing.down", answer=503)
    asked_for = (dossier.message or {}).get("code")
    if person is None or (asked_for == DATA_WRONG and person.as_json() == dossier.person):
        return _standing(code, birth, note="standing.unchanged", answer=422)
    with transaction(here.engine) as session:
        again = status.find(session, code, birth)
        try:
            if again is not None:
                filing.file_again(session, again, person, secret=here.secret, now=here.now())
        except NotNow:
            return _standing(code, birth)
    known = BirthDate(day=person.birth_date, year_only=person.birth_year_only)
    return _standing(code, known, note="standing.corrected")


@pages.post("/status/corrected")
@open_to("citizen")
def corrected() -> ResponseReturnValue:
    """Look whether the record was corrected since, and give the dossier back to the officers."""
    return _entered(_corrected)
