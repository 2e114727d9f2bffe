"""A small station for tests of the scheduler: a place, its hours, slots by hand, a hold."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier, Thread
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, freed, places
from scheduler.booking import Appointment, SlotRef
from scheduler.database import connect, transaction
from scheduler.places import REGULAR, Rule
from scheduler.tables import SlotRow

T = TypeVar("T")

CODE = "HN-01"
THURSDAY = date(2026, 11, 26)
"""A working day two days after the tests' clock."""
EIGHT = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
"""Eight o'clock of that day in Vietnam."""
LONG_AGO = date(2020, 1, 1)


def slot(number: int = 0, lane: str = REGULAR) -> SlotRef:
    """Return the slot that begins `number` quarters of an hour after eight."""
    return SlotRef(place=CODE, starts_at=EIGHT + number * timedelta(minutes=15), lane=lane)


def add_place(session: Session, code: str = CODE) -> None:
    places.add_place(session, code=code, name="Điểm thu nhận số 1", address="Hà Nội", province="01")


MORNINGS = Rule(opens=time(8), closes=time(10), step=15, capacity=2, valid_from=LONG_AGO)
"""Eight to ten, Monday to Friday, two people a quarter of an hour."""


def furnish(engine: sa.Engine, *capacities: int, lane: str = REGULAR) -> None:
    """Open one slot a capacity at a new place, a quarter of an hour each from eight on."""
    with transaction(engine) as session:
        add_place(session)
        session.add_all(
            SlotRow(
                place=CODE,
                starts_at=slot(number).starts_at,
                lane=lane,
                minutes=15,
                capacity=capacity,
                public_capacity=capacity,
                taken=0,
                public_taken=0,
                offered=True,
            )
            for number, capacity in enumerate(capacities)
        )


def hold(
    session: Session,
    who: int,
    where: SlotRef,
    now: datetime,
    *,
    person_key: bytes | None = None,
    whose: str | None = None,
    minutes: int = 10,
) -> Appointment:
    """Hold a place for the person `who`, who has one dossier."""
    return booking.hold(
        session,
        slot=where,
        whose=whose or f"dossier-{who}",
        person_key=person_key or f"person-{who}".encode(),
        purpose="NEW",
        now=now,
        minutes=minutes,
    )


def booked(session: Session, who: int, where: SlotRef, now: datetime) -> UUID:
    """Return the id of a certain appointment of the person `who`."""
    appointment = hold(session, who, where, now)
    booking.confirm(session, appointment.id, now=now)
    return appointment.id


def taken(session: Session) -> list[int]:
    """Return the counters of all slots, by time."""
    return list(session.scalars(sa.select(SlotRow.taken).order_by(SlotRow.starts_at)))


def after_a_while(session: Session) -> list[int]:
    """Return the counters once everything that is kept from traders is back."""
    freed.return_due(session, now=EIGHT)
    return taken(session)


def at_once(url: str, *works: Callable[[sa.Engine], T]) -> list[T | Exception]:
    """Run each work in a thread with its own connection, all begun together.

    Returns:
        What each returned or raised, in the order of `works`.
    """
    done: list[Any] = [None] * len(works)
    barrier = Barrier(len(works), timeout=30)

    def run(number: int, work: Callable[[sa.Engine], T]) -> None:
        engine = connect(url)
        try:
            with engine.connect():  # the connection is made before the race
                pass
            barrier.wait()
            done[number] = work(engine)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            done[number] = error
        finally:
            engine.dispose()

    threads = [Thread(target=run, args=pair, daemon=True) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive(), "a thread hangs"
    return done


def in_transaction(work: Callable[[Session], T]) -> Callable[[sa.Engine], T]:
    """Return `work` as something that runs in one transaction, tried once."""

    def run(engine: sa.Engine) -> T:
        with transaction(engine) as session:
            return work(session)

    return run


def locks_in_order(
    url: str,
    engine: sa.Engine,
    work: Callable[[sa.Engine], object],
    *,
    first: SlotRef,
    later: SlotRef,
) -> bool:
    """Return whether `work` waits for `first`, which we hold, without holding `later` already.

    Of PostgreSQL alone: it knows who waits for whom.
    """

    def row(slot: SlotRef) -> sa.Select[int]:
        return sa.select(SlotRow.taken).where(
            SlotRow.place == slot.place,
            SlotRow.starts_at == slot.starts_at,
            SlotRow.lane == slot.lane,
        )

    done: list[object] = []
    with transaction(engine) as session:
        session.execute(row(first).with_for_update()).one()
        thread = Thread(target=lambda: done.extend(at_once(url, work)), daemon=True)
        thread.start()
        waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not session.scalars(waits).one():
            assert thread.is_alive(), f"it did not wait: {done}"
        skipping = row(later).with_for_update(skip_locked=True)
        is_free = session.execute(skipping).one_or_none() is not None
    thread.join(timeout=120)
    assert errors(done) == []
    return is_free


def errors(done: Sequence[object]) -> list[object]:
    return [outcome for outcome in done if isinstance(outcome, Exception)]
