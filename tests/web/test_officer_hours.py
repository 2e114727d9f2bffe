"""The pages of hours: nothing is changed unseen, nobody is dropped, nonsense is refused."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from scheduler import booking, history, ledger, offers, parties, places
from scheduler.places import Rule
from scheduler.tables import SlotRow
from server.cases import hours, rebooking
from server.clock import HERE
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier, Message
from server.web.officer import hours_forms
from tests.officers import ELSEWHERE, STATION, Browser, Office

THURSDAY = date(2026, 11, 26)
MORNINGS = Rule(opens=time(8), closes=time(10), step=30, capacity=2, valid_from=date(2026, 1, 1))
CLOSED = {
    "what": "day",
    "day": "2026-11-26",
    "kind": "closed",
    "words": "Tập huấn nghiệp vụ",
    "source": "Công văn 12/CAP",
}


@pytest.fixture
def office(engine: sa.Engine, tmp_path: Path, now: object) -> Office:
    """A station with mornings, opened to the horizon."""
    made = Office(engine, tmp_path, now)  # type: ignore[arg-type]
    with made.session() as session:
        for code in (STATION, ELSEWHERE):
            places.add_rule(session, code, MORNINGS)
            hours.open_days(session, code, made.clock.now)
    return made


def book(office: Office, day: date = THURSDAY, *, phone: str | None = "0912345678") -> UUID:
    """Give somebody the first time of a day and return their dossier."""
    now, dossier_id = office.clock.now, uuid4()
    with office.session() as session:
        session.add(
            Dossier(
                id=dossier_id,
                code=f"DEMO.001.026-261124-{dossier_id.int % 10**6:06d}",
                state=DossierState.FILED,
                profile="can-cuoc-2026",
                purpose="EX_AGE",
                full_name="Lê Văn Ân",
                birth_date=date(1990, 3, 17),
                answers={"phone": phone} if phone else {},
                created_at=now,
                filed_at=now,
            )
        )
        session.flush()
        first = next(o for o in offers.times(session, STATION, day, now=now) if o.free)
        held = booking.hold(
            session,
            slot=first.slot,
            whose=str(dossier_id),
            person_key=dossier_id.bytes,
            purpose="EX_AGE",
            now=now,
            minutes=10,
        )
        booking.confirm(session, held.id, now=now)
    return dossier_id


def sure(page: TestResponse) -> dict[str, str]:
    """Return what the page that asks would send."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def change(browser: Browser, **fields: str) -> TestResponse:
    """Ask for a change, see who is hit, and confirm it."""
    asked = browser.post("/hours/change", **fields)
    assert asked.status_code == 200, asked.text
    again = {name: value for name, value in sure(asked).items() if name != "csrf"}
    return browser.post("/hours/change", **again)


def offered(office: Office, day: date = THURSDAY, station: str = STATION) -> int:
    with office.session() as session:
        found = offers.times(session, station, day, now=office.clock.now)
    return sum(offer.free for offer in found)


def live(office: Office, dossier_id: UUID) -> booking.Appointment:
    with office.session() as session:
        found = booking.live_of(session, str(dossier_id))
    assert found is not None
    return found


def test_a_closure_shows_whom_it_hits_before_anything_changes(office: Office) -> None:
    dossier_id = book(office)
    browser = office.signed_in("s.dung")
    asked = browser.post("/hours/change", **CLOSED)
    for said in ("1 công dân sẽ mất giờ hẹn", "Lê Văn Ân", "08:00", "0912345678", "Công văn 12"):
        assert said in asked.text, said
    assert offered(office) == 7
    done = browser.post("/hours/change", **sure(asked))
    assert (done.status_code, "/hours/stranded" in done.headers["Location"]) == (303, True)
    assert offered(office) == 0
    assert live(office, dossier_id).starts_at.astimezone(HERE).date() == THURSDAY
    assert ("officer:s.dung", "calendar.change") in office.entries(about=f"place:{STATION}")
    page = browser.get("/hours/stranded").text
    for said in ("Lê Văn Ân", "Chưa báo", "Cần gọi", f"open={dossier_id}"):
        assert said in page, said
    assert 'name="slot"' not in page
    assert "08:00, Thứ Sáu, 27/11/2026" in browser.get(f"/hours/stranded?open={dossier_id}").text


