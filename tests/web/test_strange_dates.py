"""Days and moments at the ends of the calendar, sent to every page and program: refused, kept."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler.database import reading
from scheduler.tables import AppointmentRow
from tests import officers
from tests.officers import STATION
from tests.web import test_citizen_family, test_officer_assisted
from tests.web.api_stage import BOOKINGS, Programs, opened, slot
from tests.web.citizens import CHILD, HANOI, KHUE, Office, confirm, fill, hold
from tests.web.test_citizen_waiting import FORM

DAY = date(2026, 11, 30)
DAYS = ("0001-01-01", "1999-12-31", "2000-01-01", "2199-12-31", "2200-01-01", "9999-12-31")
MOMENTS = (
    "0001-01-01T00:00+14:00",
    "0001-01-01T00:00+00:00",
    "2000-01-01T00:00+14:00",
    "2199-12-31T23:59-12:00",
    "9999-12-31T23:59+00:00",
    "9999-12-31T23:59-12:00",
)
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as there:
        yield there


@pytest.fixture
def programs(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Programs]:
    with opened(database_url, tmp_path, now) as there:
        yield there


@pytest.fixture
def desk(engine: sa.Engine, tmp_path: Path, now: datetime) -> officers.Office:
    return officers.Office(engine, tmp_path, now)


def _booked(engine: sa.Engine) -> list[datetime]:
    with reading(engine) as session:
        return list(session.scalars(sa.select(AppointmentRow.starts_at)))


@pytest.mark.parametrize("number", [KHUE, CHILD])
def test_citizens_book_and_move_to_no_such_time(office: Office, number: str) -> None:
    browser = office.browser()
    fill(browser, office.person(number))
    browser.post("/book/station", {"station": HANOI})
    browser.post("/book/day", {"day": DAY.isoformat()})
    for moment in MOMENTS:
        for path in ("/book/time", "/book/longer", "/book/confirm"):
            named = f"{moment} regular"
            answer = browser.post(path, {"time": named, "slot": named, "agree": "yes"})
            assert answer.status_code in {200, 409, 422}, (path, moment)
    assert _booked(office.engine) == []
    hold(browser, DAY)
    confirm(browser)
    booked = _booked(office.engine)
    for moment in MOMENTS:
        for path in (f"/booked/change?station={HANOI}", "/booked/other"):
            time = f"{moment} regular" if "change" in path else f"{HANOI} {moment} regular"
            assert browser.post(path, {"time": time}).status_code in {200, 409, 422}, (path, time)
    assert len(booked) == 1
    assert _booked(office.engine) == booked


def test_families_hold_no_such_time(office: Office) -> None:
    browser = test_citizen_family._ready(office)
    for moment in MOMENTS:
        answer = browser.post(f"/family/when?station={HANOI}", {"time": f"{moment} regular"})
        assert answer.status_code in {200, 409, 422}, moment
    assert _booked(office.engine) == []


@pytest.mark.parametrize(
    "path",
    [
        f"/booked/change?station={HANOI}&day=",
        f"/family/when?station={HANOI}&day=",
        "/procedure?on=",
        "/book/day?month=",
        "/waiting?first=",
        "/open/availability.json?day=",
    ],
)
def test_citizens_pages_of_such_days_are_shown(office: Office, path: str) -> None:
    browser = test_citizen_family._ready(office)
    for day in DAYS:
        assert browser.get(path + (day[:7] if "month" in path else day)).status_code == 200, day


def test_programs_book_and_move_to_no_such_time(programs: Programs) -> None:
    for moment in MOMENTS:
        assert programs.book(starts_at=moment).status_code in {409, 422}, moment
    made = programs.book(1).get_json()["id"]
    for moment in MOMENTS:
        said = {**slot(9), "starts_at": moment}
        answer = programs.ask("PUT", f"{BOOKINGS}/{made}", said)
        assert answer.status_code in {409, 422}, moment
    assert programs.taken() == 1


@pytest.mark.parametrize("query", ["days?first=", "days?last=", "times?day="])
def test_programs_are_refused_such_days(programs: Programs, query: str) -> None:
    for day in DAYS:
        answer = programs.ask("GET", f"/api/v1/stations/{HANOI}/{query}{day}")
        expected = {200, 422} if "first" in query and day in DAYS[2:4] else {422}
        assert answer.status_code in expected, day
        assert answer.status_code == 200 or answer.get_json()["code"] == "field_wrong"


@pytest.mark.parametrize("born", [date(1990, 3, 17), date(2019, 3, 17)])
def test_officers_open_and_give_no_such_time(desk: officers.Office, born: date) -> None:
    code = test_officer_assisted._dossier(desk)
    browser, page = test_officer_assisted._open(desk, code)
    with desk.session() as session:
        session.execute(
            sa.text("update dossier set birth_date = :born"), {"born": born.isoformat()}
        )
    for day in DAYS:
        assert browser.get(f"/assisted?day={day}").status_code == 200, day
        assert browser.get(f"{page}/when?day={day}").status_code == 200, day
    for moment in MOMENTS:
        answer = browser.post(f"{page}/when?station={STATION}", time=f"{moment} regular")
        assert answer.status_code in {409, 422}, moment
    assert _booked(desk.engine) == []


@pytest.mark.parametrize("day", DAYS)
def test_officers_pages_of_such_days_are_shown(desk: officers.Office, day: str) -> None:
    supervisor = desk.signed_in("s.dung")
    for path in ("/today?day=", "/hours?day=", "/hours?first=", "/draws?day="):
        assert supervisor.get(f"{path}{day}").status_code in {200, 422}, path
    days = {"first": day, "last": day, "closes": f"{day}T10:00", "beacon_at": f"{day}T12:00"}
    assert supervisor.post("/draws", lane="regular", **days).status_code == 422


def test_nobody_waits_for_such_days(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(CHILD))
    for first in DAYS:
        for last in DAYS:
            answer = browser.post("/waiting", {**FORM, "first": first, "last": last})
            assert answer.status_code == 422, (first, last)
