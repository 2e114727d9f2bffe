"""Opens the nation's calendars: how long the first time takes, a second run, a day, an exception.

    python -m benchmarks.calendar [--places 3321] [--days 42] [--url sqlite:///FILE]

It measures one process and no bookings beside it.
"""

import argparse
import tempfile
import time as clock
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

import scheduler.tables_calendar
import scheduler.tables_day
import scheduler.tables_waiting  # noqa: F401 - fills the metadata
from scheduler import horizon, places
from scheduler.database import Base, connect, reading, retrying
from scheduler.places import Rule, Unlike
from scheduler.tables import Kind, Scope, SlotRow

NOW = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
FIRST = date(2026, 11, 25)
HOURS = (
    Rule(opens=time(7, 30), closes=time(11, 30), step=15, capacity=2, valid_from=FIRST),
    Rule(opens=time(13, 30), closes=time(17), step=15, capacity=2, valid_from=FIRST),
)
"""30 quarters of an hour a day, as measured elsewhere."""


def _furnish(engine: sa.Engine, count: int) -> None:
    def work(session: Session) -> None:
        for number in range(count):
            code = f"P{number:05d}"
            places.add_place(session, code=code, name=code, address="", province=f"{number % 34}")
            for rule in HOURS:
                places.add_rule(session, code, rule)

    retrying(engine, work)


def _open(engine: sa.Engine, last: date, now: datetime) -> int:
    """Do what the worker does; return how many places were looked at."""
    with reading(engine) as session:
        codes = horizon.behind(session, through=last)
    for code in codes:

        def work(session: Session, code: str = code) -> None:
            first = now.astimezone(UTC).date()
            horizon.materialise(session, code, first=first, last=last, now=now)

        retrying(engine, work)
    return len(codes)


def _timed(name: str, work: Callable[[], int]) -> float:
    begun = clock.perf_counter()
    touched = work()
    took = clock.perf_counter() - begun
    each = f", {1000 * took / touched:.2f} ms each" if touched else ""
    print(f"{name}: {took:.3f} s, {touched} places{each}", flush=True)
    return took


def measure(engine: sa.Engine, count: int, days: int) -> None:
    """Print how long each way of opening takes."""
    Base.metadata.create_all(engine)
    _furnish(engine, count)
    last = FIRST + timedelta(days=days)
    tomorrow = NOW + timedelta(days=1)
    whole = _timed("first time", lambda: _open(engine, last, NOW))
    again = _timed("second run", lambda: _open(engine, last, NOW))
    day = _timed("one day more", lambda: _open(engine, last + timedelta(days=1), tomorrow))
    closed = Unlike(day=last, kind=Kind.CLOSED, words="Nghỉ", source="CV")
    retrying(engine, lambda s: places.add_exception(s, closed, scope=Scope.NATION))
    nation = _timed(
        "a day closed for all", lambda: _open(engine, last + timedelta(days=1), tomorrow)
    )
    with reading(engine) as session:
        slots = session.scalar(sa.select(sa.func.count()).select_from(SlotRow)) or 0
    print(f"slots: {slots}; first time {slots / whole:.0f} slots/s")
    print(
        f"to the first time: second run {again / whole:.5f}, a day {day / whole:.3f},"
        f" closed for all {nation / whole:.3f}"
    )


def main() -> None:
    """Measure on a database of its own, or on the empty one that is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=3321)
    parser.add_argument("--days", type=int, default=42)
    parser.add_argument("--url")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder) / 'calendar.db'}"
        engine = connect(url)
        try:
            measure(engine, given.places, given.days)
        finally:
            engine.dispose()


if __name__ == "__main__":
    main()
