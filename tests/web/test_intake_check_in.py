"""Check-in and leaving, over HTTP, on both engines."""

import json
import re
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from kiosk.protocol import CardClaim, CheckIn, LeaveVisit, Station, Visit
from scheduler import booking
from scheduler.database import transaction
from server.cases import devices, visits
from server.cases.plans import notice, plan
from server.cases.refusals import Reason, Refused
from server.rules.dossier import DossierEvent, DossierState
from server.store import audit, journal
from server.store.tables import Device, Dossier, Journal, Officer, Role, VisitRow
from server.web.intake.desk import CONFLICT, STATUS
from server.web.shell import words
from tests.web.intake_stage import HERE, SECRET, THERE, Kiosk, Stage, said, stage


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path, now: datetime) -> Stage:
    return stage(engine, tmp_path, now)


def soon(house: Stage, **delta: int) -> datetime:
    return house.clock() + timedelta(**(delta or {"minutes": 30}))


def test_a_ticket_opens_a_visit_with_all_the_kiosk_needs(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    visit = house.kiosk().arrive(ticket)
    assert visit.name == "Nguyễn Thị Giả Định"
    assert visit.birth_date == "17/05/1990"
    assert visit.station == HERE
    assert visit.plan.fingers == tuple(range(1, 11))
    assert (visit.plan.accept_at, visit.plan.keep_from, visit.plan.tries) == (50, 35, 3)
    assert visit.notice == notice("can-cuoc-2026", on=date(2026, 11, 25))
    assert "91/2025/QH15" in visit.notice.text.vi
    dossier = house.dossier_of(ticket)
    assert visit.dossier == dossier.code
    assert dossier.state is DossierState.AT_STATION
    assert house.appointment_state(visit.appointment) == "arrived"
    with transaction(house.engine) as session:
        last = session.scalars(sa.select(Journal).order_by(Journal.id.desc())).first()
        assert last is not None
        assert (last.event, last.actor) == ("check_in", "kiosk:Q1")


def test_a_ticket_is_read_as_scanned_or_typed(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    for form in ("{}", "THUNHAN:1:{}", " {} "):
        assert house.kiosk().check_in(form.format(ticket.lower())).status_code == 200


def test_the_visit_says_nothing_more_than_it_must(house: Stage) -> None:
    person = house.person()
    visit = house.kiosk().arrive(house.booked(at=soon(house), person=person))
    assert person.personal_number not in visit.model_dump_json()
    assert set(json.loads(visit.model_dump_json())) == set(Visit.model_fields)


def test_the_same_device_asked_again_goes_on_with_the_same_visit(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    first = house.kiosk().arrive(ticket)
    house.clock.goes_on(hours=3)  # a kiosk that was restarted late still finds its visit
    assert house.kiosk().arrive(ticket) == first
    with transaction(house.engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(VisitRow)) == 1


def test_another_device_is_told_that_the_person_is_elsewhere(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    house.kiosk().arrive(ticket)
    answer = house.kiosk("Q2").check_in(ticket)
    assert (answer.status_code, said(answer)) == (409, "already_here")


def test_one_ticket_shown_to_three_kiosks_at_once_is_one_visit(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    kiosks = [house.kiosk(name) for name in ("Q1", "Q2", "Q3")]
    together, answers = threading.Barrier(len(kiosks)), []

    def come(kiosk: Kiosk) -> None:
        together.wait()
        answers.append(kiosk.check_in(ticket))

    threads = [threading.Thread(target=come, args=(kiosk,)) for kiosk in kiosks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    told = {said(answer) for answer in answers if answer.status_code == 409}
    assert told == {"already_here"}
    with transaction(house.engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(VisitRow)) == 1


def test_who_left_a_broken_kiosk_begins_anew_at_another(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    first = house.kiosk().arrive(ticket)
    house.clock.goes_on(minutes=29)
    assert said(house.kiosk("Q2").check_in(ticket)) == "already_here"
    assert said(house.kiosk("Q3", THERE).check_in(ticket)) == "already_here"
    house.clock.goes_on(minutes=1)
    assert said(house.kiosk("Q3", THERE).check_in(ticket)) == "already_here"
    second = house.kiosk("Q2").arrive(ticket)
    assert second.visit_id != first.visit_id
    late = house.sealed(house.kiosk(), first)
    answer = house.kiosk().upload(late.digest, late.packet)
    assert said(answer) == "visit_closed"
    with transaction(house.engine) as session:
        assert session.get_one(VisitRow, first.visit_id).how == "superseded"
    assert house.appointment_state(second.appointment) == "arrived"


def test_a_visit_nobody_came_back_to_is_ended_after_two_weeks(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    visit = house.kiosk().arrive(ticket)
    house.clock.goes_on(days=14)
    with transaction(house.engine) as session:
        assert visits.end_abandoned(session, now=house.clock()) == 0
    house.clock.goes_on(seconds=1)
    with transaction(house.engine) as session:
        assert visits.end_abandoned(session, now=house.clock()) == 1
        assert booking.miss_due(session, before=house.clock(), now=house.clock()) == 1
    assert house.dossier_of(ticket).state is DossierState.FILED
    assert house.appointment_state(visit.appointment) == "missed"
    assert said(house.kiosk().check_in(ticket)) == "missed"


def test_check_in_is_open_from_an_hour_before_to_two_hours_after(house: Stage) -> None:
    starts = soon(house, minutes=90)
    expected = {-1: "too_early", 0: None, 60: None, 180: None, 181: "too_late"}
    booked = {minutes: house.booked(at=starts) for minutes in expected}
    for minutes, ticket in booked.items():
        house.clock.now = starts - timedelta(minutes=60) + timedelta(minutes=minutes)
        answer = house.kiosk().check_in(ticket)
        assert answer.status_code == (409 if expected[minutes] else 200), minutes
        assert expected[minutes] in {None, (answer.json or {}).get("code")}


def test_who_comes_too_early_is_told_when_to_come(house: Stage) -> None:
    ticket = house.booked(at=soon(house, hours=4))  # 13:00
    text = json.loads(house.kiosk().check_in(ticket).data)["text"]
    assert "13:00" in text["vi"]
    assert "12:00" in text["vi"]
    assert "12:00" in text["en"]


def test_another_station_is_named_with_the_time(house: Stage) -> None:
    ticket = house.booked(at=soon(house), station=THERE)
    answer = house.kiosk().check_in(ticket)
    assert said(answer) == "wrong_station"
    text = json.loads(answer.data)["text"]["vi"]
    assert "Công an xã Xa" in text
    assert "09:30 ngày 25/11/2026" in text


@pytest.mark.parametrize(("days", "expected"), [(1, "wrong_day"), (-1, "missed")])
def test_another_day_is_told(house: Stage, days: int, expected: str) -> None:
    starts = soon(house, days=1, minutes=30)
    ticket = house.booked(at=starts)
    house.clock.now = starts - timedelta(days=days)
    assert said(house.kiosk().check_in(ticket)) == expected


WRONG = (
    "0000-0000-0000-0",
    "ABCD",
    "x" * 40,
    "THUNHAN:1:",
    "0'; DROP TABLE x--",
    "…",
    "\u0660" * 13,
)


def test_unknown_and_wrong_tickets_are_one_answer(house: Stage) -> None:
    unknown = house.kiosk().check_in("7777-7777-7777-7")
    assert (unknown.status_code, said(unknown)) == (404, "unknown")
    assert {house.kiosk().check_in(text).data for text in WRONG} == {unknown.data}


def test_the_slip_of_a_capture_that_must_be_repeated_sends_to_the_new_one(house: Stage) -> None:
    ticket, kiosk = house.booked(at=soon(house)), house.kiosk()
    sealed = house.sealed(kiosk, kiosk.arrive(ticket))
    kiosk.upload(sealed.digest, sealed.packet)
    assert said(kiosk.check_in(ticket)) == "already_captured"
    with transaction(house.engine) as session:
        dossier = session.get_one(Dossier, house.dossier_of(ticket).id)
        for event in (DossierEvent.OPEN, DossierEvent.ASK_RECAPTURE):
            journal.move(session, dossier, event, now=house.clock(), actor="officer:kt01")
    answer = kiosk.check_in(ticket)
    assert (answer.status_code, said(answer)) == (409, "recapture")


def test_a_cancelled_appointment_is_told(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    with transaction(house.engine) as session:
        live = booking.live_of(session, str(house.dossier_of(ticket).id))
        assert live is not None
        booking.cancel(session, live.id, now=house.clock())
    assert said(house.kiosk().check_in(ticket)) == "cancelled"


def test_a_card_finds_todays_appointment(house: Stage) -> None:
    person = house.person()
    ticket = house.booked(at=soon(house), person=person)
    card = CardClaim(personal_number=person.personal_number, birth_date=person.birth_date)
    answer = house.kiosk().ask("POST", "/kiosk/check-in", CheckIn(card=card))
    assert answer.status_code == 200
    assert Visit.model_validate_json(answer.data) == house.kiosk().arrive(ticket)


def test_a_card_of_somebody_whose_day_is_unknown_matches_by_year(house: Stage) -> None:
    person = house.person(born=date(1950, 1, 1), year_only=True)
    house.booked(at=soon(house), person=person)
    card = CardClaim(personal_number=person.personal_number, birth_date=date(1950, 6, 1))
    answer = house.kiosk().ask("POST", "/kiosk/check-in", CheckIn(card=card))
    assert Visit.model_validate_json(answer.data).birth_date == "1950"


def test_a_card_with_another_birth_date_or_day_is_unknown(house: Stage) -> None:
    person, later = house.person(), house.person()
    house.booked(at=soon(house), person=person)
    house.booked(at=soon(house, days=1, minutes=30), person=later)
    wrong = CardClaim(personal_number=person.personal_number, birth_date=date(1990, 5, 18))
    tomorrow = CardClaim(personal_number=later.personal_number, birth_date=later.birth_date)
    nobody = CardClaim(personal_number="001090999999", birth_date=date(1990, 5, 17))
    answers = {
        house.kiosk().ask("POST", "/kiosk/check-in", CheckIn(card=card)).data
        for card in (wrong, tomorrow, nobody)
    }
    assert len(answers) == 1
    assert b'"unknown"' in answers.pop()


def test_birth_dates_of_one_number_cannot_be_run_through(house: Stage) -> None:
    person = house.person()
    house.booked(at=soon(house), person=person)
    guesses = [
        CardClaim(personal_number=person.personal_number, birth_date=date(1991, 1, day))
        for day in range(1, visits.BY_CARD.tries + 2)
    ]
    answers = [house.kiosk().ask("POST", "/kiosk/check-in", CheckIn(card=c)) for c in guesses]
    assert [a.status_code for a in answers] == [404] * visits.BY_CARD.tries + [429]


@pytest.mark.parametrize(
    ("born", "profile", "fingers"),
    [
        (date(2021, 1, 1), "assisted", 0),
        (date(2019, 1, 1), "can-cuoc", 10),
        (date(1946, 11, 24), "assisted", 10),
        (date(1946, 11, 25), "can-cuoc", 10),
    ],
)
def test_the_plan_follows_the_age_on_the_day(born: date, profile: str, fingers: int) -> None:
    found = plan("can-cuoc-2026", birth=born, on=date(2026, 11, 24))
    assert (found.portrait_profile, len(found.fingers)) == (profile, fingers)


def test_who_leaves_leaves_nothing_and_may_come_back(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    for reason in ("gave_up", "timed_out", "officer"):
        visit = house.kiosk().arrive(ticket)
        gone = LeaveVisit.model_validate({"visit_id": visit.visit_id, "reason": reason})
        for _ in range(2):  # told twice, it happens once
            assert house.kiosk().ask("POST", "/kiosk/leave", gone).status_code == 204
        assert house.dossier_of(ticket).state is DossierState.FILED
        assert house.appointment_state(visit.appointment) == "booked"
        with transaction(house.engine) as session:
            row = session.get_one(VisitRow, visit.visit_id)
            assert (row.how, row.closed_at) == (reason, house.clock())
    with transaction(house.engine) as session:
        events = session.scalars(sa.select(Journal.event).order_by(Journal.id)).all()
        assert [str(event) for event in events] == ["file", *["check_in", "leave"] * 3]
    again = house.kiosk("Q2").arrive(ticket)
    assert again.visit_id != visit.visit_id


def test_nobody_ends_the_visit_of_another_device(house: Stage) -> None:
    visit = house.kiosk().arrive(house.booked(at=soon(house)))
    for named in (visit.visit_id, uuid4()):
        gone = LeaveVisit(visit_id=named, reason="gave_up")
        answer = house.kiosk("Q2").ask("POST", "/kiosk/leave", gone)
        assert (answer.status_code, said(answer)) == (404, "visit_unknown")
    assert house.appointment_state(visit.appointment) == "arrived"


def test_a_revoked_device_lets_go_of_who_stood_before_it(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    house.kiosk().arrive(ticket)
    with transaction(house.engine) as session:
        ended = devices.revoke(session, name="Q1", now=house.clock())
        assert (ended.visits, ended.uploads) == (1, ())
    assert said(house.kiosk().check_in(ticket)) == "device_revoked"
    assert house.kiosk("Q2").check_in(ticket).status_code == 200
    with transaction(house.engine) as session:
        assert audit.broken_at(session) is None
        assert session.get_one(Device, house.kiosk().id).revoked_at == house.clock()


def test_a_device_revoked_after_the_gate_checks_nobody_in(house: Stage) -> None:
    ticket = house.booked(at=soon(house))
    admitted = house.device(house.kiosk())
    with transaction(house.engine) as session:
        devices.revoke(session, name="Q1", now=house.clock())
    with pytest.raises(Refused, match="device_revoked"), transaction(house.engine) as session:
        visits.check_in(session, admitted, CheckIn(ticket=ticket), secret=SECRET, now=house.clock())
    assert house.dossier_of(ticket).state is DossierState.FILED


def test_the_station_comes_with_signed_keys_and_its_own_officers(house: Stage) -> None:
    with transaction(house.engine) as session:
        for name, station, pin in (
            ("a", HERE, "$argon2id$x"),
            ("b", HERE, None),
            ("c", THERE, "y"),
        ):
            session.add(
                Officer(
                    id=name,
                    name="Trần Văn Mẫu",
                    station=station,
                    role=Role.CAPTURER,
                    password_hash="",
                    totp_secret="",
                    pin_hash=pin,
                )
            )
    answer = house.kiosk().ask("GET", "/kiosk/station")
    assert answer.status_code == 200
    found = Station.model_validate_json(answer.data)
    assert (found.code, found.name) == (HERE, "Công an phường Giả Định")
    assert [officer.officer for officer in found.officers] == ["a"]
    assert found.keys.not_after > house.clock()


def test_without_keys_that_hold_there_is_no_station(house: Stage) -> None:
    house.clock.goes_on(days=91)
    answer = house.kiosk().ask("GET", "/kiosk/station")
    assert (answer.status_code, said(answer)) == (503, "no_keys")


def test_every_reason_has_its_words_in_both_languages() -> None:
    keys = {f"refusal.{reason}" for reason in Reason}
    assert keys == {key for key in words() if key.startswith("refusal.")}


def test_no_reason_has_a_status_of_success() -> None:
    assert {STATUS.get(reason, CONFLICT) // 100 for reason in Reason} <= {4, 5}


def test_the_page_on_the_intake_lists_every_refusal_under_its_status() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/intake.md").read_text(encoding="utf-8")
    listed: dict[str, set[int]] = {}
    for statuses, codes in re.findall(r"^\| ([\d, ]+) \| (`.+?) \|", page, flags=re.MULTILINE):
        for code in re.findall(r"`([a-z_]+)`", codes):
            listed.setdefault(code, set()).update(int(n) for n in statuses.split(","))
    assert listed.keys() == {reason.value for reason in Reason} - {"method_wrong"}
    wrong = {r.value for r in Reason if STATUS.get(r, CONFLICT) not in listed.get(r.value, {405})}
    assert wrong == set()
