"""How a citizen goes the first and the last stretch: books on a phone, later looks up the status.

It drives a browser page and knows only what stands on it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playwright.sync_api import Page

from server.registry.port import Person

CODE = re.compile(r"DEMO(?:\.[0-9]{3})+-[0-9]{6}-[0-9]{6}")
PURPOSE = "EX_REQ"
PHONE = "0912 345 678"
MOST_PAGES = 30


class WayBlocked(Exception):
    """A page is not the one that was expected; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What the citizen takes home."""

    ticket: str
    code: str
    when: str


def fill_birth(page: Page, person: Person) -> None:
    """Type the birth date as the person knows it."""
    day = person.birth_date
    if not person.birth_year_only:
        page.fill("[name=birth_day]", str(day.day))
        page.fill("[name=birth_month]", str(day.month))
    page.fill("[name=birth_year]", str(day.year))


def _send(page: Page) -> None:
    page.locator("main form[method=post] .buttons button").last.click()


def _reason(page: Page, _person: Person) -> None:
    page.check(f"input[name=reason][value={PURPOSE}]")
    _send(page)


def _birth(page: Page, person: Person) -> None:
    fill_birth(page, person)
    _send(page)


def _identity(page: Page, person: Person) -> None:
    page.fill("[name=number]", person.personal_number)
    page.fill("[name=name]", person.full_name)
    _send(page)


def _data(page: Page, _person: Person) -> None:
    page.check("input[name=data][value=yes]")
    _send(page)


def _contact(page: Page, _person: Person) -> None:
    page.fill("[name=phone]", PHONE)
    _send(page)


def _delivery(page: Page, _person: Person) -> None:
    page.check("input[name=delivery][value=station]")
    _send(page)


def _confirm(page: Page, _person: Person) -> None:
    page.check("input[name=agree]")
    _send(page)


def _read_on(page: Page, _person: Person) -> None:
    _send(page)


def _first(selector: str) -> Callable[[Page, Person], None]:
    return lambda page, _person: page.locator(selector).first.click()


ANSWERS: Mapping[str, Callable[[Page, Person], None]] = {
    "reason": _reason,
    "birth": _birth,
    "coming": _read_on,
    "identity": _identity,
    "data": _data,
    "contact": _contact,
    "requests": _read_on,
    "delivery": _delivery,
    "priority": _read_on,
    "station": _first("button[name=station][value=DT001]"),
    "day": _first("table.calendar button[name=day]"),
    "time": _first("button[name=time]"),
    "confirm": _confirm,
}
"""What the citizen does on each page of the wizard."""


def where(page: Page) -> str:
    """Return the last part of the page's address."""
    return page.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]


def book(page: Page, url: str, person: Person, seen: Callable[[str], None]) -> Booking:
    """Go through the wizard to a booked ticket; `seen` is told each page's name.

    Raises:
        WayBlocked: the wizard did not come to an end.
    """
    page.goto(url)
    seen("home")
    page.goto(f"{url}/book/reason")
    for _ in range(MOST_PAGES):
        name = where(page)
        seen(name)
        if name == "booked":
            return _booking(page)
        if name not in ANSWERS:
            raise WayBlocked(f"the wizard led to {page.url}")
        ANSWERS[name](page, person)
        page.wait_for_load_state()
    raise WayBlocked(f"still at {page.url} after {MOST_PAGES} pages")


def _booking(page: Page) -> Booking:
    found = CODE.search(page.inner_text("main"))
    if found is None:
        raise WayBlocked("the ticket's page names no dossier")
    ticket = page.inner_text(".ticket-code")
    return Booking(
        ticket=ticket, code=found[0], when=page.locator("dl.facts dd").first.inner_text()
    )


def look_up(page: Page, url: str, person: Person, code: str) -> str:
    """Return the status's headline for a dossier code and the birth date."""
    page.goto(f"{url}/status")
    page.fill("[name=code]", code)
    fill_birth(page, person)
    _send(page)
    page.wait_for_load_state()
    return page.inner_text("main h1")
