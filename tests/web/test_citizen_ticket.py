"""A booked appointment: what a citizen takes along, changing it, giving it back, withdrawing."""

import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa
import zxingcpp
from icalendar import Calendar

from scheduler import booking
from scheduler.database import transaction
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow
from server.rules import tickets
from server.rules.dossier import DossierState
from tests.web.citizens import (
    CHILD,
    DUNG,
    HANOI,
    KHUE,
    Browser,
    Office,
    birth_of,
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


def _booked(office: Office, number: str = KHUE, hour: int = 8) -> tuple[Browser, str]:
    browser = office.browser()
    fill(browser, office.person(number))
    hold(browser, DAY, hour)
    return browser, ticket_on(confirm(browser).text)


def _entered(office: Office, ticket: str, number: str = KHUE) -> dict[str, str]:
    return {"ticket": ticket, **birth_of(office.person(number))}


def test_the_code_on_the_page_is_what_a_kiosk_reads(office: Office) -> None:
    browser, ticket = _booked(office)
    shown = re.search(r"<svg.*?</svg>", browser.last, flags=re.DOTALL)
    assert shown is not None
    (found,) = zxingcpp.read_barcodes(_drawn(shown[0]))
    assert found.text == "THUNHAN:1:" + tickets.parse(ticket)


def _drawn(svg: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return the picture of segno's path of strokes, four pixels a module."""
    size, path = (
        re.search(r'viewBox="0 0 (\d+)', svg),
        re.search(r'class="qrline"[^>]*d="(.*?)"', svg),
    )
    assert size is not None
    assert path is not None
    modules = np.full((int(size[1]), int(size[1])), 255, np.uint8)
    x = y = 0.0
    for step in re.findall(r"M([\d.]+) ([\d.]+)|m(-?[\d.]+) ([\d.]+)|h([\d.]+)", path[1]):
        at_x, at_y, by_x, by_y, length = (float(figure or 0) for figure in step)
        x, y = (at_x, at_y) if step[0] else (x + by_x, y + by_y)
        modules[int(y), int(x) : int(x + length)] = 0
        x += length
    return modules.repeat(4, axis=0).repeat(4, axis=1)


def test_the_calendar_file_says_when_and_where_and_grows_with_changes(office: Office) -> None:
    browser, ticket = _booked(office)
    first = _event(browser)
    assert first["dtstart"].dt == datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
    assert first["dtend"].dt - first["dtstart"].dt == timedelta(minutes=15)
    assert "Công an phường Giả Định" in first["location"]
    assert ticket in first["description"]
    alarm = first.subcomponents[0]
    assert alarm["trigger"].dt == timedelta(days=-1)
    office.clock.goes_on(minutes=1)
    to = f"/booked/change?station={HANOI}&day=2026-12-01"
    browser.post(to, {"time": time_of(date(2026, 12, 1), 14)})
    second = _event(browser)
    assert second["uid"] == first["uid"]
    assert second["sequence"] > first["sequence"]
    assert second["dtstart"].dt == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


def _event(browser: Browser) -> Any:  # noqa: ANN401 - icalendar's values are of thirty types
    answer = browser.get("/booked/appointment.ics")
    assert answer.mimetype == "text/calendar"
    (event,) = Calendar.from_ical(answer.data).walk("VEVENT")
    return event


def test_the_slip_is_one_tagged_page_that_knows_its_accents(office: Office, tmp_path: Path) -> None:
    browser, ticket = _booked(office, CHILD)
    answer = browser.get("/booked/slip.pdf")
    pdf = answer.data
    assert answer.mimetype == "application/pdf"
    assert pdf.startswith(b"%PDF-")
    inside = pdf + b"".join(_streams(pdf))
    assert b"pdfuaid:part" in inside
    assert len(re.findall(rb"/Type\s*/Page\b", inside)) == 1
    name = office.person(CHILD).full_name
    for letter in set(name) - {" "}:  # every letter can be copied and read aloud
        assert f"<{ord(letter):04x}>".encode() in inside.lower(), letter
    if shutil.which("pdftotext"):
        (tmp_path / "slip.pdf").write_bytes(pdf)
        command = ["pdftotext", str(tmp_path / "slip.pdf"), "-"]
        text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        assert name in text
        assert ticket in text


def _streams(pdf: bytes) -> Iterator[bytes]:
    for body in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL):
        try:
            yield zlib.decompress(body)
        except zlib.error:
            continue


def test_a_ticket_and_a_birth_date_open_the_appointment_elsewhere(office: Office) -> None:
    first, ticket = _booked(office)
    other = office.browser()
    answer = other.post("/manage", _entered(office, ticket.lower().replace("-", " ")))
    assert answer.request.path == "/booked"
    assert ticket_on(answer.text) == ticket
    # The first browser's token is worth nothing now: there is one at a time.
    assert first.get("/booked").request.path == "/manage"


def test_an_unknown_ticket_and_a_wrong_birth_date_are_one_answer(office: Office) -> None:
    _, ticket = _booked(office)
    absent = tickets.show(tickets.derive(b"another secret of 32 bytes......", _appointment(office)))
    browser = office.browser()
    wrong = browser.post("/manage", _entered(office, ticket, DUNG))
    unknown = browser.post("/manage", _entered(office, absent, DUNG))
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert wrong.text.replace(ticket, "") == unknown.text.replace(absent, "")


def _appointment(office: Office) -> UUID:
    with transaction(office.engine) as session:
        return session.scalars(sa.select(AppointmentRow.id)).one()


def test_guessing_birth_dates_is_slowed_down_even_for_who_knows(office: Office) -> None:
    _, ticket = _booked(office)
    browser = office.browser()
    guesses = [{"ticket": ticket, "birth_year": str(1930 + n)} for n in range(8)]
    assert [browser.post("/manage", guess).status_code for guess in guesses] == [422] * 8
    answer = browser.post("/manage", _entered(office, ticket))
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    office.clock.goes_on(minutes=15)
    assert browser.post("/manage", _entered(office, ticket)).request.path == "/booked"


def test_changing_keeps_the_ticket_and_frees_the_old_place(office: Office) -> None:
    browser, ticket = _booked(office)
    assert "Đổi sang ngày nào" in browser.get("/booked/change").text
    assert "Đổi sang điểm thu nhận nào" in browser.get("/booked/change?pick=station").text
    page = browser.get("/booked/change?station=DN01&day=2026-11-26").text
    assert f'value="{time_of(date(2026, 11, 26), 9)}"' in page
    answer = browser.post(
        "/booked/change?station=DN01&day=2026-11-26", {"time": time_of(date(2026, 11, 26), 9)}
    )
    assert ticket_on(answer.text) == ticket
    assert "Công an phường Hòa Mẫu" in answer.text
    assert "09:00, Thứ Năm" in answer.text
    assert taken(office) == 1


def test_a_change_to_a_full_or_absent_time_leaves_the_appointment(office: Office) -> None:
    for number in (KHUE, DUNG):
        _booked(office, number, hour=9)
    browser, ticket = _booked(office, CHILD, hour=8)
    to = f"/booked/change?station={HANOI}&day={DAY}"
    for time, status in ((time_of(DAY, 9), 409), (time_of(DAY, 3), 409), ("", 422), ("x y", 422)):
        assert browser.post(to, {"time": time}).status_code == status, time
    assert browser.post("/booked/change?station=NOWHERE", {"time": ""}).status_code == 422
    shown = browser.get("/booked").text
    assert ticket_on(shown) == ticket
    assert "08:00" in shown
    assert taken(office) == 4  # the child has half an hour


def test_a_cancelled_appointment_frees_its_place_and_can_be_booked_again(office: Office) -> None:
    browser, ticket = _booked(office)
    assert "Hủy lịch hẹn này?" in browser.get("/booked/cancel").text
    answer = browser.post("/booked/cancel", {})
    assert answer.request.path == "/booked/cancelled"
    assert taken(office) == 0
    assert browser.post("/booked/cancel", {}).request.path == "/booked/cancelled"
    assert browser.get("/booked").request.path == "/manage"
    assert browser.path == "/book/station"
    hold(browser, DAY, 10)
    code = dossier_of(office).code
    again = confirm(browser)
    assert ticket_on(again.text) != ticket
    assert dossier_of(office).code == code
    assert _is_dead(office, ticket)


def _is_dead(office: Office, ticket: str) -> bool:
    answer = office.browser().post("/manage", _entered(office, ticket))
    return answer.status_code == 422


def test_a_withdrawn_dossier_gives_everything_back(office: Office) -> None:
    browser, _ = _booked(office)
    assert browser.get("/withdraw").status_code == 200
    answer = browser.post("/withdraw", {})
    assert answer.request.path == "/withdrawn"
    assert dossier_of(office).state is DossierState.WITHDRAWN
    assert taken(office) == 0
    assert browser.post("/withdraw", {}).request.path == "/withdrawn"
    assert browser.get("/booked/cancelled").request.path == "/manage"


def test_who_has_arrived_changes_and_cancels_nothing_here(office: Office) -> None:
    browser, ticket = _booked(office)
    with transaction(office.engine) as session:
        booking.arrive(session, _appointment(office), now=office.clock())
    assert "Đổi lịch hẹn" not in browser.get("/booked").text
    assert browser.get("/booked/change").request.path == "/booked"
    assert browser.get("/booked/cancel").request.path == "/booked"
    browser.post("/booked/cancel", {})
    browser.post(f"/booked/change?station={HANOI}", {"time": time_of(DAY, 9)})
    with transaction(office.engine) as session:
        assert booking.find(session, _appointment(office)).state is AppointmentState.ARRIVED
    assert _is_dead(office, ticket)


def test_a_browser_without_a_ticket_is_asked_for_one(office: Office) -> None:
    browser = office.browser()
    for path in ("", "/appointment.ics", "/slip.pdf", "/change", "/cancel", "/cancelled"):
        assert browser.get(f"/booked{path}").request.path == "/manage"
    for path in ("/booked/change", "/booked/cancel", "/withdraw"):
        assert browser.post(path, {"time": time_of(DAY, 9)}).request.path == "/manage"


def test_a_shared_device_forgets_and_the_appointment_stands(office: Office) -> None:
    browser, ticket = _booked(office)
    browser.post("/forget", {})
    assert browser.get("/booked").request.path == "/manage"
    assert browser.post("/manage", _entered(office, ticket)).request.path == "/booked"
