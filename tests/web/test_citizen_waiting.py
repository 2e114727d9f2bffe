"""The waiting list in the browser: joined without JavaScript, offered, taken, passed on; draws."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from scheduler import announcements, booking, draws, ledger, lottery, wishes
from scheduler.database import reading, transaction
from scheduler.tables import AppointmentRow, SlotRow
from scheduler.tables_waiting import WishRow, WishState
from server.__main__ import main
from server.cases import messages, status, waiting
from server.cli import worker
from server.clock import HERE
from server.registry.port import Person
from server.store.tables import Dossier, Message
from tests.web.citizens import (
    DUNG,
    HANOI,
    KHUE,
    Browser,
    Office,
    birth_of,
    code_on,
    confirm,
    fill,
    hold,
    taken,
    ticket_on,
)

DAY = date(2026, 11, 30)
FORM: dict[str, Any] = {
    "station": [HANOI, "DN01"],
    "first": "2026-11-26",
    "last": "2026-12-10",
    "weekdays": ["0", "1", "2", "3", "4"],
    "hours": "morning",
    "agree": "yes",
}


on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        yield opened
        with reading(opened.engine) as session:
            assert ledger.drift(session) == ()
            assert ledger.loose(session) == 0


def ready(office: Office, number: str) -> Browser:
    browser = office.browser()
    fill(browser, office.person(number))
    return browser


def fill_up(office: Office) -> None:
    """Let every place be taken by officers' bookings that nobody gives back."""
    with transaction(office.engine) as session:
        session.execute(sa.update(SlotRow).values(offered=False))
        session.execute(
            sa.update(SlotRow)
            .where(
                SlotRow.place == HANOI,
                SlotRow.starts_at == datetime.combine(DAY, time(8), HERE),
            )
            .values(offered=True, capacity=1, public_capacity=1)
        )


def do(office: Office, name: str) -> int:
    """Let the worker do one of its duties."""
    duties = (*worker.DUTIES, worker.drawing(office.settings.secret))
    (duty,) = (one for one in duties if one.name == name)
    return duty.do(office.engine, office.clock())


def told(office: Office) -> list[str]:
    with reading(office.engine) as session:
        return list(session.scalars(sa.select(Message.key).order_by(Message.queued_at)))


def test_who_finds_nothing_waits_is_offered_what_comes_free_and_takes_it(office: Office) -> None:
    holder = ready(office, DUNG)
    fill_up(office)
    hold(holder, DAY, 8)
    confirm(holder)
    browser = ready(office, KHUE)
    page = browser.get(f"/waiting?station={HANOI}").text
    assert "Ghi tên chờ" in page
    page = browser.post("/waiting", FORM).text
    assert "Đang chờ" in page
    assert do(office, "places offered") == 0
    holder.get("/booked/cancel")
    holder.post("/booked/cancel", {})
    assert do(office, "places offered") == 1
    assert told(office)[-1] == "waiting.message.offer"
    page = browser.get("/waiting").text
    assert "Có chỗ cho ông/bà" in page
    assert "còn 120 phút" in page
    page = browser.post("/waiting/answer", {"answer": "yes"}).text
    assert ticket_on(page)
    assert "/booked" in browser.get("/waiting").request.path


@on_one_engine
def test_an_offer_that_was_declined_or_is_over_cannot_be_taken(office: Office) -> None:
    fill_up(office)
    browser = ready(office, KHUE)
    browser.post("/waiting", FORM)
    assert do(office, "places offered") == 1
    page = browser.post("/waiting/answer", {"answer": "no"}).text
    assert "chuyển chỗ này cho người tiếp theo" in page
    late = browser.post("/waiting/answer", {"answer": "yes"})
    assert late.status_code == 409
    assert "không còn" in late.text
    assert do(office, "places offered") == 0


def test_who_does_not_answer_is_told_and_waits_on(office: Office) -> None:
    fill_up(office)
    browser = ready(office, KHUE)
    browser.post("/waiting", FORM)
    do(office, "places offered")
    office.clock.now += timedelta(minutes=121)
    assert browser.post("/waiting/answer", {"answer": "yes"}).status_code == 409
    do(office, "places offered")
    assert told(office)[-1] == "waiting.message.missed"
    assert "Đang chờ" in browser.get("/waiting").text


def said(office: Office) -> str:
    """Let the newest message be sent, and return its text: all that its reader has."""
    office.clock.now += timedelta(seconds=1)
    with transaction(office.engine) as session:
        return messages.take(session, url="https://office.example", now=office.clock(), limit=99)[
            -1
        ].text


