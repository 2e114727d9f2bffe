"""Measures booking against counting-then-inserting: how fast each is and how many it oversells.

Run `python -m benchmarks.booking`. Both engines, real threads, one connection each. The baseline
is what many booking systems do: count who is there, then insert, with nothing to hold it back.
PostgreSQL is a throw-away cluster with fsync off, SQLite a file with synchronous=FULL: compare
down a column, not between engines.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Barrier, Thread
from uuid import UUID, uuid4

import psycopg
import sqlalchemy as sa

from scheduler import booking, ledger, places
from scheduler.booking import NotNow, SlotFull, SlotRef
from scheduler.database import Base, connect, reading, retrying, transaction
from scheduler.life import AppointmentState
from scheduler.places import REGULAR
from scheduler.tables import AppointmentRow, ClaimRow, PlaceRow, SlotRow
from tests import postgres

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
PLACE = "BENCH"
PATIENCE = 3
"""Slots somebody tries before going away."""
Book = Callable[[sa.Engine, int, SlotRef], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """So many people want so many places."""

    name: str
    slots: int
    capacity: int
    people: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it."""

    seconds: float
    cpu: float
    """Seconds of processor this process used: says more than time on a machine that is shared."""
    sold: int
    failed: int


def slot(number: int) -> SlotRef:
    """Return one of the slots."""
    return SlotRef(place=PLACE, starts_at=NOW + timedelta(days=1, minutes=5 * number), lane=REGULAR)


def furnish(engine: sa.Engine, slots: int, capacity: int) -> None:
    """Empty the tables and open the slots."""
    Base.metadata.create_all(engine)
    with transaction(engine) as session:
        for table in (ClaimRow, AppointmentRow, SlotRow, PlaceRow):
            session.execute(sa.delete(table))
        places.add_place(session, code=PLACE, name="", address="", province="01")
        session.add_all(
            SlotRow(
                place=PLACE,
                starts_at=slot(number).starts_at,
                lane=REGULAR,
                minutes=5,
                capacity=capacity,
                public_capacity=capacity,
                taken=0,
                public_taken=0,
                offered=True,
            )
            for number in range(slots)
        )


def count_then_insert(engine: sa.Engine, who: int, where: SlotRef) -> None:
    """Book as the baseline does."""
    there = (AppointmentRow.place == where.place, AppointmentRow.starts_at == where.starts_at)
    with reading(engine) as session:
        capacity = session.scalars(
            sa.select(SlotRow.capacity).where(
                SlotRow.place == where.place, SlotRow.starts_at == where.starts_at
            )
        ).one()
        count = sa.select(sa.func.count()).select_from(AppointmentRow).where(*there)
        if session.scalars(count).one() >= capacity:
            raise SlotFull
    with transaction(engine) as session:
        session.add(
            AppointmentRow(
                id=uuid4(),
                place=where.place,
                starts_at=where.starts_at,
                lane=where.lane,
                minutes=5,
                whose=f"dossier-{who}",
                state=AppointmentState.BOOKED,
                hold_minutes=10,
                created_at=NOW,
                changed_at=NOW,
            )
        )


def hold(engine: sa.Engine, who: int, where: SlotRef) -> UUID:
    """Hold a place as we do."""
    return retrying(
        engine,
        lambda session: booking.hold(
            session,
            slot=where,
            whose=f"dossier-{who}",
            person_key=f"person-{who}".encode(),
            purpose="NEW",
            now=NOW,
            minutes=10,
        ),
    ).id


def hold_and_confirm(engine: sa.Engine, who: int, where: SlotRef) -> None:
    """Hold a place and make it certain, in two transactions as a citizen does."""
    held = hold(engine, who, where)
    retrying(engine, lambda session: booking.confirm(session, held, now=NOW))


def side_by_side(url: str, works: list[Callable[[sa.Engine], None]]) -> float:
    """Run each work in a thread with its own connection; return the seconds they took."""
    begin = Barrier(len(works) + 1)

    def run(work: Callable[[sa.Engine], None]) -> None:
        engine = connect(url)
        with engine.connect():
            pass
        begin.wait()
        work(engine)
        engine.dispose()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    begin.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def measure(url: str, engine: sa.Engine, rush: Rush, book: Book) -> Result:
    """Let the rush happen; everybody tries `PATIENCE` slots, one after the other."""
    furnish(engine, rush.slots, rush.capacity)
    failures: list[BaseException] = []

    def work(first: int, own: sa.Engine) -> None:
        for who in range(first, rush.people, rush.threads):
            for turn in range(min(PATIENCE, rush.slots)):
                try:
                    book(own, who, slot((who + turn) % rush.slots))
                except SlotFull:
                    continue
                except sa.exc.DBAPIError as error:
                    failures.append(error)
                break

    busy = time.process_time()
    seconds = side_by_side(url, [partial(work, first) for first in range(rush.threads)])
    busy = time.process_time() - busy
    with reading(engine) as session:
        count = sa.select(sa.func.count()).select_from(AppointmentRow)
        sold = session.scalars(count).one()
        if book is not count_then_insert:
            assert ledger.drift(session) == ()
            assert ledger.loose(session) == 0
    return Result(seconds=seconds, cpu=busy, sold=sold, failed=len(failures))


