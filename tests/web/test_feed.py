"""Free places as open data: cheap to ask for, readable by everybody, and about nobody."""

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from scheduler.database import transaction
from scheduler.tables import SlotRow
from server.clock import HERE
from server.web.citizen import feed_pages
from server.web.fresh import Fresh
from tests.web.citizens import DUNG, HANOI, KHUE, Office, confirm, fill, hold

FRIDAY = date(2026, 11, 27)
STATION = f"/open/availability/stations/{HANOI}.json"


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as office:
        yield office


def _get(office: Office, path: str, **headers: str) -> TestResponse:
    return office.app.test_client().get(path, headers=headers)


def _stations(answer: TestResponse) -> dict[str, Any]:
    return {station["code"]: station for station in answer.get_json()["stations"]}


def _free(answer: TestResponse, code: str, day: date) -> int:
    (found,) = [d for d in _stations(answer)[code]["days"] if d["date"] == day.isoformat()]
    free: int = found["free"]
    return free


def test_anybody_may_read_what_is_free_at_a_station_and_in_a_province(office: Office) -> None:
    answer = _get(office, STATION)
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert _free(answer, HANOI, FRIDAY) == 60
    first = datetime.fromisoformat(_stations(answer)[HANOI]["earliest"])
    assert first.astimezone(HERE).isoformat() == "2026-11-25T07:30:00+07:00"
    assert _stations(_get(office, "/open/availability/01.json")) == _stations(answer)
    assert list(_stations(_get(office, "/open/availability/48.json"))) == ["DN01"]
    assert _stations(_get(office, "/open/availability/79.json")) == {}
    listed = _get(office, "/open/availability.json").get_json()["provinces"]
    assert len(listed) == 34
    assert listed[0]["url"] == "/open/availability/01.json"


def test_it_says_how_old_it_may_be_and_what_may_be_done_with_it(office: Office) -> None:
    said = _get(office, STATION).get_json()
    assert said["seconds_old_at_most"] == 5
    assert said["time_zone"] == "Asia/Ho_Chi_Minh"
    assert "CC0" in said["licence"]["en"]
    assert "cá nhân" in said["note"]["vi"]


def test_pages_of_others_may_read_it_and_it_sets_no_cookie(office: Office) -> None:
    for path in (STATION, "/open/availability/01.json", "/open/availability/stations/x.json"):
        answer = _get(office, path, Origin="https://example.vn")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_whoever_has_it_is_not_sent_it_again(office: Office) -> None:
    first = _get(office, STATION)
    tag = first.headers["ETag"]
    assert not tag.startswith("W/")
    assert first.headers["Cache-Control"] == "public, max-age=5"
    again = _get(office, STATION, **{"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == tag
    assert _get(office, STATION, **{"If-None-Match": '"other"'}).status_code == 200
    office.clock.goes_on(seconds=20)
    assert _get(office, STATION, **{"If-None-Match": tag}).status_code == 304


def test_a_booking_is_seen_within_seconds_and_not_before(office: Office) -> None:
    before = _get(office, STATION)
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, FRIDAY)
    confirm(browser)
    assert _get(office, STATION).headers["ETag"] == before.headers["ETag"]
    office.clock.goes_on(seconds=5)
    after = _get(office, STATION)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert _free(after, HANOI, FRIDAY) == 59


def test_who_booked_is_nowhere_in_it(office: Office) -> None:
    for number in (KHUE, DUNG):
        browser = office.browser()
        fill(browser, office.person(number))
        hold(browser, FRIDAY)
        confirm(browser)
    text = _get(office, "/open/availability/01.json").text
    for number in (KHUE, DUNG):
        assert number not in text
        assert office.person(number).full_name not in text
    assert "DEMO." not in text


def test_it_is_sent_packed_to_whoever_can_unpack(office: Office) -> None:
    plain = _get(office, STATION)
    packed = _get(office, STATION, **{"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]
    refused = _get(office, STATION, **{"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


@pytest.mark.parametrize(
    "path",
    [
        "/open/availability/00.json",
        "/open/availability/hanoi.json",
        "/open/availability/%00.json",
        "/open/availability/stations/NOWHERE.json",
        "/open/availability/stations/..%2F..%2Fetc.json",
        "/open/availability/stations/' OR 1=1 --.json",
        f"/open/availability/stations/{'A' * 17}.json",
        "/open/availability/stations/Ầ.json",
    ],
)
def test_what_is_no_province_and_no_station_is_said_to_be_none(office: Office, path: str) -> None:
    answer = _get(office, path)
    assert answer.status_code == 404


def test_a_full_station_has_no_earliest_time(office: Office) -> None:
    with transaction(office.engine) as session:
        session.execute(
            sa.update(SlotRow)
            .where(SlotRow.place == HANOI)
            .values(taken=SlotRow.capacity, public_taken=SlotRow.public_capacity)
        )
    assert _stations(_get(office, STATION))[HANOI]["earliest"] is None


def test_a_crowd_costs_one_question(office: Office) -> None:
    asked: list[str] = []
    sa.event.listen(office.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    answers = [_get(office, "/open/availability/01.json").data for _ in range(50)]
    assert len(set(answers)) == 1
    assert len([said for said in asked if "FROM slot" in said]) == 1


def test_the_same_is_packed_the_same_by_every_process(office: Office) -> None:
    assert feed_pages._published({"a": "ạ"}) == feed_pages._published({"a": "ạ"})
    assert json.loads(feed_pages._published({"a": "ạ"}).plain) == {"a": "ạ"}


# What is kept for a few seconds.

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def test_what_is_kept_is_made_once_by_one_of_many_who_ask() -> None:
    fresh, made = Fresh[int](seconds=3, most=8), []
    begun, may_end = threading.Event(), threading.Event()

    def make() -> int:
        begun.set()
        assert may_end.wait(30)
        made.append(1)
        return len(made)

    got: list[int] = []
    threads = [
        threading.Thread(target=lambda: got.append(fresh.get("k", now=AT, make=make)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(30)
    may_end.set()
    for thread in threads:
        thread.join()
    assert (got, made) == ([1] * 8, [1])


def test_what_is_kept_is_made_anew_when_it_is_old_or_the_clock_was_set_back() -> None:
    fresh = Fresh[datetime](seconds=3, most=8)

    def at(seconds: float) -> datetime:
        then = AT + timedelta(seconds=seconds)
        return fresh.get("k", now=then, make=lambda: then)

    assert at(0) == AT
    assert at(2.9) == AT
    assert at(3) == AT + timedelta(seconds=3)
    assert at(-60) == AT - timedelta(seconds=60)


def test_no_more_is_kept_than_there_is_room_for_and_the_oldest_goes_first() -> None:
    fresh = Fresh[int](seconds=3, most=2)
    for key in range(3):
        fresh.get(key, now=AT, make=lambda key=key: key)  # type: ignore[misc]
    assert fresh.get(2, now=AT, make=lambda: -1) == 2
    assert fresh.get(0, now=AT, make=lambda: -1) == -1


def test_a_failure_is_told_and_not_kept() -> None:
    fresh = Fresh[int](seconds=3, most=2)
    with pytest.raises(ZeroDivisionError):
        fresh.get("k", now=AT, make=lambda: 1 // 0)
    assert fresh.get("k", now=AT, make=lambda: 7) == 7
