"""Choosing a station, and what it offers whom: nearness, first free times, lengths, priority."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler.database import transaction
from scheduler.tables import LaneKind, LaneRow, PlaceRow, SlotRow
from server.web.citizen.stations import PERMISSIONS
from tests.web.citizens import CHILD, DUNG, HANOI, KHUE, OLD, Browser, Office, fill, hold, time_of

DAY = date(2026, 11, 30)
HALF_PAST_SEVEN, QUARTER = time_of(DAY, 7, 30), time_of(DAY, 7, 45)
LAST, LAST_HALF_HOUR = time_of(DAY, 16, 45), time_of(DAY, 16, 30)

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        with transaction(opened.engine) as session:
            for code, ward, at in (
                (HANOI, "Phường Giả Định", (21.03, 105.85)),
                ("DN01", "Phường Hòa Mẫu", (16.07, 108.22)),
            ):
                session.execute(
                    sa.update(PlaceRow)
                    .where(PlaceRow.code == code)
                    .values(ward=ward, latitude=at[0], longitude=at[1])
                )
        yield opened


def _choosing(office: Office, number: str = KHUE) -> Browser:
    browser = office.browser()
    fill(browser, office.person(number))
    return browser


def _found(text: str) -> list[str]:
    return re.findall(r'name="station" value="([^"]+)"', text)


def test_every_station_says_when_it_has_a_place_first(office: Office) -> None:
    page = _choosing(office).get("/book/station").text
    assert _found(page) == [HANOI, "DN01"]
    assert len(re.findall(r"Còn chỗ sớm nhất:.*?07:30, Thứ Tư, 25/11/2026", page)) == 2


@on_one_engine
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("province=48", ["DN01"]),
        ("province=01&ward=Phường Giả Định", [HANOI]),
        ("province=01&ward=Phường khác", [HANOI]),
        ("q=hoa mau", ["DN01"]),
        ("q=phuong gia dinh vi du", [HANOI]),
        ("q=không có", []),
        ("lat=21.0&lon=105.8", [HANOI]),
        ("lat=16.1&lon=108.2", ["DN01"]),
        ("lat=10.0&lon=106.0", []),
        ("lat=nan&lon=105.8", [HANOI, "DN01"]),
        ("lat=91&lon=105.8", [HANOI, "DN01"]),
        ("lat=1e999&lon=105.8", [HANOI, "DN01"]),
        ("lat=21", [HANOI, "DN01"]),
        ("q=%00&province=%00&ward=%00", []),
        ("sort=soonest&q=" + "x" * 5000, []),
        ("sort=<script>", [HANOI, "DN01"]),
    ],
)
def test_stations_are_found_by_where_they_are_and_what_they_are_called(
    office: Office, query: str, found: list[str]
) -> None:
    answer = _choosing(office).get(f"/book/station?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert _found(answer.text) == found or query.startswith("q=%00")


@on_one_engine
def test_the_soonest_free_time_comes_first_where_that_is_asked_for(office: Office) -> None:
    with transaction(office.engine) as session:
        for row in session.query(SlotRow).where(SlotRow.place == HANOI):
            row.by_lot = row.starts_at.date() < date(2026, 11, 26)
    browser = _choosing(office)
    assert _found(browser.get("/book/station").text) == [HANOI, "DN01"]
    assert _found(browser.get("/book/station?sort=soonest").text) == ["DN01", HANOI]
    assert "cách 0 km" in browser.get("/book/station?lat=21.03&lon=105.85").text


@on_one_engine
def test_only_pages_with_stations_may_ask_where_somebody_is(office: Office) -> None:
    browser = _choosing(office)
    assert browser.get("/book/station").headers["Permissions-Policy"] == PERMISSIONS
    assert "geolocation=()" in browser.get("/").headers["Permissions-Policy"]


@pytest.mark.parametrize(("number", "minutes"), [(KHUE, 15), (CHILD, 30), (OLD, 30)])
def test_children_and_the_old_are_offered_half_hours_that_fit(
    office: Office, number: str, minutes: int
) -> None:
    browser = _choosing(office, number)
    browser.post("/book/station", {"station": HANOI})
    page = browser.post("/book/day", {"day": DAY.isoformat()}).text
    assert f"khoảng {minutes} phút" in page
    assert (f'value="{LAST}"' in page) == (minutes == 15)
    assert f'value="{LAST_HALF_HOUR}"' in page


@on_one_engine
def test_a_half_hour_is_not_offered_where_one_of_its_quarters_is_full(office: Office) -> None:
    for number in (KHUE, DUNG):
        hold(_choosing(office, number), DAY, 7, 45)
    browser = _choosing(office, OLD)
    browser.post("/book/station", {"station": HANOI})
    page = browser.post("/book/day", {"day": DAY.isoformat()}).text
    assert f'value="{HALF_PAST_SEVEN}"' not in page
    assert f'value="{QUARTER}"' not in page
    assert f'value="{time_of(DAY, 8)}"' in page


def _with_priority_lane(office: Office) -> None:
    with transaction(office.engine) as session:
        session.add(LaneRow(place=HANOI, code="first", kind=LaneKind.PRIORITY, servers=1))
        session.add(LaneRow(place=HANOI, code="mobile", kind=LaneKind.MOBILE, servers=1))
        for number, lane in enumerate(("first", "first", "mobile")):
            starts_at = datetime.fromisoformat(time_of(DAY, 8, 15 * number).split()[0])
            session.add(
                SlotRow(
                    place=HANOI,
                    starts_at=starts_at,
                    lane=lane,
                    minutes=15,
                    capacity=1,
                    public_capacity=1,
                    taken=0,
                    public_taken=0,
                    offered=True,
                )
            )


def _times(browser: Browser) -> str:
    browser.post("/book/station", {"station": HANOI})
    return browser.post("/book/day", {"day": DAY.isoformat()}).text


@on_one_engine
def test_the_priority_lane_is_shown_to_whom_it_is_for(office: Office) -> None:
    _with_priority_lane(office)
    first = time_of(DAY, 8).replace("regular", "first")
    assert first not in _times(_choosing(office, KHUE))
    old = _times(_choosing(office, OLD))
    assert f'value="{first}"' in old
    assert "giờ ưu tiên" in old
    assert "Người từ đủ 60 tuổi" in old
    assert "mobile" not in old
    pregnant = _choosing(office, KHUE)
    pregnant.post("/book/priority", {"priority": ["pregnant", "officer", "elderly"]})
    assert f'value="{first}"' in _times(pregnant)


@on_one_engine
def test_a_lane_that_is_not_for_somebody_cannot_be_had_by_typing_its_name(office: Office) -> None:
    _with_priority_lane(office)
    for number, lane, got in ((KHUE, "first", False), (OLD, "mobile", False), (OLD, "first", True)):
        browser = _choosing(office, number)
        _times(browser)
        wanted = time_of(DAY, 8, 30 if lane == "mobile" else 0).replace("regular", lane)
        answer = browser.post("/book/time", {"time": wanted})
        assert (answer.request.path == "/book/confirm") == got, (number, lane)
