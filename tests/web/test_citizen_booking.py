from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from tests.web.citizens import DUNG, KHUE, Office, confirm, fill, hold, ticket_on

DAY = date(2026, 11, 30)


@pytest.fixture
def office(database_url: str, tmp_path: Path, now: datetime) -> Iterator[Office]:
    with Office.open(database_url, tmp_path, now) as opened:
        yield opened


def test_a_citizen_goes_from_the_first_question_to_a_ticket(office: Office) -> None:
    browser = office.browser()
    fill(browser, office.person(KHUE))
    assert browser.path == "/book/station"
    answer = hold(browser, DAY)
    assert answer.request.path == "/book/confirm", browser.heading()
    answer = confirm(browser)
    assert answer.request.path == "/booked"
    assert len(ticket_on(answer.text)) == 16
