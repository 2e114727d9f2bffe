"""The line of a day: numbers, who is called next and where, and that nobody starves."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import arrivals, booking, points, queue
from scheduler.arrivals import Punctuality
from scheduler.booking import Appointment
from scheduler.database import transaction
from scheduler.line import RULES
from scheduler.places import REGULAR
from scheduler.points import PointUnknown
from scheduler.queue import Entry, EntryUnknown, NotNow, PointClosed, QueueState
from scheduler.simulation import serve
from scheduler.tables import SlotRow
from tests.races.station import CODE, EIGHT, add_place, booked, slot

S = QueueState
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def hall(engine: sa.Engine) -> None:
    """Two kiosks at a place."""
    with transaction(engine) as session:
        add_place(session)
        points.add(session, CODE, code="kiosk-1", number=1)
        points.add(session, CODE, code="kiosk-2", number=2)


def come(session: Session, now: datetime, **how: Any) -> Entry:  # noqa: ANN401 - as arrive takes them
    return queue.arrive(session, CODE, now=now, minutes=15, **how)


def order(session: Session, now: datetime) -> list[int]:
    return [entry.number for entry in queue.waiting(session, CODE, queue.day_of(now))]


def test_numbers_begin_anew_at_each_place_and_day(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        add_place(session, "HN-02")
        assert [come(session, now).number for _ in range(3)] == [1, 2, 3]
        assert queue.arrive(session, "HN-02", now=now, minutes=15).number == 1
        assert come(session, now + timedelta(days=1)).number == 1
        assert come(session, now).number == 4


def test_a_day_of_the_waiting_room_ends_at_midnight_in_vietnam(now: datetime) -> None:
    midnight = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
    assert queue.day_of(midnight - MINUTE) == queue.day_of(now)
    assert queue.day_of(midnight) > queue.day_of(now)


def test_who_is_in_line_keeps_their_number(engine: sa.Engine, now: datetime) -> None:
    appointment = uuid4()
    with transaction(engine) as session:
        first = come(session, now, appointment=appointment)
        assert come(session, now + MINUTE, appointment=appointment) == first
        assert come(session, now, whose="dossier-7") == come(session, now, whose="dossier-7")
        queue.gone(session, first.ref, now=now)
        again = come(session, now + 9 * MINUTE, appointment=appointment)
        assert (again.ref, again.state) == (first.ref, S.WAITING)
        queue.begin(session, first.ref, point="kiosk-1", now=now)
        queue.end(session, first.ref, now=now)
        # Done without a capture, they may come once more: that is a new number.
        assert come(session, now, appointment=appointment).number == 3


def test_people_are_called_by_when_they_are_due(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        come(session, now, due_at=now + 30 * MINUTE)  # 1: booked, half an hour early
        come(session, now)  # 2: a walk-in
        come(session, now, due_at=now)  # 3: booked for now
        come(session, now, due_at=now + 10 * MINUTE, priority=True)  # 4: booked, may go first
        come(session, now, due_at=now - 20 * MINUTE)  # 5: was due long ago
        assert order(session, now) == [5, 4, 3, 2, 1]


def test_who_is_early_is_called_only_where_nobody_due_waits(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        early = come(session, now, due_at=now + 40 * MINUTE)
        due = come(session, now, due_at=now)
        assert _called(session, "kiosk-1", now) == due.number
        assert _called(session, "kiosk-2", now) == early.number


def test_a_head_start_has_an_end(engine: sa.Engine, now: datetime) -> None:
    head_start = timedelta(minutes=RULES.head_start)
    with transaction(engine) as session:
        come(session, now, due_at=now)
        come(session, now, due_at=now + head_start - MINUTE, priority=True)
        come(session, now, due_at=now + head_start + MINUTE, priority=True)
        assert order(session, now) == [2, 1, 3]


def _called(session: Session, point: str, now: datetime) -> int | None:
    entry = queue.next(session, CODE, point, now=now)
    return None if entry is None else entry.number


def test_a_kiosk_that_asks_twice_is_given_the_same_person(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        come(session, now)
        come(session, now)
        assert [_called(session, "kiosk-1", now) for _ in range(2)] == [1, 1]
        assert _called(session, "kiosk-2", now) == 2
        present = queue.present(session, CODE, queue.day_of(now))
        assert [(entry.number, entry.point, entry.calls) for entry in present] == [
            (1, "kiosk-1", 1),
            (2, "kiosk-2", 1),
        ]


def test_asking_for_the_next_ends_who_was_served(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        first, _ = come(session, now), come(session, now)
        queue.next(session, CODE, "kiosk-1", now=now)
        begun = queue.begin(session, first.ref, point="kiosk-1", now=now + MINUTE)
        assert (begun.state, begun.began_at) == (S.SERVING, now + MINUTE)
        assert _called(session, "kiosk-1", now + 9 * MINUTE) == 2
        done = queue.find(session, first.ref)
        assert (done.state, done.ended_at) == (S.DONE, now + 9 * MINUTE)


def test_asking_for_the_next_ends_only_whom_it_may(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        first, _ = come(session, now), come(session, now)
        queue.begin(session, first.ref, point="kiosk-1", now=now)
        for ends in ((), (2,)):
            with pytest.raises(queue.NotNow):
                queue.next(session, CODE, "kiosk-1", now=now, ends=ends)
        assert queue.find(session, first.ref).state is S.SERVING
        entry = queue.next(session, CODE, "kiosk-1", now=now, ends=(1,))
        assert entry is not None
        assert (entry.number, queue.find(session, first.ref).state) == (2, S.DONE)


def test_nobody_is_called_from_an_empty_room(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        assert queue.next(session, CODE, "kiosk-1", now=now) is None
        come(session, now - timedelta(days=1))
        assert queue.next(session, CODE, "kiosk-1", now=now) is None, "yesterday's line is over"


def test_nobody_is_called_to_a_closed_or_unknown_kiosk(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        come(session, now)
        assert not points.close(session, CODE, "kiosk-1").open
        with pytest.raises(PointClosed):
            queue.next(session, CODE, "kiosk-1", now=now)
        with pytest.raises(PointUnknown):
            queue.next(session, CODE, "kiosk-9", now=now)
        assert points.open(session, CODE, "kiosk-1").open
        assert _called(session, "kiosk-1", now) == 1
        assert [point.code for point in points.of(session, CODE)] == ["kiosk-1", "kiosk-2"]


def test_two_kiosks_of_one_number_are_refused(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.IntegrityError), transaction(engine) as session:
        points.add(session, CODE, code="kiosk-3", number=2)


def test_who_does_not_come_when_called_makes_way_and_may_come_back(
    engine: sa.Engine, now: datetime
) -> None:
    later = now + 20 * MINUTE
    with transaction(engine) as session:
        mine, _ = come(session, now, due_at=now), come(session, now)
        queue.next(session, CODE, "kiosk-1", now=now)
        assert queue.call_again(session, mine.ref, now=now + MINUTE).calls == 2
        assert queue.gone(session, mine.ref, now=now + 2 * MINUTE).state is S.GONE
        assert _called(session, "kiosk-1", now + 2 * MINUTE) == 2
        come(session, now + 3 * MINUTE)
        back = queue.return_(session, mine.ref, now=later)
        assert (back.state, back.due_at, back.point, back.calls) == (S.WAITING, later, None, 0)
        assert back.promised_at is None, "what was told on arrival no longer holds"
        assert order(session, later) == [3, 1], "in line from when they came back"


def test_who_was_called_to_a_broken_kiosk_keeps_their_place(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        mine, _ = come(session, now, due_at=now), come(session, now)
        queue.next(session, CODE, "kiosk-1", now=now + MINUTE)
        queue.begin(session, mine.ref, point="kiosk-1", now=now + 2 * MINUTE)
        back = queue.return_(session, mine.ref, now=now + 20 * MINUTE)
        assert (back.due_at, back.began_at) == (now, None)
        assert order(session, now) == [1, 2]


def test_who_walks_straight_to_a_free_kiosk_is_served_there(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        mine = come(session, now)
        queue.begin(session, mine.ref, point="kiosk-2", now=now)
        assert order(session, now) == []
        # And at another one, where the first lets them down.
        assert queue.begin(session, mine.ref, point="kiosk-1", now=now).point == "kiosk-1"
        other = come(session, now)
        queue.begin(session, other.ref, point="kiosk-1", now=now)
        assert queue.find(session, mine.ref).state is S.DONE


def test_who_was_told_to_come_back_is_not_called_before(engine: sa.Engine, now: datetime) -> None:
    at = now + 40 * MINUTE
    with transaction(engine) as session:
        told = come(session, now, back_at=at)
        assert (told.arrived_at, told.due_at) == (at, arrivals.due_walk_in(now=at))
        assert queue.next(session, CODE, "kiosk-1", now=at - MINUTE) is None
        assert _called(session, "kiosk-1", at) == told.number


def test_what_does_not_fit_is_refused(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        mine = come(session, now)
        for refused in (queue.call_again, queue.end, queue.return_):
            with pytest.raises(NotNow):
                refused(session, mine.ref, now=now)
        queue.begin(session, mine.ref, point="kiosk-1", now=now)
        with pytest.raises(NotNow):
            queue.gone(session, mine.ref, now=now)
        queue.end(session, mine.ref, now=now)
        with pytest.raises(NotNow):
            queue.begin(session, mine.ref, point="kiosk-1", now=now)
        unknown = queue.EntryRef(place=CODE, day=queue.day_of(now), number=99)
        for asked in (queue.call_again, queue.end, queue.return_, queue.gone):
            with pytest.raises(EntryUnknown):
                asked(session, unknown, now=now)
        with pytest.raises(EntryUnknown):
            queue.find(session, unknown)
        assert [entry.number for entry in queue.of_day(session, CODE, queue.day_of(now))] == [1]


def test_a_kiosk_of_its_own_lane_serves_that_first_and_then_helps(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        points.add(session, CODE, code="first", number=3, lane="priority")
        come(session, now, lane=REGULAR)
        come(session, now + MINUTE, lane="priority")
        come(session, now + 2 * MINUTE, lane="priority")
        later = now + 3 * MINUTE
        assert _called(session, "first", later) == 2
        assert _called(session, "kiosk-1", later) == 1, "regular kiosks serve everybody by due time"
        assert _called(session, "kiosk-2", later) == 3


def test_where_only_such_a_kiosk_is_open_nobody_starves(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        points.add(session, CODE, code="first", number=3, lane="priority")
        for code in ("kiosk-1", "kiosk-2"):
            points.close(session, CODE, code)
        come(session, now, lane=REGULAR)
        come(session, now + MINUTE, lane="priority")
        assert _called(session, "first", now + MINUTE) == 1


def _appointment(engine: sa.Engine, now: datetime) -> Appointment:
    """Return an appointment at eight on Thursday."""
    with transaction(engine) as session:
        session.add(
            SlotRow(
                place=CODE,
                starts_at=EIGHT,
                lane=REGULAR,
                minutes=15,
                capacity=1,
                public_capacity=1,
                taken=0,
                public_taken=0,
                offered=True,
            )
        )
        session.flush()
        return booking.find(session, booked(session, 1, slot(), now))


@pytest.mark.parametrize(
    ("late", "how", "due"),
    [
        (-50, Punctuality.EARLY, 0),
        (0, Punctuality.ON_TIME, 0),
        (10, Punctuality.LATE, 0),
        (RULES.grace, Punctuality.LATE, 0),
        (RULES.grace + 1, Punctuality.VERY_LATE, RULES.grace + 1),
        (90, Punctuality.VERY_LATE, 90),
    ],
)
def test_late_people_keep_their_time_within_grace(
    engine: sa.Engine, now: datetime, late: float, how: Punctuality, due: float
) -> None:
    mine = _appointment(engine, now)
    came = arrivals.judge(mine, place=CODE, now=EIGHT + late * MINUTE)
    assert (came.how, came.due_at) == (how, EIGHT + due * MINUTE)


def test_another_day_or_place_is_said_with_when_it_is(engine: sa.Engine, now: datetime) -> None:
    mine = _appointment(engine, now)
    for came, how in (
        (arrivals.judge(mine, place=CODE, now=now), Punctuality.WRONG_DAY),
        (arrivals.judge(mine, place="HN-02", now=EIGHT), Punctuality.ELSEWHERE),
    ):
        assert (came.how, came.starts_at, came.due_at) == (how, EIGHT, None)


def test_the_live_line_calls_as_the_simulator_does(engine: sa.Engine, now: datetime) -> None:
    rng = np.random.default_rng(7)
    count = 24
    came = np.sort(rng.integers(0, 90, count)).astype(float)
    walks, first = rng.random(count) < 0.4, rng.random(count) < 0.3
    starts = came + rng.integers(-25, 30, count)
    takes = rng.integers(3, 14, count).astype(float)
    due = np.where(walks, RULES.due_walk_in(came), RULES.due_booked(starts, came))
    [simulated] = serve(came[None], RULES.rank(due, first)[None], takes[None], np.zeros((1, 2)))

    live = np.full(count, np.nan)
    free_at = {"kiosk-1": 0, "kiosk-2": 0}
    with transaction(engine) as session:
        for minute in range(400):
            at = now + minute * MINUTE
            for n in np.flatnonzero(came == minute):
                booked = None if walks[n] else arrivals.due(now + int(starts[n]) * MINUTE, now=at)
                come(session, at, priority=bool(first[n]), due_at=booked)
            for point, free in free_at.items():
                if free <= minute and (entry := queue.next(session, CODE, point, now=at)):
                    queue.begin(session, entry.ref, point=point, now=at)
                    live[entry.number - 1] = minute
                    free_at[point] = minute + int(takes[entry.number - 1])
    assert live.tolist() == simulated.tolist()
    assert (simulated > came).sum() > count / 3, "a day on which nobody waits shows nothing"
