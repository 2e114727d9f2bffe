"""The Vietnamese year: holidays, swapped days, make-up Saturdays, and what is not known yet."""

from datetime import date, time, timedelta

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import calendar, plan

DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 1, 1), False),  # New Year
        (date(2026, 1, 2), False),  # swapped; the package does not know
        (date(2026, 1, 10), True),  # for it, a Saturday
        (date(2026, 2, 13), True),  # the Friday before Tết
        (date(2026, 2, 16), False),
        (date(2026, 2, 20), False),
        (date(2026, 2, 23), True),
        (date(2026, 4, 27), False),  # Hùng Kings on a Sunday, the Monday after
        (date(2026, 8, 22), True),  # a make-up Saturday
        (date(2026, 8, 31), False),  # the Monday it makes up for
        (date(2026, 9, 2), False),
        (date(2026, 11, 24), False),  # Vietnam's day of culture
        (date(2026, 11, 25), True),
        (date(2026, 11, 28), False),  # a Saturday like others
        (date(2025, 4, 26), True),
        (date(2025, 5, 2), False),
    ],
)
def test_a_day_is_worked_or_not(day: date, worked: bool) -> None:
    assert calendar.is_working(day) is worked


YEARS = {
    2024: (
        "01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03",
        "05-04",
    ),
    2025: (
        "01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02",
        "04-26",
    ),
    2026: (
        "01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24",
        "01-10 08-22",
    ),
    # Provisional: nobody announced it yet.
    2027: ("01-01 02-04 02-05 02-08 02-09 02-10 04-16 04-30 05-03 09-02 09-03 11-24", ""),
}
"""Weekdays off and weekend days worked, from the documents `days_vn.json` names."""


@pytest.mark.parametrize("year", YEARS)
def test_the_days_of_a_year_are_those_of_its_documents(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365 + (year % 4 == 0))]
    off = [day for day in days if day.weekday() < 5 and not calendar.is_working(day)]
    worked = [day for day in days if day.weekday() > 4 and calendar.is_working(day)]
    assert (" ".join(f"{d:%m-%d}" for d in off), " ".join(f"{d:%m-%d}" for d in worked)) == YEARS[
        year
    ]


FIRST_OF_THE_YEAR = ("2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26")


@pytest.mark.parametrize("tet", FIRST_OF_THE_YEAR)
def test_the_first_day_of_the_lunar_year_and_three_after_are_off(tet: str) -> None:
    first = date.fromisoformat(tet)
    for n in range(-1, 4):
        assert not calendar.is_working(first + timedelta(days=n))
    assert calendar.holiday(first) is not None


def test_every_day_written_down_names_its_document() -> None:
    for row in calendar._data()["days"]:
        assert row["source"]
        assert row["is"] in {"off", "worked", "short", "closed"}
        assert row["is"] != "worked" or date.fromisoformat(row["for"]).weekday() < 5
        assert date.fromisoformat(row["day"]).year <= 2026, "an unannounced year has no swaps"


def test_an_announced_year_names_its_documents() -> None:
    assert "12729/VPCP-KGVX" in (calendar.source_of(2026) or "")
    assert calendar.source_of(2027) is None


def test_written_days_outweigh_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [
        {"day": "2031-01-01", "is": "worked", "source": "x"},
        {"day": "2031-01-03", "is": "closed", "source": "x"},
        {"day": "2031-01-06", "is": "short", "closes": "11:30", "source": "x"},
        {"day": "2031-01-07", "is": "off", "vi": "Nghỉ", "en": "Off", "source": "x"},
    ]
    written = calendar._data()
    with monkeypatch.context() as patched:
        patched.setattr(calendar, "_data", lambda: {**written, "days": days})
        for cached in (calendar._rows, calendar._off, calendar._make_up):
            cached.cache_clear()
        assert [calendar.is_working(date(2031, 1, n)) for n in (1, 2, 3, 6, 7)] == [
            *(True, True, False, True, False)
        ]
        assert calendar.holiday(date(2031, 1, 3)) == calendar.closed()
        assert calendar.make_up_for(date(2031, 1, 1)) == 2
        short = plan.hours(date(2031, 1, 6), None)
        assert (short.weekday, short.until) == (0, time(11, 30))
    for cached in (calendar._rows, calendar._off, calendar._make_up):
        cached.cache_clear()


def test_a_make_up_saturday_has_the_hours_of_the_day_it_makes_up_for() -> None:
    assert calendar.make_up_for(date(2026, 1, 10)) == 4
    assert calendar.make_up_for(date(2026, 8, 22)) == 0
    assert calendar.make_up_for(date(2026, 11, 28)) is None


def test_every_make_up_day_the_package_knows_is_written_down_with_its_day() -> None:
    written = {row["day"] for row in calendar._data()["days"] if row["is"] == "worked"}
    seed = holidays.country_holidays("VN", years=[2024, 2025, 2026]).weekend_workdays
    assert {str(day) for day in seed if day.year >= 2024} <= written


def test_what_we_correct_the_package_does_not_know_by_itself() -> None:
    assert date(2026, 1, 2) not in holidays.country_holidays("VN", years=2026)


def test_a_holiday_has_its_name_in_both_languages() -> None:
    assert calendar.holiday(date(2026, 9, 2)) == calendar.Words(vi="Quốc khánh", en="National Day")
    swapped = calendar.holiday(date(2026, 1, 2))
    assert swapped is not None
    assert "10/01/2026" in swapped.vi
    assert calendar.holiday(date(2026, 9, 3)) is None


def test_a_year_without_official_schedule_is_flagged() -> None:
    assert calendar.announced(date(2026, 12, 31))
    assert not calendar.announced(date(2027, 1, 4))


@settings(deadline=None)
@given(DAYS)
def test_a_working_day_is_no_holiday_and_no_plain_weekend(day: date) -> None:
    plain_weekend = day.weekday() > 4 and calendar.make_up_for(day) is None
    assert calendar.is_working(day) is (calendar.holiday(day) is None and not plain_weekend)
