"""Races a waiting room: many doors hand out numbers while many kiosks call, on both engines.

Run `python -m benchmarks.queue_calls`. Each way of calling serves as many people, in threads with a
connection each; the copy that looks who is next and then calls them shows what the claim prevents.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Thread

import psycopg
import sqlalchemy as sa

from scheduler import places, points, queue
from scheduler.database import Base, connect, reading, retrying, transaction
from scheduler.queue_life import QueueState
from scheduler.tables import PlaceRow
from scheduler.tables_day import PointRow, QueueDayRow, QueueRow
from tests import postgres

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
PLACE = "BENCH"
KIOSKS = [f"kiosk-{number}" for number in range(8)]
Call = Callable[[sa.Engine, str], int | None]


def claim(engine: sa.Engine, kiosk: str) -> int | None:
    """Call as the live queue does, and serve at once."""
    entry = retrying(engine, lambda session: queue.next(session, PLACE, kiosk, now=NOW))
    if entry is None:
        return None
    retrying(engine, lambda session: queue.begin(session, entry.ref, point=kiosk, now=NOW))
    return entry.number


def look_then_call(engine: sa.Engine, kiosk: str) -> int | None:
    """Look who is next, then call them: nothing keeps another kiosk from looking meanwhile."""
    with reading(engine) as session:
        waiting = queue.waiting(session, PLACE, queue.day_of(NOW))
    if not waiting:
        return None

    def call(session: sa.orm.Session) -> None:
        session.execute(
            sa.update(QueueRow)
            .where(QueueRow.number == waiting[0].number)
            .values(state=QueueState.SERVING, point=kiosk)
        )

    retrying(engine, call)
    return waiting[0].number


def together(url: str, works: list[Callable[[sa.Engine], None]]) -> float:
    """Run each work in a thread with a connection of its own; return the seconds they took."""
    barrier = Barrier(len(works) + 1)

    def run(work: Callable[[sa.Engine], None]) -> None:
        engine = connect(url)
        with engine.connect():
            pass
        barrier.wait()
        work(engine)
        engine.dispose()

    threads = [Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def fill(url: str, people: int) -> tuple[float, int]:
    """Let people in through eight doors at once; return the seconds and how many numbers differ."""
    engine = connect(url)
    Base.metadata.create_all(engine)
    with transaction(engine) as session:
        for table in (QueueRow, QueueDayRow, PointRow):
            session.execute(sa.delete(table))
        if session.get(PlaceRow, PLACE) is None:
            places.add_place(session, code=PLACE, name="", address="", province="01")
        for number, kiosk in enumerate(KIOSKS):
            points.add(session, PLACE, code=kiosk, number=number)
    numbers: list[int] = []

    def door(own: sa.Engine) -> None:
        for _ in range(people // len(KIOSKS)):
            entry = retrying(own, lambda session: queue.arrive(session, PLACE, minutes=15, now=NOW))
            numbers.append(entry.number)

    took = together(url, [door for _ in KIOSKS])
    engine.dispose()
    return took, len(set(numbers))


def empty(url: str, call: Call) -> tuple[float, Counter[int]]:
    """Let every kiosk call until nobody waits; return the seconds and how often who was called."""
    called: list[int] = []

    def kiosk(code: str) -> Callable[[sa.Engine], None]:
        def work(engine: sa.Engine) -> None:
            while (number := call(engine, code)) is not None:
                called.append(number)

        return work

    return together(url, [kiosk(code) for code in KIOSKS]), Counter(called)


@contextmanager
def engines() -> Iterator[dict[str, str]]:
    """Give the addresses of two empty databases."""
    with tempfile.TemporaryDirectory() as folder, postgres.cluster() as cluster:
        admin = cluster.format(name="postgres").replace("+psycopg", "")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        yield {
            "SQLite": f"sqlite:///{Path(folder)}/bench.db",
            "PostgreSQL": cluster.format(name="bench"),
        }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    ways: dict[str, Call] = {"looks, then calls": look_then_call, "claims (ours)": claim}
    print(f"{asked.rounds} rounds of {asked.people} people, {len(KIOSKS)} doors and kiosks at once")
    print("engine      way                 numbers differ   called twice  never  people/s")
    with engines() as urls:
        for name, url in urls.items():
            for way, call in ways.items():
                differ, twice, never, seconds = 0, 0, 0, 0.0
                for _ in range(asked.rounds):
                    differ += fill(url, asked.people)[1]
                    took, called = empty(url, call)
                    seconds += took
                    twice += sum(count > 1 for count in called.values())
                    never += asked.people - len(called)
                total = asked.rounds * asked.people
                line = f"{name:12}{way:20}{differ:8} of {total}{twice:12}{never:7}"
                print(f"{line}{total / seconds:10.0f}")


if __name__ == "__main__":
    main()
