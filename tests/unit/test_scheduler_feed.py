"""What anybody may know of free places agrees with what the pages offer."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from scheduler import feed, horizon, offers, places
from scheduler.database import reading, transaction
from scheduler.feed import Count
from scheduler.places import PlaceUnknown
from scheduler.tables import PlaceRow, SlotRow
from tests.races.station import CODE, MORNINGS, THURSDAY, add_place, booked, hold, slot

MONDAY = THURSDAY + timedelta(days=4)
OTHER = "HN-02"


@pytest.fixture(autouse=True)
def stations(engine: sa.Engine, now: datetime) -> None:
    """Two places of one province with two lanes, and one elsewhere."""
    with transaction(engine) as session:
        add_place(session)
        add_place(session, OTHER)
        places.add_place(session, code="SG-01", name="Q1", address="", province="79")
        early = replace(MORNINGS, opens=time(6, 30), closes=time(8), public_capacity=1)
        for code, rule in ((CODE, MORNINGS), (OTHER, early), ("SG-01", MORNINGS)):
            places.add_rule(session, code, rule)
            places.add_rule(session, code, replace(MORNINGS, lane="priority"))
            horizon.materialise(session, code, first=now.date(), last=MONDAY, now=now)


def test_a_place_is_counted_by_the_days_of_vietnam(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        booked(session, 1, slot(0), now)
        hold(session, 2, slot(0), now)
    with reading(engine) as session:
        (found,) = feed.availability(session, place=CODE, first=THURSDAY, last=MONDAY, now=now)
        (early,) = feed.availability(session, place=OTHER, first=THURSDAY, last=MONDAY, now=now)
    assert found.station.code == CODE
    assert found.earliest == slot(1).starts_at
    assert found.days[0] == Count(date=THURSDAY, free=14, capacity=16)
    assert [count.date for count in found.days] == [THURSDAY, THURSDAY + timedelta(days=1), MONDAY]
    # 06:30 of Thursday here is Wednesday by UTC.
    assert early.days[0] == Count(date=THURSDAY, free=6, capacity=6)
    assert early.earliest == slot(-6).starts_at


def test_it_agrees_with_the_month_the_pages_show(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        booked(session, 1, slot(0), now)
        session.execute(
            sa.update(SlotRow)
            .where(SlotRow.starts_at == slot(1).starts_at, SlotRow.lane == "regular")
            .values(by_lot=True)
        )
    for code in (CODE, OTHER):
        with reading(engine) as session:
            (found,) = feed.availability(session, place=code, first=THURSDAY, last=MONDAY, now=now)
            shown = offers.days(session, code, first=THURSDAY, last=MONDAY, now=now)
        assert [(c.date, c.free, c.capacity) for c in found.days] == [
            (day.date, day.free, day.capacity) for day in shown if day.capacity
        ]


def test_a_province_has_its_open_places_and_no_others(engine: sa.Engine, now: datetime) -> None:
    def codes() -> list[str]:
        with reading(engine) as session:
            found = feed.availability(
                session, province="01", first=THURSDAY, last=THURSDAY, now=now
            )
        return [one.station.code for one in found]

    assert codes() == [CODE, OTHER]
    with transaction(engine) as session:
        session.get_one(PlaceRow, CODE).open = False
    assert codes() == [OTHER]


def test_a_place_without_slots_is_there_with_no_days(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        add_place(session, "NEW")
    later = date(2027, 3, 1)
    with reading(engine) as session:
        (found,) = feed.availability(session, place="NEW", first=later, last=later, now=now)
    assert (found.earliest, found.days) == (None, ())


def test_a_day_that_is_full_is_named_with_nothing_free(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        session.execute(sa.update(SlotRow).values(taken=1, public_taken=1, capacity=1))
        session.execute(sa.update(SlotRow).values(public_capacity=1))
    with reading(engine) as session:
        (found,) = feed.availability(session, place=CODE, first=THURSDAY, last=THURSDAY, now=now)
    assert (found.earliest, found.days) == (None, (Count(date=THURSDAY, free=0, capacity=8),))


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"place": "nowhere"}, PlaceUnknown),
        ({}, ValueError),
        ({"place": CODE, "province": "01"}, ValueError),
    ],
)
def test_what_is_no_question_is_refused(
    engine: sa.Engine,
    now: datetime,
    asked: dict[str, str],
    refused: type[Exception],
) -> None:
    with reading(engine) as session, pytest.raises(refused):
        feed.availability(session, first=THURSDAY, last=THURSDAY, now=now, **asked)
