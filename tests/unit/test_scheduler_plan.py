"""Which slots a day has: plain Python, so that every odd combination can be tried."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import calendar, plan
from scheduler.places import Rule, Unlike
from scheduler.tables import Kind
from tests.races.station import MORNINGS, THURSDAY

SATURDAY = THURSDAY + timedelta(days=2)
SOURCE = "Thông báo 1/2026"


def _of(day: date, rule: Rule, *unlike: Unlike) -> dict[plan.Key, plan.Planned]:
    return plan.slots([rule], {one.day: one for one in unlike}, first=day, last=day)


def test_two_hours_by_quarters_are_eight_slots_in_utc() -> None:
    found = _of(THURSDAY, MORNINGS)
    assert len(found) == 8
    assert min(found) == (datetime(2026, 11, 26, 1, 0, tzinfo=UTC), "regular")
    assert set(found.values()) == {plan.Planned(minutes=15, capacity=2, public_capacity=2)}


def test_what_is_left_over_before_closing_is_not_offered() -> None:
    assert len(_of(THURSDAY, replace(MORNINGS, step=50))) == 2


def test_a_weekend_and_a_holiday_have_no_slots() -> None:
    assert _of(SATURDAY, MORNINGS) == {}
    assert _of(date(2026, 11, 24), MORNINGS) == {}


def test_a_make_up_saturday_has_the_hours_of_the_monday_it_makes_up_for() -> None:
    mondays = replace(MORNINGS, weekdays=frozenset({0}))
    assert len(_of(date(2026, 8, 22), mondays)) == 8
    assert _of(date(2026, 8, 31), mondays) == {}


def test_a_place_that_closes_says_why_and_falls_back_to_plain_words() -> None:
    closed = Unlike(day=THURSDAY, kind=Kind.CLOSED, words="Sửa chữa", source=SOURCE)
    assert _of(THURSDAY, MORNINGS, closed) == {}
    assert plan.hours(THURSDAY, closed).why == calendar.Words(vi="Sửa chữa", en="Sửa chữa")
    silent = plan.hours(THURSDAY, replace(closed, words=None))
    assert silent.why == calendar.closed()


def test_a_place_may_open_on_a_saturday_and_on_a_holiday() -> None:
    for day in (SATURDAY, date(2026, 11, 24)):
        opened = Unlike(day=day, kind=Kind.MAKE_UP_DAY, as_weekday=0, source=SOURCE)
        assert len(_of(day, MORNINGS, opened)) == 8


def test_a_short_day_ends_early() -> None:
    short = Unlike(day=THURSDAY, kind=Kind.SHORT_DAY, closes=time(9), source=SOURCE)
    assert len(_of(THURSDAY, MORNINGS, short)) == 4


def test_a_rule_holds_from_its_first_to_its_last_day() -> None:
    rule = replace(MORNINGS, valid_from=THURSDAY, valid_to=THURSDAY)
    week = plan.slots(
        [rule], {}, first=THURSDAY - timedelta(days=7), last=THURSDAY + timedelta(days=7)
    )
    assert {start.date() for start, _ in week} == {THURSDAY}


def test_rules_of_one_lane_add_up_and_lanes_stand_apart() -> None:
    rules = [MORNINGS, replace(MORNINGS, capacity=3), replace(MORNINGS, lane="priority")]
    found = plan.slots(rules, {}, first=THURSDAY, last=THURSDAY)
    assert {key[1]: slot.capacity for key, slot in found.items()} == {"regular": 5, "priority": 2}


MINUTES = st.integers(0, 24 * 60 - 2)


@settings(deadline=None)
@given(
    opens=MINUTES,
    length=st.integers(1, 24 * 60 - 1),
    step=st.integers(1, 240),
    day=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
)
def test_slots_lie_inside_the_hours_and_never_overlap(
    opens: int, length: int, step: int, day: date
) -> None:
    closes = min(opens + length, 24 * 60 - 1)
    rule = replace(
        MORNINGS,
        opens=time(opens // 60, opens % 60),
        closes=time(closes // 60, closes % 60),
        step=step,
    )
    found = sorted(_of(day, rule))
    assert len(found) == (calendar.is_working(day) and (closes - opens) // step)
    starts = [start.astimezone(calendar.HERE) for start, _ in found]
    for start, after in itertools.pairwise(starts):
        assert after - start == timedelta(minutes=step)
    for start in starts:
        assert start.date() == day
        assert opens <= start.hour * 60 + start.minute <= closes - step
