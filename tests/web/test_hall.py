"""The living day: from the door to the seal, what officers press and what may not happen."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.protocol import LeaveVisit
from scheduler import booking, history, horizon, places, queue
from scheduler.database import transaction
from scheduler.life import AppointmentState
from scheduler.queue import QueueState
from server.cases import day, reception, visits
from server.cases.reception import NotLetIn, Reason
from server.rules.dossier import DossierEvent, DossierState
from server.store import journal
from server.store.tables import Dossier
from server.store.tables_day import DayEntry
from tests.officers import Browser
from tests.web.halls import CAPTURER, FAR, Hall
from tests.web.intake_stage import HERE, THERE, said


@pytest.fixture
def hall(engine: sa.Engine, tmp_path: Path, now: datetime) -> Hall:
    return Hall(engine, tmp_path, now)


@pytest.fixture
def desk(hall: Hall) -> Browser:
    return hall.signed_in(CAPTURER)


RECEPTION = f"/today/{HERE}/reception"


def test_from_the_door_to_the_seal(hall: Hall, desk: Browser) -> None:
    ticket = hall.booked()
    answer = desk.post(RECEPTION, code=ticket)
    assert answer.headers["Location"].endswith("said=in_line&number=1")
    page = desk.get(answer.headers["Location"]).text
    assert "xếp theo giờ hẹn 09:30" in page
    assert hall.appointment(ticket).state is AppointmentState.ARRIVED
    assert hall.house.dossier_of(ticket).state is DossierState.FILED
    desk.post(f"/today/{HERE}/points/Q1/call")
    assert (hall.entry(1).state, hall.entry(1).point) == (QueueState.CALLED, "Q1")
    visit = hall.kiosk.arrive(ticket)
    assert (hall.entry(1).state, hall.entry(1).point) == (QueueState.SERVING, "Q1")
    hall.clock.goes_on(minutes=9)
    sealed = hall.house.sealed(hall.kiosk, visit)
    assert hall.kiosk.upload(sealed.digest, sealed.packet).status_code in {200, 201, 204}
    done = hall.entry(1)
    assert done.state is QueueState.DONE
    assert done.began_at is not None
    assert done.ended_at == done.began_at + timedelta(minutes=9)
    assert hall.appointment(ticket).state is AppointmentState.SERVED
    assert hall.house.dossier_of(ticket).state is DossierState.CAPTURED
    assert hall.drift() == 0


def test_who_walks_straight_to_a_kiosk_is_in_line_from_then_on(hall: Hall) -> None:
    visit = hall.kiosk.arrive(hall.booked())
    entry = hall.entry(1)
    assert (entry.state, entry.point, entry.calls) == (QueueState.SERVING, "Q1", 0)
    left = LeaveVisit(visit_id=visit.visit_id, reason="gave_up")
    assert hall.kiosk.ask("POST", "/kiosk/leave", left).status_code == 204
    assert hall.entry(1).state is QueueState.DONE


def test_what_was_done_names_who_did_it(hall: Hall, desk: Browser) -> None:
    ticket = hall.booked()
    desk.post(RECEPTION, code=ticket)
    desk.post(f"/today/{HERE}/points/Q1/call")
    desk.post(f"/today/{HERE}/numbers/1/again")
    desk.post(f"/today/{HERE}/numbers/1/gone")
    desk.post(f"/today/{HERE}/points/Q2/close")
    desk.post(f"/today/{HERE}/note", note="  Máy 2   thay giấy ")
    actor = f"officer:{CAPTURER}"
    with transaction(hall.engine) as session:
        told = history.of(session, hall.appointment(ticket).id)
    assert [(entry.event, entry.by) for entry in told][-2:] == [("arrive", actor), ("leave", actor)]
    done = [what for who, what, _ in hall.written() if who == actor]
    assert done == ["check_in", "call", "call_again", "not_there", "close", "note"]
    assert "Máy 2 thay giấy" in desk.get("/today").text


def test_checked_in_twice_keeps_the_number(hall: Hall, desk: Browser) -> None:
    ticket = hall.booked()
    for _ in range(2):
        assert "number=1" in desk.post(RECEPTION, code=ticket).headers["Location"]
    code = hall.house.dossier_of(ticket).code or ""
    assert "number=1" in desk.post(RECEPTION, code=code.lower()).headers["Location"]
    assert len(hall.line()) == 1


def test_who_is_not_there_keeps_the_appointment_and_may_come_back(
    hall: Hall, desk: Browser
) -> None:
    ticket = hall.booked()
    desk.post(RECEPTION, code=ticket)
    desk.post(f"/today/{HERE}/points/Q1/call")
    desk.post(f"/today/{HERE}/numbers/1/gone")
    assert hall.entry(1).state is QueueState.GONE
    assert hall.appointment(ticket).state is AppointmentState.BOOKED
    assert "Đã quay lại" in desk.get("/today").text
    desk.post(f"/today/{HERE}/numbers/1/back")
    assert hall.entry(1).state is QueueState.WAITING
    assert hall.appointment(ticket).state is AppointmentState.ARRIVED
    desk.post(f"/today/{HERE}/numbers/1/gone")
    assert "number=1" in desk.post(RECEPTION, code=ticket).headers["Location"]
    assert hall.entry(1).state is QueueState.WAITING
    assert hall.drift() == 0


def test_who_never_came_is_missed_and_comes_in_without_a_time_all_the_same(
    hall: Hall, desk: Browser
) -> None:
    ticket = hall.booked()
    hall.clock.goes_on(minutes=31 + visits.LATE.seconds // 60)
    with transaction(hall.engine) as session:
        assert day.miss_late(session, after=visits.LATE, now=hall.clock(), limit=9) == 1
    dossier = hall.house.dossier_of(ticket)
    assert dossier.state is DossierState.FILED
    assert hall.appointment(ticket).state is AppointmentState.MISSED
    desk = hall.signed_in(CAPTURER)
    assert "Không đến" in desk.get("/today").text
    refused = desk.post(RECEPTION, code=ticket)
    assert refused.status_code == 409
    assert "Lấy số, không hẹn" in refused.text
    answer = desk.post(RECEPTION, code=ticket, do="walk_in")
    page = desk.get(answer.headers["Location"]).text
    found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]", page)
    assert found
    desk.post(f"/today/{HERE}/points/Q1/call")
    visit = hall.kiosk.arrive(ticket)  # the old slip finds them, too
    assert hall.kiosk.arrive(found[0]) == visit
    assert hall.entry(1).state is QueueState.SERVING
    assert hall.drift() == 0


def test_who_has_no_dossier_is_called_to_the_counter_and_never_to_a_kiosk(
    hall: Hall, desk: Browser
) -> None:
    desk.post(RECEPTION, do="walk_in", priority="yes")
    assert hall.entry(1).priority
    nobody = desk.post(f"/today/{HERE}/points/Q1/call").headers["Location"]
    assert "said=nobody" in nobody
    desk.post(f"/today/{HERE}/points/QUAY-3/call")
    assert hall.entry(1).point == "QUAY-3"
    desk.post(f"/today/{HERE}/numbers/1/begin")
    desk.post(f"/today/{HERE}/numbers/1/end")
    assert hall.entry(1).state is QueueState.DONE
    desk.post(RECEPTION, code=hall.booked())
    assert "said=nobody" in desk.post(f"/today/{HERE}/points/QUAY-3/call").headers["Location"]


def test_who_is_told_to_come_back_is_called_from_then_on(hall: Hall, desk: Browser) -> None:
    code = hall.walker()
    answer = desk.post(RECEPTION, code=code, do="come_back", at="09:20")
    assert "said=later" in answer.headers["Location"]
    assert "Mời quay lại lúc 09:20" in desk.get(answer.headers["Location"]).text
    assert "said=nobody" in desk.post(f"/today/{HERE}/points/Q1/call").headers["Location"]
    hall.clock.goes_on(minutes=20)
    called = hall.signed_in(CAPTURER).post(f"/today/{HERE}/points/Q1/call")
    assert "said=called&number=1" in called.headers["Location"]


@pytest.mark.parametrize(
    ("minutes", "station", "days", "sentence"),
    [
        (30, HERE, 1, "Lịch hẹn vào ngày khác: 09:30 ngày 26/11/2026"),
        (30, THERE, 0, "Lịch hẹn ở điểm khác: Công an xã Xa"),
    ],
)
def test_whoever_is_wrong_here_is_told_where_and_when(
    hall: Hall, desk: Browser, minutes: int, station: str, days: int, sentence: str
) -> None:
    ticket = hall.booked(minutes=minutes, station=station, days=days)
    for wanted in ("check_in", "walk_in"):
        answer = desk.post(RECEPTION, code=ticket, do=wanted)
        assert answer.status_code == 409
        assert sentence in answer.text
    assert hall.line() == ()
    assert hall.appointment(ticket).state is AppointmentState.BOOKED


@pytest.mark.parametrize(
    ("late", "due"), [(-20, 0), (14, 0), (16, 16)], ids=["early", "in grace", "late"]
)
def test_early_and_in_grace_one_keeps_the_time_and_later_one_is_due_on_arrival(
    hall: Hall, late: int, due: int
) -> None:
    ticket = hall.booked(minutes=60)
    hall.clock.goes_on(minutes=60 + late)
    hall.signed_in(CAPTURER).post(RECEPTION, code=ticket)
    starts = hall.appointment(ticket).starts_at
    assert hall.entry(1).due_at == starts + timedelta(minutes=due)


HOSTILE = (
    "",
    " ",
    "\x00",
    "A" * 70_000,
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "7777-7777-7777-7",
    "DEMO.001.026-261125-999999",
    "\u202e\u0660\u0661",
    "%00%ff",
)


def test_hostile_codes_are_refused_and_change_nothing(hall: Hall, desk: Browser) -> None:
    for text in HOSTILE:
        answer = desk.post(RECEPTION, code=text)
        assert answer.status_code in {409, 413}, text[:20]
        assert "<script>alert" not in answer.text
    assert hall.line() == ()
    assert hall.written() == []


def test_a_time_to_come_back_lies_in_the_rest_of_the_day(hall: Hall, desk: Browser) -> None:
    for at in ("", "25:00", "08:59", "9", "x" * 9000, "09:00"):
        answer = desk.post(RECEPTION, do="come_back", at=at)
        assert answer.status_code == 409, at[:9]
        assert "Vui lòng chọn giờ quay lại" in answer.text
    assert hall.line() == ()


def test_a_press_that_comes_too_late_says_so_and_shows_the_list(hall: Hall, desk: Browser) -> None:
    for path in (
        "numbers/1/gone",
        "numbers/99/again",
        "numbers/99999999999999999999/gone",
        "numbers/1/end",
        "appointments/00000000-0000-4000-8000-000000000000/arrive",
    ):
        answer = desk.post(f"/today/{HERE}/{path}")
        assert answer.status_code == 409, path
        assert 'id="live"' in answer.text


def test_what_is_not_there_is_not_found(hall: Hall, desk: Browser) -> None:
    for path in ("points/none/call", "points/x%00/open", "numbers/-1/gone", "numbers/1/eat"):
        assert desk.post(f"/today/{HERE}/{path}").status_code == 404, path


def test_nobody_is_called_to_a_closed_kiosk(hall: Hall, desk: Browser) -> None:
    desk.post(RECEPTION, code=hall.booked())
    desk.post(f"/today/{HERE}/points/Q1/close")
    assert desk.post(f"/today/{HERE}/points/Q1/call").status_code == 409
    desk.post(f"/today/{HERE}/points/Q1/open")
    assert "said=called" in desk.post(f"/today/{HERE}/points/Q1/call").headers["Location"]


CALL = f"/today/{HERE}/points/Q1/call"


def _moved_on(hall: Hall, desk: Browser, path: str, **fields: str) -> None:
    """Hold that a press is answered by the list as it is, and changes nothing."""
    before = (hall.line(), hall.written())
    answer = desk.post(path, **fields)
    assert answer.status_code == 409, path
    assert "Trạng thái vừa thay đổi" in answer.text
    assert (hall.line(), hall.written()) == before


def test_a_call_from_an_old_page_ends_nobody_who_has_begun_since(hall: Hall, desk: Browser) -> None:
    first, second = hall.booked(minutes=30), hall.booked(minutes=60)
    for ticket in (first, second):
        desk.post(RECEPTION, code=ticket)
    desk.post(CALL)
    _moved_on(hall, desk, CALL)
    hall.kiosk.arrive(first)
    for shown in ({}, {"shown": "2"}, {"shown": "\u0661"}, {"shown": "-1"}, {"shown": "9" * 5000}):
        _moved_on(hall, desk, CALL, **shown)
    # Whoever saw it, too: only the kiosk ends a visit.
    _moved_on(hall, desk, CALL, shown="1")
    _moved_on(hall, desk, f"/today/{HERE}/numbers/1/end")
    assert "points/Q1/call" not in desk.get("/today").text
    assert (hall.entry(1).state, hall.entry(2).state) == (QueueState.SERVING, QueueState.WAITING)


def test_whom_the_officer_saw_at_the_counter_is_done_by_the_next_call(
    hall: Hall, desk: Browser
) -> None:
    counter = f"/today/{HERE}/points/QUAY-3/call"
    for _ in range(3):
        desk.post(RECEPTION, do="walk_in")
    desk.post(counter)
    desk.post(f"/today/{HERE}/numbers/1/begin")
    assert '<input type="hidden" name="shown" value="1">' in desk.get("/today").text
    _moved_on(hall, desk, counter)
    assert "said=called&number=2" in desk.post(counter, shown="1").headers["Location"]
    assert (hall.entry(1).state, hall.entry(2).state) == (QueueState.DONE, QueueState.CALLED)
    desk.post(f"/today/{HERE}/numbers/2/begin")
    _moved_on(hall, desk, counter, shown="1")


def test_who_was_called_begins_not_over_who_walked_straight_to_the_kiosk(
    hall: Hall, desk: Browser
) -> None:
    called, straight = hall.booked(), hall.booked()
    desk.post(RECEPTION, code=called)
    desk.post(CALL)
    hall.kiosk.arrive(straight)
    _moved_on(hall, desk, f"/today/{HERE}/numbers/1/begin")
    desk.post(f"/today/{HERE}/numbers/1/gone")
    assert hall.entry(2).state is QueueState.SERVING


def test_officers_of_another_station_press_nothing_here(hall: Hall) -> None:
    ticket, far = hall.booked(), hall.signed_in(FAR)
    assert far.post(RECEPTION, code=ticket).status_code == 404
    assert far.post(f"/today/{HERE}/points/Q1/call").status_code == 404
    assert hall.line() == ()
    assert ticket not in far.get(f"/today?station={HERE}").text


def test_a_recapture_comes_in_without_a_time(hall: Hall, desk: Browser) -> None:
    ticket = hall.booked()
    sealed = hall.house.sealed(hall.kiosk, hall.kiosk.arrive(ticket))
    hall.kiosk.upload(sealed.digest, sealed.packet)
    assert "đã thu nhận xong" in desk.post(RECEPTION, code=ticket).text
    with transaction(hall.engine) as session:
        dossier = session.get_one(Dossier, hall.house.dossier_of(ticket).id)
        for event in (DossierEvent.OPEN, DossierEvent.ASK_RECAPTURE):
            journal.move(session, dossier, event, now=hall.clock(), actor="officer:v.an")
    assert "number=2" in desk.post(RECEPTION, code=ticket, do="walk_in").headers["Location"]
    assert hall.kiosk.check_in(ticket).status_code == 200


def test_who_waits_here_begins_at_no_kiosk_elsewhere(hall: Hall, desk: Browser) -> None:
    ticket = hall.booked()
    desk.post(RECEPTION, code=ticket)
    answer = hall.house.kiosk("Q9", THERE).check_in(ticket)
    assert said(answer) == "wrong_station"
    hall.clock.goes_on(days=1)
    assert said(hall.kiosk.check_in(ticket)) == "missed"


def test_at_a_kiosk_nobody_is_checked_in_or_sent_away(hall: Hall, desk: Browser) -> None:
    ticket = hall.booked()
    hall.kiosk.arrive(ticket)
    assert "đang ở máy thu nhận" in desk.post(RECEPTION, code=ticket).text
    for what in ("gone", "back"):
        assert desk.post(f"/today/{HERE}/numbers/1/{what}").status_code == 409
    assert hall.entry(1).state is QueueState.SERVING
    assert hall.house.dossier_of(ticket).state is DossierState.AT_STATION


def test_nobody_waits_overnight_and_no_dossier_ends(hall: Hall, desk: Browser) -> None:
    tickets = [hall.booked() for _ in range(3)]
    for ticket in tickets:
        desk.post(RECEPTION, code=ticket)
    desk.post(RECEPTION, do="walk_in")
    desk.post(f"/today/{HERE}/points/QUAY-3/call")
    desk.post(f"/today/{HERE}/numbers/4/begin")
    hall.clock.goes_on(hours=20)
    with transaction(hall.engine) as session:
        assert day.empty_rooms(session, now=hall.clock(), limit=9) == 4
        assert day.empty_rooms(session, now=hall.clock(), limit=9) == 0
        assert day.miss_late(session, after=visits.LATE, now=hall.clock(), limit=9) == 3
    for ticket in tickets:
        assert hall.house.dossier_of(ticket).state is DossierState.FILED
        assert hall.appointment(ticket).state is AppointmentState.MISSED
    assert hall.drift() == 0


def test_whoever_holds_a_place_online_is_told_to_finish(hall: Hall) -> None:
    code = hall.walker()
    with transaction(hall.engine) as session:
        dossier = session.scalars(sa.select(Dossier).where(Dossier.code == code)).one()
        slot = booking.SlotRef(
            place=HERE, starts_at=hall.clock() + timedelta(hours=1), lane="regular"
        )
        assert dossier.person_key is not None
        booking.hold(
            session,
            slot=slot,
            whose=str(dossier.id),
            person_key=dossier.person_key,
            purpose=dossier.purpose,
            now=hall.clock(),
            minutes=10,
        )
        with pytest.raises(NotLetIn) as refused, session.begin_nested():
            reception.walk_in(
                session, HERE, code, by="officer:x", secret=bytes(32), now=hall.clock()
            )
        assert refused.value.reason is Reason.BOOKING_NOW
        assert queue.of_day(session, HERE, queue.day_of(hall.clock())) == ()


def test_the_page_of_the_day_shows_each_where_they_are(hall: Hall, desk: Browser) -> None:
    first, second, _third = (hall.booked() for _ in range(3))
    for ticket in (first, second):
        desk.post(RECEPTION, code=ticket)
    desk.post(f"/today/{HERE}/points/Q1/call")
    hall.kiosk.arrive(first)
    desk.post(f"/today/{HERE}/points/Q2/call")
    page = desk.get("/today").text
    lists = re.findall(r'<h2 id="(\w+)">[^<]*<span class="count">(\d+)', page)
    assert dict(lists) == {"waiting": "0", "expected": "1"}
    assert re.findall(r'class="point (\w+)"', page) == ["serving", "called", "free"]
    tomorrow = desk.get("/today?day=2026-11-26").text
    assert "reception" not in tomorrow
    assert "data-every" not in tomorrow


def test_a_forged_address_shows_the_plain_page(hall: Hall, desk: Browser) -> None:
    for query in (
        "said=x",
        "said=in_line&number=999",
        "said=in_line&number=\u0661",
        "said=called&number=" + "9" * 50,
        "day=9999-99-99",
        "station=%00",
    ):
        page = desk.get(f"/today?{query}")
        assert page.status_code == 200, query
        assert "slip-number" not in page.text


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(hall: Hall, desk: Browser) -> None:
    for _ in range(3):
        hall.clock.goes_on(minutes=4)
        answer = desk.client.get(
            "/today", base_url="http://localhost", headers={"X-Unattended": "yes"}
        )
    assert answer.headers["Location"].startswith("/sign-in")


def test_nobody_changes_what_was_written_down(hall: Hall, desk: Browser) -> None:
    desk.post(f"/today/{HERE}/note", note="\x00" + "x" * 5000)
    desk.post(f"/today/{HERE}/note", note="   ")
    with transaction(hall.engine) as session:
        rows = session.scalars(sa.select(DayEntry)).all()
        assert [len(row.note or "") for row in rows] == [300]


def test_no_calendar_takes_a_walk_ins_place_away(hall: Hall, desk: Browser) -> None:
    code = hall.walker()
    desk.post(RECEPTION, code=code, do="walk_in")
    with transaction(hall.engine) as session:
        today = queue.day_of(hall.clock())
        rule = places.rules(session, HERE)[0]
        places.add_rule(session, HERE, replace(rule, lane="other"))
        opened = horizon.materialise(session, HERE, first=today, last=today, now=hall.clock())
        assert (opened.withdrawn, opened.stranded) == (0, ())


def test_where_places_will_be_free_the_next_booked_are_offered_to_be_phoned(
    hall: Hall, desk: Browser
) -> None:
    tickets = [hall.booked(minutes=minutes) for minutes in (120, 150)]
    with transaction(hall.engine) as session:
        dossier = session.get_one(Dossier, hall.house.dossier_of(tickets[0]).id)
        dossier.answers = {**dossier.answers, "phone": "0912345678"}
    page = desk.get("/today").text
    assert 'href="tel:0912345678"' in page
    assert "mời đến lúc 09:30" in page
    assert "Không có số điện thoại" in page
    for ticket in tickets:
        assert hall.appointment(ticket).state is AppointmentState.BOOKED