def report(url: str, engine: sa.Engine, rush: Rush, repeats: int) -> None:
    """Print a table of the baseline and ours."""
    places_there = rush.slots * rush.capacity
    print(
        f"\n{engine.dialect.name}, {rush.name}: {rush.people} people, {rush.threads} threads, "
        f"{places_there} places in {rush.slots} slots, median of {repeats}"
    )
    ways: tuple[tuple[str, Book], ...] = (
        ("count, then insert", count_then_insert),
        ("hold", hold),
        ("hold, confirm", hold_and_confirm),
    )
    baseline = cheapest = 0.0
    for name, book in ways:
        results = [measure(url, engine, rush, book) for _ in range(repeats)]
        median = sorted(results, key=lambda result: result.seconds)[repeats // 2]
        rate = rush.people / median.seconds
        cpu = 1000 * sorted(result.cpu for result in results)[repeats // 2] / rush.people
        baseline, cheapest = baseline or rate, cheapest or cpu
        over = [result.sold - places_there for result in results]
        print(
            f"  {name:20} {rate:5.0f} people/s ({rate / baseline:4.2f} x)  "
            f"{cpu:5.2f} ms CPU a person ({cpu / cheapest:4.2f} x)  "
            f"oversold {min(over):+d} to {max(over):+d}  "
            f"failed {sum(result.failed for result in results)}"
        )


def duel(url: str, engine: sa.Engine, rounds: int) -> None:
    """Print who won between confirming and expiring one hold, round by round."""
    furnish(engine, 1, rounds)
    held = []
    for who in range(rounds):
        with transaction(engine) as session:
            one = booking.hold(
                session,
                slot=slot(0),
                whose=f"dossier-{who}",
                person_key=f"person-{who}".encode(),
                purpose="NEW",
                now=NOW,
                minutes=10 + who,
            )
        held.append(one.id)
    meet = Barrier(2)
    confirmed, expired = [False] * rounds, [False] * rounds

    def confirm(own: sa.Engine) -> None:
        for turn, one in enumerate(held):
            meet.wait()
            just_before = NOW + timedelta(minutes=10 + turn, microseconds=-1)
            try:
                with transaction(own) as session:
                    booking.confirm(session, one, now=just_before)
            except NotNow:
                continue
            confirmed[turn] = True

    def expire(own: sa.Engine) -> None:
        for turn in range(rounds):
            meet.wait()
            with transaction(own) as session:
                over = NOW + timedelta(minutes=10 + turn)
                expired[turn] = booking.expire_due(session, now=over) == 1

    side_by_side(url, [confirm, expire])
    pairs = list(zip(confirmed, expired, strict=True))
    with reading(engine) as session:
        drift = len(ledger.drift(session)) + ledger.loose(session)
    print(
        f"\n{engine.dialect.name}, confirm against expire, {rounds} rounds: "
        f"confirmed {sum(confirmed)}, expired {sum(expired)}, "
        f"both {pairs.count((True, True))}, neither {pairs.count((False, False))}, drift {drift}"
    )


@contextmanager
def engines() -> Iterator[list[str]]:
    """Give the addresses of an empty SQLite file and an empty PostgreSQL database."""
    with tempfile.TemporaryDirectory() as folder, postgres.cluster() as cluster:
        admin = cluster.format(name="postgres").replace("+psycopg", "")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        yield [f"sqlite:///{Path(folder) / 'bench.db'}", cluster.format(name="bench")]


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1000)
    asked = parser.parse_args()
    rushes = (
        Rush(name="spread", slots=30, capacity=10, people=360, threads=asked.threads),
        Rush(name="one hot slot", slots=1, capacity=150, people=300, threads=asked.threads),
    )
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLAlchemy {sa.__version__}"
    )
    with engines() as urls:
        for url in urls:
            engine = connect(url)
            for rush in rushes:
                report(url, engine, rush, asked.repeats)
            duel(url, engine, asked.rounds)
            engine.dispose()


if __name__ == "__main__":
    main()
