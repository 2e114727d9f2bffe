"""Months of their own on PostgreSQL: made once, found by what is booked, moved between, no loss."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, history, ledger, partitions
from scheduler.database import connect, retrying, transaction
from scheduler.slots import SlotRef
from scheduler.tables import PARTITIONED, SlotRow
from tests.races.station import CODE, add_place, hold, slot

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 24), date(2026, 12, 31), date(2027, 1, 1)
LATE = datetime(2026, 11, 30, 16, 45, tzinfo=UTC)
"""The last quarter of an hour of November in Vietnam."""


def _quarter(starts_at: datetime) -> SlotRef:
    return SlotRef(place=CODE, starts_at=starts_at, lane=slot().lane)


def _open(session: Session, *starts: datetime) -> None:
    session.add_all(
        SlotRow(
            place=CODE,
            starts_at=starts_at,
            lane=slot().lane,
            minutes=15,
            capacity=1,
            public_capacity=1,
            taken=0,
            public_taken=0,
            offered=True,
        )
        for starts_at in starts
    )
    session.flush()


@pytest.fixture
def on_postgres(engine: sa.Engine) -> bool:
    return engine.dialect.name == "postgresql"


def _lies_in(session: Session, table: str) -> set[str]:
    """Return which partitions hold the rows of a table."""
    found = session.execute(sa.text(f"SELECT DISTINCT tableoid::regclass::text FROM {table}"))  # noqa: S608
    return set(found.scalars())


def test_months_are_made_once_for_each_table(engine: sa.Engine, *, on_postgres: bool) -> None:
    with transaction(engine) as session:
        made = partitions.ensure(session, NOVEMBER, JANUARY)
        expected = [
            f"{table}_{month}"
            for month in ("2026_11", "2026_12", "2027_01")
            for table in PARTITIONED
        ]
        assert list(made) == (expected if on_postgres else [])
    with transaction(engine) as session:
        assert partitions.missing(session, NOVEMBER, JANUARY) == ()
        assert partitions.ensure(session, NOVEMBER, JANUARY) == ()
        there = partitions.of(session.connection())
        assert len(there) == (12 if on_postgres else 0)


def test_an_appointment_moves_from_month_to_month_and_its_history_follows_the_clock(
    engine: sa.Engine, now: datetime, *, on_postgres: bool
) -> None:
    first_of_december = LATE + timedelta(minutes=15)
    with transaction(engine) as session:
        partitions.ensure(session, NOVEMBER, DECEMBER)
        add_place(session)
        _open(session, LATE, first_of_december)
    with transaction(engine) as session:
        made = hold(session, 1, _quarter(LATE), now)
        if on_postgres:
            assert _lies_in(session, "appointment") == {"appointment_2026_11"}
    for to in (first_of_december, LATE, first_of_december):
        retrying(
            engine,
            lambda s, to=to: booking.move(s, made.id, to=_quarter(to), now=now),  # type: ignore[misc]
        )
    with transaction(engine) as session:
        assert booking.confirm(session, made.id, now=now).starts_at == first_of_december
        assert [entry.event for entry in history.of(session, made.id)] == [
            "hold",
            "move",
            "move",
            "move",
            "confirm",
        ]
        assert history.intact(session, made.id)
        assert ledger.drift(session) == ()
        if on_postgres:
            assert _lies_in(session, "slot") == {"slot_2026_11", "slot_2026_12"}
            assert _lies_in(session, "appointment") == {"appointment_2026_12"}
            assert _lies_in(session, "appointment_history") == {"appointment_history_2026_11"}


def test_what_lies_in_the_default_stays_there_and_is_booked_as_all_else(
    engine: sa.Engine, now: datetime, *, on_postgres: bool
) -> None:
    with transaction(engine) as session:
        add_place(session)
        _open(session, LATE)
        made = hold(session, 1, _quarter(LATE), now)
    with transaction(engine) as session:
        partitions.ensure(session, NOVEMBER, DECEMBER)
        booking.confirm(session, made.id, now=now)
        assert history.intact(session, made.id)
        if on_postgres:
            assert _lies_in(session, "slot") == {"slot_default"}
            assert "slot_2026_12" in partitions.of(session.connection())
            assert "slot_2026_11" not in partitions.of(session.connection())


@pytest.mark.postgres
def test_a_month_is_as_its_table_is(engine: sa.Engine, *, on_postgres: bool) -> None:
    if not on_postgres:
        return
    with transaction(engine) as session:
        partitions.ensure(session, DECEMBER, DECEMBER)
    there = sa.inspect(engine)
    for table in PARTITIONED:
        names = (table, f"{table}_2026_12", f"{table}_default")
        columns = [
            [(c["name"], str(c["type"]), c["nullable"]) for c in there.get_columns(n)]
            for n in names
        ]
        indexes = [sorted(str(i["column_names"]) for i in there.get_indexes(n)) for n in names]
        checks = [sorted(c["sqltext"] for c in there.get_check_constraints(n)) for n in names]
        keys = [there.get_pk_constraint(n)["constrained_columns"] for n in names]
        for same in (columns, indexes, checks, keys):
            assert same[0] == same[1] == same[2]
    with engine.connect() as connection:
        options = connection.execute(
            sa.text("SELECT reloptions FROM pg_class WHERE relname = 'slot_2026_12'")
        ).scalar_one()
    assert options == ["fillfactor=70"]


@pytest.mark.postgres
def test_whoever_books_is_not_kept_waiting_by_a_month_that_cannot_be_made(
    engine: sa.Engine, database_url: str, now: datetime, *, on_postgres: bool
) -> None:
    if not on_postgres:
        return
    with transaction(engine) as session:
        add_place(session)
        _open(session, LATE)
    other = connect(database_url)
    with transaction(other) as writer:
        hold(writer, 1, _quarter(LATE), now)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"), transaction(engine) as s:
            partitions.ensure(s, DECEMBER, DECEMBER)
    other.dispose()
    with transaction(engine) as session:
        assert len(partitions.ensure(session, DECEMBER, DECEMBER)) == 3
