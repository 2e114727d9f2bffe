"""The wizard's questions up to the choice of a place: who, why, and what else is asked for.

Each answer is stored as it is given; the registry is asked between two transactions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.database import retrying, transaction
from server.cases import filing, registry_check
from server.cases.registry_check import Finding
from server.rules import cases, lists, priority
from server.rules.dossier import DossierState
from server.web import guard
from server.web.citizen import forms, steps
from server.web.citizen.desk import TOKEN, Draft, at_hand, desk, network, slow_down, taken
from server.web.citizen.forms import Read, in_words
from server.web.guard import open_to
from server.web.shell import language

pages = Blueprint("wizard", __name__)

BIRTH_PARTS = ("birth_day", "birth_month", "birth_year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a page is rendered with beside the draft."""

    values: Mapping[str, Any]
    errors: Mapping[str, str]
    finding: Finding | None = None


def address(page: str, note: str | None = None) -> str:
    """Return the address of a page of the wizard, with what it should mention."""
    endpoint = "booking.ask" if page in steps.BOOKING else "wizard.ask"
    return url_for(endpoint, page=page, note=note)


def back_from(page: str, draft: Draft | None) -> str:
    """Return the address of the page before, the start's at the first."""
    before = steps.before(page, draft, desk().today())
    return address(before) if before else url_for("wizard.start")


def go(page: str, note: str | None = None) -> ResponseReturnValue:
    """Send the browser to a page of the wizard."""
    return redirect(address(page, note), code=303)


def onward() -> ResponseReturnValue:
    """Send the browser to the first page without an answer."""
    draft = at_hand()
    return go(steps.next_page(draft, desk().today()))


def _values(page: str, draft: Draft | None) -> dict[str, Any]:
    """Return what fills the form: what was last typed there, else what is stored."""
    if draft is None:
        return {}
    typed = draft.answers.get("typed", {}).get(page)
    if typed is not None:
        return dict(typed)
    stored = dict(draft.answers)
    stored["reason"] = draft.purpose
    if draft.birth is not None:
        day = draft.birth.day
        parts = ("", "") if draft.birth.year_only else (f"{day.day:02d}", f"{day.month:02d}")
        stored.update(zip(BIRTH_PARTS, (*parts, str(day.year)), strict=True))
    if draft.person is not None:
        stored.setdefault("number", draft.person.personal_number)
        stored.setdefault("name", draft.person.full_name)
    representative = draft.answers.get("representative", {})
    stored["rep_name"] = representative.get("name", "")
    stored["rep_number"] = representative.get("personal_number", "")
    stored["rep_relation"] = representative.get("relation", "")
    return stored


def _render(page: str, draft: Draft | None, said: Said, status: int = 200) -> ResponseReturnValue:
    today = desk().today()
    html = render_template(
        f"citizen/{page}.html",
        page=page,
        draft=draft,
        values=said.values,
        errors=in_words(said.errors),
        finding=said.finding,
        back=back_from(page, draft),
        position=steps.position(page, draft, today),
        outcome=draft.advice(today) if draft else None,
        first_day=draft.first_day(today) if draft else None,
        address=address,
        asked_for=lists.requests(),
        groups=priority,
        offered=cases.cases(draft.profile if draft else cases.DEFAULT_PROFILE),
        today=today,
    )
    return html, status


def _editing() -> Draft | None:
    """Return the draft that is still being filled in."""
    draft = at_hand()
    return draft if draft is not None and draft.state is DossierState.DRAFT else None


@pages.get("/book")
@open_to("citizen")
def start() -> ResponseReturnValue:
    """Show what is needed before beginning."""
    return render_template("citizen/start.html", draft=_editing())


@pages.get("/book/next")
@open_to("citizen")
def proceed() -> ResponseReturnValue:
    """Go on where the citizen stopped."""
    return onward()


@pages.get(
    "/book/<any(reason,birth,coming,identity,data,contact,requests,delivery,priority,"
    "representative):page>"
)
@open_to("citizen")
def ask(page: str) -> ResponseReturnValue:
    """Ask one question."""
    draft = _editing()
    if not steps.may_see(page, draft, desk().today()):
        return go(steps.next_page(at_hand(), desk().today()))
    return _render(page, draft, Said(values=_values(page, draft), errors={}))


def _store(page: str, typed: Mapping[str, Any] | None = None, **values: Any) -> None:  # noqa: ANN401 - JSON values
    """Keep answers; of what was typed on the page keep `typed`, nothing once it is right."""
    with transaction(desk().engine) as session:
        dossier = taken(session)
        if dossier is not None and dossier.state is DossierState.DRAFT:
            others = {n: v for n, v in dossier.answers.get("typed", {}).items() if n != page}
            all_typed = {**others, page: dict(typed)} if typed else others
            filing.answer(dossier, typed=all_typed or None, **values)


def _refuse(
    page: str, draft: Draft | None, read: Read, status: int = 422, finding: Finding | None = None
) -> ResponseReturnValue:
    """Show the form again as it was typed, and keep it: a reload in another language loses none."""
    typed = forms.raw(request.form)
    if draft is not None:
        _store(page, typed)
    return _render(page, draft, Said(values=typed, errors=read.errors, finding=finding), status)