def test_who_books_while_an_officer_reads_is_shown_before_the_change(office: Office) -> None:
    browser = office.signed_in("s.dung")
    asked = browser.post("/hours/change", **CLOSED)
    assert "Không ai bị mất giờ hẹn" in asked.text
    book(office)
    again = browser.post("/hours/change", **sure(asked))
    assert again.status_code == 200
    assert "vừa thay đổi" in again.text
    assert "Lê Văn Ân" in again.text
    assert offered(office) == 7
    assert browser.post("/hours/change", **sure(again)).status_code == 303


def test_hours_are_added_and_ended_and_places_add_up(office: Office) -> None:
    browser = office.signed_in("s.dung")
    more = {
        "what": "hours",
        "lane": "regular",
        "days": "3",
        "opens": "08:00",
        "closes": "10:00",
        "step": "30",
        "capacity": "3",
        "public": "1",
        "first": "2026-11-25",
    }
    assert "số chỗ sẽ được cộng lại" in browser.post("/hours/change", **more).text
    assert change(browser, **more).status_code == 303
    with office.session() as session:
        found = session.execute(
            sa.select(SlotRow.capacity, SlotRow.public_capacity)
            .where(SlotRow.place == STATION)
            .distinct()
        ).all()
        number = places.rules(session, STATION)[-1].number
    assert {tuple(row) for row in found} == {(2, 2), (5, 3)}
    assert "08:00–10:00" in browser.get("/hours").text
    ended = change(browser, what="end", rule=str(number), last="2026-11-25")
    assert ended.status_code == 303
    assert offered(office) == 8


def test_a_make_up_saturday_opens_and_a_short_day_closes_early(office: Office) -> None:
    browser = office.signed_in("s.dung")
    day = {**CLOSED, "day": "2026-11-28", "kind": "make_up_day", "as_weekday": "0"}
    assert change(browser, **day).status_code == 303
    assert offered(office, date(2026, 11, 28)) == 8
    short = {**CLOSED, "kind": "short_day", "ends": "09:00"}
    assert change(browser, **short).status_code == 303
    assert offered(office) == 4
    assert change(browser, what="alike", day="2026-11-26").status_code == 303
    assert offered(office) == 8


def test_a_lane_is_added_and_served_by_more(office: Office) -> None:
    browser = office.signed_in("s.dung")
    assert browser.post("/hours/lane", lane_kind="priority", servers="1").status_code == 303
    assert "Luồng ưu tiên" in browser.get("/hours").text
    assert browser.post("/hours/lane", lane_kind="priority", servers="3").status_code == 303
    assert "3 máy thu nhận" in browser.get("/hours").text
    for kind, servers in (("vip", "1"), ("mobile", "0"), ("mobile", "9" * 30), ("mobile", "-1")):
        assert browser.post("/hours/lane", lane_kind=kind, servers=servers).status_code == 422


def test_an_officer_gives_somebody_another_time(office: Office) -> None:
    dossier_id = book(office)
    browser = office.signed_in("s.dung")
    change(browser, **CLOSED)
    opened = browser.get(f"/hours/stranded?open={dossier_id}").text
    slot = re.search(r'name="slot" value="([^"]+-11-27T[^"]+)"', opened)
    assert slot
    answered = browser.post(f"/hours/stranded/{dossier_id}", what="move", slot=slot[1])
    assert answered.status_code == 303
    assert live(office, dossier_id).starts_at.astimezone(HERE).date() == date(2026, 11, 27)
    assert "Đã có giờ mới" in browser.get("/hours/stranded").text
    late = browser.post(f"/hours/stranded/{dossier_id}", what="move", slot=slot[1])
    assert late.status_code == 409