def link_in(text: str) -> str:
    """Return where the message leads."""
    (found,) = re.findall(r"https://office\.example(/\S+)", text)
    assert text.endswith(str(found)), "a full stop would become part of the address"
    return str(found)


def opened(browser: Browser, person: Person) -> TestResponse:
    """Press on from the page at hand, knowing only the birth date."""
    found = re.search(r'name="code"[^>]* value="([^"]+)"', browser.last)
    assert found is not None, browser.last
    entered = {"code": found[1], **birth_of(person)}
    assert "Đặt lịch hẹn</button>" not in browser.post("/status", entered).text
    return browser.post("/status/book", entered)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_an_offer_is_answered_with_no_more_than_its_message_and_a_birth_date(
    office: Office, language: str
) -> None:
    fill_up(office)
    first = office.browser()
    first.get(f"/?lang={language}")
    fill(first, office.person(KHUE))
    code = code_on(first.post("/waiting", FORM).text)
    do(office, "places offered")
    text = said(office)
    assert code in text.split("https")[0]
    other = office.browser()
    other.get(f"/?lang={language}")
    page = other.get(link_in(text))
    assert page.request.path == "/status"
    assert {"vi": "hồ sơ trong tin nhắn", "en": "dossier of the message"}[language] in page.text
    shown = other.post("/status", {"code": code, **birth_of(office.person(KHUE))}).text
    assert {"vi": "Xem chỗ này và trả lời", "en": "See the place and answer"}[language] in shown
    other.get(link_in(text))
    page = opened(other, office.person(KHUE))
    assert page.request.path == "/waiting"
    assert {"vi": "Có chỗ cho ông/bà", "en": "There is a place for you"}[language] in page.text
    assert ticket_on(other.post("/waiting/answer", {"answer": "yes"}).text)
    assert other.get(link_in(text)).request.path == "/booked"


@on_one_engine
def test_a_message_leads_past_whoever_else_used_the_browser(office: Office) -> None:
    fill_up(office)
    shared = ready(office, DUNG)
    shared.post("/waiting", {**FORM, "first": "2026-12-09"})
    ready(office, KHUE).post("/waiting", FORM)
    do(office, "places offered")
    assert shared.get("/waiting").request.path == "/waiting"
    assert shared.get(link_in(said(office))).request.path == "/status"
    assert "Có chỗ cho ông/bà" in opened(shared, office.person(KHUE)).text


@on_one_engine
def test_birth_dates_cannot_be_tried_out_on_a_code_from_a_message(office: Office) -> None:
    fill_up(office)
    code = code_on(ready(office, KHUE).post("/waiting", FORM).text)
    other, wrong = office.browser(), birth_of(office.person(DUNG))
    for _ in range(status.BY_CODE.tries):
        assert other.post("/status/book", {"code": code, **wrong}).status_code == 422
    right = {"code": code, **birth_of(office.person(KHUE))}
    assert other.post("/status/book", right).status_code == 429
    assert other.get("/waiting").request.path == "/status"


@on_one_engine
@pytest.mark.parametrize("code", ["x" * 5000, "%00", '"><script>alert(1)</script>', "../booked"])
def test_a_link_with_nonsense_for_a_code_asks_for_one(office: Office, code: str) -> None:
    page = office.browser().get(f"/waiting?code={code}")
    assert page.request.path == "/status"
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "x" * 100 not in page.text


@on_one_engine
def test_a_family_answers_elsewhere_with_its_first_persons_code(office: Office) -> None:
    fill_up(office)
    with transaction(office.engine) as session:
        offered = sa.update(SlotRow).where(SlotRow.offered)
        session.execute(offered.values(capacity=2, public_capacity=2))
    _family(office).post("/waiting", {**FORM, "who": "family"})
    do(office, "places offered")
    other = office.browser()
    other.get(link_in(said(office)))
    page = opened(other, office.person(KHUE))
    assert 'name="who" value="family"' in page.text
    done = other.post("/waiting/answer", {"answer": "yes", "who": "family"})
    assert done.request.path == "/family/booked"
    for number in (KHUE, DUNG):
        assert office.person(number).full_name in done.text


