"""Reads the wizard's forms: what was entered, cleaned, or why not, field by field.

It stores nothing and asks nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from server.rules import card_qr, cases, codes, dates, fields, lists, numbers, tickets
from server.rules import priority as groups
from server.rules.ages import age_on
from server.rules.fields import Refused
from server.web.shell import t

Form = MultiDict[str, str]
RAW_LONGEST = 600
"""Characters of a field that come back to somebody who entered something unusable."""
FIELDS = frozenset(
    {
        *("reason", "birth_day", "birth_month", "birth_year", "number", "name", "qr", "data"),
        *("phone", "email", "notify", "requests", "delivery", "address", "priority"),
        *("rep_name", "rep_number", "rep_relation", "code", "ticket"),
    }
)
"""What our forms ask for; any other name somebody sends is not kept."""
OF_AGE = 18
"""Years from which somebody may represent another: Civil Code 91/2015/QH13, article 20."""
DELIVERIES = ("station", "post")
SEVERAL = frozenset({"requests", "priority"})
"""Of these somebody may tick more than one."""
NOTIFY = ("sms", "zalo", "email", "none")
"""How somebody wants to be reminded."""
RELATIONS = ("father", "mother", "guardian", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a form held: values where there are no errors."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    """Key of the sentence by field."""


def in_words(errors: Mapping[str, str]) -> dict[str, str]:
    """Return the sentence by field."""
    return {name: t(key) for name, key in errors.items()}


def raw(form: Form) -> dict[str, Any]:
    """Return what was entered as it was, shortened, to fill the form again."""
    kept: dict[str, Any] = {}
    for name in [name for name in form if name in FIELDS]:
        values = [value[:RAW_LONGEST].replace("\x00", "") for value in form.getlist(name)[:20]]
        kept[name] = values if name in SEVERAL else values[0]
    return kept


def _collect(readers: Mapping[str, Callable[[], Any]]) -> Read:
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, read in readers.items():
        try:
            values[name] = read()
        except Refused as refused:
            errors[name] = str(refused)
    return Read(errors=errors) if errors else Read(values=values)


def choice(form: Form, name: str, allowed: tuple[str, ...], otherwise: str) -> str:
    """Return the chosen value.

    Raises:
        Refused: nothing, or something that was not offered, was chosen.
    """
    chosen = form.get(name, "")
    if chosen not in allowed:
        raise Refused(otherwise)
    return chosen


def reason(form: Form, profile: str) -> Read:
    """Return the case."""
    offered = tuple(case.code for case in cases.cases(profile))
    return _collect({"reason": lambda: choice(form, "reason", offered, "reason.empty")})


def birth(form: Form, today: date) -> Read:
    """Return the birth date."""

    def read() -> dict[str, Any]:
        born = fields.birth_date(form, "birth", today=today)
        return {"day": born.day.isoformat(), "year_only": born.year_only}

    return _collect({"birth": read})


def birth_date(said: Mapping[str, Any]) -> fields.BirthDate:
    """Return a birth date as it was kept by `birth`."""
    return fields.BirthDate(day=date.fromisoformat(said["day"]), year_only=said["year_only"])


def _number(text: str) -> str:
    if not text.strip():
        raise Refused("number.empty")
    try:
        return numbers.parse(text)
    except numbers.NumberInvalid:
        raise Refused("number.wrong") from None


def identity(form: Form) -> Read:
    """Return number and name."""
    return _collect(
        {
            "number": lambda: _number(form.get("number", "")),
            "name": lambda: fields.name(form.get("name", "")),
        }
    )


def code_and_birth(form: Form, today: date) -> Read:
    """Return a dossier's code and the birth date that opens it."""

    def read() -> str:
        try:
            return codes.parse(form.get("code", ""))
        except codes.CodeInvalid:
            raise Refused("code.wrong") from None

    return _collect({"code": read, "birth": lambda: fields.birth_date(form, "birth", today=today)})


