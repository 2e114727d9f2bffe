"""The Vietnamese year: holidays, swapped days, make-up Saturdays, and what is not known yet."""

from datetime import date

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import calendar

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


def test_a_make_up_saturday_has_the_hours_of_the_day_it_makes_up_for() -> None:
    assert calendar.make_up_for(date(2026, 1, 10)) == 4
    assert calendar.make_up_for(date(2026, 8, 22)) == 0
    assert calendar.make_up_for(date(2026, 11, 28)) is None


def test_every_make_up_day_the_package_knows_is_written_down_with_its_day() -> None:
    written = set(calendar._make_up(2025)) | set(calendar._make_up(2026))
    seed = holidays.country_holidays("VN", years=[2025, 2026]).weekend_workdays
    assert {day for day in seed if day.year in {2025, 2026}} <= written


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
