"""A family: a dossier each, adjacent places, all or none; moved together, cancelled also singly."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from scheduler.database import transaction
from server.cases import families
from server.registry.port import RegistryDown
from server.rules.dossier import DossierState
from server.store.tables import Dossier
from tests.web.citizens import (
    BABY,
    CHILD,
    DUNG,
    HANOI,
    KHUE,
    OLD,
    Browser,
    Office,
    birth_of,
    confirm,
    fill,
    hold,
    taken,
    time_of,
)

DAY = date(2026, 11, 30)
CONTACT = {"phone": "0912 345 678", "email": "", "notify": "sms"}

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        yield opened


def _person(office: Office, number: str, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - a form's
    person = office.person(number)
    said = {"number": number, "name": person.full_name, "reason": "NEW", **birth_of(person)}
    return said | other


def _number(browser: Browser) -> str:
    """Return the number of the person whose page is at hand."""
    found = re.search(r"/family/(\d+)/check", browser.last)
    assert found is not None, browser.heading()
    return found[1]


def _add(browser: Browser, office: Office, number: str, **check: str) -> None:
    browser.get("/family/add")
    browser.post("/family/add", _person(office, number))
    browser.post(f"/family/{_number(browser)}/check", {"data": "yes", **check})


def _begun(office: Office) -> Browser:
    browser = office.browser()
    browser.get("/family")
    browser.post("/family/begin", CONTACT)
    return browser


def _ready(office: Office, *more: str) -> Browser:
    """Return a browser whose family of mother and child, and more people, is checked."""
    browser = _begun(office)
    _add(browser, office, KHUE)
    _add(browser, office, CHILD, rep="1", rep_relation="mother")
    for number in more:
        _add(browser, office, number)
    return browser


def _dossiers(office: Office) -> list[Dossier]:
    with transaction(office.engine) as session:
        return list(session.scalars(sa.select(Dossier).order_by(Dossier.created_at)))


def test_each_person_gets_a_checked_dossier_of_their_own(office: Office) -> None:
    browser = _ready(office)
    page = browser.get("/family").text
    assert "Đã khai 2 người" in page
    assert "Chọn nơi và giờ đến" in page
    by_number = {dossier.personal_number: dossier for dossier in _dossiers(office)}
    assert set(by_number) == {KHUE, CHILD}
    child = by_number[CHILD].answers
    assert child["representative"]["personal_number"] == KHUE
    assert child["representative"]["relation"] == "mother"
    assert (child["phone"], child["notify"]) == ("0912345678", "sms")
    assert not office.registry.in_transaction


@on_one_engine
def test_who_does_not_fit_the_record_or_need_not_come_is_not_added(office: Office) -> None:
    browser = _begun(office)
    browser.get("/family/add")
    wrong = browser.post("/family/add", _person(office, KHUE, name="Nguyễn Văn Khác"))
    assert wrong.status_code == 422
    assert "chưa khớp" in wrong.text
    assert 'value="Nguyễn Văn Khác"' in wrong.text
    baby = browser.post("/family/add", _person(office, BABY))
    assert "không cần đến" in baby.text
    empty = browser.post("/family/add", {})
    assert empty.status_code == 422
    assert len(re.findall(r'class="wrong"', empty.text)) == 4
    office.registry.raises = RegistryDown()
    assert browser.post("/family/add", _person(office, KHUE)).status_code == 503
    assert _dossiers(office) == []


@on_one_engine
def test_nobody_is_on_the_list_twice_and_eight_are_the_most(office: Office) -> None:
    browser = _begun(office)
    _add(browser, office, KHUE)
    browser.get("/family/add")
    assert "đã có trong danh sách" in browser.post("/family/add", _person(office, KHUE)).text
    numbers = [n for n in office.registry.known if n not in {KHUE, CHILD, BABY}]
    grown = [n for n in numbers if office.person(n).birth_date.year < 2005]
    for number in grown[: families.MOST - 1]:
        _add(browser, office, number)
    assert browser.get("/family/add").request.path == "/family"
    assert "Đã đủ 8 người" in browser.last
    assert len(_dossiers(office)) == families.MOST


@on_one_engine
def test_wrong_data_take_the_person_off_and_say_what_to_do(office: Office) -> None:
    browser = _begun(office)
    browser.get("/family/add")
    browser.post("/family/add", _person(office, KHUE))
    answer = browser.post(f"/family/{_number(browser)}/check", {"data": "no"})
    assert answer.request.path == "/family"
    assert "đã được bỏ khỏi danh sách" in answer.text
    (dossier,) = _dossiers(office)
    assert (dossier.state, dossier.full_name) == (DossierState.LAPSED, None)


@on_one_engine
def test_a_child_comes_with_somebody_of_age_from_the_family_or_not(office: Office) -> None:
    browser = _begun(office)
    browser.get("/family/add")
    browser.post("/family/add", _person(office, CHILD))
    number = _number(browser)
    alone = browser.post(f"/family/{number}/check", {"data": "yes"})
    assert alone.status_code == 422
    assert "Chưa kiểm tra xong" in browser.get("/family").text
    browser.get(f"/family/{number}/check")
    mother = {"rep_name": "Nguyễn Thị Minh Khuê", "rep_number": KHUE, "rep_relation": "mother"}
    browser.post(f"/family/{number}/check", {"data": "yes", "rep": "other", **mother})
    assert "Chưa kiểm tra xong" not in browser.last


@on_one_engine
def test_strange_numbers_and_browsers_without_a_family_are_sent_to_its_beginning(
    office: Office,
) -> None:
    stranger = office.browser()
    for path in ("/family/add", "/family/1/check", "/family/999999999999999999999/check"):
        assert stranger.get(path).request.path in {"/family", path}
    assert stranger.post("/family/1/remove", {}).request.path == "/family"
    assert stranger.post("/family/add", {}).request.path == "/family"
    browser = _ready(office)
    assert browser.get("/family/7/check").request.path == "/family"
    assert browser.post("/family/7/remove", {}).request.path == "/family"
    browser.post("/family/forget", {})
    assert browser.get("/family").text.count("Đã khai") == 0
    assert {dossier.state for dossier in _dossiers(office)} == {DossierState.LAPSED}


def _to_times(browser: Browser, day: date = DAY) -> TestResponse:
    browser.get("/family/when?page=station")
    browser.get(f"/family/when?station={HANOI}")
    return browser.get(f"/family/when?station={HANOI}&day={day.isoformat()}")


def _hold(browser: Browser, hour: int = 8, minute: int = 0, day: date = DAY) -> TestResponse:
    _to_times(browser, day)
    to = f"/family/when?station={HANOI}&day={day.isoformat()}"
    return browser.post(to, {"time": time_of(day, hour, minute)})


def _booked(office: Office, *more: str) -> Browser:
    browser = _ready(office, *more)
    _hold(browser)
    browser.post("/family/confirm", {"agree": "yes"})
    return browser


def _offered(text: str) -> list[str]:
    return re.findall(r'name="time" value="([^"]+)"', text)


def _tickets(text: str) -> list[str]:
    return re.findall(r'class="ticket-code[^"]*">([^<]+)<', text)


def test_a_family_goes_from_its_people_to_a_ticket_each(office: Office) -> None:
    browser = _ready(office)
    offered = _offered(_to_times(browser).text)
    assert time_of(DAY, 8) in offered
    held = _hold(browser)
    assert held.request.path == "/family/confirm"
    assert taken(office) == 3  # the mother's quarter, the child's half hour
    unsure = browser.post("/family/confirm", {})
    assert unsure.status_code == 422
    done = browser.post("/family/confirm", {"agree": "yes"})
    assert done.request.path == "/family/booked"
    assert len(set(_tickets(done.text))) == 2
    dossiers = _dossiers(office)
    assert {dossier.state for dossier in dossiers} == {DossierState.FILED}
    assert len({dossier.code for dossier in dossiers}) == 2
    assert "được họ" not in done.text
    assert {dossier.answers["consent"]["language"] for dossier in dossiers} == {"vi"}
    again = browser.post("/family/confirm", {"agree": "yes"})
    assert _tickets(again.text) == _tickets(done.text)
    assert taken(office) == 3


def test_all_get_a_place_or_nobody_does(office: Office) -> None:
    browser = _ready(office, DUNG)
    _to_times(browser)
    for number in (OLD,):  # takes half of 8:00 and of 8:15 between looking and choosing
        other = office.browser()
        fill(other, office.person(number))
        hold(other, DAY, 8)
        confirm(other)
    before = taken(office)
    for hour in (8, 9):
        answer = _hold(browser, hour)
        held = answer.request.path == "/family/confirm"
        assert taken(office) - before == (4 if held else 0)
    assert held


@on_one_engine
def test_only_starts_with_room_for_everybody_are_shown(office: Office) -> None:
    browser = _ready(office, DUNG)
    offered = _offered(_to_times(browser).text)
    assert time_of(DAY, 16, 45) not in offered
    assert time_of(DAY, 7, 30) in offered
    for text in ("", "x", time_of(DAY, 16, 45), time_of(DAY, 3)):
        to = f"/family/when?station={HANOI}&day={DAY.isoformat()}"
        assert browser.post(to, {"time": text}).status_code == 409
    assert taken(office) == 0


@on_one_engine
def test_an_expired_hold_loses_no_person(office: Office) -> None:
    browser = _ready(office)
    _hold(browser)
    office.clock.goes_on(minutes=8)
    assert "Đã giữ thêm" in browser.post("/family/longer", {}).text
    office.clock.goes_on(minutes=8)
    assert browser.get("/family/confirm").request.path == "/family/confirm"
    office.clock.goes_on(minutes=30)
    answer = browser.post("/family/confirm", {"agree": "yes"})
    assert answer.request.path == "/family"
    assert "Đã hết thời gian giữ chỗ" in answer.text
    assert "Đã khai 2 người" in answer.text
    _hold(browser)
    assert browser.post("/family/confirm", {"agree": "yes"}).request.path == "/family/booked"


@on_one_engine
def test_somebody_who_has_an_appointment_already_keeps_nobody_a_place(office: Office) -> None:
    alone = office.browser()
    fill(alone, office.person(KHUE))
    hold(alone, DAY, 9)
    confirm(alone)
    browser = _ready(office)
    answer = _hold(browser)
    assert answer.status_code == 409
    assert "đã có lịch hẹn" in answer.text
    assert taken(office) == 1


def test_a_family_moves_together_at_most_twice(office: Office) -> None:
    browser = _booked(office)
    tickets = _tickets(browser.get("/family/booked").text)
    assert "Còn đổi được 2 lần" in browser.last
    for hour in (10, 14):
        browser.get("/family/change")
        to = f"/family/change?station={HANOI}&day={DAY.isoformat()}"
        answer = browser.post(to, {"time": time_of(DAY, hour)})
        assert "Đã đổi lịch hẹn của gia đình" in answer.text
        assert f"{hour}:00" in answer.text
        assert browser.post(to, {"time": time_of(DAY, hour)}).status_code == 200
    assert _tickets(answer.text) == tickets
    assert "không đổi thêm được" in browser.get("/family/booked").text
    to = f"/family/change?station={HANOI}&day={DAY.isoformat()}"
    third = browser.post(to, {"time": time_of(DAY, 15)})
    assert third.status_code == 409
    assert "14:00" in browser.get("/family/booked").text
    assert taken(office) == 3


@on_one_engine
def test_one_may_stay_away_and_all_may(office: Office) -> None:
    browser = _booked(office, DUNG)
    assert len(_tickets(browser.get("/family/booked").text)) == 3
    browser.get("/family/cancel?number=3")
    assert office.person(DUNG).full_name in browser.last
    assert office.person(KHUE).full_name not in browser.last
    one = browser.post("/family/cancel", {"number": "3"})
    assert len(_tickets(one.text)) == 2
    everybody = browser.post("/family/cancel", {})
    assert _tickets(everybody.text) == []
    assert {dossier.state for dossier in _dossiers(office)} == {DossierState.FILED}
    assert "Đặt lịch cho người chưa có" in everybody.text
    _hold(browser, 10)
    browser.post("/family/confirm", {"agree": "yes"})
    assert len(_tickets(browser.get("/family/booked").text)) == 3


@on_one_engine
def test_the_first_ones_ticket_opens_the_family_elsewhere_and_the_others_only_their_own(
    office: Office,
) -> None:
    browser = _booked(office)
    first, second = _tickets(browser.get("/family/booked").text)
    other = office.browser()
    other.get("/manage")
    opened = other.post("/manage", {"ticket": first, **birth_of(office.person(KHUE))})
    assert opened.request.path == "/family/booked"
    assert _tickets(opened.text) == [first, second]
    child = office.browser()
    child.get("/manage")
    alone = child.post("/manage", {"ticket": second, **birth_of(office.person(CHILD))})
    assert alone.request.path == "/booked"
    assert first not in alone.text
    assert "đi cùng gia đình" in alone.text


@on_one_engine
def test_everybodys_slip_can_be_printed(office: Office) -> None:
    browser = _booked(office)
    for number in (1, 2):
        answer = browser.get(f"/family/{number}/slip.pdf")
        assert answer.mimetype == "application/pdf"
        assert answer.data.startswith(b"%PDF-")
    assert browser.get("/family/9/slip.pdf").mimetype == "text/html"
