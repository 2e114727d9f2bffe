"""The planner's page: a sentence to act on, nothing opened unseen, nonsense refused."""

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from scheduler import booking, offers, places
from scheduler.calendar import HERE
from scheduler.places import Rule
from scheduler.tables import SlotRow
from server.cases import hours
from server.store.tables import Audit
from tests.officers import ELSEWHERE, STATION, Office

MONDAY = date(2026, 11, 30)
MORNINGS = Rule(opens=time(8), closes=time(11), step=15, capacity=2, valid_from=date(2026, 1, 1))


@pytest.fixture
def office(engine: sa.Engine, tmp_path: Path, now: datetime) -> Office:
    """A station with mornings of 24 places, opened to the horizon."""
    made = Office(engine, tmp_path, now)
    with made.session() as session:
        for code in (STATION, ELSEWHERE):
            places.add_rule(session, code, MORNINGS)
            hours.open_days(session, code, made.clock.now)
    return made


def fields(page: TestResponse) -> dict[str, str]:
    """Return what the first form that posts would send, without its token."""
    form = page.text.partition('method="post" action="/planner/open"')[2].partition("</form>")[0]
    found = re.findall(r'<input [^>]*name="(\w+)"[^>]*value="([^"]*)"', form)
    return {name: value for name, value in found if name not in {"csrf", "days"}}


def book(office: Office, day: date) -> UUID:
    with office.session() as session:
        now = office.clock.now
        first = next(o for o in offers.times(session, STATION, day, now=now) if o.free)
        held = booking.hold(
            session,
            slot=first.slot,
            whose=str(uuid4()),
            person_key=uuid4().bytes,
            purpose="EX_AGE",
            now=now,
            minutes=10,
        )
        booking.confirm(session, held.id, now=now)
    return held.id


def capacity(office: Office, day: date, station: str = STATION) -> int:
    with office.session() as session:
        found = session.execute(
            sa.select(SlotRow.starts_at, SlotRow.capacity).where(
                SlotRow.place == station, SlotRow.offered
            )
        ).all()
    return sum(int(n) for starts, n in found if starts.astimezone(HERE).date() == day)


def planned(page: TestResponse) -> int:
    found = re.search(r"Mở (\d+) chỗ mỗi buổi sáng: 95\s% người dân chờ không quá (\d+)", page.text)
    assert found, page.text
    assert 0 < int(found[2]) <= 20
    return int(found[1])


def test_the_page_says_in_one_sentence_how_many_places_to_open(office: Office) -> None:
    page = office.signed_in("s.dung").get("/planner")
    assert page.status_code == 200
    assert 20 < planned(page) < 45
    for said in (
        "Số liệu của điểm còn ít",
        "Tránh hẹn theo khối một giờ",
        '<svg class="plan-curve"',
        "<desc",
        "Xem bảng số liệu",
        "Lần lượt, đầu buổi thêm 1 người",
        "Nên để 2 máy chung một hàng",
    ):
        assert said in page.text, said
    english = office.signed_in("s.dung").get("/planner?lang=en").text
    assert "95\xa0% of people wait" in english


def test_a_plan_is_seen_then_opened_with_exactly_its_places(office: Office) -> None:
    browser = office.signed_in("s.dung")
    page = browser.get("/planner")
    form = {**fields(page), "days": "0", "first": MONDAY.isoformat()}
    asked = browser.post("/planner/open", **form)
    assert "Không ai bị mất giờ hẹn" in asked.text
    assert capacity(office, MONDAY) == 24
    done = browser.post("/planner/open", **fields(asked), days="0")
    assert (done.status_code, "/hours" in done.headers["Location"]) == (303, True)
    assert capacity(office, MONDAY) == planned(page)
    assert capacity(office, MONDAY + timedelta(days=1)) == 24, "Tuesdays go on as they were"
    assert capacity(office, MONDAY, ELSEWHERE) == 24
    with office.session() as session:
        entry = session.scalars(sa.select(Audit).where(Audit.action == "calendar.plan")).one()
    assert entry.actor == "officer:s.dung"
    assert entry.detail["seed"] == 1
    assert entry.detail["places"] == [planned(page)]
    assert entry.detail["told"]["no_show"] == "15"