@on_one_engine
def test_whoever_of_a_family_looks_sees_what_is_offered_to_all(office: Office) -> None:
    fill_up(office)
    with transaction(office.engine) as session:
        offered = sa.update(SlotRow).where(SlotRow.offered)
        session.execute(offered.values(capacity=2, public_capacity=2))
    _family(office).post("/waiting", {**FORM, "who": "family"})
    do(office, "places offered")
    with reading(office.engine) as session:
        name = office.person(DUNG).full_name
        code = session.scalars(sa.select(Dossier.code).where(Dossier.full_name == name)).one()
    other = office.browser()
    page = other.post("/status/book", {"code": code, **birth_of(office.person(DUNG))})
    assert "Có chỗ cho ông/bà" in page.text
    assert office.person(KHUE).full_name not in page.text


@on_one_engine
def test_a_family_of_which_one_booked_alone_is_told_that_waiting_together_has_ended(
    office: Office,
) -> None:
    fill_up(office)
    _family(office).post("/waiting", {**FORM, "who": "family"})
    with transaction(office.engine) as session:
        session.execute(sa.update(SlotRow).where(SlotRow.offered).values(capacity=2))
        name = office.person(DUNG).full_name
        dossier = session.scalars(sa.select(Dossier).where(Dossier.full_name == name)).one()
        free = sa.select(SlotRow).where(SlotRow.offered, SlotRow.capacity > SlotRow.taken)
        row = session.scalars(free.order_by(SlotRow.starts_at.desc()).limit(1)).one()
        booking.book(
            session,
            slot=booking.SlotRef(place=row.place, starts_at=row.starts_at, lane=row.lane),
            whose=str(dossier.id),
            person_key=dossier.person_key or b"",
            purpose=dossier.purpose,
            now=office.clock(),
            public=False,
        )
    do(office, "places offered")
    assert told(office)[-1] == "waiting.message.booked"


@on_one_engine
def test_when_waiting_is_over_the_message_leads_to_where_one_may_join_again(
    office: Office,
) -> None:
    fill_up(office)
    ready(office, KHUE).post("/waiting", {**FORM, "first": "2026-12-09"})
    office.clock.now += timedelta(days=17)
    do(office, "places offered")
    assert told(office)[-1] == "waiting.message.over"
    other = office.browser()
    other.get(link_in(said(office)))
    page = opened(other, office.person(KHUE))
    assert "Đã hết thời gian chờ" in page.text
    assert "Ghi tên chờ lại" in page.text


@on_one_engine
def test_who_wants_no_messages_is_told_to_look(office: Office) -> None:
    browser = ready(office, KHUE)
    browser.post("/book/contact", {"phone": "0912 345 678", "email": "", "notify": "none"})
    assert "chọn không nhận tin nhắn" in browser.get(f"/waiting?station={HANOI}").text
    page = browser.post("/waiting", {**FORM, "first": "2026-12-09"}).text
    assert "Đang chờ" in page
    assert "chọn không nhận tin nhắn" in page
    assert "chúng tôi nhắn tin theo cách" not in page


@on_one_engine
def test_a_form_that_is_refused_keeps_the_days_that_were_ticked(office: Office) -> None:
    browser = ready(office, KHUE)
    page = browser.post("/waiting", {**FORM, "weekdays": ["2"], "agree": ""}).text
    ticked = re.findall(r'name="weekdays" value="(\d)"[^>]*checked', page)
    assert ticked == ["2"]
    page = browser.post("/waiting", {**FORM, "weekdays": []}).text
    assert not re.search(r'name="weekdays"[^>]*checked', page)


def test_who_accepts_while_choosing_elsewhere_gives_that_place_back(office: Office) -> None:
    browser = ready(office, KHUE)
    browser.post("/waiting", {**FORM, "first": "2026-12-09"})
    hold(browser, DAY, 9)
    assert taken(office) == 1
    do(office, "places offered")
    assert ticket_on(browser.post("/waiting/answer", {"answer": "yes"}).text)
    assert taken(office) == 1


def test_who_books_otherwise_waits_no_longer(office: Office) -> None:
    browser = ready(office, KHUE)
    browser.post("/waiting", {**FORM, "first": "2026-12-09"})
    browser.get("/book/station")
    hold(browser, DAY, 9)
    confirm(browser)
    do(office, "places offered")
    with reading(office.engine) as session:
        row = session.scalars(sa.select(WishRow)).one()
        assert row.state.value == "withdrawn"


@on_one_engine
def test_a_dossier_that_is_withdrawn_waits_no_longer_and_its_person_may_begin_anew(
    office: Office,
) -> None:
    fill_up(office)
    browser = ready(office, KHUE)
    browser.post("/waiting", FORM)
    browser.get("/withdraw")
    browser.post("/withdraw", {})
    with reading(office.engine) as session:
        assert session.scalars(sa.select(WishRow.state)).all() == [WishState.WITHDRAWN]
    assert do(office, "places offered") == 0
    ready(office, KHUE).post("/waiting", FORM)
    with reading(office.engine) as session:
        assert set(session.scalars(sa.select(WishRow.state))) == {
            WishState.WITHDRAWN,
            WishState.WAITING,
        }


