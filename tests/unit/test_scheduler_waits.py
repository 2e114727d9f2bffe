"""Announced waits at a place: who is counted, and what they are learnt from."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import forecast, habits, points, queue, service, waits
from scheduler.database import reading, transaction
from scheduler.forecast import Busy, Expected
from scheduler.life import AppointmentState
from scheduler.line import RULES
from scheduler.places import REGULAR
from scheduler.points import HELP
from scheduler.queue_life import QueueState
from scheduler.tables import AppointmentRow, LaneKind, LaneRow
from scheduler.tables_day import QueueDayRow, QueueRow
from tests.races.station import CODE, booked, furnish, slot

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def hall(engine: sa.Engine) -> None:
    furnish(engine, 4, 4, 4, 4)
    with transaction(engine) as session:
        points.add(session, CODE, code="kiosk-1", number=1)


def test_the_same_state_is_told_the_same(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        for n in range(5):
            queue.arrive(session, CODE, now=now + n * MINUTE, minutes=15)
        later = now + 6 * MINUTE
        told = {waits.promise(session, CODE, now=later) for _ in range(3)}
        assert len(told) == 1
        [promised] = told
        assert promised is not None
        assert 0 < promised.likely_minutes < promised.p80_minutes


def test_each_further_person_is_promised_more(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        came = [queue.arrive(session, CODE, now=now, minutes=15) for _ in range(5)]
        told = [entry.promised_at for entry in came if entry.promised_at is not None]
        assert told == sorted(set(told)), "each later than the one before"
        assert told[0] == now
        points.add(session, CODE, code="kiosk-2", number=2)
        helped = queue.arrive(session, CODE, now=now, minutes=15).promised_at
        assert helped is not None
        assert helped < told[-1], "two kiosks are faster"


def test_nothing_is_promised_where_no_kiosk_is_open(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        points.close(session, CODE, "kiosk-1")
        assert queue.arrive(session, CODE, now=now, minutes=15).promised_at is None
        assert waits.promise(session, CODE, now=now) is None


def test_what_is_seen_is_who_is_here_called_served_and_expected(
    engine: sa.Engine, now: datetime
) -> None:
    eight = slot().starts_at
    with transaction(engine) as session:
        points.add(session, CODE, code="kiosk-2", number=2)
        points.add(session, CODE, code="help", number=3, lane=HELP)
        points.add(session, CODE, code="shut", number=4)
        points.close(session, CODE, "shut")
        session.add(LaneRow(place=CODE, code="team", kind=LaneKind.MOBILE, servers=1))
        mine = booked(session, 1, slot(1), now)
        booked(session, 2, slot(2), now)
        session.execute(
            sa.update(AppointmentRow).where(AppointmentRow.id != mine).values(whose="dossier-2")
        )
        at = eight + 10 * MINUTE
        first = queue.arrive(session, CODE, now=eight, minutes=15)
        queue.begin(session, first.ref, point="kiosk-1", now=eight + 4 * MINUTE)
        queue.arrive(session, CODE, now=eight + MINUTE, minutes=30)
        queue.next(session, CODE, "kiosk-2", now=at)
        queue.arrive(session, CODE, now=at - MINUTE, minutes=15, priority=True)
        queue.arrive(session, CODE, now=at, minutes=15, lane=HELP)
        seen = forecast.look(session, CODE, now=at, without=mine)
        assert seen.servers == 2
        assert seen.busy == (Busy(elapsed=6.0, planned=15), Busy(elapsed=0.0, planned=30))
        assert [(p.due, p.priority) for p in seen.here] == [(RULES.walk_in_offset - 1, True)]
        assert seen.expected == (Expected(starts=20.0, planned=15),)
        assert seen.opens == 0.0
        helped = forecast.look(session, CODE, now=at, lane=HELP)
        assert (helped.servers, len(helped.here), helped.expected) == (1, 1, ())
        early = forecast.look(session, CODE, now=eight - 25 * MINUTE)
        assert early.opens == 25.0


def _served(
    session: Session,
    now: datetime,
    times: Sequence[float],
    *,
    planned: int = 15,
    lane: str = REGULAR,
) -> None:
    """People of the days before who were served so long."""
    for number, taken in enumerate(times, start=1):
        began = now - timedelta(days=1, minutes=number)
        session.add(
            QueueRow(
                place=CODE,
                day=queue.day_of(began),
                number=1000 * planned + number,
                lane=lane,
                priority=0,
                minutes=planned,
                arrived_at=began,
                due_at=began,
                state=QueueState.DONE,
                calls=1,
                began_at=began,
                ended_at=began + timedelta(minutes=taken),
            )
        )
    session.flush()


def test_before_anything_is_measured_the_prior_speaks(engine: sa.Engine, now: datetime) -> None:
    with reading(engine) as session:
        known = service.measured(session, CODE, now=now)
        assert known.of(15).known == 0
        assert known.of(15).mean == pytest.approx(service.PRIOR_SHARE * 15, rel=0.05)
        assert known.of(15).cv == pytest.approx(service.PRIOR_CV, rel=0.1)
        assert known.of(30).mean == pytest.approx(2 * known.of(15).mean)
        came = habits.measured(session, CODE, now=now)
        assert np.mean(came.lateness) == pytest.approx(habits.PRIOR_EARLY)
        assert came.no_show == pytest.approx(habits.PRIOR_NO_SHOW)


def test_service_times_are_learnt_by_length(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        _served(session, now, [5.0, 7.0] * 40)
        _served(session, now, [25.0] * 80, planned=30)
        _served(session, now, [60.0] * 50, planned=45, lane=HELP)
        known = service.measured(session, CODE, now=now)
        assert known.of(15).mean == pytest.approx(6.0)
        assert known.of(30).mean == pytest.approx(25.0)
        assert set(known.by_length) == {15, 30}, "help is another kind of service"
        assert service.measured(session, CODE, now=now, lane=HELP).of(45).mean > 50
        assert service.measured(session, CODE, now=now + timedelta(days=60)).by_length == {}


def test_few_measured_people_move_the_prior_a_little(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        _served(session, now, [6.0] * 6)
        known = service.measured(session, CODE, now=now).of(15)
        assert known.known == 6
        assert 6.0 < known.mean < service.PRIOR_SHARE * 15


def test_a_forgotten_end_moves_no_promise(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        _served(session, now, [8.0] * 60 + [400.0, 0.1])
        assert service.measured(session, CODE, now=now).of(15).mean == pytest.approx(8.0)
    assert service.blended([8.0] * 60 + [80.0], planned=15).mean < 8.5


def test_the_latest_of_many_count(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        _served(session, now, [5.0] * service.MOST + [50.0] * 100)
        known = service.measured(session, CODE, now=now).of(15)
        assert known.known == service.MOST
        assert known.mean == pytest.approx(5.0)


def test_how_people_come_is_learnt(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        session.add(QueueDayRow(place=CODE, day=slot().starts_at.date(), last=0))
        for n in range(1, 5):
            who = booked(session, n, slot(0), now)
            came = n < 4
            if came:
                queue.arrive(
                    session,
                    CODE,
                    now=slot().starts_at - 12 * MINUTE,
                    appointment=who,
                    minutes=15,
                    priority=True,
                )
            session.execute(
                sa.update(AppointmentRow)
                .where(AppointmentRow.id == who)
                .values(state=AppointmentState.SERVED if came else AppointmentState.MISSED)
            )
        known = habits.measured(session, CODE, now=slot().starts_at + timedelta(days=1))
        assert known.lateness.count(-12.0) == 3
        assert known.no_show == pytest.approx((1 + 0.15 * 20) / 24)
        assert known.priority > habits.PRIOR_PRIORITY
    assert habits.blended([-9.0] * 60, missed=0, served=0, priority=0).lateness == (-9.0,) * 60
