"""Programs book for citizens by code and birth date: once, and never more than there is."""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler import history, ledger
from scheduler.database import reading, transaction
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow, SlotRow
from server.cases import behalf, programs
from server.cases.throttle import Limit
from server.clock import HERE
from server.rules.dossier import DossierState
from server.store.tables import KeyKind
from server.web.api import desk as api_desk
from tests.web.api_stage import (
    BOOKINGS,
    FRIDAY,
    Programs,
    add_dossier,
    opened,
    problem,
    proof,
    slot,
)
from tests.web.citizens import HANOI


@pytest.fixture
def there(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Programs]:
    with opened(database_url, tmp_path, now) as there:
        yield there


# Booking.


def test_a_program_books_and_is_told_the_ticket(there: Programs) -> None:
    answer = there.book()
    assert answer.status_code == 201
    said = answer.get_json()
    assert said["state"] == "booked"
    assert said["starts_at"] == "2026-11-27T08:00:00+07:00"
    assert said["ends_at"] == "2026-11-27T08:15:00+07:00"
    assert len(said["ticket"]) == 16
    assert answer.headers["Location"] == f"{BOOKINGS}/{said['id']}"
    assert "Set-Cookie" not in answer.headers
    assert there.taken() == 1
    with reading(there.office.engine) as session:
        assert {e.by for e in history.of(session, uuid.UUID(said["id"]))} == {"partner:partner"}
        assert ledger.drift(session) == ()
        assert ledger.loose(session) == 0


def test_the_ticket_opens_the_citizens_own_page(there: Programs) -> None:
    ticket = there.book().get_json()["ticket"]
    browser = there.office.browser()
    browser.get("/manage")
    answer = browser.post(
        "/manage",
        {"ticket": ticket, "birth_day": "31", "birth_month": "1", "birth_year": "1990"},
    )
    assert answer.status_code == 200
    assert "08:00" in answer.text


def test_the_same_request_again_is_the_same_appointment(there: Programs) -> None:
    first, again = there.book(key="request-0001"), there.book(key="request-0001")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    assert there.taken() == 1


def test_the_same_key_for_another_request_is_refused(there: Programs) -> None:
    there.book(key="request-0001")
    problem(there.book(hour=9, key="request-0001"), 422, "request_reused")
    problem(there.book(who=2, key="request-0001"), 422, "request_reused")
    assert there.taken() == 1


def test_each_program_has_its_own_request_keys(there: Programs) -> None:
    assert there.book(who=1, key="request-0001").status_code == 201
    assert there.book(who=2, key="request-0001", by="other").status_code == 201


def test_a_second_appointment_for_the_same_is_refused(there: Programs) -> None:
    there.book()
    problem(there.book(hour=9), 409, "already_booked")
    assert there.taken() == 1


def test_a_full_time_is_refused_and_nothing_is_changed(there: Programs) -> None:
    for who in (1, 2):
        assert there.book(who).status_code == 201
    problem(there.book(3), 409, "slot_full")
    assert there.book(3, hour=9).status_code == 201
    assert there.taken() == 3


def test_nobody_gets_around_a_lot_by_a_program(there: Programs) -> None:
    with transaction(there.office.engine) as session:
        session.execute(sa.update(SlotRow).values(by_lot=True))
    for by in ("partner", "hotline"):
        problem(there.book(by=by), 409, "slot_by_lot")
    assert there.taken() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"starts_at": "2026-11-27T03:00:00+07:00"},
        {"starts_at": "2026-11-23T08:00:00+07:00"},
        {"lane": "staff"},
        {"station": "NOWHERE"},
    ],
)
def test_a_time_that_is_not_offered_is_refused(there: Programs, fields: dict[str, Any]) -> None:
    problem(there.book(**fields), 409, "slot_gone")
    assert there.taken() == 0


def test_a_child_may_not_be_booked_before_the_law_lets_it_come(there: Programs) -> None:
    add_dossier(there.office, 9, birth_date=date(2020, 12, 31), purpose="NEW")
    answer = there.book(9, birth_date="2020-12-31")
    assert answer.status_code in {201, 422}
    if answer.status_code == 422:
        problem(answer, 422, "day_barred")


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"state": DossierState.CAPTURED}, "not_now"),
        ({"person_key": None}, "person_unknown"),
    ],
)
def test_a_dossier_that_is_not_where_one_books_is_refused(
    there: Programs, columns: dict[str, Any], code: str
) -> None:
    add_dossier(there.office, 9, **columns)
    problem(there.book(9), 409, code)
    assert there.taken() == 0


