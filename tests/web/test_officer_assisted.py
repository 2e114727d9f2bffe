"""An officer books for a citizen: all lanes, places kept from the public, a history with names."""

import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from scheduler import history, lanes, places
from scheduler.places import Rule
from scheduler.tables import AppointmentRow, LaneKind
from server.cases import hours, messages
from server.clock import HERE
from server.rules.dossier import DossierState
from server.store.tables import Dossier, Message
from tests.officers import ELSEWHERE, FAR, STATION, Browser, Office

THURSDAY = date(2026, 11, 26)
LONG_AGO = date(2026, 1, 1)
KEPT = Rule(
    opens=time(8), closes=time(9), step=15, capacity=2, public_capacity=0, valid_from=LONG_AGO
)
"""Two places a quarter of an hour, none of them for the public."""
MOBILE = Rule(opens=time(14), closes=time(15), step=15, capacity=1, lane="m", valid_from=LONG_AGO)
BIRTH = {"birth_day": "17", "birth_month": "3", "birth_year": "1990"}


@pytest.fixture
def office(engine: sa.Engine, tmp_path: Path, now: datetime) -> Office:
    made = Office(engine, tmp_path, now)
    with made.session() as session:
        for code in (STATION, ELSEWHERE, FAR):
            places.add_rule(session, code, KEPT)
            if code == STATION:
                lanes.add(session, code, code="m", kind=LaneKind.MOBILE, servers=1)
                places.add_rule(session, code, MOBILE)
            hours.open_days(session, code, made.clock.now)
    return made


def _dossier(office: Office, number: int = 1, **answers: str) -> str:
    code = f"DEMO.001.026-261124-{number:06d}"
    with office.session() as session:
        session.add(
            Dossier(
                id=uuid4(),
                code=code,
                state=DossierState.FILED,
                profile="can-cuoc-2026",
                purpose="EX_REQ",
                person_key=bytes([number]) * 32,
                full_name="Lê Văn Ân",
                birth_date=date(1990, 3, 17),
                answers=answers,
                person={},
                language="vi",
                created_at=office.clock.now,
                filed_at=office.clock.now,
            )
        )
    return code


def _time(hour: int, minute: int = 0, lane: str = "regular", day: date = THURSDAY) -> str:
    moment = datetime.combine(day, time(hour, minute), HERE)
    return f"{moment.astimezone(UTC).isoformat(timespec='minutes')} {lane}"


def _open(office: Office, code: str, who: str = "c.chi") -> tuple[Browser, str]:
    browser = office.signed_in(who)
    answer = browser.post("/assisted", code=code, **BIRTH)
    assert answer.status_code == 303, answer.text
    return browser, answer.headers["Location"]


def _when(browser: Browser, page: str, moment: str, station: str = STATION) -> str:
    answer = browser.post(f"{page}/when?station={station}", time=moment)
    return answer.headers.get("Location", answer.text)


def _appointment(office: Office) -> AppointmentRow:
    with office.session() as session:
        return session.scalars(sa.select(AppointmentRow)).one()


def test_an_officer_books_what_is_kept_from_the_public_and_it_is_written_down(
    office: Office,
) -> None:
    code = _dossier(office, phone="0912345678")
    browser, page = _open(office, code)
    days = browser.get(f"{page}/when").text
    assert "day=2026-11-26" in days
    assert "dành cho cán bộ" in browser.get(f"{page}/when?day=2026-11-26").text
    done = _when(browser, page, _time(8))
    assert done.endswith("done=booked")
    row = _appointment(office)
    assert (row.public, row.state.value, row.minutes) == (False, "booked", 15)
    with office.session() as session:
        (entry,) = history.of(session, row.id)
        assert (entry.by, entry.event) == ("officer:c.chi", "book")
        assert history.intact(session, row.id)
    shown = browser.get(page).text
    assert "Phạm Ngọc Chi" in shown
    assert "08:00, Thứ Năm, 26/11/2026" in shown
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]", shown)