@on_one_engine
def test_nobody_waits_twice_and_who_leaves_may_come_again(office: Office) -> None:
    first, second = ready(office, KHUE), ready(office, KHUE)
    first.post("/waiting", FORM)
    again = second.post("/waiting", FORM)
    assert again.status_code == 422
    assert "mỗi người chỉ ghi tên một lần" in again.text
    page = first.post("/waiting/withdraw", {}).text
    assert "Đã rút tên" in page
    assert "Ghi tên chờ" in first.get("/waiting?again=1").text
    assert "Đang chờ" in second.post("/waiting", FORM).text


@on_one_engine
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("agree", "", "đánh dấu đồng ý"),
        ("station", [], "từ 1 đến 5 điểm"),
        ("station", [HANOI] * 6, "từ 1 đến 5 điểm"),
        ("station", ["NOWHERE"], "từ 1 đến 5 điểm"),
        ("station", [HANOI, HANOI], "từ 1 đến 5 điểm"),
        ("station", ["\x00" * 90], "từ 1 đến 5 điểm"),
        ("first", "", "kiểm tra ngày"),
        ("last", "2026-11-01", "kiểm tra ngày"),
        ("last", "9999-12-31", "kiểm tra ngày"),
        ("last", "x" * 5000, "kiểm tra ngày"),
        ("weekdays", [], "ít nhất một ngày"),
        ("weekdays", ["9"], "ít nhất một ngày"),
        ("weekdays", ["0; DROP TABLE wish"], "ít nhất một ngày"),
        ("hours", "midnight", "chọn buổi"),
        ("draw", "zzz", "không nhận tên nữa"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_kept(
    office: Office, field: str, value: object, says: str
) -> None:
    browser = ready(office, KHUE)
    answer = browser.post("/waiting", {**FORM, field: value})
    assert answer.status_code == 422
    assert says in answer.text
    with reading(office.engine) as session:
        assert session.scalars(sa.select(WishRow)).all() == []


@on_one_engine
def test_a_browser_without_a_dossier_is_sent_where_it_gets_one(office: Office) -> None:
    browser = office.browser()
    assert browser.get("/waiting").request.path == "/status"
    for path in ("/waiting", "/waiting/answer", "/waiting/withdraw"):
        assert browser.post(path, FORM).status_code == 200
    assert browser.get("/draw/00000000-0000-0000-0000-000000000000").status_code == 404
    assert browser.get("/draw/x").status_code == 404


def announce(office: Office, beacon: str = "") -> UUID:
    now = office.clock()
    closes = now + timedelta(hours=8)
    with transaction(office.engine) as session:
        made = draws.announce(
            session,
            place=HANOI,
            lane="regular",
            first_day=DAY,
            last_day=DAY,
            closes_at=closes,
            by="officer:x",
            now=now,
            beacon=beacon,
            beacon_at=closes + timedelta(hours=2) if beacon else None,
        )
    return made.id


def test_a_draw_from_its_announcement_to_the_check_by_anybody(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = announce(office)
    browser, anybody = ready(office, KHUE), office.browser()
    assert "Ghi tên bốc thăm" in browser.get(f"/waiting?station={HANOI}").text
    assert anybody.get(f"/draw/{draw}/record.json").status_code == 404
    form = {**FORM, "draw": draw.hex, "hours": "any"}
    assert "Xem đợt bốc thăm" in browser.post("/waiting", form).text
    # Nobody books these places for themselves meanwhile.
    other = ready(office, DUNG)
    hold(other, DAY, 8)
    assert other.path != "/book/confirm"
    office.clock.now += timedelta(hours=8)
    assert do(office, "places drawn") == 2
    assert told(office)[-1] == "waiting.message.drawn"
    text = said(office)
    elsewhere = office.browser()
    assert elsewhere.get(link_in(text)).request.path == "/manage"
    ticket = re.search(r"Mã lịch hẹn ([0-9A-Z -]+)\.", text)
    assert ticket is not None
    known = {"ticket": ticket[1], **birth_of(office.person(KHUE))}
    assert ticket_on(elsewhere.post("/manage", known).text) == ticket[1]
    back = {"code": code_on(elsewhere.last), **birth_of(office.person(KHUE))}
    assert office.browser().post("/status/book", back).status_code == 422
    browser = elsewhere
    assert ticket_on(browser.get("/waiting").text)
    page = anybody.get(f"/draw/{draw}").text
    assert "Đã bốc thăm" in page
    record = anybody.get(f"/draw/{draw}/record.json")
    told_of = json.loads(record.data)
    assert lottery.verify(told_of) == ()
    assert told_of["commitment"] in page
    assert told_of["frozen"] in page
    assert not re.search(KHUE + "|Khuê|DEMO", record.text)
    path = tmp_path / "record.json"
    path.write_bytes(record.data)
    assert main(["lottery-verify", str(path)]) == 0
    assert "agreed" in capsys.readouterr().out


@on_one_engine
def test_who_is_not_drawn_is_told_and_waits_on(office: Office) -> None:
    draw = announce(office)
    browser = ready(office, KHUE)
    browser.post("/waiting", {**FORM, "draw": draw.hex})
    with transaction(office.engine) as session:
        session.execute(sa.update(SlotRow).where(SlotRow.by_lot).values(offered=False))
    office.clock.now += timedelta(hours=8)
    assert do(office, "places drawn") == 2
    assert told(office)[-1] == "waiting.message.not_drawn"
    assert "Đang chờ" in browser.get("/waiting").text
    page = browser.get(f"/draw/{draw}").text
    assert "chưa có chỗ lần này" in page


def test_a_draw_with_a_public_number_waits_for_it(office: Office) -> None:
    draw = announce(office, "Giải đặc biệt xổ số miền Bắc ngày 24/11/2026")
    browser = ready(office, KHUE)
    browser.post("/waiting", {**FORM, "draw": draw.hex, "hours": "any"})
    office.clock.now += timedelta(hours=9)
    assert do(office, "places drawn") == 1
    with transaction(office.engine) as session:
        assert announcements.find(session, draw).state.value == "closed"
        secret, at = office.settings.secret, office.clock()
        with pytest.raises(draws.NotNow):
            waiting.draw(session, draw, secret=secret, now=at, beacon_value="12345")
        with pytest.raises(draws.DrawRefused):
            waiting.draw(session, draw, secret=secret, now=at + timedelta(hours=2))
    with transaction(office.engine) as session:
        later = at + timedelta(hours=2)
        done = waiting.draw(session, draw, secret=secret, now=later, beacon_value=" 12345 ")
        assert done.placed == 1
        assert lottery.verify(announcements.public_record(session, draw)) == ()
        assert booking.live_of(session, wishes.find(session, _wish(session)).whose) is not None


def _wish(session: Any) -> UUID:  # noqa: ANN401 - a session
    found: UUID = session.scalars(sa.select(WishRow.id)).one()
    return found


def _family(office: Office) -> Browser:
    """Return a browser with a family of two whose data are checked."""
    browser = office.browser()
    browser.get("/family")
    browser.post("/family/begin", {"phone": "0912 345 678", "email": "", "notify": "sms"})
    for number in (KHUE, DUNG):
        person = office.person(number)
        browser.get("/family/add")
        said = {"number": number, "name": person.full_name, "reason": "NEW", **birth_of(person)}
        browser.post("/family/add", said)
        found = re.search(r"/family/(\d+)/check", browser.last)
        assert found is not None
        browser.post(f"/family/{found[1]}/check", {"data": "yes"})
    return browser


def test_a_family_waits_together_and_takes_places_side_by_side(office: Office) -> None:
    fill_up(office)
    with transaction(office.engine) as session:
        session.execute(sa.update(SlotRow).where(SlotRow.offered).values(capacity=2))
    browser = _family(office)
    page = browser.get(f"/waiting?who=family&station={HANOI}").text
    assert 'name="who" value="family"' in page
    assert "Đang chờ" in browser.post("/waiting", {**FORM, "who": "family"}).text
    # One place is too few for two.
    assert do(office, "places offered") == 0
    with transaction(office.engine) as session:
        session.execute(sa.update(SlotRow).where(SlotRow.offered).values(public_capacity=2))
    assert do(office, "places offered") == 1
    page = browser.get("/waiting").text
    assert "Có chỗ cho ông/bà" in page
    done = browser.post("/waiting/answer", {"answer": "yes", "who": "family"})
    assert done.request.path == "/family/booked"
    with reading(office.engine) as session:
        parties = session.scalars(sa.select(AppointmentRow.party)).all()
    assert len(parties) == 2
    assert len(set(parties)) == 1
    assert browser.get("/waiting?who=family").request.path == "/family/booked"