def test_sixteen_programs_at_once_never_sell_a_place_twice(there: Programs) -> None:
    crowd = range(10, 26)
    for who in crowd:
        add_dossier(there.office, who)
    begin, statuses = threading.Barrier(len(crowd)), list[int]()

    def work(who: int) -> None:
        begin.wait()
        statuses.append(there.book(who).status_code)

    threads = [threading.Thread(target=work, args=(who,)) for who in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] * 2 + [409] * 14
    assert there.taken() == 2


def test_one_request_sent_eight_times_at_once_is_one_appointment(there: Programs) -> None:
    begin, answers = threading.Barrier(8), list[tuple[int, str]]()

    def work() -> None:
        begin.wait()
        answer = there.book(key="request-0001")
        answers.append((answer.status_code, answer.get_json()["id"]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({name for _, name in answers}) == 1
    assert there.taken() == 1


# Whose dossier it is.


def test_a_wrong_birth_date_and_an_unknown_code_are_one_answer(there: Programs) -> None:
    wrong = problem(there.book(birth_date="1990-02-01"), 404, "dossier_unknown")
    unknown = problem(there.book(77), 404, "dossier_unknown")
    year = problem(there.book(birth_date="1990"), 404, "dossier_unknown")
    assert wrong == unknown == year


def test_guessing_birth_dates_ends_and_then_the_right_one_is_not_told_either(
    there: Programs,
) -> None:
    for day in range(1, 9):
        problem(there.book(birth_date=f"1990-03-{day:02}"), 404, "dossier_unknown")
    answer = there.book()
    problem(answer, 429, "too_many")
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert there.book(2).status_code == 201
    there.office.clock.goes_on(minutes=16)
    assert there.book().status_code == 201


def test_a_program_that_guesses_many_dossiers_is_stopped(
    there: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Limit(name="program", tries=3, seconds=3600)
    monkeypatch.setattr(programs, "WRONG", few)
    for who in range(100, 103):
        problem(there.book(who), 404, "dossier_unknown")
    problem(there.book(103), 429, "too_many")
    problem(there.book(1), 429, "too_many")
    assert there.book(1, by="hotline").status_code == 201


def test_whoever_books_and_cancels_again_and_again_is_stopped(there: Programs) -> None:
    for _ in range(behalf.MOST_A_DAY):
        made = there.book().get_json()
        assert there.ask("DELETE", f"{BOOKINGS}/{made['id']}").status_code == 200
        there.office.clock.goes_on(hours=1)
    answer = there.book(hour=10)
    problem(answer, 429, "too_many")
    assert int(answer.headers["Retry-After"]) > 3600


# Looking, moving, cancelling.


def test_an_appointment_is_found_by_code_and_birth_date(there: Programs) -> None:
    problem(there.ask("POST", f"{BOOKINGS}/find", proof()), 404, "appointment_unknown")
    made = there.book().get_json()
    found = there.ask("POST", f"{BOOKINGS}/find", proof(), by="hotline").get_json()
    assert found["id"] == made["id"]
    assert "ticket" not in found


def test_an_appointment_is_moved_and_the_old_place_is_not_lost_on_the_way(
    there: Programs,
) -> None:
    made = there.book().get_json()
    path = f"{BOOKINGS}/{made['id']}"
    moved = there.ask("PUT", path, slot(9))
    assert moved.status_code == 200
    assert moved.get_json()["starts_at"] == "2026-11-27T09:00:00+07:00"
    assert there.ask("PUT", path, slot(9)).get_json()["moved"] == 1
    for who in (2, 3):
        there.book(who, hour=10)
    problem(there.ask("PUT", path, slot(10)), 409, "slot_full")
    assert there.ask("GET", path).get_json()["starts_at"] == "2026-11-27T09:00:00+07:00"
    assert there.ask("PUT", path, slot(9, 30)).status_code == 200
    problem(there.ask("PUT", path, slot(9, 45)), 409, "moved_too_often")


def test_an_appointment_is_cancelled_once_and_may_be_asked_for_twice(there: Programs) -> None:
    path = f"{BOOKINGS}/{there.book().get_json()['id']}"
    for _ in range(2):
        answer = there.ask("DELETE", path)
        assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
    problem(there.ask("PUT", path, slot(9)), 409, "not_now")
    with reading(there.office.engine) as session:
        assert ledger.drift(session) == ()


def test_a_partner_sees_its_own_appointments_and_the_hotline_all(there: Programs) -> None:
    path = f"{BOOKINGS}/{there.book().get_json()['id']}"
    for method, said in (("GET", None), ("PUT", slot(9)), ("DELETE", None)):
        problem(there.ask(method, path, said, by="other"), 404, "appointment_unknown")
    assert there.ask("GET", path, by="hotline").status_code == 200
    assert there.ask("DELETE", path, by="hotline").status_code == 200


@pytest.mark.parametrize(
    "name",
    [str(uuid.UUID(int=7)), "x", "0" * 32, "%00", "A" * 400, "{" + str(uuid.UUID(int=7)) + "}"],
)
def test_an_appointment_nobody_has_is_not_found(there: Programs, name: str) -> None:
    problem(there.ask("GET", f"{BOOKINGS}/{name}"), 404, "appointment_unknown")


# Stations and times.


def test_stations_are_listed_with_their_earliest_time(there: Programs) -> None:
    said = there.ask("GET", "/api/v1/stations?q=gia+dinh").get_json()["stations"]
    assert [(one["code"], one["earliest"]) for one in said] == [
        (HANOI, "2026-11-25T07:30:00+07:00")
    ]
    assert (
        there.ask("GET", "/api/v1/stations?province=48").get_json()["stations"][0]["code"] == "DN01"
    )


def test_days_and_times_show_what_is_free(there: Programs) -> None:
    there.book()
    path = f"/api/v1/stations/{HANOI}/days?first=2026-11-27&last=2026-11-28"
    days = there.ask("GET", path).get_json()["days"]
    assert [(day["date"], day["free"]) for day in days] == [("2026-11-27", 59), ("2026-11-28", 0)]
    assert days[1]["closed"]["vi"] == "Nghỉ cuối tuần"
    times = there.ask("GET", f"/api/v1/stations/{HANOI}/times?day=2026-11-27").get_json()["times"]
    assert {t["starts_at"]: t["free"] for t in times}["2026-11-27T08:00:00+07:00"] == 1
    long = there.ask("GET", f"/api/v1/stations/{HANOI}/times?day=2026-11-27&minutes=30").get_json()
    assert len(long["times"]) == len(times) - 2


def test_days_come_with_a_tag_and_are_not_sent_twice(there: Programs) -> None:
    first = there.ask("GET", f"/api/v1/stations/{HANOI}/days")
    again = there.ask(
        "GET", f"/api/v1/stations/{HANOI}/days", **{"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_a_station_nobody_knows_is_said_to_be_none(there: Programs) -> None:
    for path in ("NOWHERE/days", "NOWHERE/times?day=2026-11-27", f"{'x' * 30}/days"):
        problem(there.ask("GET", f"/api/v1/stations/{path}"), 404, "station_unknown")


# What monitoring reads.


def _metrics(there: Programs) -> dict[str, int]:
    answer = there.app.test_client().get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line.split() for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: int(value) for name, value in lines}


def test_anybody_may_read_whether_the_books_are_right(there: Programs) -> None:
    there.book()
    found = _metrics(there)
    assert found["thunhan_slot_drift"] == 0
    assert found["thunhan_claims_loose"] == 0
    assert found["thunhan_appointments_booked"] == 1
    assert found["thunhan_appointments_held"] == 0


def test_a_wrong_counter_is_seen_within_a_minute(there: Programs) -> None:
    assert _metrics(there)["thunhan_slot_drift"] == 0
    with transaction(there.office.engine) as session:
        at = datetime.combine(FRIDAY, time(8), HERE).astimezone(UTC)
        session.execute(
            sa.update(SlotRow)
            .where(SlotRow.place == HANOI, SlotRow.starts_at == at)
            .values(taken=1)
        )
    assert _metrics(there)["thunhan_slot_drift"] == 0
    there.office.clock.goes_on(seconds=60)
    assert _metrics(there)["thunhan_slot_drift"] == 1


def test_counting_again_is_not_done_for_every_reader(there: Programs) -> None:
    asked: list[str] = []
    sa.event.listen(
        there.office.engine, "before_cursor_execute", lambda *given: asked.append(given[2])
    )
    for _ in range(10):
        _metrics(there)
    assert len([said for said in asked if "FROM appointment" in said]) < 6


def test_the_hotlines_booking_says_in_its_history_who_made_it(there: Programs) -> None:
    there.book(by="hotline")
    with reading(there.office.engine) as session:
        row = session.scalars(sa.select(AppointmentRow)).one()
        assert row.state is AppointmentState.BOOKED
        assert {entry.by for entry in history.of(session, row.id)} == {"hotline:hotline"}


def test_a_failure_of_ours_is_said_plainly_and_tells_nothing(
    there: Programs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("server.web.api.stations.search.stations", fall)
    answer = there.ask("GET", "/api/v1/stations")
    problem(answer, 500, "broken")
    assert "secret" not in answer.text
    assert "secret detail" in caplog.text


def test_time_goes_on_for_the_pace_of_a_program_even_if_the_clock_is_set_back() -> None:
    pace = api_desk.Pace()
    caller = programs.Caller(name="x", kind=KeyKind.PARTNER, a_minute=6)
    at = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert pace.wait(caller, at) == 0
    assert pace.wait(caller, at - timedelta(hours=1)) == 10
    assert pace.wait(caller, at + timedelta(seconds=10)) == 0