def test_who_would_lose_their_time_is_shown_and_nothing_happens_unseen(office: Office) -> None:
    browser = office.signed_in("s.dung")
    form = {**fields(browser.get("/planner")), "days": "0", "first": MONDAY.isoformat()}
    form["opens"] = "08:05"
    asked = browser.post("/planner/open", **form)
    book(office, MONDAY)
    again = browser.post("/planner/open", **fields(asked), days="0")
    assert again.status_code == 200
    assert "1 công dân sẽ mất giờ hẹn" in again.text
    assert capacity(office, MONDAY) == 24
    assert browser.post("/planner/open", **fields(again), days="0").status_code == 303
    assert capacity(office, MONDAY) == int(form["places1"])


def test_the_first_day_offered_is_one_on_which_nobody_loses_their_time(office: Office) -> None:
    book(office, MONDAY)
    form = fields(office.signed_in("s.dung").get("/planner"))
    assert form["first"] == (MONDAY + timedelta(days=1)).isoformat()


NO_STATION = [
    ("servers", "0", "Số máy phải từ 1 đến 20"),
    ("servers", "1e9", "Số máy phải từ 1 đến 20"),
    ("mean", "nan", "Thời gian trung bình phải từ 3 đến 60"),
    ("mean", "", "Thời gian trung bình phải từ 3 đến 60"),
    ("no_show", "100", "Tỷ lệ vắng phải từ 0 đến 60"),
    ("walk_ins", "9" * 5000, "Số người không hẹn"),
    ("failure", "-1", "Khả năng hỏng"),
    ("seed", "١٢", "Mã ngẫu nhiên là một số"),
    ("opens", "25:00", "Giờ mở và giờ đóng cửa chưa đúng"),
    ("closes", "08:05", "Giờ mở và giờ đóng cửa chưa đúng"),
    ("opens2", "10:00", "Giờ mở và giờ đóng cửa chưa đúng"),
    ("pattern", "<script>", "Vui lòng chọn một cách hẹn"),
]
NO_PLAN = [
    ("places1", "0"),
    ("places1", "401"),
    ("places1", "-5"),
    ("places1", "x" * 60_000),
    ("first", "2026-11-24"),
    ("first", "9999-12-31"),
    ("first", "không"),
    ("days", "9"),
    ("pattern", ""),
    ("servers", "400"),
    ("seed", "1.5"),
    ("closes", "23:59:59"),
]


def test_what_no_station_is_like_is_refused(office: Office) -> None:
    browser = office.signed_in("s.dung")
    given = fields(browser.get("/planner"))
    for field, value, said in NO_STATION:
        page = browser.get(f"/planner?{urlencode({**given, field: value})}")
        assert page.status_code == 422, field
        assert said in page.text, field
        assert "<script>" not in page.text


def test_a_plan_that_cannot_be_opens_nothing(office: Office) -> None:
    browser = office.signed_in("s.dung")
    form = {**fields(browser.get("/planner")), "days": "0", "first": MONDAY.isoformat()}
    for field, value in NO_PLAN:
        page = browser.post("/planner/open", **{**form, field: value, "sure": "yes"})
        assert page.status_code == 422, (field, value[:20])
        assert 'role="alert"' in page.text
        assert capacity(office, MONDAY) == 24


def test_only_supervisors_plan_and_only_their_stations(office: Office) -> None:
    assert office.signed_in("v.an").get("/planner").status_code == 403
    browser = office.signed_in("s.dung")
    assert browser.get("/planner?station=DEMO-HCM&lane=nowhere").text.count('value="DEMO-HCM"') == 0
    form = {**fields(browser.get("/planner")), "days": "0", "first": MONDAY.isoformat()}
    browser.post("/planner/open", **{**form, "station": "DEMO-HCM", "lane": "nowhere"})
    assert capacity(office, MONDAY) == 24
