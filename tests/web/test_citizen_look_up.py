"""Looking a dossier up: what is told to whom, what is told alike, what can be done then."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler import booking
from scheduler.database import transaction
from scheduler.tables import AppointmentRow
from server.registry.port import RegistryDown
from server.rules.dossier import DossierEvent, DossierState
from server.store import journal
from server.store.tables import Dossier
from server.web.shell import words
from tests.web.citizens import (
    DUNG,
    KHUE,
    OLD,
    Browser,
    Office,
    birth_of,
    code_on,
    confirm,
    dossier_of,
    fill,
    hold,
)

DAY = date(2026, 11, 30)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        yield opened


@pytest.fixture
def filed(office: Office) -> dict[str, str]:
    """What a citizen enters to look their dossier up."""
    browser = office.browser()
    fill(browser, office.person(KHUE))
    hold(browser, DAY)
    return {"code": code_on(confirm(browser).text), **birth_of(office.person(KHUE))}


def _happen(office: Office, *events: DossierEvent, message: dict[str, str] | None = None) -> None:
    """Let a dossier's life go on as the kiosk and the officers would let it."""
    with transaction(office.engine) as session:
        dossier = session.scalars(sa.select(Dossier)).one()
        appointment = session.scalars(sa.select(AppointmentRow.id)).one()
        for event in events:
            journal.move(session, dossier, event, now=office.clock(), actor="officer:test")
            if event is DossierEvent.CHECK_IN:
                booking.arrive(session, appointment, now=office.clock())
            if event is DossierEvent.SEAL:
                booking.serve(session, appointment, now=office.clock())
        dossier.message = message


CAPTURED = (DossierEvent.CHECK_IN, DossierEvent.SEAL)
REVIEWED = (*CAPTURED, DossierEvent.OPEN)


def _look(office: Office, entered: dict[str, str]) -> tuple[Browser, str]:
    browser = office.browser()
    answer = browser.post("/status", entered)
    assert answer.status_code == 200, answer.text
    return browser, answer.text


def test_the_code_and_the_birth_date_tell_where_it_stands(
    office: Office, filed: dict[str, str]
) -> None:
    browser, text = _look(office, {**filed, "code": f" {filed['code'].lower()} "})
    assert browser.heading() == words().say("status.booked.title", "vi")
    assert "Công an phường Giả Định" in text
    person = office.person(KHUE)
    for secret in (person.full_name, person.personal_number, "0912345678"):
        assert secret not in text


def test_an_unknown_code_and_a_wrong_birth_date_are_one_answer(
    office: Office, filed: dict[str, str]
) -> None:
    browser, dung = office.browser(), birth_of(office.person(DUNG))
    absent = filed["code"][:-1] + "9"
    wrong = browser.post("/status", {"code": filed["code"], **dung})
    unknown = browser.post("/status", {"code": absent, **dung})
    year = browser.post("/status", {"code": filed["code"], "birth_year": filed["birth_year"]})
    assert [wrong.status_code, unknown.status_code, year.status_code] == [422] * 3
    assert wrong.text.replace(filed["code"], "") == unknown.text.replace(absent, "")
    assert dict(wrong.headers).keys() == dict(unknown.headers).keys()
    for path in ("/status/book", "/status/corrected"):
        booked = browser.post(path, {"code": filed["code"], **dung})
        assert booked.status_code == 422
        assert "Không tìm thấy hồ sơ" in booked.text


def test_guessing_is_slowed_down_for_the_code_whoever_asks(
    office: Office, filed: dict[str, str]
) -> None:
    for n in range(8):
        guess = {"code": filed["code"], "birth_year": str(1930 + n)}
        assert office.browser().post("/status", guess).status_code == 422
    answer = office.browser().post("/status", filed)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert "Đã thử quá nhiều lần" in answer.text
    office.clock.goes_on(minutes=15)
    assert office.browser().post("/status", filed).status_code == 200


def test_somebody_of_whom_only_the_year_is_known_enters_the_year(office: Office) -> None:
    browser, old = office.browser(), office.person(OLD)
    fill(browser, old)
    hold(browser, DAY)
    code = code_on(confirm(browser).text)
    assert _look(office, {"code": code, "birth_year": "1941"})
    full = {"code": code, "birth_day": "7", "birth_month": "7", "birth_year": "1941"}
    assert _look(office, full)


