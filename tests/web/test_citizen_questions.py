"""What the wizard asks whom, what it tells, and what it lets nobody pass over."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import httpx
import pytest

from server.registry import people, simulator
from server.registry.client import RegistryClient
from server.registry.port import RegistryDown
from server.registry.simulator import Day, Mode
from tests.web.citizens import (
    BABY,
    CHILD,
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
    time_of,
)

DAY = date(2026, 11, 30)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        yield opened


def test_no_question_can_be_passed_over(office: Office) -> None:
    browser = begun(office, KHUE)
    for page in ("data", "contact", "delivery", "station", "day", "time", "confirm", "coming"):
        assert browser.get(f"/book/{page}").request.path == "/book/identity"
    browser.post("/book/contact", {"phone": "0912345678"})
    browser.post("/book/station", {"station": HANOI})
    browser.post("/book/time", {"time": time_of(DAY, 8)})
    assert browser.path == "/book/identity"
    assert taken(office) == 0


def test_another_name_or_birth_date_or_number_is_told_alike(office: Office) -> None:
    khue, dung = office.person(KHUE), office.person(DUNG)
    said = []
    for number, name in ((KHUE, dung.full_name), (DUNG, khue.full_name), ("0" * 12, "Ai Đó")):
        browser = begun(office, KHUE)
        answer = browser.post("/book/identity", {"number": number, "name": name})
        assert answer.status_code == 422
        assert browser.path == "/book/identity"
        said.append(answer.text.replace(number, "").replace(name, ""))
    assert "finding" not in said[0]
    # Tokens of the forms are each browser's own.
    plain = {text[text.index('<div class="note bad"') : text.index("</div>")] for text in said}
    assert len(plain) == 1
    assert taken(office) == 0


def test_a_corrected_record_must_be_looked_at_again(office: Office) -> None:
    browser, person = office.browser(), office.person(KHUE)
    fill(browser, person)
    moved = person.as_json() | {"home_town": "Xã Giả Định, Huế"}
    office.registry.known[KHUE] = type(person).from_json(moved)
    browser.post("/book/identity", {"number": KHUE, "name": person.full_name})
    assert browser.path == "/book/data"
    assert "Xã Giả Định, Huế" in browser.get("/book/data").text


def test_a_child_comes_with_somebody_of_age(office: Office) -> None:
    browser = begun(office, CHILD)
    assert browser.path == "/book/coming"
    browser.post("/book/coming", {})
    person = office.person(CHILD)
    browser.post("/book/identity", {"number": CHILD, "name": person.full_name})
    browser.post("/book/data", {"data": "yes"})
    browser.post("/book/contact", {"phone": "+84 912 345 678", "email": "me@example.com"})
    browser.post("/book/requests", {})
    browser.post("/book/delivery", {"delivery": "post", "address": "Số 1, phố Ví Dụ, Giả Định"})
    browser.post("/book/priority", {})
    assert browser.path == "/book/representative"
    with_child = {"rep_name": person.full_name, "rep_number": CHILD, "rep_relation": "mother"}
    assert browser.post("/book/representative", with_child).status_code == 422
    young = with_child | {"rep_number": BABY}
    assert "từ đủ 18 tuổi" in browser.post("/book/representative", young).text
    mother = {"rep_name": "Nguyễn Thị Minh Khuê", "rep_number": KHUE, "rep_relation": "mother"}
    browser.post("/book/representative", mother)
    hold(browser, DAY)
    booked = confirm(browser)
    assert "Người đại diện hợp pháp cùng đến" in booked.text
    assert dossier_of(office).answers["representative"]["personal_number"] == KHUE


@pytest.mark.parametrize(
    ("number", "purpose", "said"),
    [
        (BABY, "NEW", "dichvucong.gov.vn"),
        (KHUE, "EX_UNIT", "dichvucong.gov.vn"),
        (KHUE, "U6", "Chọn trường hợp khác"),
    ],
)
def test_who_need_not_come_is_told_so_and_books_nothing(
    office: Office, number: str, purpose: str, said: str
) -> None:
    browser = begun(office, number, purpose)
    answer = browser.get("/book/next")
    assert answer.request.path == "/book/coming"
    assert said in answer.text
    browser.post("/book/coming", {})
    assert browser.path == "/book/coming"


def test_a_lost_card_may_be_replaced_online_or_here(office: Office) -> None:
    browser = begun(office, KHUE, "RE_LOST")
    answer = browser.get("/book/next")
    assert "dichvucong.gov.vn" in answer.text
    browser.post("/book/coming", {})
    assert browser.path == "/book/identity"


def test_a_child_who_turns_six_soon_may_book_from_that_day(office: Office) -> None:
    person = office.person(BABY)
    born = person.as_json() | {"birth_date": "2020-12-15", "personal_number": "001220990005"}
    soon = office.registry.known["001220990005"] = type(person).from_json(born)
    browser = office.browser()
    fill(browser, soon)
    browser.post("/book/station", {"station": HANOI})
    shown = browser.get("/book/day?month=2026-12").text
    assert 'value="2026-12-14"' not in shown
    assert 'value="2026-12-15"' in shown
    assert browser.post("/book/day", {"day": "2026-12-14"}).status_code == 422
    browser.post("/book/day", {"day": "2026-12-15"})
    assert browser.path == "/book/time"


def test_who_knows_only_the_year_is_found(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(OLD))
    assert browser.path == "/book/station"
    assert "1941" in browser.get("/book/data").text


def test_a_registry_that_is_down_keeps_what_was_typed(office: Office) -> None:
    browser, person = begun(office, KHUE), office.person(KHUE)
    office.registry.raises = RegistryDown("no answer")
    answer = browser.post("/book/identity", {"number": KHUE, "name": person.full_name})
    assert answer.status_code == 503
    assert person.full_name in browser.get("/book/identity?lang=en").text
    office.registry.raises = None
    browser.post("/book/identity", {"number": KHUE, "name": person.full_name})
    assert browser.path == "/book/data"


def test_the_fee_of_the_day_is_shown_and_next_years_is_not_invented(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    assert "15.000 đồng" in hold(browser, DAY).text
    answer = hold(browser, date(2027, 1, 4))
    assert "Theo mức thu tại thời điểm nộp" in answer.text
    assert "0 đồng" in answer.text


def test_the_calendar_says_why_a_day_is_closed(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    browser.post("/book/station", {"station": HANOI})
    shown = browser.get("/book/day").text
    assert "Ngày Văn hóa Việt Nam" in shown
    assert 'value="2026-11-28"' not in shown
    assert "chưa được công bố" in browser.get("/book/day?month=2027-01").text
    for month in ("x", "2026-13", "1999-01", "9999-12", "2026-12-01"):
        assert browser.get(f"/book/day?month={month}").status_code == 200


def test_stations_are_found_without_accents(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    for query, found in (
        ("?q=HOA+mau", ["DN01"]),
        ("?q=h%C3%B2a", ["DN01"]),
        ("?province=01", [HANOI]),
        ("?q=gia+dinh&province=48", []),
        ("?q=%00", [HANOI, "DN01"]),
        ("?q=" + "x" * 5000, []),
    ):
        text = browser.get(f"/book/station{query}").text
        assert [code for code in (HANOI, "DN01") if f'value="{code}"' in text] == found, query
    assert browser.post("/book/station", {"station": "NOWHERE"}).status_code == 422


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        (Mode.FAILING, 503, "Chưa đối chiếu được lúc này"),
        (Mode.GARBLED, 503, "Chưa đối chiếu được lúc này"),
        (Mode.WRONG_DATA, 422, "Thông tin chưa khớp"),
    ],
)
def test_a_bad_day_of_the_real_registry_client_loses_nothing(
    database_url: str, tmp_path: Path, now: datetime, mode: Mode, status: int, said: str
) -> None:
    people.write(tmp_path, people.people(16, 1, now.date()))
    day = Day(mode=mode)
    transport = httpx.WSGITransport(simulator.create_app(tmp_path, day))
    with (
        RegistryClient("http://registry", transport) as client,
        Office.open(database_url, tmp_path, now, registry=client) as office,
    ):
        browser, person = begun(office, KHUE), office.person(KHUE)
        entered = {"number": KHUE, "name": person.full_name}
        answer = browser.post("/book/identity", entered)
        assert answer.status_code == status
        assert said in answer.text
        assert f'value="{person.full_name}"' in browser.get("/book/identity").text
        day.mode = Mode.WELL
        browser.post("/book/identity", entered)
        assert browser.path == "/book/data"
        assert taken(office) == 0