def test_who_cannot_be_told_is_called_and_settled(office: Office) -> None:
    dossier_id = book(office, date(2026, 12, 10), phone=None)
    browser = office.signed_in("s.dung")
    change(browser, **{**CLOSED, "day": "2026-12-10"})
    assert "Cần gọi" not in browser.get("/hours/stranded").text
    with office.session() as session:
        assert rebooking.tell(session, now=office.clock.now, limit=9) == 1
    page = browser.get("/hours/stranded").text
    assert "Cần gọi" in page
    assert "Không có cách nhắn tin" in page
    browser.post(f"/hours/stranded/{dossier_id}", what="called")
    assert "Đã gọi, chưa chọn" in browser.get("/hours/stranded").text
    browser.post(f"/hours/stranded/{dossier_id}", what="settled")
    assert "Đã giải quyết" in browser.get("/hours/stranded").text
    assert live(office, dossier_id).state == "booked"


def test_who_lost_their_time_is_told_once(office: Office) -> None:
    book(office, date(2026, 12, 10))
    change(office.signed_in("s.dung"), **{**CLOSED, "day": "2026-12-10"})
    for looked in (1, 0):
        with office.session() as session:
            assert rebooking.tell(session, now=office.clock.now, limit=9) == looked
    with office.session() as session:
        (message,) = session.scalars(sa.select(Message))
    assert message.key == "rebooking.message"


@pytest.mark.parametrize("officer", ["c.chi", "a.giang", "v.an"])
def test_only_supervisors_change_hours(office: Office, officer: str) -> None:
    browser = office.signed_in(officer)
    assert browser.get("/hours").status_code == 403
    assert browser.post("/hours/change", **CLOSED, sure="yes").status_code == 403
    assert offered(office) == 8


def test_a_station_of_another_province_is_not_reached(office: Office) -> None:
    browser = office.signed_in("s.dung")
    for station in ("HCM-01", "../etc", "x" * 3000, "\x00"):
        page = browser.post("/hours/change", **CLOSED, station=station)
        assert f'value="{STATION}"' in page.text
    assert browser.post(f"/hours/stranded/{uuid4()}", what="called").status_code == 404


HOURS = {
    "what": "hours",
    "lane": "regular",
    "days": "0",
    "opens": "08:00",
    "closes": "10:00",
    "step": "30",
    "capacity": "3",
    "first": "2026-11-25",
}
HOSTILE: tuple[dict[str, str], ...] = (
    {"what": "drop"},
    {},
    {**HOURS, "lane": "vip"},
    {**HOURS, "days": "7"},
    {**HOURS, "days": "²"},
    {**HOURS, "opens": "25:00"},
    {**HOURS, "opens": "08:00:01"},
    {**HOURS, "opens": "08:00+07:00"},
    {**HOURS, "closes": "08:00"},
    {**HOURS, "closes": "08:20"},
    {**HOURS, "step": "0"},
    {**HOURS, "step": "1e3"},
    {**HOURS, "step": "9" * 4000},
    {**HOURS, "capacity": "-1"},
    {**HOURS, "capacity": "201"},
    {**HOURS, "public": "4"},
    {**HOURS, "public": "x"},
    {**HOURS, "first": "0001-01-01"},
    {**HOURS, "first": "2026-11-20"},
    {**HOURS, "last": "9999-12-31"},
    {**HOURS, "last": "2026-11-24"},
    {**HOURS, "first": "20261125"},
    {**CLOSED, "day": "2026-02-30"},
    {**CLOSED, "day": "2026-11-01"},
    {**CLOSED, "day": "9999-12-31"},
    {**CLOSED, "kind": "party"},
    {**CLOSED, "kind": "short_day"},
    {**CLOSED, "kind": "make_up_day", "as_weekday": "9"},
    {**CLOSED, "words": ""},
    {**CLOSED, "source": "\x00\x01"},
    {**CLOSED, "source": "x" * 300},
    {"what": "end", "rule": "999", "last": "2026-12-01"},
    {"what": "end", "rule": "-1", "last": "2026-12-01"},
    {"what": "end", "rule": "1", "last": "1999-01-01"},
    {"what": "alike", "day": "x"},
)


