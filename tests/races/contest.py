"""Contests for places, run by the tests in small and by the benchmark in full: who wins is counted.

It judges nothing; `tests.races` and `benchmarks.booking_races` do.
"""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Barrier
from time import sleep
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, freed, history, ledger
from scheduler.booking import AlreadyBooked, NotNow, SlotFull, SlotGone
from scheduler.database import connect, reading, retrying, transaction
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow, SlotRow
from tests.races.station import at_once, booked, errors, furnish, hold, slot

REFUSALS = (NotNow, SlotFull, SlotGone, AlreadyBooked)
CLIENTS = 64
PLACES = 600
PEOPLE = 10
"""Each client brings so many people, so that there are more of them than places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """What came of a rush for places."""

    sold: int
    """How many people were told that they have a place."""
    oversold: int
    """Places sold beyond the capacity of their slot."""
    lost: int
    """People who were told so and are not in the database."""
    duplicate: int
    """People with more than one place."""
    wrong: int
    """Wrong counters, loose claims, broken histories."""
    failed: int
    """Clients that ended with an error that is no refusal."""
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether every place was sold to one person, and nothing else happened."""
        faults = self.oversold + self.lost + self.duplicate + self.wrong + self.failed
        return self.sold == PLACES and not faults


def _one(engine: sa.Engine, who: int, number: int, now: datetime) -> UUID:
    """Book for somebody: in one step, or held first and made certain in a second transaction."""
    if who % 4:
        return retrying(
            engine,
            lambda session: booking.book(
                session,
                slot=slot(number),
                whose=f"dossier-{who}",
                person_key=f"person-{who}".encode(),
                purpose="NEW",
                now=now,
            ),
        ).id
    held = retrying(engine, lambda session: hold(session, who, slot(number), now))
    return retrying(engine, lambda session: booking.confirm(session, held.id, now=now)).id


