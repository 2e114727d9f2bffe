"""Monthly partitions on PostgreSQL, so that a year can be taken off without deleting row by row.

On SQLite there are none and nothing is done. What has no month of its own lies in the default
partition, which is always there: a month that was not made ahead costs nobody their appointment.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.calendar import HERE
from scheduler.tables import PARTITIONED

PATIENCE = "1s"
"""[D] Longer we wait for no lock: whoever books would wait behind us. The next try gets it."""


def months(first: date, last: date) -> Iterator[date]:
    """Yield the first day of every month from `first` to `last`."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _next(month)


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _begins(month: date) -> str:
    return datetime.combine(month, time(), HERE).astimezone(UTC).isoformat()


def of(connection: sa.Connection) -> frozenset[str]:
    """Return the names of the partitions there are."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    names = connection.execute(
        sa.text(
            "SELECT child.relname FROM pg_inherits"
            " JOIN pg_class child ON child.oid = inhrelid"
            " JOIN pg_class parent ON parent.oid = inhparent"
            " WHERE parent.relkind = 'p' AND pg_table_is_visible(parent.oid)"
        )
    )
    return frozenset(names.scalars())


def missing(session: Session, first: date, last: date) -> tuple[date, ...]:
    """Return the months from `first` to `last` that some table has no partition for."""
    if session.get_bind().dialect.name != "postgresql":
        return ()
    there = of(session.connection())
    return tuple(
        month
        for month in months(first, last)
        if not all(_name(table, month) in there for table in PARTITIONED)
    )


def _name(table: str, month: date) -> str:
    return f"{table}_{month:%Y_%m}"


def ensure(session: Session, first: date, last: date) -> tuple[str, ...]:
    """Make the partitions of every month from `first` to `last` and return the new ones.

    A month stays in the default partition where rows of it lie there already. A partition is made
    beside its table and then attached, which holds up writers for a moment and readers not at
    all; whoever wants several months commits after each (`missing`).

    Raises:
        sqlalchemy.exc.OperationalError: a lock was not to be had within `PATIENCE`.
    """
    made: list[str] = []
    for month in missing(session, first, last):
        session.execute(sa.text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
        there = of(session.connection())
        made += [
            _make(session, table, month)
            for table in PARTITIONED
            if _name(table, month) not in there and not _strays(session, table, month)
        ]
    return tuple(made)


def _strays(session: Session, table: str, month: date) -> bool:
    """Return whether rows of the month lie in the default partition."""
    column = PARTITIONED[table].column
    found = sa.text(
        f"SELECT EXISTS (SELECT FROM {table}_default"  # noqa: S608 - names of our own tables
        f" WHERE {column} >= '{_begins(month)}' AND {column} < '{_begins(_next(month))}')"
    )
    return bool(session.execute(found).scalar_one())


def _make(session: Session, table: str, month: date) -> str:
    name = _name(table, month)
    span = f"FROM ('{_begins(month)}') TO ('{_begins(_next(month))}')"
    stored = PARTITIONED[table].options
    session.execute(sa.text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL){stored}"))
    session.execute(sa.text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {span}"))
    return name
