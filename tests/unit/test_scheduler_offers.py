"""What a place offers: free places by day and time, and the calendar's own words."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler import horizon, offers, places
from scheduler.database import reading, transaction
from scheduler.offers import Day
from scheduler.places import PlaceUnknown, Unlike
from scheduler.tables import Kind, Scope
from tests.races.station import CODE, MORNINGS, THURSDAY, add_place, booked, hold, slot

SATURDAY = THURSDAY + timedelta(days=2)


@pytest.fixture(autouse=True)
def place(engine: sa.Engine, now: datetime) -> None:
    """A place open on weekdays but Fridays, slots opened until the Thursday."""
    with transaction(engine) as session:
        add_place(session)
        places.add_rule(session, CODE, replace(MORNINGS, weekdays=frozenset({0, 1, 2, 3})))
        places.add_rule(session, CODE, replace(MORNINGS, lane="priority"))
        horizon.materialise(session, CODE, first=now.date(), last=THURSDAY, now=now)


def _day(engine: sa.Engine, day: date, now: datetime) -> Day:
    with reading(engine) as session:
        (found,) = offers.days(session, CODE, first=day, last=day, now=now)
    assert found.date == day
    return found


def test_a_day_counts_what_is_free_and_holds_count_as_taken(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        booked(session, 1, slot(0), now)
        hold(session, 2, slot(0), now)
    day = _day(engine, THURSDAY, now)
    assert (day.free, day.capacity, day.closed, day.announced) == (14, 16, None, True)
    with reading(engine) as session:
        times = offers.times(session, CODE, THURSDAY, now=now)
    assert [offer.free for offer in times] == [0] + [2] * 7
    assert times[1].slot == slot(1)
    assert times[1].ends_at == slot(2).starts_at


def test_times_that_are_past_are_not_offered(engine: sa.Engine) -> None:
    at = slot(5).starts_at
    day = _day(engine, THURSDAY, at)
    assert (day.free, day.capacity) == (4, 4)
    with reading(engine) as session:
        assert [o.slot for o in offers.times(session, CODE, THURSDAY, now=at)] == [slot(6), slot(7)]


def test_a_lane_for_others_is_not_shown_to_everybody(engine: sa.Engine, now: datetime) -> None:
    with reading(engine) as session:
        shown = offers.times(session, CODE, THURSDAY, now=now)
        assert {offer.slot.lane for offer in shown} == {"regular"}
        quiet = offers.times(session, CODE, THURSDAY, now=now, lanes={"priority"})
        assert len(quiet) == 8


@pytest.mark.parametrize(
    ("day", "vi", "en"),
    [
        (date(2026, 11, 24), "Ngày Văn hóa Việt Nam", "Vietnam Cultural Day"),
        (SATURDAY, "Nghỉ cuối tuần", "Weekend"),
        (THURSDAY + timedelta(days=1), "Điểm thu nhận không làm việc", "The office is closed"),
    ],
)
def test_a_closed_day_says_why(
    engine: sa.Engine, now: datetime, day: date, vi: str, en: str
) -> None:
    found = _day(engine, day, now)
    assert (found.closed, found.closed_en, found.free, found.capacity) == (vi, en, 0, 0)
    with reading(engine) as session:
        assert offers.times(session, CODE, day, now=now) == ()


def test_a_day_not_opened_yet_is_neither_closed_nor_full(engine: sa.Engine, now: datetime) -> None:
    day = _day(engine, THURSDAY + timedelta(days=4), now)
    assert (day.closed, day.free, day.capacity) == (None, 0, 0)


def test_a_closure_counts_before_the_slots_are_withdrawn(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        places.add_exception(
            session,
            Unlike(day=THURSDAY, kind=Kind.CLOSED, words="Mất điện", source="CV 12"),
            scope=Scope.PLACE,
            code=CODE,
        )
        assert offers.times(session, CODE, THURSDAY, now=now) == ()
    assert _day(engine, THURSDAY, now).closed == "Mất điện"


def test_a_year_without_official_schedule_is_flagged(engine: sa.Engine, now: datetime) -> None:
    assert not _day(engine, date(2027, 1, 5), now).announced


def test_a_month_has_every_day_once(engine: sa.Engine, now: datetime) -> None:
    with reading(engine) as session:
        found = offers.days(
            session, CODE, first=date(2026, 12, 1), last=date(2026, 12, 31), now=now
        )
    assert [day.date.day for day in found] == list(range(1, 32))


def test_an_unknown_place_is_refused(engine: sa.Engine, now: datetime) -> None:
    with reading(engine) as session, pytest.raises(PlaceUnknown):
        offers.days(session, "nowhere", first=THURSDAY, last=THURSDAY, now=now)
