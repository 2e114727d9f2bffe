"""A plan at a station: learnt from its days, opened with exactly its places, nobody dropped."""

from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, conflicts, habits, horizon, lanes, offers, places
from scheduler.booking import SlotRef
from scheduler.database import transaction
from scheduler.lanes import LaneKind
from scheduler.life import AppointmentState
from scheduler.places import REGULAR, WALK_IN, Rule
from scheduler.planner import Opening, Pattern, applying, learning
from scheduler.planner.applying import NothingPlanned, Wanted
from scheduler.queue_life import QueueState
from scheduler.tables import AppointmentRow, SlotRow
from scheduler.tables_day import QueueRow

CODE = "HN-1"
WEEKDAYS = frozenset(range(5))
MORNING = Opening(opens=time(7, 30), closes=time(11, 30))
AFTERNOON = Opening(opens=time(13, 30), closes=time(17))
NEW_YEAR = date(2027, 1, 1)
"""A Friday nobody works on."""
DECEMBER = date(2026, 12, 21)
LAST = date(2027, 1, 8)


def wanted(pattern: Pattern = Pattern.BAILEY_HALF, first: int = 53, second: int = 46) -> Wanted:
    return Wanted(
        pattern=pattern,
        openings=(MORNING, AFTERNOON),
        places=(first, second),
        servers=2,
        length=15,
    )


@pytest.fixture(autouse=True)
def station(engine: sa.Engine, now: datetime) -> None:
    """Mornings and afternoons on weekdays, and mornings on Saturdays, two at a time."""
    with transaction(engine) as session:
        places.add_place(session, code=CODE, name="Điểm", address="Phố", province="01")
        for hours in (MORNING, AFTERNOON):
            places.add_rule(session, CODE, rule(hours, WEEKDAYS))
        places.add_rule(session, CODE, rule(MORNING, frozenset({4, 5})))
        horizon.materialise(session, CODE, first=date(2026, 11, 24), last=LAST, now=now)


def rule(hours: Opening, weekdays: frozenset[int]) -> Rule:
    return Rule(
        weekdays=weekdays,
        opens=hours.opens,
        closes=hours.closes,
        step=15,
        capacity=2,
        valid_from=date(2026, 1, 1),
    )


def free(session: Session, now: datetime) -> dict[date, int]:
    days = offers.days(session, CODE, first=DECEMBER, last=LAST, now=now)
    return {day.date: day.free for day in days}


def opened(session: Session, plan: Wanted, now: datetime) -> horizon.Opened:
    return applying.apply(
        session,
        CODE,
        REGULAR,
        plan,
        first_day=date(2026, 12, 28),
        last_day=LAST,
        weekdays=WEEKDAYS,
        now=now,
    )


@pytest.mark.parametrize("pattern", Pattern)
def test_a_plan_opens_exactly_its_places_on_days_that_are_worked(
    engine: sa.Engine, now: datetime, pattern: Pattern
) -> None:
    with transaction(engine) as session:
        before = free(session, now)
        opened(session, wanted(pattern), now)
        after = free(session, now)
        assert before[DECEMBER] == after[DECEMBER] == 2 * (16 + 14)
        for day, places_free in after.items():
            if day < date(2026, 12, 28):
                assert places_free == before[day], day
            elif day == NEW_YEAR or day.weekday() == 6:
                assert places_free == 0, day
            elif day.weekday() == 5:
                assert places_free == before[day] == 32, "Saturdays go on as they were"
            else:
                assert places_free == 53 + 46, day