def test_an_officer_moves_as_often_as_it_takes_and_into_any_lane(office: Office) -> None:
    browser, page = _open(office, _dossier(office))
    _when(browser, page, _time(8))
    for hour, minute, lane in (
        (8, 15, "regular"),
        (14, 0, "m"),
        (8, 30, "regular"),
        (8, 45, "regular"),
    ):
        assert _when(browser, page, _time(hour, minute, lane)).endswith("done=moved")
    assert _when(browser, page, _time(8, 45)).endswith("done=booked")  # pressed twice
    assert "lưu động" in browser.get(f"{page}/when?day=2026-11-26").text
    row = _appointment(office)
    assert row.moved == 0
    with office.session() as session:
        events = [entry.event for entry in history.of(session, row.id)]
    assert events == ["book", *["move"] * 4]


def test_cancelling_keeps_the_dossier_and_the_history(office: Office) -> None:
    browser, page = _open(office, _dossier(office))
    assert browser.post(f"{page}/cancel").status_code == 409
    _when(browser, page, _time(8))
    answer = browser.post(f"{page}/cancel")
    assert answer.headers["Location"].endswith("done=cancelled")
    shown = browser.get(page).text
    assert "Chưa có lịch hẹn" in shown
    assert shown.count("Phạm Ngọc Chi") == 3  # the menu, booked, cancelled
    assert _when(browser, page, _time(8, 15)).endswith("done=booked")


def test_full_barred_foreign_and_strange_times_are_refused_and_change_nothing(
    office: Office,
) -> None:
    for number in (1, 2):
        browser, page = _open(office, _dossier(office, number))
        assert _when(browser, page, _time(8)).endswith("done=booked")
    browser, page = _open(office, _dossier(office, 3))
    assert "không còn chỗ" in _when(browser, page, _time(8))
    assert "không còn chỗ" in _when(browser, page, _time(3))
    for strange in ("", "x", "\x00", "9" * 5000):
        assert browser.post(f"{page}/when", time=strange).status_code in {409, 422}
    # Asked for a station that is not theirs, an officer sees their own.
    assert _when(browser, page, _time(8, 15), station=FAR).endswith("done=booked")
    with office.session() as session:
        places_taken = set(session.scalars(sa.select(AppointmentRow.place)))
    assert places_taken == {STATION}
    assert browser.get("/assisted/x").status_code == 404


def _is_shut(office: Office, browser: Browser, page: str) -> None:
    """Hold that everything about a dossier leads back to asking, and changes nothing."""
    before = _appointment(office).state
    answers = [browser.get(f"{page}{rest}") for rest in ("", "/when", "/slip.pdf")]
    answers += [browser.post(f"{page}/cancel"), browser.post(f"{page}/when", time=_time(8, 30))]
    for answer in answers:
        assert (answer.status_code, answer.headers["Location"]) == (303, "/assisted?over=yes")
        assert "Lê Văn Ân" not in answer.text
    row = _appointment(office)
    assert (row.state, row.starts_at.astimezone(HERE).time()) == (before, time(8))
    assert "chỉ mở trong 30 phút" in browser.get("/assisted?over=yes").text


@pytest.mark.parametrize("who", ["v.an", "s.dung", "v.xa"])
def test_an_opened_dossier_is_open_to_nobody_else(office: Office, who: str) -> None:
    browser, page = _open(office, _dossier(office))
    _when(browser, page, _time(8))
    _is_shut(office, office.signed_in(who), page)
    # The same officer in a new session asks anew too.
    _is_shut(office, office.signed_in("c.chi"), page)
    other, its_page = _open(office, "DEMO.001.026-261124-000001", who)
    assert other.get(its_page).status_code == 200
    assert other.post(f"{its_page}/cancel").headers["Location"].endswith("done=cancelled")
    with office.session() as session:
        last = history.of(session, session.scalars(sa.select(AppointmentRow.id)).one())[-1]
    assert (last.by, last.event) == (f"officer:{who}", "cancel")


