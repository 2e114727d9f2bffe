"""Officers announce draws, draw with the public number, call off; nonsense is refused."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from scheduler import announcements, draws, lottery, places
from scheduler.places import Rule
from scheduler.tables import SlotRow
from scheduler.tables_waiting import DrawRow, DrawState
from server.cases import hours
from tests.officers import STATION, Browser, Office

MORNINGS = Rule(opens=time(8), closes=time(10), step=30, capacity=2, valid_from=date(2026, 1, 1))
FORM = {
    "lane": "regular",
    "first": "2026-11-30",
    "last": "2026-12-04",
    "closes": "2026-11-25T20:00",
    "beacon": "Giải đặc biệt xổ số miền Bắc ngày 26/11/2026",
    "beacon_at": "2026-11-26T18:30",
}


on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(engine: sa.Engine, tmp_path: Path, now: datetime) -> Office:
    made = Office(engine, tmp_path, now)
    with made.session() as session:
        places.add_rule(session, STATION, MORNINGS)
        hours.open_days(session, STATION, made.clock.now)
    return made


def announced(office: Office) -> tuple[Browser, UUID]:
    browser = office.signed_in("s.dung")
    assert browser.post("/draws", **FORM).status_code == 303
    with office.session() as session:
        return browser, session.scalars(sa.select(DrawRow.id)).one()


def state(office: Office, draw: UUID) -> DrawState:
    with office.session() as session:
        return announcements.find(session, draw).state


def by_lot(office: Office) -> int:
    with office.session() as session:
        asked = sa.select(sa.func.count()).select_from(SlotRow).where(SlotRow.by_lot)
        return session.scalars(asked).one()


def test_a_draw_is_announced_and_drawn_with_the_public_number(office: Office) -> None:
    browser, draw = announced(office)
    assert by_lot(office) == 5 * 4
    page = browser.get("/draws").text
    assert "Đang nhận tên" in page
    assert "xổ số miền Bắc" in page
    office.clock.now = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)
    with office.session() as session:
        draws.close(session, draw, now=office.clock.now)
    browser = office.signed_in("s.dung")
    early = browser.post(f"/draws/{draw}/draw", value="12345")
    assert early.status_code == 409
    office.clock.now += timedelta(hours=23)
    browser = office.signed_in("s.dung")
    assert "như đã công bố" in browser.get("/draws").text
    assert browser.post(f"/draws/{draw}/draw", value=" ").status_code == 422
    assert browser.post(f"/draws/{draw}/draw", value="12345").status_code == 303
    assert (state(office, draw), by_lot(office)) == (DrawState.DRAWN, 0)
    with office.session() as session:
        assert lottery.verify(announcements.public_record(session, draw)) == ()
    told = office.entries(about=f"draw:{draw}")
    assert told == [("officer:s.dung", "draw.announce"), ("officer:s.dung", "draw.draw")]
    assert browser.post(f"/draws/{draw}/draw", value="99999").status_code == 409


@on_one_engine
def test_a_draw_that_is_called_off_opens_its_places(office: Office) -> None:
    browser, draw = announced(office)
    assert browser.post(f"/draws/{draw}/cancel").status_code == 303
    assert (state(office, draw), by_lot(office)) == (DrawState.CANCELLED, 0)
    assert browser.post(f"/draws/{draw}/cancel").status_code == 409


@on_one_engine
def test_an_officer_of_another_station_draws_nothing_here(office: Office) -> None:
    _, draw = announced(office)
    with office.session() as session:
        session.execute(sa.update(DrawRow).values(place="FAR"))
    browser = office.signed_in("s.dung")
    assert browser.post(f"/draws/{draw}/cancel").status_code == 409
    assert state(office, draw) is DrawState.ANNOUNCED


@on_one_engine
@pytest.mark.parametrize(
    "wrong",
    [
        {"first": "", "last": "x"},
        {"first": "2026-12-05"},
        {"last": "9999-12-31"},
        {"first": "9999-12-31", "last": "9999-12-31"},
        {"last": "2027-06-01"},
        {"closes": ""},
        {"closes": "2026-11-24T08:00"},
        {"closes": "2026-11-29T20:00", "beacon": "", "beacon_at": ""},
        {"closes": "9999-12-31T23:59"},
        {"beacon": ""},
        {"beacon_at": ""},
        {"beacon_at": "2026-11-25T10:00"},
        {"beacon_at": "never"},
        {"beacon": "x" * 250},
        {"lane": "nothing"},
        {"first": "2026-11-28", "last": "2026-11-29"},
    ],
    ids=str,
)
def test_nonsense_announces_nothing(office: Office, wrong: dict[str, str]) -> None:
    browser = office.signed_in("s.dung")
    assert browser.post("/draws", **{**FORM, **wrong}).status_code == 422
    assert by_lot(office) == 0


@on_one_engine
def test_days_are_drawn_once(office: Office) -> None:
    browser, _ = announced(office)
    assert browser.post("/draws", **FORM).status_code == 422
