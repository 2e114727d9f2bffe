"""Places are not oversold, whoever races: shown first with a copy that counts and then inserts.

The copy oversells on both engines under the same load; ours never does.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Timer
from time import sleep
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, horizon, ledger, places
from scheduler.booking import AlreadyBooked, Appointment, SlotFull, SlotGone, SlotRef
from scheduler.database import reading, transaction
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow, SlotRow
from tests.races.contest import race, won
from tests.races.station import (
    CODE,
    MORNINGS,
    THURSDAY,
    add_place,
    after_a_while,
    at_once,
    booked,
    errors,
    furnish,
    hold,
    in_transaction,
    slot,
    taken,
)

THREADS = 32
ROOT = Path(__file__).resolve().parents[2]


def _nothing_is_wrong(engine: sa.Engine) -> None:
    with reading(engine) as session:
        assert ledger.drift(session) == ()
        assert ledger.loose(session) == 0


def _states(engine: sa.Engine) -> list[AppointmentState]:
    with reading(engine) as session:
        return list(session.scalars(sa.select(AppointmentRow.state)))


def _naive_hold(engine: sa.Engine, who: int, where: SlotRef, now: datetime, pause: float) -> None:
    """Count who is there, then insert: what many booking systems do, with no counter to guard."""
    with reading(engine) as session:
        capacity = session.scalars(
            sa.select(SlotRow.capacity).where(SlotRow.starts_at == where.starts_at)
        ).one()
        count = sa.select(sa.func.count()).select_from(AppointmentRow)
        there = session.scalars(count.where(AppointmentRow.starts_at == where.starts_at)).one()
    if there >= capacity:
        raise SlotFull
    sleep(pause)
    with transaction(engine) as session:
        session.add(
            AppointmentRow(
                id=uuid4(),
                place=where.place,
                starts_at=where.starts_at,
                lane=where.lane,
                minutes=15,
                whose=f"dossier-{who}",
                state=AppointmentState.BOOKED,
                hold_minutes=10,
                created_at=now,
                changed_at=now,
            )
        )


def _try_everywhere(
    take: Callable[[int, SlotRef], object], thread: int, slots: int
) -> Callable[[sa.Engine], int]:
    """Return work of a thread: three people who try one slot after the other."""

    def run(engine: sa.Engine) -> int:
        del engine
        sold = 0
        for person in range(3):
            for number in range(slots):
                try:
                    take(3 * thread + person, slot((thread + number) % slots))
                except SlotFull:
                    continue
                sold += 1
                break
        return sold

    return run


def test_counting_and_then_inserting_oversells(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    furnish(engine, 15, 15, 15, 15)

    def work(thread: int) -> Callable[[sa.Engine], int]:
        def run(own: sa.Engine) -> int:
            def take(who: int, where: SlotRef) -> None:
                _naive_hold(own, who, where, now, pause=0.002)

            return _try_everywhere(take, thread, 4)(own)

        return run

    done = at_once(database_url, *(work(thread) for thread in range(THREADS)))
    assert errors(done) == []
    assert len(_states(engine)) > 60


def test_a_rush_of_32_threads_sells_60_places_once_each(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    furnish(engine, 15, 15, 15, 15)

    def work(thread: int) -> Callable[[sa.Engine], int]:
        def run(own: sa.Engine) -> int:
            def take(who: int, where: SlotRef) -> None:
                with transaction(own) as session:
                    hold(session, who, where, now)

            return _try_everywhere(take, thread, 4)(own)

        return run

    done = at_once(database_url, *(work(thread) for thread in range(THREADS)))
    assert errors(done) == []
    assert sum(sold for sold in done if isinstance(sold, int)) == 60
    assert _states(engine) == [AppointmentState.HELD] * 60
    with reading(engine) as session:
        assert taken(session) == [15] * 4
    _nothing_is_wrong(engine)


@pytest.mark.parametrize("first_keeps_it", [True, False])
def test_who_wants_the_last_place_waits_for_whoever_was_before(
    engine: sa.Engine, database_url: str, now: datetime, *, first_keeps_it: bool
) -> None:
    furnish(engine, 1)
    inside, go_on = Event(), Event()

    def first(own: sa.Engine) -> bool:
        with transaction(own) as session:
            hold(session, 1, slot(), now)
            inside.set()
            go_on.wait(30)
            if not first_keeps_it:
                session.rollback()
        return first_keeps_it

    def second(own: sa.Engine) -> bool:
        inside.wait(30)
        # The other lets go only while we stand in the queue: our statement blocks until then.
        Timer(0.2, go_on.set).start()
        try:
            with transaction(own) as session:
                hold(session, 2, slot(), now)
        except SlotFull:
            return False
        return True

    assert at_once(database_url, first, second) == [first_keeps_it, not first_keeps_it]
    _nothing_is_wrong(engine)


def test_a_hold_that_runs_out_is_confirmed_or_given_to_the_next_never_both(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    rounds = 40
    furnish(engine, *[1] * rounds)
    with transaction(engine) as session:
        held = [hold(session, who, slot(who), now) for who in range(rounds)]
    over = now + timedelta(minutes=10)

    def confirm(session: Session, turn: int) -> object:
        return booking.confirm(session, held[turn].id, now=over - timedelta(microseconds=1))

    def take(session: Session, turn: int) -> object:
        return hold(session, rounds + turn, slot(turn), over)

    outcomes = race(database_url, rounds, confirm, take)
    assert [won(first) + won(second) for first, second in outcomes] == [1] * rounds
    with reading(engine) as session:
        assert taken(session) == [1] * rounds
    _nothing_is_wrong(engine)


def test_two_cross_moves_do_not_deadlock(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    rounds = 40
    furnish(engine, 9, 9)
    with transaction(engine) as session:
        one, two = booked(session, 1, slot(0), now), booked(session, 2, slot(1), now)

    def move_one(session: Session, turn: int) -> object:
        return booking.move(session, one, to=slot(1 - turn % 2), now=now, most=None)

    def move_two(session: Session, turn: int) -> object:
        return booking.move(session, two, to=slot(turn % 2), now=now, most=None)

    outcomes = race(database_url, rounds, move_one, move_two)
    assert all(won(outcome) for pair in outcomes for outcome in pair)
    with reading(engine) as session:
        assert taken(session) == [1, 1]
    _nothing_is_wrong(engine)


def test_one_appointment_moved_twice_at_once_has_one_place(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    furnish(engine, *[1] * 9)
    with transaction(engine) as session:
        mine = booked(session, 1, slot(8), now)

    def mover(number: int) -> Callable[[sa.Engine], Appointment]:
        return in_transaction(lambda s: booking.move(s, mine, to=slot(number), now=now, most=None))

    done = at_once(database_url, *(mover(number) for number in range(8)))
    assert errors(done) == []
    with transaction(engine) as session:
        assert sum(after_a_while(session)) == 1
    _nothing_is_wrong(engine)


@pytest.mark.parametrize(
    ("person_key", "whose"),
    [(b"a person", None), (None, "a dossier")],
    ids=["one person, many dossiers", "one dossier, many presses"],
)
def test_a_double_submit_gets_one_place(
    engine: sa.Engine,
    database_url: str,
    now: datetime,
    person_key: bytes | None,
    whose: str | None,
) -> None:
    furnish(engine, *[1] * 12)

    def submit(number: int) -> Callable[[sa.Engine], Appointment]:
        return in_transaction(
            lambda s: hold(s, number, slot(number), now, person_key=person_key, whose=whose)
        )

    done = at_once(database_url, *(submit(number) for number in range(12)))
    assert sum(isinstance(outcome, Appointment) for outcome in done) == 1
    assert sum(isinstance(outcome, AlreadyBooked) for outcome in done) == 11
    with reading(engine) as session:
        assert sum(taken(session)) == 1
    _nothing_is_wrong(engine)


def test_of_arriving_and_cancelling_exactly_one_wins(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    rounds = 30
    furnish(engine, rounds)
    with transaction(engine) as session:
        ids = [booked(session, who, slot(), now) for who in range(rounds)]
    outcomes = race(
        database_url,
        rounds,
        lambda session, turn: booking.arrive(session, ids[turn], now=now),
        lambda session, turn: booking.cancel(session, ids[turn], now=now),
    )
    assert [won(first) + won(second) for first, second in outcomes] == [1] * rounds
    _nothing_is_wrong(engine)


def test_two_workers_open_the_same_days_once(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    with transaction(engine) as session:
        add_place(session)
        places.add_rule(session, CODE, MORNINGS)

    def work(session: Session) -> int:
        last = THURSDAY + timedelta(days=13)
        return horizon.materialise(session, CODE, first=THURSDAY, last=last, now=now).opened

    done = at_once(database_url, *[in_transaction(work)] * 4)
    assert errors(done) == []
    with reading(engine) as session:
        there = session.scalars(sa.select(sa.func.count()).select_from(SlotRow)).one()
    assert there == 10 * 8 == sum(opened for opened in done if isinstance(opened, int))


def test_hours_changed_under_a_rush_move_nobody(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    with transaction(engine) as session:
        add_place(session)
        number = places.add_rule(session, CODE, MORNINGS)
        horizon.materialise(session, CODE, first=THURSDAY, last=THURSDAY, now=now)

    def change(session: Session) -> None:
        places.end_rule(session, number, last=THURSDAY - timedelta(days=1))
        places.add_rule(session, CODE, replace(MORNINGS, step=30, capacity=1))
        horizon.materialise(session, CODE, first=THURSDAY, last=THURSDAY, now=now)

    def come(who: int) -> Callable[[sa.Engine], object]:
        return in_transaction(lambda session: hold(session, who, slot(who % 8), now))

    done = at_once(database_url, in_transaction(change), *(come(who) for who in range(16)))
    refused = [type(error) for error in errors(done)]
    assert set(refused) <= {SlotFull, SlotGone}
    with reading(engine) as session:
        assert sum(taken(session)) == 16 - len(refused)
    _nothing_is_wrong(engine)


KILLED = """
import sys, time
from dataclasses import replace
from datetime import datetime
from scheduler.database import connect, transaction
from tests.races.station import hold, slot
with transaction(connect(sys.argv[1])) as session:
    hold(session, 1, slot(), datetime.fromisoformat(sys.argv[2]))
    session.flush()
    print("inside", flush=True)
    time.sleep(60)
"""


def test_a_process_killed_inside_a_booking_takes_no_place(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    furnish(engine, 1)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url, now.isoformat()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"inside\n"
        process.kill()
    with reading(engine) as session:
        assert taken(session) == [0]
    with transaction(engine) as session:
        assert hold(session, 1, slot(), now).state is AppointmentState.HELD
    _nothing_is_wrong(engine)
