"""Measures booking by HTTP against the least a database can do, and against counting alone.

Run `python -m benchmarks.booking`. One driver, 16 clients, a PostgreSQL that syncs every commit.
The *floor* is what no correct booking can do without, three statements by psycopg with nothing
around them. The *naive* way is what many systems do: count who is there, then insert. *Ours* is
the programs' door (`server.web.api`) as it runs in service: gunicorn, a key, a dossier looked up by
code and birth date, history, idempotency, a ticket. Times of a shared machine: compare the ratios.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from threading import Barrier, Thread

import psycopg
import sqlalchemy as sa

from benchmarks.booking_ways import (
    BORN,
    MINUTES,
    NOW,
    PURPOSE,
    Book,
    code_of,
    dossier_of,
    floor,
    http,
    naive,
    person_of,
    served,
)
from scheduler import ledger, partitions
from scheduler.database import Base, connect, reading, transaction
from scheduler.life import AppointmentState
from scheduler.places import REGULAR
from scheduler.slots import SlotRef
from scheduler.tables import AppointmentRow, PlaceRow, SlotRow
from server.cases import programs
from server.rules.dossier import DossierState
from server.store import audit
from server.store.tables import Dossier, KeyKind
from tests import postgres

OPENS = (NOW + timedelta(days=2)).replace(hour=1, minute=0, second=0)
PLACE = "BENCH"
CLIENTS = 16
PRETIX = 13
"""Orders a second of pretix 2026.8.0 in-process on a machine of this class (median of its rush
runs); of another system and another day, so only the order of magnitude says something."""
LEAST = 0.25
"""What of the floor ours must reach."""
SLOWEST = 300.0
"""Milliseconds within which 99 of 100 must be answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """So many people want places in so many slots."""

    name: str
    slots: int
    capacity: int
    people: int

    def slot(self, who: int) -> SlotRef:
        """Return the slot somebody wants."""
        starts_at = OPENS + timedelta(minutes=MINUTES * (who % self.slots))
        return SlotRef(place=PLACE, starts_at=starts_at, lane=REGULAR)


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of a rush."""

    seconds: float
    sold: int
    places: int
    waits: list[float] = field(default_factory=list)
    """Milliseconds of each answer."""

    @property
    def rate(self) -> float:
        """Bookings a second."""
        return min(self.sold, self.places) / self.seconds

    def within(self, share: float) -> float:
        """Return within how many milliseconds this share was answered."""
        return sorted(self.waits)[int(share * (len(self.waits) - 1))]


def furnish(url: str, people: int) -> str:
    """Fill an empty database with a place, the dossiers and a key; return the key."""
    engine = connect(url)
    Base.metadata.create_all(engine)
    with transaction(engine) as session:
        partitions.ensure(session, OPENS.date(), (OPENS + timedelta(days=32)).date())
        session.add(PlaceRow(code=PLACE, name="", address="", province="01", open=True))
        audit.begin(session)
        for who in range(people):
            session.add(
                Dossier(
                    id=dossier_of(who),
                    code=code_of(who),
                    state=DossierState.FILED,
                    profile="can-cuoc-2026",
                    purpose=PURPOSE,
                    person_key=person_of(who),
                    birth_date=BORN,
                    answers={},
                    created_at=NOW,
                    filed_at=NOW,
                )
            )
        key = programs.add(
            session, name="bench", kind=KeyKind.PARTNER, a_minute=10_000_000, now=NOW
        )
    engine.dispose()
    return key


def clear(engine: sa.Engine, rush: Rush) -> None:
    """Forget all appointments and open the slots of a rush."""
    with transaction(engine) as session:
        keep = {"place", "dossier", "api_key", "audit", "audit_head"}
        names = [table.name for table in Base.metadata.sorted_tables if table.name not in keep]
        quoted = ", ".join(f'"{name}"' for name in names)
        session.execute(sa.text(f"TRUNCATE {quoted} CASCADE"))
        session.add_all(
            SlotRow(
                place=PLACE,
                starts_at=rush.slot(number).starts_at,
                lane=REGULAR,
                minutes=MINUTES,
                capacity=rush.capacity,
                public_capacity=rush.capacity,
                taken=0,
                public_taken=0,
                offered=True,
            )
            for number in range(rush.slots)
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE)")


def happen(engine: sa.Engine, rush: Rush, books: Sequence[Book], *, counted: bool) -> Result:
    """Let the rush happen, one thread a client; everybody tries once."""
    clear(engine, rush)
    begin = Barrier(len(books) + 1)
    waits: list[list[float]] = [[] for _ in books]

    def work(client: int) -> None:
        begin.wait()
        for who in range(client, rush.people, len(books)):
            asked = time.perf_counter()
            books[client](who, rush.slot(who))
            waits[client].append(1000 * (time.perf_counter() - asked))

    threads = [Thread(target=work, args=(client,)) for client in range(len(books))]
    for thread in threads:
        thread.start()
    begin.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    with reading(engine) as session:
        booked = sa.select(sa.func.count()).select_from(AppointmentRow)
        sold = session.scalars(booked.where(AppointmentRow.state == AppointmentState.BOOKED)).one()
        if counted:
            assert ledger.drift(session) == ()
            assert ledger.loose(session) == 0
    every = [wait for some in waits for wait in some]
    assert len(every) == rush.people
    return Result(seconds=seconds, sold=sold, places=rush.slots * rush.capacity, waits=every)


def report(rush: Rush, name: str, results: Sequence[Result], least: float | None) -> float:
    """Print a line and return the median rate."""
    rate = median(result.rate for result in results)
    p50, p99 = (median(result.within(share) for result in results) for share in (0.5, 0.99))
    over = [max(0, result.sold - result.places) for result in results]
    against = "" if least is None else f"  {rate / least:4.2f} of the floor"
    print(
        f"  {name:8} {rate:6.0f} bookings/s{against:20}  {rate / PRETIX:4.0f} x pretix  "
        f"p50 {p50:5.1f} ms  p99 {p99:6.1f} ms  oversold {min(over)} to {max(over)} "
        f"of {rush.slots * rush.capacity}"
    )
    return rate


def measure(url: str, port: int, key: str, rush: Rush, rounds: int) -> None:
    """Let a rush happen in the three ways, in turns, and print what came of it."""
    plain = url.replace("+psycopg", "")
    ways: dict[str, Callable[[], AbstractContextManager[Book]]] = {
        "naive": lambda: naive(plain),
        "floor": lambda: floor(plain),
        "ours": lambda: http(port, key),
    }
    results: dict[str, list[Result]] = {name: [] for name in ways}
    engine = connect(url)
    for turn in range(rounds + 1):
        for name, way in ways.items():
            with ExitStack() as stack:
                books = [stack.enter_context(way()) for _ in range(CLIENTS)]
                result = happen(engine, rush, books, counted=name == "ours")
            if turn:  # the first round warms connections, statements and caches
                results[name].append(result)
    engine.dispose()
    print(
        f"\n{rush.name}: {rush.people} people, {rush.slots * rush.capacity} places in "
        f"{rush.slots} slots, {CLIENTS} clients, median of {rounds} rounds in turns"
    )
    least = report(rush, "floor", results["floor"], None)
    report(rush, "naive", results["naive"], least)
    ours = report(rush, "ours", results["ours"], least)
    slowest = median(result.within(0.99) for result in results["ours"])
    good = ours / least >= LEAST and slowest <= SLOWEST
    print(f"  target {LEAST} of the floor, p99 {SLOWEST:.0f} ms: {'met' if good else 'MISSED'}")


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--threads", type=int, default=6)
    asked = parser.parse_args()
    people: int = asked.people
    rushes = (
        Rush(name="one hot slot", slots=1, capacity=people, people=people),
        Rush(name="spread", slots=200, capacity=-(-people // 200), people=people),
        Rush(name="crush, half go away", slots=1, capacity=people // 2, people=people),
        Rush(name="crush over 50 slots", slots=50, capacity=people // 100, people=people),
    )
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLAlchemy {sa.__version__}; PostgreSQL {postgres.DURABLE}; "
        f"gunicorn {asked.workers} x {asked.threads}"
    )
    with postgres.cluster(postgres.DURABLE) as cluster:
        admin = cluster.format(name="postgres").replace("+psycopg", "")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        url = cluster.format(name="bench")
        key = furnish(url, people)
        with served(url, asked.workers, asked.threads) as port:
            for rush in rushes:
                measure(url, port, key, rush, asked.rounds)


if __name__ == "__main__":
    main()
