"""Booking for a family: whom to reach, who comes, and whether each one's data are right.

Where and when they come is asked in `family_booking`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from scheduler.database import transaction
from server.cases import families, filing, registry_check
from server.cases.families import FamilyFull, FamilyUnknown
from server.cases.registry_check import Finding
from server.registry.port import Person as Recorded
from server.rules import cases, numbers, priority
from server.rules.ages import age_on
from server.rules.dossier import NotNow
from server.store.tables import Family
from server.web import guard
from server.web.citizen import forms
from server.web.citizen.desk import desk, network, slow_down
from server.web.citizen.family_desk import TOKEN, Person, View, at_hand, go, with_family
from server.web.guard import open_to
from server.web.shell import language

pages = Blueprint("family", __name__)

CONTACT = ("phone", "email", "notify")


@pages.errorhandler(FamilyUnknown)
def _unknown(_error: FamilyUnknown) -> ResponseReturnValue:
    return go()


@pages.get("/family")
@open_to("citizen")
def show() -> ResponseReturnValue:
    """Show who comes, or what a family booking is."""
    family = at_hand()
    if family is None:
        return _begin({}, {}, 200)
    if family.booked and not family.to_book:
        return go("family_booking.booked")
    return render_template("citizen/family.html", family=family, note=request.args.get("note"))


def _begin(values: Mapping[str, Any], wrong: Mapping[str, str], status: int) -> ResponseReturnValue:
    page = render_template(
        "citizen/family_begin.html",
        values=values,
        errors=forms.in_words(wrong),
        most=families.MOST,
    )
    return page, status


@pages.post("/family/begin")
@open_to("citizen")
def begin() -> ResponseReturnValue:
    """Begin with how the family is reached; pressed again, it changes that."""
    read = forms.contact(request.form)
    if read.errors:
        return _begin(forms.raw(request.form), read.errors, 422)
    here = desk()
    with transaction(here.engine) as session:
        family = families.of_token(session, guard.cookie(TOKEN))
        token = None
        if family is None:
            family, token = families.begin(session, language=language(), now=here.now())
        families.answer(family, **read.values)
    response = make_response(go())
    if token is not None:
        kept = int(filing.DRAFT_KEPT.total_seconds())
        guard.set_cookie(response, TOKEN, token, max_age=kept)
    return response


def _ask_person(
    family: View,
    values: Mapping[str, Any],
    wrong: Mapping[str, str],
    status: int = 200,
    finding: Finding | None = None,
) -> ResponseReturnValue:
    page = render_template(
        "citizen/family_person.html",
        family=family,
        values=values,
        errors=forms.in_words(wrong),
        finding=finding,
        offered=cases.cases(),
        groups=priority,
    )
    return page, status


@pages.get("/family/add")
@open_to("citizen")
def ask_person() -> ResponseReturnValue:
    """Ask for one person."""
    family = at_hand()
    if family is None or not family.room:
        return go()
    return _ask_person(family, {}, {})


@pages.post("/family/add")
@open_to("citizen")
def add_person() -> ResponseReturnValue:
    """Compare the person with the registry; add them if they fit."""
    here, family = desk(), at_hand()
    if family is None or not family.room:
        return go()
    typed = forms.raw(request.form)
    read = forms.family_person(request.form, here.today(), cases.DEFAULT_PROFILE)
    if read.errors:
        return _ask_person(family, typed, read.errors, 422)
    wrong = _not_fit(family, read.values)
    if wrong:
        return _ask_person(family, typed, wrong, 422)
    number = read.values["number"]
    slow_down(
        (registry_check.BY_DRAFT, str(family.id)),
        (registry_check.BY_NETWORK, network()),
        (registry_check.BY_NUMBER, number),
    )
    found = registry_check.check(
        here.registry,
        number=number,
        name=read.values["name"],
        birth=forms.birth_date(read.values["birth"]),
    )
    if found.person is None:
        status = 503 if found.finding is Finding.DOWN else 422
        return _ask_person(family, typed, {}, status, found.finding)
    try:
        added = _add(found.person, read.values, found.doubts)
    except FamilyFull:
        return go()
    return go("family.ask_check", number=added)


def _not_fit(family: View, said: Mapping[str, Any]) -> dict[str, str]:
    """Return why somebody cannot be added, by field: there already, or need not come at all."""
    today = desk().today()
    if any(
        one.draft.person is not None and one.draft.person.personal_number == said["number"]
        for one in family.people
    ):
        return {"number": "family.twice"}
    born = forms.birth_date(said["birth"]).day
    outcome = cases.coming(said["reason"], born, today)
    return {} if outcome.may_book else {"reason": f"coming.{outcome.value}.title"}


def _add(person: Recorded, said: Mapping[str, Any], doubts: tuple[numbers.Doubt, ...]) -> int:
    here = desk()
    now = here.now()

    def work(session: Session, family: Family) -> int:
        number, dossier = families.add(session, family, purpose=said["reason"], now=now)
        filing.know(dossier, person, secret=here.secret)
        outcome = cases.coming(said["reason"], person.birth_date, here.today())
        filing.answer(
            dossier,
            birth=said["birth"],
            priority=said["priority"],
            coming=outcome.value,
            doubts=[doubt.value for doubt in doubts] or None,
        )
        return number

    return with_family(work)


def _adults(family: View, but: Person) -> list[Person]:
    """Return who of the family may come with a child and sign."""
    today = desk().today()
    return [
        one
        for one in family.people
        if one.number != but.number
        and one.draft.person is not None
        and age_on(one.draft.person.birth_date, today) >= forms.OF_AGE
    ]


def _check(
    family: View, one: Person, wrong: Mapping[str, str], status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "citizen/family_check.html",
        family=family,
        one=one,
        person=one.draft.person,
        adults=_adults(family, one),
        values=forms.raw(request.form),
        errors=forms.in_words(wrong),
    )
    return page, status


def _unchecked(number: int) -> tuple[View, Person] | None:
    family = at_hand()
    one = family.person(number) if family is not None else None
    if family is None or one is None or one not in family.to_book or one.draft.code is not None:
        return None
    return family, one


@pages.get("/family/<int:number>/check")
@open_to("citizen")
def ask_check(number: int) -> ResponseReturnValue:
    """Show what the registry says of a person, and ask who comes with a child."""
    there = _unchecked(number)
    return go() if there is None else _check(*there, {})


@pages.post("/family/<int:number>/check")
@open_to("citizen")
def take_check(number: int) -> ResponseReturnValue:
    """Keep that the data are right, and who comes along; take the person off if they are not."""
    there = _unchecked(number)
    if there is None:
        return go()
    family, one = there
    read = forms.data(request.form)
    if read.errors:
        return _check(family, one, read.errors, 422)
    if read.values["data"] == "no":
        _take_off(number)
        return go(note="wrong")
    values: dict[str, Any] = {"data": "yes"}
    if one.accompanied:
        child = one.draft.person.personal_number if one.draft.person else None
        along = forms.representative(_with_adult(family, one), desk().today(), child)
        if along.errors:
            return _check(family, one, along.errors, 422)
        values |= along.values

    def work(session: Session, row: Family) -> None:
        dossier = families.numbered(session, row).get(number)
        if dossier is not None:
            filing.answer(dossier, **values)

    with_family(work)
    return go()


def _with_adult(family: View, child: Person) -> forms.Form:
    """Return the form with name and number of the chosen adult of the family filled in."""
    form: forms.Form = MultiDict(request.form)
    chosen = form.get("rep", "")
    adult = next((a for a in _adults(family, child) if chosen == str(a.number)), None)
    if adult is not None and adult.draft.person is not None:
        form["rep_name"] = adult.draft.person.full_name
        form["rep_number"] = adult.draft.person.personal_number
    return form


@pages.post("/family/<int:number>/remove")
@open_to("citizen")
def remove(number: int) -> ResponseReturnValue:
    """Take a person off the list before anything is booked."""
    _take_off(number)
    return go()


def _take_off(number: int) -> None:
    now = desk().now()

    def work(session: Session, family: Family) -> None:
        try:
            families.remove(session, family, number, now=now)
        except NotNow:
            return  # gone already, or booked: the list says so

    with_family(work)


@pages.post("/family/forget")
@open_to("citizen")
def forget() -> ResponseReturnValue:
    """Take the token from this browser; people who are not booked are deleted."""
    now = desk().now()

    def work(session: Session, family: Family) -> None:
        for number in families.numbered(session, family):
            try:
                families.remove(session, family, number, now=now)
            except NotNow:
                continue

    if at_hand() is not None:
        with_family(work)
    response = make_response(redirect(url_for("home.home"), code=303))
    guard.drop_cookie(response, TOKEN)
    return response
