"""What a place offers: free places by day and time, and the calendar's own words."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler import horizon, offers, places
from scheduler.database import reading, transaction
from scheduler.offers import Day
from scheduler.places import PlaceUnknown, Unlike
from scheduler.tables import Kind, Scope, SlotRow
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


# Whose places they are, how long somebody needs, and what is given by lot.


def _change(engine: sa.Engine, number: int, **columns: object) -> None:
    with transaction(engine) as session:
        session.execute(
            sa.update(SlotRow)
            .where(SlotRow.starts_at == slot(number).starts_at, SlotRow.lane == "regular")
            .values(**columns)
        )


def _free(engine: sa.Engine, now: datetime, **asked: Any) -> list[int]:  # noqa: ANN401 - arguments
    with reading(engine) as session:
        return [offer.free for offer in offers.times(session, CODE, THURSDAY, now=now, **asked)]


def test_places_kept_for_officers_are_free_for_officers_only(
    engine: sa.Engine, now: datetime
) -> None:
    _change(engine, 0, public_capacity=1)
    _change(engine, 1, public_capacity=0)
    _change(engine, 2, taken=2)
    assert _free(engine, now) == [1, 0, 0, 2, 2, 2, 2, 2]
    assert _free(engine, now, public=False) == [2, 2, 0, 2, 2, 2, 2, 2]
    with reading(engine) as session:
        (day,) = offers.days(session, CODE, first=THURSDAY, last=THURSDAY, now=now)
        (all_of_it,) = offers.days(
            session, CODE, first=THURSDAY, last=THURSDAY, now=now, public=False
        )
    assert (day.free, day.capacity) == (11, 13)
    assert (all_of_it.free, all_of_it.capacity) == (14, 16)


def test_what_is_given_by_lot_is_shown_and_not_free(engine: sa.Engine, now: datetime) -> None:
    _change(engine, 0, by_lot=True)
    with reading(engine) as session:
        first, second, *_ = offers.times(session, CODE, THURSDAY, now=now)
        (day,) = offers.days(session, CODE, first=THURSDAY, last=THURSDAY, now=now)
    assert (first.by_lot, first.free, second.by_lot, second.free) == (True, 0, False, 2)
    assert (day.by_lot, day.free, day.capacity) == (True, 14, 16)


def test_who_needs_two_slots_is_offered_starts_with_room_in_both(
    engine: sa.Engine, now: datetime
) -> None:
    _change(engine, 3, taken=2, public_taken=2)
    _change(engine, 6, taken=1, public_taken=1)
    with reading(engine) as session:
        found = offers.times(session, CODE, THURSDAY, now=now, length=30)
    assert [(offer.slot, offer.free) for offer in found] == [
        (slot(0), 2), (slot(1), 2), (slot(2), 0), (slot(3), 0), (slot(4), 2), (slot(5), 1),
        (slot(6), 1),
    ]  # fmt: skip
    assert found[0].ends_at == slot(2).starts_at


def test_somebody_who_needs_less_than_a_slot_takes_one(engine: sa.Engine, now: datetime) -> None:
    assert len(_free(engine, now, length=10)) == 8
    assert len(_free(engine, now, length=16)) == 7
    assert _free(engine, now, length=121) == []


def test_a_day_counts_the_long_appointments_that_fit_and_no_slot_twice(
    engine: sa.Engine, now: datetime
) -> None:
    def fit(length: int) -> int:
        with reading(engine) as session:
            (day,) = offers.days(
                session, CODE, first=THURSDAY, last=THURSDAY, now=now, length=length
            )
        return day.free

    assert (fit(15), fit(30), fit(45), fit(120)) == (16, 8, 4, 2)
    _change(engine, 4, taken=2, public_taken=2)
    assert (fit(30), fit(45), fit(120)) == (6, 4, 0)


def test_a_break_is_not_bridged(engine: sa.Engine, now: datetime) -> None:
    _change(engine, 4, offered=False)
    with reading(engine) as session:
        found = offers.times(session, CODE, THURSDAY, now=now, length=30)
    assert [offer.slot for offer in found] == [slot(n) for n in (0, 1, 2, 5, 6)]


def test_slots_of_two_lanes_do_not_follow_each_other(engine: sa.Engine, now: datetime) -> None:
    _change(engine, 1, lane="night")
    with reading(engine) as session:
        found = offers.times(
            session, CODE, THURSDAY, now=now, length=30, lanes={"regular", "night"}
        )
    assert slot(0) not in [offer.slot for offer in found]
    assert slot(1, "night") not in [offer.slot for offer in found]
