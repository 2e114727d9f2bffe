"""An office with two stations, fictitious people and a clock, for the tests of citizens' pages."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from scheduler import horizon, places
from scheduler.database import transaction
from scheduler.places import Rule
from scheduler.tables import SlotRow
from scheduler.tables_waiting import FreedRow
from server.clock import HERE
from server.registry import people
from server.registry.port import Person, Registry
from server.settings import Settings
from server.store.held import a_transaction_is_open
from server.store.tables import Dossier
from server.web.citizen.app import create_app
from tests.clock import Clock

CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
KHUE = "079193990001"
DUNG = "038085990002"
CHILD = "001318990004"
BABY = "001222990005"
OLD = "036141990006"
HANOI = "HN01"


class _Compiled(BytecodeCache):
    """Templates compiled once a test run, not once an app."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


@dataclass(slots=True, kw_only=True)
class Asked:
    """A registry that notes whether the database was held while it was asked."""

    known: dict[str, Person]
    times: int = 0
    in_transaction: bool = False
    raises: Exception | None = None

    def find(self, personal_number: str) -> Person | None:
        self.times += 1
        self.in_transaction = self.in_transaction or a_transaction_is_open()
        if self.raises is not None:
            raise self.raises
        return self.known.get(personal_number)

    def portrait(self, personal_number: str) -> bytes | None:
        raise AssertionError(f"no citizen's page asks for the portrait of {personal_number}")


