"""The engine and its manners: portable types, SQLite that waits and keeps its word, transactions.

It knows no table.
"""

import enum
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

T = TypeVar("T")

TRIES = 6
"""How often a transaction is begun before we give up."""
PAUSE = 0.01
"""Seconds before the second try; doubled each time, and shaken."""
CONNECTIONS = 10
"""[D] Kept open by each process; ten more are opened in a rush. A server has eight threads."""
IDLE = 1.0
"""[D] Seconds after which a connection may have died without our noticing."""
AGAIN = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: the same work may succeed now."""

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Utc(sa.TypeDecorator[datetime]):
    """An aware UTC time on every engine; SQLite alone would drop the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times and store UTC."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time was given; times are aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give UTC back."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of this database stands on this base, so that there is one metadata."""

    metadata = sa.MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as it is
        datetime: Utc(),
        enum.StrEnum: sa.Enum(
            enum.StrEnum,
            native_enum=False,
            length=32,
            create_constraint=True,
            values_callable=lambda e: [m.value for m in e],
        ),
        dict[str, Any]: sa.JSON(),
    }


def _over_the_wire(url: str) -> sa.Engine:
    """Return an engine whose connections are asked whether they live after they were idle.

    Asking before every transaction, as the library does, is a tenth of what a booking costs.
    """
    engine = sa.create_engine(url, pool_size=CONNECTIONS)

    @sa.event.listens_for(engine, "checkin")
    def _on_checkin(_connection: Any, record: Any) -> None:  # noqa: ANN401 - DBAPI objects
        record.info["used"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def _on_checkout(connection: Any, record: Any, _proxy: Any) -> None:  # noqa: ANN401 - the same
        used = record.info.get("used")
        if used is None or time.monotonic() - used < IDLE:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError from error

    return engine


def connect(url: str) -> sa.Engine:
    """Return an engine for `url` (``sqlite:///file`` or ``postgresql+psycopg://...``)."""
    if not url.startswith("sqlite"):
        return _over_the_wire(url)
    engine = sa.create_engine(url, connect_args={"timeout": 15})

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:  # noqa: ANN401 - DBAPI objects
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=15000",
            "trusted_schema=OFF",
            "cell_size_check=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[Session]:
    """Give a session that is committed at the end, or rolled back where something is raised.

    Only edges call this; cases take the session they are given.
    """
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: sa.Engine) -> Iterator[Session]:
    """Give a session that only reads: it takes no write lock and is rolled back at the end."""
    with Session(engine.execution_options(reading=True), expire_on_commit=False) as session:
        yield session
        session.rollback()


def _may_succeed_now(error: sa.exc.DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in AGAIN:
        return True
    # SQLITE_BUSY and its kin, e.g. SQLITE_BUSY_SNAPSHOT
    return getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def retrying(engine: sa.Engine, work: Callable[[Session], T]) -> T:
    """Return what `work` returns in a transaction, begun again where the database asks for it.

    `work` may run several times, so it does nothing but database work.

    Raises:
        sqlalchemy.exc.DBAPIError: the last try failed too, or for another reason.
    """
    for tried in range(TRIES):
        try:
            with transaction(engine) as session:
                return work(session)
        except sa.exc.DBAPIError as error:
            if tried == TRIES - 1 or not _may_succeed_now(error):
                raise
        time.sleep(PAUSE * 2**tried * (0.5 + secrets.randbelow(1000) / 1000))
    raise AssertionError("unreachable: the last try returns or raises")


def table_of(mapped: type[Base]) -> sa.Table:
    """Return the table a class stands for: written to without the class, it costs half."""
    return cast("sa.Table", mapped.__table__)


@cache
def _insert_missing(mapped: type[Base], dialect: str) -> Any:  # noqa: ANN401 - of two dialects
    table = table_of(mapped)
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    key = next(iter(table.primary_key))
    return insert(table).on_conflict_do_nothing().returning(key)


def insert_missing(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that no unique constraint forbids and return how many these were.

    A row another transaction is about to insert or delete is waited for, on both engines.
    """
    if not rows:
        return 0
    session.flush()  # what they point to may not be written yet
    statement = _insert_missing(table, session.get_bind().dialect.name)
    return len(session.execute(statement, rows[0] if len(rows) == 1 else list(rows)).all())
