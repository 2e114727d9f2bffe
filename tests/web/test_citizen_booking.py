"""The way from the first question to a ticket, and what then stands in the database."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler.database import reading, transaction
from scheduler.tables import AppointmentRow
from server.cases import filing
from server.rules.dossier import DossierState
from server.store.tables import Journal, Ticket
from tests.web.citizens import (
    DUNG,
    HANOI,
    KHUE,
    OLD,
    Office,
    begun,
    confirm,
    dossier_of,
    fill,
    hold,
    taken,
    ticket_on,
    time_of,
)

DAY = date(2026, 11, 30)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        yield opened


def test_a_citizen_goes_from_the_first_question_to_a_ticket(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    assert browser.path == "/book/station"
    held = hold(browser, DAY)
    assert held.request.path == "/book/confirm", browser.heading()
    assert "checked" not in held.text
    booked = confirm(browser)
    assert booked.request.path == "/booked"
    dossier = dossier_of(office)
    assert dossier.state is DossierState.FILED
    assert dossier.code == "DEMO.001.026-261124-000001"
    assert dossier.code in booked.text
    assert dossier.answers["requests"] == ["e_identity"]
    assert dossier.answers["phone"] == "0912345678"
    assert dossier.answers["consent"]["language"] == "vi"
    assert {"typed", "birth", "data", "coming", "station", "day"}.isdisjoint(dossier.answers)
    assert taken(office) == 1
    with reading(office.engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Ticket)) == 1
        assert [row.event.value for row in session.scalars(sa.select(Journal))] == ["file"]


def test_confirming_twice_and_reloading_change_nothing(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    again = {"slot": time_of(DAY, 8), "agree": "yes"}
    first, second = confirm(browser), browser.post("/book/confirm", again)
    assert second.request.path == "/booked"
    assert ticket_on(first.text) == ticket_on(second.text)
    assert browser.get("/book/day").request.path == "/booked"
    assert taken(office) == 1


def test_without_consent_nothing_is_booked(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    answer = browser.post("/book/confirm", {"slot": time_of(DAY, 8)})
    assert answer.status_code == 422
    assert 'href="#confirm"' in answer.text
    assert dossier_of(office).state is DossierState.DRAFT


def test_what_another_tab_changed_is_shown_before_it_is_confirmed(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY, 8)
    browser.post("/book/time", {"time": time_of(DAY, 9)})
    answer = browser.post("/book/confirm", {"slot": time_of(DAY, 8), "agree": "yes"})
    assert answer.status_code == 409
    assert "09:00" in answer.text
    assert dossier_of(office).state is DossierState.DRAFT


def test_wrong_data_are_corrected_first_and_give_a_held_place_back(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    assert taken(office) == 1
    answer = browser.post("/book/data", {"data": "no"})
    assert answer.request.path == "/book/data"
    assert "02 ngày làm việc" in answer.text
    assert taken(office) == 0
    assert browser.get("/book/confirm").request.path == "/book/data"


def test_an_expired_hold_cannot_be_confirmed_and_loses_nothing(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    browser.get("/book/confirm")
    office.clock.goes_on(minutes=11)
    answer = browser.post("/book/confirm", {"slot": time_of(DAY, 8), "agree": "yes"})
    assert answer.request.path == "/book/time"
    assert "Đã hết thời gian giữ chỗ" in answer.text
    assert dossier_of(office).state is DossierState.DRAFT
    assert dossier_of(office).answers["phone"] == "0912345678"
    assert browser.get("/book/confirm").request.path == "/book/time"
    browser.post("/book/time", {"time": time_of(DAY, 8)})
    assert confirm(browser).request.path == "/booked"
    assert taken(office) == 1


def _seconds(text: str) -> int:
    """Return for how long the page says the place is still held."""
    found = re.search(r'data-seconds="(\d+)"', text)
    assert found is not None
    return int(found[1])


def test_a_hold_can_be_kept_longer_at_least_ten_times(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    assert _seconds(hold(browser, DAY).text) == 600
    for _ in range(10):
        office.clock.goes_on(minutes=8)
        answer = browser.post("/book/longer", {"slot": time_of(DAY, 8)})
        assert _seconds(answer.text) >= 600
        assert "Đã giữ thêm thời gian" in answer.text
    for _ in range(25):
        if "không giữ thêm được nữa" in answer.text:
            break
        office.clock.goes_on(minutes=1)
        answer = browser.post("/book/longer", {"slot": time_of(DAY, 8)})
    assert "không giữ thêm được nữa" in answer.text
    assert confirm(browser).request.path == "/booked"


def test_a_place_that_was_held_too_long_is_held_again_while_it_is_free(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    office.clock.goes_on(minutes=30)
    again = browser.post("/book/longer", {"slot": time_of(DAY, 8)})
    assert (again.request.path, _seconds(again.text)) == ("/book/confirm", 600)
    office.clock.goes_on(minutes=30)
    for number in (DUNG, OLD):
        other = office.browser()
        fill(other, office.person(number))
        hold(other, DAY)
    lost = browser.post("/book/longer", {"slot": time_of(DAY, 8)})
    assert lost.request.path == "/book/time"
    assert "Đã hết thời gian giữ chỗ" in lost.text
    assert browser.post("/book/longer", {"slot": "x"}).request.path == "/book/time"


def test_a_form_that_is_sent_twice_holds_once_and_one_of_long_ago_holds_anew(
    office: Office,
) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    browser.post("/book/station", {"station": HANOI})
    page = browser.post("/book/day", {"day": DAY.isoformat()}).text
    found = re.search(r'name="request" value="([0-9a-f]{32})"', page)
    assert found is not None
    again = {"time": time_of(DAY, 8), "request": found[1]}
    for _ in range(2):
        assert browser.post("/book/time", again).request.path == "/book/confirm"
        assert taken(office) == 1
    office.clock.goes_on(minutes=30)
    assert browser.post("/book/time", again).request.path == "/book/confirm"
    assert taken(office) == 1
    assert browser.post("/book/time", {**again, "request": "x" * 5000}).status_code == 200
    assert confirm(browser).request.path == "/booked"
    browser.post("/booked/cancel", {})
    browser.post("/book/station", {"station": HANOI})
    browser.post("/book/day", {"day": DAY.isoformat()})
    assert browser.post("/book/time", again).request.path == "/book/confirm"
    assert taken(office) == 1


def test_how_to_be_reminded_is_asked_and_an_address_is_needed_for_it(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    contact = {"phone": "0912345678", "email": "", "notify": "email"}
    answer = browser.post("/book/contact", contact)
    assert answer.status_code == 422
    assert "chọn cách nhắc khác" in answer.text
    assert browser.post("/book/contact", {**contact, "notify": "pigeon"}).status_code == 422
    browser.post("/book/contact", {**contact, "email": "an@example.vn"})
    assert dossier_of(office).answers["notify"] == "email"
    hold(browser, DAY)
    assert "Nhắc lịch hẹn" in browser.last


def test_a_full_time_is_a_conflict_and_shows_what_is_left(office: Office) -> None:
    for number in (KHUE, DUNG):
        browser = office.browser()
        fill(browser, office.person(number))
        hold(browser, DAY, 8)
    late = office.browser()
    fill(late, office.person(OLD))
    answer = hold(late, DAY, 8)
    assert answer.status_code == 409
    assert "vừa hết chỗ" in answer.text
    assert f'value="{time_of(DAY, 8)}"' not in answer.text
    assert f'value="{time_of(DAY, 8, 15)}"' in answer.text
    assert taken(office) == 2


def test_one_person_has_one_appointment_for_one_purpose(office: Office) -> None:
    first = office.browser()
    fill(first, office.person(KHUE))
    hold(first, DAY, 8)
    confirm(first)
    second = office.browser()
    fill(second, office.person(KHUE))
    answer = hold(second, DAY, 9)
    assert answer.status_code == 409
    assert 'href="/manage"' in answer.text
    assert taken(office) == 1


def test_another_case_gives_the_held_place_back(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    browser.post("/book/reason", {"reason": "EX_REQ"})
    assert taken(office) == 0
    assert browser.path == "/book/time"


def test_a_time_that_is_past_or_never_was_is_not_held(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    browser.post("/book/station", {"station": HANOI})
    for day in ("2026-11-28", "2026-11-24", "2026-11-23", "2030-01-01", "x"):
        assert browser.post("/book/day", {"day": day}).status_code == 422
    browser.post("/book/day", {"day": DAY.isoformat()})
    for time, status in (
        (time_of(DAY, 12), 409),
        (time_of(date(2026, 12, 1), 8), 422),
        (time_of(DAY, 8).replace("regular", "priority"), 409),
        ("", 422),
        ("2026-11-30T01:00 regular", 422),
        ("9" * 900, 422),
    ):
        assert browser.post("/book/time", {"time": time}).status_code == status, time
    assert taken(office) == 0


def test_nobody_asks_the_registry_inside_a_transaction(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    confirm(browser)
    assert office.registry.times > 0
    assert not office.registry.in_transaction


def test_fishing_in_the_registry_is_slowed_down(office: Office) -> None:
    browser = begun(office, KHUE)
    statuses = [
        browser.post("/book/identity", {"number": f"{n:012}", "name": "Ai Đó"}).status_code
        for n in range(13)
    ]
    assert statuses == [422] * 12 + [429]
    assert office.registry.times == 12


def test_a_draft_can_be_deleted_and_another_begun(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    browser.post("/forget", {})
    dossier = dossier_of(office)
    assert dossier.state is DossierState.LAPSED
    assert (dossier.answers, dossier.person, dossier.full_name) == ({}, None, None)
    assert taken(office) == 0
    assert browser.path == "/book/reason"


def test_drafts_nobody_came_back_to_lapse(office: Office) -> None:
    begun(office, KHUE)
    with transaction(office.engine) as session:
        assert filing.lapse_drafts(session, now=office.clock()) == 0
    office.clock.goes_on(days=8)
    with transaction(office.engine) as session:
        assert filing.lapse_drafts(session, now=office.clock()) == 1
    assert dossier_of(office).answers == {}


def test_a_hold_is_counted_once_however_often_the_time_is_changed(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    for hour in (8, 9, 10, 10):
        hold(browser, DAY, hour)
    with reading(office.engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AppointmentRow)) == 1
    assert taken(office) == 1
