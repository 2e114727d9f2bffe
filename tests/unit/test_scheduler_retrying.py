"""A transaction the database could not finish is begun again; what is wrong stays wrong."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from tempfile import TemporaryDirectory
from threading import Barrier, BrokenBarrierError

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.database import TRIES, insert_missing, reading, retrying, transaction
from scheduler.tables import PlaceRow
from tests.races.station import add_place, at_once, furnish, hold, slot, taken


def _busy() -> sqlite3.OperationalError:
    """Return what SQLite says to the second writer."""
    with TemporaryDirectory() as folder:
        two = [sqlite3.connect(f"{folder}/busy.db", timeout=0) for _ in range(2)]
        try:
            for connection in two:
                connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            return error
        finally:
            for connection in two:
                connection.close()
    raise AssertionError("two writers at once")


PASSING = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, _busy)


@pytest.mark.parametrize("cause", PASSING)
def test_work_that_met_another_transaction_is_done_again(
    engine: sa.Engine, cause: Callable[[], Exception]
) -> None:
    tries: list[int] = []

    def work(session: Session) -> str:
        add_place(session)
        tries.append(len(tries))
        if len(tries) < 3:
            raise sa.exc.OperationalError("UPDATE", {}, cause())
        return "done"

    assert retrying(engine, work) == "done"
    assert len(tries) == 3
    with reading(engine) as session:
        assert session.scalars(sa.select(sa.func.count()).select_from(PlaceRow)).one() == 1


def test_after_the_last_try_the_database_has_the_word(engine: sa.Engine) -> None:
    tries: list[int] = []

    def work(session: Session) -> None:
        tries.append(1)
        raise sa.exc.OperationalError("UPDATE", {}, _busy())

    with pytest.raises(sa.exc.OperationalError):
        retrying(engine, work)
    assert len(tries) == TRIES


def test_what_the_database_forbids_is_not_tried_again(engine: sa.Engine) -> None:
    tries: list[int] = []

    def work(session: Session) -> None:
        tries.append(1)
        add_place(session)
        add_place(session)

    with pytest.raises(sa.exc.IntegrityError):
        retrying(engine, work)
    assert len(tries) == 1


def test_our_own_refusals_are_not_tried_again_and_leave_nothing(engine: sa.Engine) -> None:
    tries: list[int] = []

    def work(session: Session) -> None:
        tries.append(1)
        add_place(session)
        raise LookupError

    with pytest.raises(LookupError):
        retrying(engine, work)
    assert len(tries) == 1
    with reading(engine) as session:
        assert session.get(PlaceRow, "HN-01") is None


def test_a_real_deadlock_is_overcome(engine: sa.Engine, database_url: str, now: datetime) -> None:
    """Two who each take two places in opposite orders, which our own functions never do."""
    furnish(engine, 9, 9)
    inside = Barrier(2)
    tries: list[int] = []

    def both(who: int, first: int, second: int) -> Callable[[sa.Engine], None]:
        def work(session: Session) -> None:
            tries.append(who)
            hold(session, who, slot(first), now)
            # SQLite lets one writer in at a time: there they never meet.
            with suppress(BrokenBarrierError):
                inside.wait(timeout=1)
            hold(session, who + 1, slot(second), now)

        return lambda own: retrying(own, work)

    assert at_once(database_url, both(10, 0, 1), both(20, 1, 0)) == [None, None]
    assert len(tries) == (3 if engine.dialect.name == "postgresql" else 2)
    with reading(engine) as session:
        assert taken(session) == [2, 2]


def test_rows_that_are_there_are_not_inserted_again(engine: sa.Engine) -> None:
    def row(code: str) -> dict[str, object]:
        return {"code": code, "name": code, "address": "", "province": "01", "open": True}

    with transaction(engine) as session:
        assert insert_missing(session, PlaceRow, []) == 0
        assert insert_missing(session, PlaceRow, [row("A"), row("B")]) == 2
        assert insert_missing(session, PlaceRow, [row("B"), row("C")]) == 1
