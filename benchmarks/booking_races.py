"""Runs the contests for places in full on both engines and prints what came of them.

Run `python -m benchmarks.booking_races`. 64 clients on 600 places, confirm against expiry, moves
across two full slots, workers killed in the middle. The tests run the same contests in small
(`tests/races/test_contests.py`). Anything but exact is an error and the exit code is 1.
"""

import argparse
import os
import platform
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import sqlalchemy as sa

import scheduler.tables_waiting  # noqa: F401 - fills the metadata
from scheduler.database import Base, connect
from tests import postgres
from tests.races.contest import (
    CLIENTS,
    PLACES,
    confirm_against_expire,
    kill_workers,
    moves_across,
    rush,
)

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ENGINES = ("sqlite", "postgresql")
BATCH = 500
"""Races on one database; then a new one."""
Fresh = Callable[[], str]
"""Gives the address of a new empty database."""


@contextmanager
def databases(kind: str) -> Iterator[Fresh]:
    """Give databases of one kind, each new; PostgreSQL syncs every commit, as SQLite does."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield lambda: f"sqlite:///{Path(folder)}/{uuid.uuid4().hex}.db"
            return
        with postgres.cluster(postgres.DURABLE) as cluster:
            admin = cluster.format(name="postgres").replace("+psycopg", "")

            def fresh() -> str:
                name = f"b{uuid.uuid4().hex[:12]}"
                with psycopg.connect(admin, autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {name}".encode())
                return cluster.format(name=name)

            yield fresh


@contextmanager
def furnished(fresh: Fresh) -> Iterator[tuple[sa.Engine, str]]:
    """Give a new database with every table."""
    url = fresh()
    engine = connect(url)
    Base.metadata.create_all(engine)
    yield engine, url
    engine.dispose()


def _say(kind: str, what: str, good: bool) -> bool:  # noqa: FBT001 - a verdict
    print(f"{kind:10}  {what}{'' if good else '   WRONG'}", flush=True)
    return good


def rushes(kind: str, fresh: Fresh, runs: int) -> bool:
    """Let 64 clients want 600 places, so many times."""
    came = []
    for _ in range(runs):
        with furnished(fresh) as (engine, url):
            came.append(rush(engine, url, NOW))
    sold = sorted({one.sold for one in came})
    oversold, lost, duplicate, wrong, failed = (
        sum(getattr(one, name) for one in came)
        for name in ("oversold", "lost", "duplicate", "wrong", "failed")
    )
    return _say(
        kind,
        f"{CLIENTS} clients on {PLACES} places, {runs} runs: sold {sold} each, oversold {oversold},"
        f" lost {lost}, duplicate {duplicate}, drift and broken histories {wrong}, failed {failed};"
        f" {min(one.seconds for one in came):.1f} to {max(one.seconds for one in came):.1f} s",
        all(one.exact for one in came),
    )


def ends(kind: str, fresh: Fresh, rounds: int) -> bool:
    """Let confirming and expiring meet."""
    came = []
    for _ in range(-(-rounds // BATCH)):
        with furnished(fresh) as (engine, url):
            came.append(confirm_against_expire(engine, url, NOW, min(rounds, BATCH)))
    confirmed, expired, both, neither, wrong = (
        sum(getattr(one, name) for one in came)
        for name in ("confirmed", "expired", "both", "neither", "wrong")
    )
    return _say(
        kind,
        f"confirm against expire, {confirmed + expired + both + neither} races: {confirmed} "
        f"confirmed, {expired} expired, both {both}, neither {neither}, drift {wrong}",
        not (both or neither or wrong),
    )


def moves(kind: str, fresh: Fresh, rounds: int) -> bool:
    """Let two want each other's full slot."""
    with furnished(fresh) as (engine, url):
        moved, wrong = moves_across(engine, url, NOW, rounds)
    return _say(
        kind,
        f"move against move across two full slots, {rounds} rounds: {moved} moved, deadlocks 0, "
        f"old places lost or drift {wrong}",
        not (moved or wrong),
    )


def kills(kind: str, fresh: Fresh, times: int) -> bool:
    """Kill workers amid the contention."""
    with furnished(fresh) as (engine, url):
        left = kill_workers(engine, url, NOW, times)
    return _say(
        kind,
        f"{left.kills} workers killed with SIGKILL while {left.done} events happened: drift "
        f"{left.drift}, loose claims {left.loose}",
        not (left.drift or left.loose),
    )


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--races", type=int, default=10_000)
    parser.add_argument("--moves", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--engine", choices=ENGINES, action="append")
    asked = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLAlchemy {sa.__version__}; PostgreSQL {postgres.DURABLE}; SQLite synchronous=FULL",
        flush=True,
    )
    good = True
    for kind in asked.engine or ENGINES:
        with databases(kind) as fresh:
            good &= rushes(kind, fresh, asked.runs)
            good &= ends(kind, fresh, asked.races)
            good &= moves(kind, fresh, asked.moves)
            good &= kills(kind, fresh, asked.kills)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
