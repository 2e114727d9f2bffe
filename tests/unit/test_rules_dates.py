"""Days and moments of appointments: the ends of the calendar are none of them."""

from datetime import UTC, date, datetime

import pytest

from server.rules import dates


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "20261124", "2026-13-01", "2026-11-24T00:00", "\x00" * 10, "2" * 9999),
        *("0001-01-01", "1999-12-31", "2200-01-01", "9999-12-31"),
    ],
)
def test_what_is_no_day_of_an_appointment(text: str) -> None:
    assert dates.day(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "2026-11-24", "2026-11-24T08:00", "\x00" * 10, "2" * 9999),
        *("0001-01-01T00:00+14:00", "0001-01-01T00:00+00:00", "1999-12-31T23:59+00:00"),
        *("2200-01-01T00:00+00:00", "9999-12-31T23:59+00:00", "9999-12-31T23:59-12:00"),
    ],
)
def test_what_is_no_moment_of_an_appointment(text: str) -> None:
    assert dates.moment(text) is None


def test_the_first_and_the_last() -> None:
    assert dates.day("2000-01-01") == date(2000, 1, 1)
    assert dates.day("2199-12-31") == date(2199, 12, 31)
    at = datetime(2026, 11, 24, 1, tzinfo=UTC)
    assert dates.moment("2026-11-24T08:00+07:00") == at