def rush(engine: sa.Engine, url: str, now: datetime, *, slots: int = 40) -> Rush:
    """Let 64 clients, each with a connection of its own, want 600 places for 640 people."""
    furnish(engine, *[PLACES // slots] * slots)

    def client(number: int) -> Callable[[sa.Engine], dict[int, UUID]]:
        def run(own: sa.Engine) -> dict[int, UUID]:
            got: dict[int, UUID] = {}
            for who in range(number * PEOPLE, (number + 1) * PEOPLE):
                for turn in range(slots):
                    try:
                        got[who] = _one(own, who, (number + turn) % slots, now)
                    except SlotFull:
                        continue
                    break
            return got

        return run

    began = time.perf_counter()
    done = at_once(url, *(client(number) for number in range(CLIENTS)))
    seconds = time.perf_counter() - began
    told = {who: made for got in done if isinstance(got, dict) for who, made in got.items()}
    with reading(engine) as session:
        rows = session.execute(
            sa.select(AppointmentRow.id, AppointmentRow.whose, AppointmentRow.starts_at).where(
                AppointmentRow.state == AppointmentState.BOOKED
            )
        ).all()
        sitting = Counter(row.starts_at for row in rows)
        there = {row.id: row.whose for row in rows}
        persons = Counter(there.values())
        wrong = len(ledger.drift(session)) + ledger.loose(session)
        wrong += sum(not history.intact(session, id_) for id_ in list(there)[::20])
    return Rush(
        sold=len(told),
        oversold=sum(max(0, count - PLACES // slots) for count in sitting.values()),
        lost=sum(there.get(made) != f"dossier-{who}" for who, made in told.items()),
        duplicate=sum(count - 1 for count in persons.values()),
        wrong=wrong,
        failed=len(errors(done)),
        seconds=seconds,
    )


def race(url: str, rounds: int, *works: Callable[[Session, int], object]) -> list[list[object]]:
    """Run the works against each other, round by round, each now and then a little later.

    Returns:
        For every round what each work gave, or the refusal it raised.
    """
    barrier = Barrier(len(works), timeout=60)
    outcomes: list[list[object]] = [[None] * len(works) for _ in range(rounds)]

    def runner(number: int) -> Callable[[sa.Engine], None]:
        def run(own: sa.Engine) -> None:
            for turn in range(rounds):
                barrier.wait()
                sleep(0.003 * (turn % (len(works) + 1) == number))
                try:
                    with transaction(own) as session:
                        outcomes[turn][number] = works[number](session, turn)
                except REFUSALS as refused:
                    outcomes[turn][number] = refused

        return run

    assert errors(at_once(url, *(runner(number) for number in range(len(works))))) == []
    return outcomes


def won(outcome: object) -> bool:
    """Return whether this was no refusal."""
    return not isinstance(outcome, Exception)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Who won, over many rounds."""

    confirmed: int
    expired: int
    both: int
    neither: int
    wrong: int


def confirm_against_expire(engine: sa.Engine, url: str, now: datetime, rounds: int) -> Ends:
    """Let confirming and expiring meet; their clocks differ by a microsecond, each is in time."""
    furnish(engine, rounds)
    with transaction(engine) as session:
        held = [hold(session, who, slot(), now, minutes=10 + who).id for who in range(rounds)]

    def confirm(session: Session, turn: int) -> object:
        just_before = now + timedelta(minutes=10 + turn, microseconds=-1)
        return booking.confirm(session, held[turn], now=just_before)

    def expire(session: Session, turn: int) -> object:
        if booking.expire_due(session, now=now + timedelta(minutes=10 + turn)):
            return None
        return NotNow("somebody else has it")

    outcomes = race(url, rounds, confirm, expire)
    winners = Counter((won(first), won(second)) for first, second in outcomes)
    with reading(engine) as session:
        wrong = len(ledger.drift(session)) + ledger.loose(session)
        states = Counter(session.scalars(sa.select(AppointmentRow.state)))
    wrong += abs(states[AppointmentState.BOOKED] - winners[True, False])
    wrong += abs(states[AppointmentState.EXPIRED] - winners[False, True])
    return Ends(
        confirmed=winners[True, False],
        expired=winners[False, True],
        both=winners[True, True],
        neither=winners[False, False],
        wrong=wrong,
    )


def moves_across(engine: sa.Engine, url: str, now: datetime, rounds: int) -> tuple[int, int]:
    """Let two people want each other's full slot; return how often one got it, and what is wrong.

    A database that saw a deadlock raises.
    """
    furnish(engine, 1, 1)
    with transaction(engine) as session:
        ids = [booked(session, who, slot(who), now) for who in range(2)]

    def mover(who: int) -> Callable[[Session, int], object]:
        return lambda session, _: booking.move(session, ids[who], to=slot(1 - who), now=now)

    outcomes = race(url, rounds, mover(0), mover(1))
    with reading(engine) as session:
        moved = sum(won(outcome) for pair in outcomes for outcome in pair)
        stand = [booking.find(session, one).slot for one in ids] == [slot(0), slot(1)]
        return moved, len(ledger.drift(session)) + ledger.loose(session) + (not stand)


KILL_SLOTS = 6
WORKERS = 4


def work_until_killed(url: str, seed: int, now: datetime, begun: Connection) -> None:
    """Book, move, cancel and let expire without end, as workers and web servers do."""
    engine = connect(url)
    rng = np.random.default_rng(seed)
    begun.send(seed)
    mine: list[UUID] = []
    who = seed * 1_000_000
    while True:
        who += 1
        number, what = (int(rng.integers(most)) for most in (KILL_SLOTS, 4))
        try:
            if what == 0 or not mine:
                mine.append(_one(engine, who, number, now))
            elif what == 1:
                _move(engine, mine[-1], number, now)
            elif what == 2:
                _cancel(engine, mine.pop(), now)
            else:
                _let_expire(engine, who, number, now)
        except REFUSALS:
            continue


def _move(engine: sa.Engine, one: UUID, number: int, now: datetime) -> None:
    retrying(engine, lambda s: booking.move(s, one, to=slot(number), now=now, most=None))


def _cancel(engine: sa.Engine, one: UUID, now: datetime) -> None:
    retrying(engine, lambda session: booking.cancel(session, one, now=now))


def _let_expire(engine: sa.Engine, who: int, number: int, now: datetime) -> None:
    retrying(engine, lambda session: hold(session, who, slot(number), now))
    later = now + timedelta(minutes=10)
    retrying(engine, lambda session: booking.expire_due(session, now=later))
    # What was given back is kept from traders for some hours; here time flies.
    at_last = slot(number).starts_at
    retrying(engine, lambda session: freed.return_due(session, now=at_last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What was left when workers were killed in the middle of their work."""

    kills: int
    done: int
    """Entries in the histories: how much had happened by then."""
    drift: int
    loose: int


def kill_workers(engine: sa.Engine, url: str, now: datetime, kills: int) -> Killed:
    """Kill one of four workers again and again while all contend for few places."""
    furnish(engine, *[4] * KILL_SLOTS)
    rng = np.random.default_rng(kills)
    # Forked from a clean process that has imported everything: a kill costs no start of Python.
    clean = multiprocessing.get_context("forkserver")
    clean.set_forkserver_preload([__name__])

    def begin(seed: int) -> BaseProcess:
        ours, theirs = clean.Pipe(duplex=False)
        process = clean.Process(
            target=work_until_killed, args=(url, seed, now, theirs), daemon=True
        )
        process.start()
        assert ours.poll(60), "the worker did not begin"
        ours.close()
        theirs.close()
        return process

    def end(process: BaseProcess) -> None:
        assert process.is_alive(), "the worker ended by itself"
        process.kill()
        process.join(30)
        process.close()

    workers = [begin(seed) for seed in range(WORKERS)]
    try:
        for turn in range(kills):
            sleep(0.05 + float(rng.random()) * 0.2)
            end(workers.pop(0))
            if turn < kills - 1:
                workers.append(begin(WORKERS + turn))
    finally:
        for worker in workers:
            end(worker)
    with reading(engine) as session:
        done = session.scalars(sa.select(sa.func.sum(AppointmentRow.events))).one()
        assert session.scalars(sa.select(sa.func.max(SlotRow.taken))).one() <= 4
        return Killed(
            kills=kills,
            done=done,
            drift=len(ledger.drift(session)),
            loose=ledger.loose(session),
        )