def ticket_and_birth(form: Form, today: date) -> Read:
    """Return a ticket and the birth date that opens it."""

    def read() -> str:
        try:
            return tickets.parse(form.get("ticket", ""))
        except tickets.TicketInvalid:
            raise Refused("ticket.wrong") from None

    return _collect(
        {"ticket": read, "birth": lambda: fields.birth_date(form, "birth", today=today)}
    )


def card_text(form: Form) -> Read:
    """Return number, name and birth date from the pasted text of a card's QR code."""

    def read() -> card_qr.CardText:
        try:
            return card_qr.parse(form.get("qr", ""))
        except card_qr.QrUnreadable:
            raise Refused("qr.unreadable") from None

    return _collect({"qr": read})


def data(form: Form) -> Read:
    """Return whether the registry's data are right."""
    return _collect({"data": lambda: choice(form, "data", ("yes", "no"), "data.empty")})


def contact(form: Form) -> Read:
    """Return phone and e-mail, and which of them is used for reminders."""

    def email() -> str:
        found = fields.email(form.get("email", "")) or ""
        if not found and form.get("notify") == "email":
            raise Refused("notify.no_email")
        return found

    return _collect(
        {
            "phone": lambda: fields.phone(form.get("phone", "")),
            "email": email,
            # Who leaves it as it is gets text messages: every phone takes them.
            "notify": lambda: (
                choice(form, "notify", NOTIFY, "notify.empty") if "notify" in form else NOTIFY[0]
            ),
        }
    )


def requests(form: Form) -> Read:
    """Return what is asked for beside the card; nothing is an answer too."""
    offered = [entry.code for entry in lists.requests()]
    return Read(values={"requests": [code for code in offered if code in form.getlist("requests")]})


def delivery(form: Form) -> Read:
    """Return where the card goes."""
    read = _collect({"delivery": lambda: choice(form, "delivery", DELIVERIES, "delivery.empty")})
    if read.errors or read.values["delivery"] == "station":
        return Read(values={**read.values, "address": ""}) if not read.errors else read

    def address() -> str:
        text = fields.line(form.get("address", ""))
        if len(text) < 10:  # noqa: PLR2004 - a house, a street and a commune are longer
            raise Refused("address.empty")
        return text

    return _collect({"delivery": lambda: "post", "address": address})


def priority(form: Form) -> Read:
    """Return who lets us know that they are let go first; nobody has to."""
    offered = [entry.code for entry in groups.declarable()]
    return Read(values={"priority": [code for code in offered if code in form.getlist("priority")]})


def representative(form: Form, today: date, whose: str | None) -> Read:
    """Return who comes with the child and signs; their number says that they are of age."""

    def number() -> str:
        found = _number(form.get("rep_number", ""))
        if found == whose:
            raise Refused("representative.child")
        if age_on(date(numbers.meaning(found).year, 1, 1), today) < OF_AGE:
            raise Refused("representative.young")
        return found

    read = _collect(
        {
            "rep_name": lambda: fields.name(form.get("rep_name", "")),
            "rep_number": number,
            "rep_relation": lambda: choice(form, "rep_relation", RELATIONS, "relation.empty"),
        }
    )
    if read.errors:
        return read
    return Read(
        values={
            "representative": {
                "name": read.values["rep_name"],
                "personal_number": read.values["rep_number"],
                "relation": read.values["rep_relation"],
            }
        }
    )


def family_person(form: Form, today: date, profile: str) -> Read:
    """Return everything that is asked of one of a family: case, birth date, number, name."""
    parts = (reason(form, profile), birth(form, today), identity(form), priority(form))
    errors = {name: key for part in parts for name, key in part.errors.items()}
    if errors:
        return Read(errors=errors)
    return Read(values={name: value for part in parts for name, value in part.values.items()})


def day(text: str) -> date | None:
    """Return the day in ``2026-11-24`` on which an appointment may be, or None."""
    return dates.day(text)