@dataclass(slots=True, kw_only=True)
class Office:
    """The app with everything behind it."""

    app: Flask
    engine: sa.Engine
    clock: Clock
    registry: Asked
    settings: Settings

    @classmethod
    def open(
        cls, url: str, folder: Path, now: datetime, *, registry: Registry | None = None
    ) -> Self:
        secret = folder / "secret"
        secret.write_bytes(bytes(range(32)))
        settings = Settings(
            database=url,
            data=folder / "data",
            secret_file=secret,
            unseal_socket=folder / "unseal.sock",
            hosts="127.0.0.1,localhost",
            rehearsal=True,
        )
        clock = Clock(now)
        today = now.astimezone(HERE).date()
        asked = Asked(known={p.personal_number: p for p in people.people(16, 1, today)})
        app = create_app(settings, registry=registry or asked, now=clock)
        app.jinja_env.bytecode_cache = _Compiled()
        with transaction(app.engine) as session:
            _open_stations(session, today, now)
        return cls(app=app, engine=app.engine, clock=clock, registry=asked, settings=settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    def browser(self) -> "Browser":
        """Return a browser without cookies."""
        return Browser(client=self.app.test_client())

    def person(self, number: str) -> Person:
        return self.registry.known[number]


def begun(office: Office, number: str, purpose: str = "NEW") -> "Browser":
    """Return a browser that has said why and when the person was born."""
    browser = office.browser()
    browser.get("/book/reason")
    browser.post("/book/reason", {"reason": purpose})
    browser.post("/book/birth", birth_of(office.person(number)))
    return browser


def taken(office: Office) -> int:
    """Return how many places people have anywhere; those given back are kept for others a while."""
    with transaction(office.engine) as session:
        counted = session.scalar(sa.select(sa.func.sum(SlotRow.taken))) or 0
        return counted - (session.scalar(sa.select(sa.func.count()).select_from(FreedRow)) or 0)


def dossier_of(office: Office) -> Dossier:
    """Return the one dossier there is."""
    with transaction(office.engine) as session:
        return session.scalars(sa.select(Dossier)).one()


def _open_stations(session: Session, today: date, now: datetime) -> None:
    for code, name, address, province in (
        (HANOI, "Công an phường Giả Định", "Số 1, phố Ví Dụ, phường Giả Định, Hà Nội", "01"),
        ("DN01", "Công an phường Hòa Mẫu", "Số 2, phố Ví Dụ, phường Hòa Mẫu, Đà Nẵng", "48"),
    ):
        places.add_place(session, code=code, name=name, address=address, province=province)
        for opens, closes in ((time(7, 30), time(11, 30)), (time(13, 30), time(17, 0))):
            rule = Rule(
                opens=opens, closes=closes, step=15, capacity=2, valid_from=today.replace(day=1)
            )
            places.add_rule(session, code, rule)
        ahead = timedelta(days=42 if code == HANOI else 7)
        horizon.materialise(session, code, first=today, last=today + ahead, now=now)


@dataclass(slots=True, kw_only=True)
class Browser:
    """A browser that sends a form's token back, as every browser does."""

    client: FlaskClient
    last: str = ""

    def get(self, path: str) -> TestResponse:
        answer = self.client.get(path, follow_redirects=True)
        if answer.mimetype == "text/html":
            self.last = answer.text
        return answer

    def post(self, path: str, data: dict[str, Any], *, follow: bool = True) -> TestResponse:
        found = CSRF.search(self.last)
        if found is None:
            self.get("/status")
            found = CSRF.search(self.last)
        assert found is not None
        answer = self.client.post(path, data={"csrf": found[1], **data}, follow_redirects=follow)
        if answer.mimetype == "text/html" and answer.text:
            self.last = answer.text
        return answer

    @property
    def path(self) -> str:
        """The wizard's page at hand."""
        return self.client.get("/book/next", follow_redirects=True).request.path

    def heading(self) -> str:
        """What the page at hand says first."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.last, flags=re.DOTALL)
        return re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""


def birth_of(person: Person, *, year_only: bool = False) -> dict[str, str]:
    """Return how somebody types a birth date."""
    day = person.birth_date
    if year_only or person.birth_year_only:
        return {"birth_day": "", "birth_month": "", "birth_year": str(day.year)}
    return {"birth_day": str(day.day), "birth_month": str(day.month), "birth_year": str(day.year)}


def fill(browser: Browser, person: Person, *, purpose: str = "NEW") -> None:
    """Answer every question up to the choice of a station."""
    browser.get("/book/reason")
    browser.post("/book/reason", {"reason": purpose})
    browser.post("/book/birth", birth_of(person))
    if browser.path == "/book/coming":
        browser.post("/book/coming", {})
    identity = {"number": person.personal_number, "name": person.full_name}
    browser.post("/book/identity", identity)
    browser.post("/book/data", {"data": "yes"})
    browser.post("/book/contact", {"phone": "0912 345 678", "email": ""})
    browser.post("/book/requests", {"requests": ["e_identity"]})
    browser.post("/book/delivery", {"delivery": "station"})
    browser.post("/book/priority", {"priority": []})
    if browser.path == "/book/representative":
        mother = {"rep_name": "Nguyễn Thị Minh Khuê", "rep_number": KHUE}
        browser.post("/book/representative", {**mother, "rep_relation": "mother"})


def time_of(day: date, hour: int, minute: int = 0) -> str:
    """Return how a form names a time."""
    moment = datetime.combine(day, time(hour, minute), HERE).astimezone(UTC)
    return f"{moment.isoformat(timespec='minutes')} regular"


def hold(browser: Browser, day: date, hour: int = 8, minute: int = 0) -> TestResponse:
    """Choose the Hanoi station, a day and a time."""
    browser.post("/book/station", {"station": HANOI})
    browser.post("/book/day", {"day": day.isoformat()})
    return browser.post("/book/time", {"time": time_of(day, hour, minute)})


def confirm(browser: Browser) -> TestResponse:
    """Agree and confirm what the page shows."""
    browser.get("/book/confirm")
    found = re.search(r'name="slot" value="([^"]+)"', browser.last)
    assert found is not None, browser.last
    return browser.post("/book/confirm", {"slot": found[1], "agree": "yes"})


def ticket_on(text: str) -> str:
    """Return the ticket a page shows."""
    found = re.search(r'class="ticket-code">([^<]+)<', text)
    assert found is not None, text
    return found[1]


def code_on(text: str) -> str:
    """Return the dossier code a page shows."""
    found = re.search(r"DEMO\.[0-9.]+-[0-9]{6}-[0-9]{6}", text)
    assert found is not None, text
    return found[0]
