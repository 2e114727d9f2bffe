"""Nobody is called to two kiosks, whoever races: first shown with a copy that looks, then calls."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import sleep
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import points, queue
from scheduler.database import reading, retrying, transaction
from scheduler.queue import Entry
from scheduler.queue_life import QueueState
from scheduler.tables_day import QueueRow
from tests.races.station import CODE, add_place, at_once, errors, in_transaction

KIOSKS = [f"kiosk-{n}" for n in range(8)]
PEOPLE = 12
ROUNDS = 5
PAUSE = 0.02


@pytest.fixture(autouse=True)
def hall(engine: sa.Engine) -> None:
    with transaction(engine) as session:
        add_place(session)
        for number, code in enumerate(KIOSKS):
            points.add(session, CODE, code=code, number=number)


def _fill(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        for n in range(PEOPLE):
            queue.arrive(session, CODE, now=now + timedelta(seconds=n), minutes=15)


def _naive_next(point: str, now: datetime) -> Callable[[sa.Engine], int]:
    """Look who is next, then call them: nothing keeps another kiosk from looking meanwhile."""

    def run(engine: sa.Engine) -> int:
        with reading(engine) as session:
            first = queue.waiting(session, CODE, queue.day_of(now))[0]
        sleep(PAUSE)
        with transaction(engine) as session:
            session.execute(
                sa.update(QueueRow)
                .where(QueueRow.number == first.number)
                .values(state=QueueState.CALLED, point=point, calls=1, called_at=now)
            )
        return first.number

    return run


def _next(point: str, now: datetime) -> Callable[[sa.Engine], int | None]:
    def call(session: Session) -> int | None:
        entry = queue.next(session, CODE, point, now=now)
        sleep(PAUSE)  # the transaction is still open: others meet the claimed row
        return None if entry is None else entry.number

    return in_transaction(call)


def test_looking_and_then_calling_calls_one_person_to_many_kiosks(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    _fill(engine, now)
    later = now + timedelta(minutes=1)
    called = at_once(database_url, *(_naive_next(kiosk, later) for kiosk in KIOSKS))
    assert errors(called) == []
    assert len(set(called)) < len(called)


def test_nobody_is_called_to_two_kiosks(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    later = now + timedelta(minutes=1)
    for number in range(ROUNDS):
        day = later + timedelta(days=number)
        _fill(engine, day - timedelta(minutes=1))
        called = at_once(database_url, *(_next(kiosk, day) for kiosk in KIOSKS))
        assert errors(called) == []
        # The first eight of the line, one at each kiosk, and nobody skipped.
        assert sorted(n for n in called if isinstance(n, int)) == list(range(1, len(KIOSKS) + 1))


def test_the_last_person_is_called_to_one_kiosk(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    with transaction(engine) as session:
        queue.arrive(session, CODE, now=now, minutes=15)
    called = at_once(database_url, *(_next(kiosk, now) for kiosk in KIOSKS))
    assert sorted(called, key=str) == [1] + [None] * (len(KIOSKS) - 1)


def test_a_kiosk_that_asks_many_times_at_once_is_given_one_person(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    _fill(engine, now)
    later = now + timedelta(minutes=1)
    assert at_once(database_url, *(_next(KIOSKS[0], later) for _ in range(6))) == [1] * 6


def _arrive(now: datetime, appointment: UUID | None = None) -> Callable[[sa.Engine], Entry]:
    def run(engine: sa.Engine) -> Entry:
        return retrying(
            engine,
            lambda session: queue.arrive(
                session, CODE, now=now, minutes=15, appointment=appointment
            ),
        )

    return run


def test_every_number_is_handed_out_once(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    came = at_once(database_url, *(_arrive(now) for _ in range(16)))
    assert errors(came) == []
    numbers = sorted(entry.number for entry in came if isinstance(entry, Entry))
    assert numbers == list(range(1, 17))


def test_one_appointment_shown_at_many_places_at_once_has_one_number(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    mine = UUID(int=7)
    came = at_once(database_url, *(_arrive(now, mine) for _ in range(8)))
    assert [entry.number for entry in came if isinstance(entry, Entry)] == [1] * 8


def test_who_is_called_twice_at_once_begins_once(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    with transaction(engine) as session:
        mine = queue.arrive(session, CODE, now=now, minutes=15).ref

    def leave(session: Session) -> Entry:
        return queue.gone(session, mine, now=now)

    def begin(session: Session) -> Entry:
        return queue.begin(session, mine, point=KIOSKS[0], now=now)

    done = at_once(database_url, in_transaction(leave), in_transaction(begin))
    assert [type(error) for error in errors(done)] == [queue.NotNow], "one of them wins"