@pytest.mark.parametrize("fields", HOSTILE, ids=str)
def test_nonsense_is_no_change(fields: dict[str, str]) -> None:
    with pytest.raises(hours_forms.Wrong):
        hours_forms.change(
            MultiDict(fields), today=date(2026, 11, 24), lanes=["regular"], rules=[1], place="X"
        )


def test_nonsense_is_refused_in_words_and_what_was_entered_is_kept(office: Office) -> None:
    browser = office.signed_in("s.dung")
    for fields in (HOSTILE[8], HOSTILE[13], HOSTILE[22], HOSTILE[33]):
        page = browser.post("/hours/change", **fields, sure="yes")
        assert page.status_code == 422
        assert 'role="alert"' in page.text
    page = browser.post("/hours/change", **{**CLOSED, "day": "2026-02-30"})
    assert "Tập huấn nghiệp vụ" in page.text
    assert offered(office) == 8
    with office.session() as session:
        assert ledger.drift(session) == ()


def test_years_nobody_announced_are_flagged(office: Office) -> None:
    page = office.signed_in("s.dung").get("/hours").text
    assert "Lịch nghỉ năm 2027 chưa công bố" in page
    assert "chưa công bố</span>" in page
    assert "2027 are not published yet" in office.signed_in("s.dung").get("/hours?lang=en").text


ZERO = f"{STATION}|0001-01-01T00:00+14:00|r"
SLOTS = ("", "x", "a|b|c", f"{STATION}|2026-11-27T08:00|regular", ZERO)


@pytest.mark.parametrize("slot", SLOTS)
def test_a_slot_that_is_none_is_refused(office: Office, slot: str) -> None:
    dossier_id = book(office)
    browser = office.signed_in("s.dung")
    change(browser, **CLOSED)
    assert browser.post(f"/hours/stranded/{dossier_id}", what="move", slot=slot).status_code == 400


@pytest.mark.parametrize("moment", ["2000-01-01T00:00+14:00", "2199-12-31T23:59-12:00"])
def test_a_slot_of_another_century_is_gone(office: Office, moment: str) -> None:
    dossier_id = book(office)
    browser = office.signed_in("s.dung")
    change(browser, **CLOSED)
    slot = f"{STATION}|{moment}|regular"
    answer = browser.post(f"/hours/stranded/{dossier_id}", what="move", slot=slot)
    assert answer.status_code == 409


def _alternatives(office: Office, dossier_id: UUID) -> list[tuple[str, str]]:
    """Place and local time of what somebody may have instead."""
    with office.session() as session:
        dossier = session.get_one(Dossier, dossier_id)
        found = rebooking.alternatives(session, dossier, now=office.clock.now)
    return [(one.slot.place, f"{one.slot.starts_at.astimezone(HERE):%d/%m %H:%M}") for one in found]


def test_the_nearest_days_come_first_then_the_neighbours(office: Office) -> None:
    dossier_id = book(office)
    assert _alternatives(office, dossier_id) == []
    browser = office.signed_in("s.dung")
    change(browser, **CLOSED)
    here = [(STATION, f"{day} 08:00") for day in ("25/11", "27/11", "30/11")]
    assert _alternatives(office, dossier_id) == here
    change(browser, what="end", rule="1", last="2026-11-24")
    near = [(ELSEWHERE, f"{day} 08:00") for day in ("25/11", "26/11", "27/11")]
    assert _alternatives(office, dossier_id) == near
    far = replace(live(office, dossier_id).slot, place="DEMO-HCM")
    with office.session() as session:
        dossier = session.get_one(Dossier, dossier_id)
        with pytest.raises(booking.SlotGone):
            rebooking.accept(session, dossier, far, now=office.clock.now)


def test_a_change_that_is_ours_counts_against_nobody_and_says_who_made_it(office: Office) -> None:
    dossier_id = book(office)
    change(office.signed_in("s.dung"), **CLOSED)
    with office.session() as session:
        dossier = session.get_one(Dossier, dossier_id)
        other = rebooking.alternatives(session, dossier, now=office.clock.now)[0]
        moved = rebooking.accept(session, dossier, other.slot, now=office.clock.now, by="hotline:7")
        assert (moved.slot, moved.moved) == (other.slot, 0)
        assert history.of(session, moved.id)[-1].by == "hotline:7"
        with pytest.raises(NotNow):
            rebooking.accept(session, dossier, other.slot, now=office.clock.now)
        assert rebooking.of(session, dossier) is None
        assert ledger.drift(session) == ()