def test_an_opened_dossier_shuts_after_half_an_hour(office: Office) -> None:
    browser, page = _open(office, _dossier(office))
    _when(browser, page, _time(8))
    for minutes in (9, 9, 9):
        office.clock.goes_on(minutes=minutes)
        assert browser.get(page).status_code == 200
    office.clock.goes_on(minutes=3)
    _is_shut(office, browser, page)


def test_a_forged_proof_opens_no_dossier(office: Office) -> None:
    browser, page = _open(office, _dossier(office, 1))
    _when(browser, page, _time(8))
    other = _open(office, _dossier(office, 2))[1]
    dossier, proof = page.rsplit("/", 1)
    until, mac = proof.split("-")
    for forged in (
        other.rsplit("/", 1)[1],
        f"{int(until, 16) + 3600:x}-{mac}",
        f"{until}-{'0' * 64}",
        proof.upper(),
        f"{proof}%0a",
        "0",
        "%00",
        "\u0661",
        "x" * 5000,
    ):
        _is_shut(office, browser, f"{dossier}/{forged}")
    assert browser.get(dossier).status_code == 404


def test_unknown_and_wrong_are_one_answer_and_tries_are_counted(office: Office) -> None:
    code = _dossier(office)
    browser = office.signed_in("c.chi")
    wrong = {**BIRTH, "birth_day": "18"}
    for number in range(9):
        answer = browser.post("/assisted", code=code, **wrong)
        assert answer.status_code == 422
        assert ("Không tìm thấy" in answer.text) == (number < 8)
    assert browser.post("/assisted", code=code, **BIRTH).status_code == 422
    other = browser.post("/assisted", code="DEMO.001.026-261124-999999", **BIRTH)
    assert "Không tìm thấy" in other.text
    assert browser.post("/assisted").status_code == 422


@pytest.mark.parametrize("who", ["v.an", "c.chi", "s.dung"])
def test_whoever_stands_at_a_counter_may_help(office: Office, who: str) -> None:
    assert office.signed_in(who).get("/assisted").status_code == 200


def test_an_auditor_and_strangers_may_not(office: Office) -> None:
    assert office.signed_in("a.giang").get("/assisted").status_code == 403
    assert office.browser().get("/assisted").status_code == 303


def test_the_slip_is_printed_in_the_citizens_language(office: Office) -> None:
    browser, page = _open(office, _dossier(office))
    assert browser.get(f"{page}/slip.pdf").status_code == 409
    _when(browser, page, _time(8))
    answer = browser.get(f"{page}/slip.pdf")
    assert (answer.mimetype, answer.data[:5]) == ("application/pdf", b"%PDF-")


def test_whom_no_message_reaches_stands_on_a_list(office: Office) -> None:
    for number, answers in ((1, {}), (2, {"phone": "0912345678"}), (3, {"phone": "0912345679"})):
        browser, page = _open(office, _dossier(office, number, **answers))
        _when(browser, page, _time(8, 15 * number))
    with office.session() as session:
        failing = session.scalars(
            sa.select(Dossier).where(Dossier.code == "DEMO.001.026-261124-000003")
        ).one()
        messages.queue(session, failing, "reminder.one_day", {}, now=office.clock.now)
        (row,) = session.scalars(sa.select(Message))
        row.tries = messages.MOST_TRIES
        messages.failed(session, row.id, "no such number", now=office.clock.now)
    listed = browser.get("/assisted?day=2026-11-26").text
    assert "DEMO.001.026-261124-000001" in listed
    assert "Không có liên hệ" in listed
    assert "DEMO.001.026-261124-000003" in listed
    assert "Không gửi được tin" in listed
    assert "DEMO.001.026-261124-000002" not in listed
    assert "Ngày này không có ai" in browser.get("/assisted?day=nonsense").text