def test_the_language_can_be_changed_on_the_answer(office: Office, filed: dict[str, str]) -> None:
    browser, text = _look(office, filed)
    form = re.search(
        r'<form method="post" action="(/status\?lang=en)">(.*?)</form>', text, re.DOTALL
    )
    assert form is not None
    carried = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[2]))
    answer = browser.client.post(form[1], data=carried)
    assert words().say("status.booked.title", "en") in answer.text
    assert answer.headers["Content-Language"] == "en"


def test_a_new_capture_is_asked_for_in_words_and_booked_without_entering_anything(
    office: Office, filed: dict[str, str]
) -> None:
    said = {"code": "portrait_blurred", "text": "Đứng xa máy <b>hơn</b> một chút."}
    _happen(office, *REVIEWED, DossierEvent.ASK_RECAPTURE, message=said)
    browser, text = _look(office, filed)
    assert browser.heading() == words().say("status.recapture.title", "vi")
    assert words().say("message.portrait_blurred", "vi") in text
    assert "máy &lt;b&gt;hơn&lt;/b&gt;" in text
    answer = browser.post("/status/book", filed)
    assert answer.request.path == "/book/station"
    hold(browser, date(2026, 12, 1))
    assert confirm(browser).request.path == "/booked"
    assert dossier_of(office).code == filed["code"]


def test_what_is_booked_cannot_be_taken_over_from_the_status_page(
    office: Office, filed: dict[str, str]
) -> None:
    assert office.browser().post("/status/book", filed).status_code == 422


def test_a_corrected_record_sends_the_dossier_back_to_the_officers(
    office: Office, filed: dict[str, str]
) -> None:
    said = {"code": "data_wrong", "text": ""}
    _happen(office, *REVIEWED, DossierEvent.ASK_CORRECTION, message=said)
    browser, text = _look(office, filed)
    assert words().say("message.data_wrong", "vi") in text
    assert browser.post("/status/corrected", filed).status_code == 422
    office.registry.raises = RegistryDown("no answer")
    assert browser.post("/status/corrected", filed).status_code == 503
    assert dossier_of(office).state is DossierState.TO_CORRECT
    office.registry.raises = None
    person = office.person(KHUE)
    born = person.as_json() | {"birth_date": "1993-07-02"}
    office.registry.known[KHUE] = type(person).from_json(born)
    answer = browser.post("/status/corrected", filed)
    assert words().say("standing.corrected", "vi") in answer.text
    assert dossier_of(office).state is DossierState.CAPTURED
    assert dossier_of(office).birth_date == date(1993, 7, 2)
    assert not office.registry.in_transaction
    assert office.browser().post("/status/corrected", filed).status_code == 422


@pytest.mark.parametrize(
    ("events", "key"),
    [
        (CAPTURED[:1], "at_station"),
        (CAPTURED, "captured"),
        (REVIEWED, "in_review"),
        ((*REVIEWED, DossierEvent.ACCEPT), "accepted"),
        ((*REVIEWED, DossierEvent.ACCEPT, DossierEvent.HAND_OVER), "handed_over"),
        ((*REVIEWED, DossierEvent.REJECT), "rejected"),
        ((DossierEvent.LAPSE,), "lapsed"),
    ],
)
def test_every_later_state_is_told_in_words(
    office: Office, filed: dict[str, str], events: tuple[DossierEvent, ...], key: str
) -> None:
    _happen(office, *events)
    browser, _ = _look(office, filed)
    assert browser.heading() == words().say(f"status.{key}.title", "vi")


def test_who_missed_the_appointment_books_again(office: Office, filed: dict[str, str]) -> None:
    office.clock.goes_on(days=7)
    with transaction(office.engine) as session:
        appointment = session.scalars(sa.select(AppointmentRow.id)).one()
        booking.miss(session, appointment, now=office.clock())
    browser, _ = _look(office, filed)
    assert browser.heading() == words().say("status.missed.title", "vi")
    assert browser.post("/status/book", filed).request.path == "/book/station"