@pages.post("/book/reason")
@open_to("citizen")
def take_reason() -> ResponseReturnValue:
    """Begin a draft, or change the case of the one at hand."""
    here, draft = desk(), _editing()
    read = forms.reason(request.form, draft.profile if draft else cases.DEFAULT_PROFILE)
    if read.errors:
        return _refuse("reason", draft, read)
    now, purpose = here.now(), read.values["reason"]
    with transaction(here.engine) as session:
        dossier = taken(session)
        if dossier is not None and dossier.state is DossierState.DRAFT:
            if dossier.purpose != purpose:
                filing.change_purpose(session, dossier, purpose, now=now)
            return go("birth")
        _, token = filing.begin(session, purpose=purpose, now=now, language=language())
    response = make_response(go("birth"))
    # As long as the draft is kept: whoever closes the browser goes on tomorrow.
    kept = int(filing.DRAFT_KEPT.total_seconds())
    guard.set_cookie(response, TOKEN, token, max_age=kept)
    return response


@pages.post("/book/birth")
@open_to("citizen")
def take_birth() -> ResponseReturnValue:
    """Keep the birth date; another one makes the data check void."""
    here, draft = desk(), _editing()
    if draft is None:
        return go("reason")
    read = forms.birth(request.form, here.today())
    if read.errors:
        return _refuse("birth", draft, read)
    if read.values["birth"] != draft.answers.get("birth"):
        with transaction(here.engine) as session:
            dossier = taken(session)
            if dossier is not None and dossier.state is DossierState.DRAFT:
                filing.forget(session, dossier, now=here.now())
                filing.answer(dossier, data=None, coming=None)
    _store("birth", **read.values)
    return onward()


@pages.post("/book/coming")
@open_to("citizen")
def take_coming() -> ResponseReturnValue:
    """Keep that the advice was read."""
    draft = _editing()
    outcome = draft.advice(desk().today()) if draft else None
    if outcome is not None and outcome.may_book:
        _store("coming", coming=outcome.value)
    return onward()


def _fill_from_card(draft: Draft) -> ResponseReturnValue:
    """Fill the form from the pasted text of a card; the citizen still looks and sends it."""
    read = forms.card_text(request.form)
    if read.errors:
        return _refuse("identity", draft, read)
    card = read.values["qr"]
    values = {"number": card.personal_number, "name": card.full_name}
    _store("identity", values)
    birth = draft.birth
    if birth is not None and not birth.year_only and birth.day != card.birth_date:
        said = Said(values=values, errors={"number": "qr.other_birth"})
        return _render("identity", draft, said, 422)
    return go("identity", "filled")


@pages.post("/book/identity")
@open_to("citizen")
def take_identity() -> ResponseReturnValue:
    """Compare number, name and birth date with the registry; keep the person if they fit."""
    here, draft = desk(), _editing()
    if draft is None or draft.birth is None:
        return onward()
    if "fill" in request.form:
        return _fill_from_card(draft)
    read = forms.identity(request.form)
    if read.errors:
        return _refuse("identity", draft, read)
    slow_down(
        (registry_check.BY_DRAFT, str(draft.id)),
        (registry_check.BY_NETWORK, network()),
        (registry_check.BY_NUMBER, read.values["number"]),
    )
    found = registry_check.check(
        here.registry, number=read.values["number"], name=read.values["name"], birth=draft.birth
    )
    if found.person is None:
        status = 503 if found.finding is Finding.DOWN else 422
        return _refuse("identity", draft, Read(), status, found.finding)
    with transaction(here.engine) as session:
        dossier = taken(session)
        if dossier is not None and dossier.state is DossierState.DRAFT:
            if dossier.person != found.person.as_json():
                filing.forget(session, dossier, now=here.now())
                filing.answer(dossier, data=None)
            filing.know(dossier, found.person, secret=here.secret)
    _store("identity", doubts=[doubt.value for doubt in found.doubts] or None)
    return onward()


@pages.post("/book/<any(data,contact,requests,delivery,priority,representative):page>")
@open_to("citizen")
def take(page: str) -> ResponseReturnValue:
    """Keep the answer of a page that asks nobody else."""
    here, draft = desk(), _editing()
    if draft is None or not steps.may_see(page, draft, here.today()):
        return onward()
    whose = draft.person.personal_number if draft.person else None
    form = request.form
    match page:
        case "data":
            read = forms.data(form)
        case "contact":
            read = forms.contact(form)
        case "requests":
            read = forms.requests(form)
        case "delivery":
            read = forms.delivery(form)
        case "priority":
            read = forms.priority(form)
        case _:
            read = forms.representative(form, here.today(), whose)
    if read.errors:
        return _refuse(page, draft, read)
    _store(page, **read.values)
    if read.values.get("data") == "no":
        _give_back()
        return go("data")
    return onward()


def _give_back() -> None:
    """Give a held place back: with wrong data nobody is to come."""
    here = desk()

    def work(session: Session) -> None:
        dossier = taken(session)
        if dossier is not None:
            filing.give_back(session, dossier, now=here.now())

    retrying(here.engine, work)


@pages.post("/forget")
@open_to("citizen")
def forget() -> ResponseReturnValue:
    """Take the token from this browser, which others use too, and delete what is not filed."""
    here = desk()

    def work(session: Session) -> None:
        dossier = taken(session)
        if dossier is not None and dossier.state is DossierState.DRAFT:
            filing.give_back(session, dossier, now=here.now())
            filing.lapse(session, dossier, now=here.now(), actor=filing.CITIZEN)

    retrying(here.engine, work)
    response = make_response(redirect(url_for("home.home"), code=303))
    guard.drop_cookie(response, TOKEN)
    return response