def test_opened_again_a_plan_changes_nothing(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        opened(session, wanted(), now)
        first = free(session, now)
        again = opened(session, wanted(), now)
        assert (again.opened, again.withdrawn) == (0, 0)
        assert free(session, now) == first
        held = [r for r in places.rules(session, CODE) if r.valid_to is None]
        assert all(r.valid_from >= date(2026, 12, 28) for r in held if r.weekdays & WEEKDAYS)


def test_who_has_a_time_the_plan_lacks_is_named_before_and_kept_after(
    engine: sa.Engine, now: datetime
) -> None:
    monday = date(2026, 12, 28)
    with transaction(engine) as session:
        times = [o.slot for o in offers.times(session, CODE, monday, now=now)]
        kept, lost = (book(session, slot, now) for slot in (times[0], times[1]))
        change = applying.change(
            session, CODE, REGULAR, wanted(), first_day=monday, weekdays=WEEKDAYS
        )
        hit = conflicts.preview(session, CODE, change=change, now=now)
        assert [one.appointment.id for one in hit] == [lost]
        opened(session, wanted(), now)
        assert [booking.find(session, one).starts_at for one in (kept, lost)] == [
            times[0].starts_at,
            times[1].starts_at,
        ]
        row = session.get(SlotRow, (CODE, times[1].starts_at, REGULAR))
        assert row is not None
        assert (row.offered, row.taken) == (False, 1)


def test_from_the_day_that_is_offered_on_nobody_loses_their_time(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        assert applying.untroubled(session, CODE, REGULAR, now=now) == date(2026, 11, 25)
        last = offers.times(session, CODE, DECEMBER, now=now)[1].slot
        book(session, last, now)
        first_day = applying.untroubled(session, CODE, REGULAR, now=now)
        assert first_day == DECEMBER + timedelta(days=1)
        change = applying.change(
            session, CODE, REGULAR, wanted(), first_day=first_day, weekdays=WEEKDAYS
        )
        assert conflicts.preview(session, CODE, change=change, now=now) == ()


def test_other_lanes_are_left_alone(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        lanes.add(session, CODE, code="priority", kind=LaneKind.PRIORITY, servers=1)
        there = Rule(
            opens=time(8),
            closes=time(9),
            step=15,
            capacity=1,
            public_capacity=1,
            lane="priority",
            valid_from=DECEMBER,
        )
        places.add_rule(session, CODE, there)
        opened(session, wanted(), now)
        assert there in places.rules(session, CODE)


def test_nothing_planned_opens_nothing(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        before = free(session, now)
        with pytest.raises(NothingPlanned):
            opened(session, wanted(first=0, second=0), now)
        assert free(session, now) == before
        opened(session, wanted(second=0), now)
        assert free(session, now)[date(2026, 12, 28)] == 53


def book(session: Session, slot: SlotRef, now: datetime) -> UUID:
    whose = str(uuid4())
    held = booking.hold(
        session,
        slot=slot,
        whose=whose,
        person_key=whose.encode(),
        purpose="card",
        now=now,
        minutes=10,
    )
    return booking.confirm(session, held.id, now=now).id


def remember(
    session: Session, now: datetime, number: int, *, ahead: int, came: bool, lane: str = REGULAR
) -> None:
    """Write down an appointment of a week ago, made `ahead` days before."""
    at = now - timedelta(days=7, minutes=number)
    session.add(
        SlotRow(
            place=CODE,
            starts_at=at,
            lane=lane,
            minutes=15,
            capacity=1,
            public_capacity=1,
            taken=1,
            public_taken=1,
            offered=True,
        )
    )
    session.flush()
    id_ = uuid4()
    session.add(
        AppointmentRow(
            id=id_,
            starts_at=at,
            place=CODE,
            lane=lane,
            minutes=15,
            whose=str(id_),
            state=AppointmentState.SERVED if came else AppointmentState.MISSED,
            hold_until=None,
            hold_minutes=10,
            created_at=at - timedelta(days=ahead),
            changed_at=at,
        )
    )
    if came:
        session.add(
            QueueRow(
                place=CODE,
                day=at.date(),
                number=number,
                lane=REGULAR,
                appointment_id=id_,
                priority=0,
                minutes=15,
                arrived_at=at,
                due_at=at,
                state=QueueState.DONE,
                calls=1,
                called_at=at,
                began_at=at,
                ended_at=at + timedelta(minutes=8 + number % 5),
            )
        )
    session.flush()


def test_a_new_station_is_planned_by_what_is_known_of_others(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        learnt = learning.learn(session, CODE, now=now, lane=REGULAR, length=15)
    assert (learnt.servers, learnt.openings) == (2, (MORNING, AFTERNOON))
    assert (learnt.service.known, learnt.known, learnt.days) == (0, 0, 0)
    assert learnt.thin
    assert learnt.no_show == pytest.approx(habits.PRIOR_NO_SHOW)
    assert learnt.walk_ins_per_hour == 0
    assert all(lead.low < lead.share < lead.high for lead in learnt.leads)


def test_who_booked_long_ahead_stays_away_more_often(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        for n in range(80):
            remember(session, now, n + 1, ahead=1 if n < 60 else 20, came=n < 57 or n >= 70)
        learnt = learning.learn(session, CODE, now=now, lane=REGULAR, length=15)
    soon, late = learnt.leads[0], learnt.leads[-1]
    assert (soon.missed, soon.known, late.missed, late.known) == (3, 60, 10, 20)
    assert soon.share < learnt.no_show < late.share
    assert soon.high < late.share
    assert learnt.known == 80
    assert learnt.service.known == 67
    assert not learnt.thin


def test_people_without_an_appointment_are_counted_by_open_hour(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        for n in range(20):
            lane = WALK_IN if n % 2 else REGULAR
            remember(session, now, n + 1, ahead=0, came=True, lane=lane)
        learnt = learning.learn(session, CODE, now=now, lane=REGULAR, length=15)
    assert learnt.days == 1
    assert learnt.walk_ins_per_hour == pytest.approx(10 / 7.5)


def test_a_lane_that_is_not_there_is_not_learnt_of(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session, pytest.raises(LookupError, match="no lane"):
        learning.learn(session, CODE, now=now, lane="nowhere", length=15)
