"""Measures the scheduler's own questions and bookings on as many slots as the nation has.

Run `python -m benchmarks.national`: 3,321 stations, 42 days, 30 quarters of an hour, on a
throw-away PostgreSQL that syncs every commit. Times are what EXPLAIN ANALYZE says, medians, warm;
the statements are the ones the code issues. Booking is measured on a small and on the whole nation
in turns, because a shared machine is now fast and now slow: only the ratio says something.
"""

import argparse
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from threading import Thread

import numpy as np
import psycopg
import sqlalchemy as sa

from scheduler import booking, feed, offers, partitions, search
from scheduler.booking import SlotFull, SlotRef
from scheduler.database import Base, connect, reading, retrying, transaction
from scheduler.places import PUBLIC, REGULAR
from scheduler.tables import AppointmentRow, PlaceRow, SlotRow
from tests import postgres

NOW = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
"""06:00 in Vietnam, before anything opens."""
FIRST = date(2026, 11, 25)
STATIONS = 3321
DAYS = 42
A_DAY = 30
SMALL = 32
"""Stations of the small nation: some 40,000 slots."""
TARGETS = {"a month": 1.0, "the earliest in 100": 2.0, "the earliest, all full": 5.0}
"""Milliseconds in the database."""
KEPT = 0.9
"""What of the small nation's bookings a second the whole one must keep."""
MEMORY = "-c shared_buffers=2GB -c max_wal_size=8GB"
_SLOTS = """
INSERT INTO slot (place, starts_at, lane, minutes, capacity, public_capacity, taken, public_taken,
                  offered, by_lot)
SELECT 'S' || n, %(begins)s::timestamptz + d * interval '1 day' + q * interval '15 minutes',
       'regular', 15, 4, 3, f.taken, f.taken, true, false
FROM generate_series(0, %(stations)s - 1) n, generate_series(0, %(days)s - 1) d,
     generate_series(0, %(a_day)s - 1) q,
     LATERAL (SELECT CASE WHEN (n * 31 + d * 17 + q * 7) %% 10 < 5 THEN 3 ELSE 1 END AS taken) f
"""
OPENS = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nation:
    """A database with so many stations."""

    engine: sa.Engine
    stations: int

    @property
    def slots(self) -> int:
        """How many slots it has."""
        return self.stations * DAYS * A_DAY

    def slot(self, number: int) -> SlotRef:
        """Return one of the slots."""
        number, quarter = divmod(number, A_DAY)
        station, day = divmod(number, DAYS)
        starts_at = OPENS + timedelta(days=day, minutes=15 * quarter)
        return SlotRef(place=f"S{station}", starts_at=starts_at, lane=REGULAR)


def found(url: str, stations: int) -> Nation:
    """Fill a database; foreign keys are not checked meanwhile, it would take as long again."""
    engine = connect(url)
    Base.metadata.create_all(engine)
    with transaction(engine) as session:
        session.add_all(
            PlaceRow(
                code=f"S{number}",
                name=f"Station {number}",
                address=f"Street {number}",
                province=f"{number % 34 + 1:02}",
                latitude=8.6 + 14.7 * (number * 7919 % STATIONS) / STATIONS,
                longitude=102.2 + 7.2 * (number * 1047 % STATIONS) / STATIONS,
                open=True,
            )
            for number in range(stations)
        )
        partitions.ensure(session, FIRST, FIRST + timedelta(days=DAYS))
    values = {"stations": stations, "days": DAYS, "a_day": A_DAY, "begins": OPENS}
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(_SLOTS, values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE) slot")
        connection.exec_driver_sql("VACUUM (ANALYZE) place")
    return Nation(engine=engine, stations=stations)


def explained(connection: sa.Connection, statement: sa.ClauseElement) -> tuple[float, float]:
    """Return how many milliseconds the database plans and executes a statement of ours."""
    compiled = statement.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    plan = connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {compiled}", dict(compiled.params)
    ).scalar_one()[0]
    return plan["Planning Time"], plan["Execution Time"]


def ask(nation: Nation, name: str, questions: Sequence[sa.ClauseElement]) -> None:
    """Print the medians of similar questions, each asked twice and timed the second time."""
    times = []
    with nation.engine.connect() as connection:
        for question in questions:
            explained(connection, question)
            times.append(explained(connection, question))
    planned, executed = (median(column) for column in zip(*times, strict=True))
    target = TARGETS.get(name)
    verdict = "" if target is None else f"  target {target:.1f} ms: {_met(executed <= target)}"
    print(f"  {name:28} {executed:7.2f} ms, planned in {planned:5.2f} ms{verdict}")


def _met(good: bool) -> str:  # noqa: FBT001 - a word for a fact
    return "met" if good else "MISSED"