def test_a_time_that_filled_meanwhile_is_refused_and_the_lost_one_stands(office: Office) -> None:
    dossier_id = book(office)
    browser = office.signed_in("s.dung")
    change(browser, **CLOSED)
    friday = THURSDAY + timedelta(days=1)
    for _ in range(2):
        book(office, friday)
    slot = f"{STATION}|2026-11-27T08:00:00+07:00|regular"
    late = browser.post(f"/hours/stranded/{dossier_id}", what="move", slot=slot)
    assert late.status_code == 409
    assert "vừa hết chỗ" in late.text
    assert "08:30, Thứ Sáu, 27/11/2026" in late.text
    assert live(office, dossier_id).starts_at.astimezone(HERE).date() == THURSDAY
    assert (STATION, "27/11 08:30") in _alternatives(office, dossier_id)


def test_a_family_gets_one_message_and_moves_together(office: Office) -> None:
    now, ids = office.clock.now, [book(office), book(office)]
    alone = [live(office, id_).id for id_ in ids]
    with office.session() as session:
        for one in alone:
            booking.cancel(session, one, now=now)
    with office.session() as session:
        first = offers.times(session, STATION, THURSDAY, now=now)[1].slot
        family = [
            parties.Member(whose=str(id_), person_key=id_.bytes, purpose="EX_AGE", length=30)
            for id_ in ids
        ]
        parties.book(session, members=family, first=first, now=now)
    change(office.signed_in("s.dung"), **CLOSED)
    with office.session() as session:
        assert rebooking.tell(session, now=now, limit=9) == 2
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 1
        dossier = session.get_one(Dossier, ids[1])
        other = rebooking.alternatives(session, dossier, now=now)[1]
        rebooking.accept(session, dossier, other.slot, now=now)
    days = {live(office, id_).starts_at.astimezone(HERE).date() for id_ in ids}
    assert days == {date(2026, 11, 27)}
    assert "Đã nhắn, chưa chọn" not in office.signed_in("s.dung").get("/hours/stranded").text


def test_days_are_named_in_the_readers_language(office: Office) -> None:
    browser = office.signed_in("s.dung")
    change(browser, **{**CLOSED, "words_en": "Training"})
    page = browser.get("/hours?lang=en").text
    assert "Training" in page
    assert "New Year" in page
    assert "Tập huấn" in browser.get("/hours?lang=vi").text


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(*call: object) -> None:
        sent.append(str(call[2]))

    sa.event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", note)


def test_more_people_on_the_list_cost_no_more_queries(office: Office) -> None:
    days = [date(2026, 12, number) for number in (8, 9, 10)]
    first, *_ = [book(office, day) for day in days for _ in range(2)]
    browser = office.signed_in("s.dung")
    pages = ("/hours", "/hours/stranded", f"/hours/stranded?open={first}")
    sent: list[list[int]] = []
    for people, day in zip((2, 4, 6), days, strict=True):
        change(browser, **{**CLOSED, "day": day.isoformat()})
        sent.append([])
        for page in pages:
            with statements(office.engine) as seen:
                shown = browser.get(page).text
            assert f"{people} công dân" in shown or f'"count">{people}<' in shown
            sent[-1].append(len(seen))
    few, more, most = sent
    assert few[:2] == more[:2] == most[:2]
    assert 0 < few[1] < few[2], "statements are counted"


@pytest.mark.parametrize("opened", ["", "x", "%00", "x" * 3000, str(UUID(int=1))])
def test_whoever_is_not_on_the_list_is_not_opened(office: Office, opened: str) -> None:
    book(office)
    browser = office.signed_in("s.dung")
    change(browser, **CLOSED)
    page = browser.get(f"/hours/stranded?open={opened}")
    assert page.status_code == 200
    assert 'name="slot"' not in page.text
