"""A day is closed after people booked: three other times on the ticket's page, one press each."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from scheduler import horizon, places
from scheduler.database import transaction
from scheduler.places import Unlike
from scheduler.tables import Kind, Scope
from tests.web.citizens import (
    CHILD,
    HANOI,
    KHUE,
    Browser,
    Office,
    confirm,
    fill,
    hold,
    taken,
    ticket_on,
)

DAY = date(2026, 11, 30)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        yield opened


def _booked(office: Office, number: str = KHUE) -> Browser:
    browser = office.browser()
    fill(browser, office.person(number))
    hold(browser, DAY, 8)
    confirm(browser)
    return browser


def _close(office: Office, day: date = DAY) -> None:
    with transaction(office.engine) as session:
        why = Unlike(day=day, kind=Kind.CLOSED, words="Mất điện", source="Thông báo 12")
        places.add_exception(session, why, scope=Scope.PLACE, code=HANOI)
        today = office.clock().date()
        last = today + timedelta(days=42)
        horizon.materialise(session, HANOI, first=today, last=last, now=office.clock())


def _others(text: str) -> list[str]:
    return re.findall(r'class="wide-button" name="time" value="([^"]+)"', text)


def test_who_lost_their_time_is_offered_three_and_keeps_the_ticket(office: Office) -> None:
    browser = _booked(office)
    assert _others(browser.get("/booked").text) == []
    ticket = ticket_on(browser.last)
    _close(office)
    page = browser.get("/booked").text
    assert "phải đổi giờ hẹn" in page
    others = _others(page)
    assert len(others) == 3
    assert "2026-11-30" not in " ".join(others)
    done = browser.post("/booked/other", {"time": others[0]})
    assert "Đã đổi lịch hẹn" in done.text
    assert ticket_on(done.text) == ticket
    assert _others(done.text) == []
    assert taken(office) == 1


def test_a_child_is_offered_half_hours(office: Office) -> None:
    browser = _booked(office, CHILD)
    _close(office)
    assert len(_others(browser.get("/booked").text)) == 3
    browser.post("/booked/other", {"time": _others(browser.last)[0]})
    assert taken(office) in {1, 2}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_who_lost_their_time_may_choose_in_this_way(office: Office) -> None:
    browser = _booked(office)
    _close(office, date(2026, 12, 1))
    for time in ("", "x", "\x00 y", f"{HANOI} 2026-12-02T01:00+00:00 regular", "z" * 5000):
        answer = browser.post("/booked/other", {"time": time})
        assert answer.request.path == "/booked"
        assert "08:00, Thứ Hai, 30/11/2026" in answer.text
    stranger = office.browser()
    assert stranger.post("/booked/other", {"time": "x"}).request.path == "/manage"