def questions(nation: Nation, rng: np.random.Generator, repeats: int) -> None:
    """Ask what the pages ask."""
    print(f"\nquestions on {nation.slots:,} slots, n = {repeats}, milliseconds in the database")
    stations = rng.integers(0, nation.stations, (repeats, 100))
    month = [
        offers.month(
            f"S{row[0]}", FIRST, FIRST + timedelta(days=30), now=NOW, lanes=PUBLIC, public=True
        )
        for row in stations
    ]
    ask(nation, "a month", month)
    codes = [[f"S{number}" for number in row] for row in stations]
    ask(nation, "the earliest in 100", [_earliest(some) for some in codes])
    ask(nation, "a province published", [_published(some) for some in codes[: repeats // 4]])
    hundred = sorted(set(codes[0]))
    fill = sa.update(SlotRow).where(SlotRow.place.in_(hundred))
    with nation.engine.begin() as connection:
        connection.execute(fill.values(taken=3, public_taken=3))
    with nation.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE) slot")
    ask(nation, "the earliest, all full", [_earliest(hundred)] * repeats)


def _earliest(codes: Sequence[str]) -> sa.ClauseElement:
    return search.earliest(codes, now=NOW, lanes=PUBLIC)


def _published(codes: Sequence[str]) -> sa.ClauseElement:
    return feed.counts(codes, FIRST, FIRST + timedelta(days=DAYS), now=NOW, lanes=PUBLIC)


def book_some(nation: Nation, numbers: Sequence[int], who: int, threads: int) -> float:
    """Book one place in each slot through the engine; return bookings a second."""
    booked = [0] * threads

    def work(mine: int) -> None:
        for turn in range(mine, len(numbers), threads):
            try:
                retrying(
                    nation.engine,
                    lambda session, turn=turn: booking.book(  # type: ignore[misc]
                        session,
                        slot=nation.slot(numbers[turn]),
                        whose=f"dossier-{who + turn}",
                        person_key=f"person-{who + turn}".encode(),
                        purpose="NEW",
                        now=NOW,
                        public=False,
                    ),
                )
            except SlotFull:
                continue
            booked[mine] += 1

    workers = [Thread(target=work, args=(mine,)) for mine in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(booked) / (time.perf_counter() - began)


def compare(
    small: Nation, whole: Nation, rng: np.random.Generator, *, rounds: int, people: int
) -> None:
    """Book in both, in turns, and print the ratio of the medians."""
    rates: dict[int, list[float]] = {small.slots: [], whole.slots: []}
    who = 0
    for turn in range(rounds + 1):
        for nation in (small, whole):
            numbers = rng.choice(nation.slots, people, replace=False).tolist()
            rate = book_some(nation, numbers, who, threads=8)
            if turn:  # the first round warms connections and caches
                rates[nation.slots].append(rate)
            who += people
    low, high = median(rates[small.slots]), median(rates[whole.slots])
    print(
        f"\nbooking through the engine, {people} people a round, {rounds} rounds in turns, "
        "8 threads"
    )
    for nation in (small, whole):
        print(f"  {nation.slots:>9,} slots: {median(rates[nation.slots]):5.0f} bookings/s")
    print(f"  kept {high / low:.2f} of it; target {KEPT}: {_met(high / low >= KEPT)}")
    for nation in (small, whole):
        with reading(nation.engine) as session:
            # Only what was booked here: the rest was filled in without appointments.
            count = sa.select(sa.func.count()).select_from(AppointmentRow)
            taken = sa.select(sa.func.sum(SlotRow.taken - SlotRow.public_taken))
            kept = session.scalars(count).one() == session.scalars(taken).one()
            print(f"  {nation.slots:>9,} slots: counters {'agree' if kept else 'DRIFT'}")


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=STATIONS)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--people", type=int, default=1500)
    asked = parser.parse_args()
    rng = np.random.default_rng(1)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLAlchemy {sa.__version__}; {postgres.DURABLE} {MEMORY}"
    )
    with postgres.cluster(f"{postgres.DURABLE} {MEMORY}") as cluster:
        with psycopg.connect(
            cluster.format(name="postgres").replace("+psycopg", ""), autocommit=True
        ) as connection:
            connection.execute("CREATE DATABASE small")
            connection.execute("CREATE DATABASE whole")
        began = time.perf_counter()
        small = found(cluster.format(name="small"), SMALL)
        whole = found(cluster.format(name="whole"), asked.stations)
        print(f"filled in {time.perf_counter() - began:.0f} s")
        questions(whole, rng, asked.repeats)
        if asked.rounds:
            compare(small, whole, rng, rounds=asked.rounds, people=asked.people)
        for nation in (small, whole):
            nation.engine.dispose()


if __name__ == "__main__":
    main()
