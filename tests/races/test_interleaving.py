"""The interleaving that made another system sell 2 of 1, step by step: theirs sells two, ours one.

There a checkout looked at its cart, was slow, and wrote its order though the cart had run out and
somebody else had counted orders and carts meanwhile. No chance is in these tests: events say who
goes on when.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Timer
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, history, ledger
from scheduler.booking import Appointment, NotNow, SlotFull
from scheduler.database import reading, transaction
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow, SlotRow
from tests.races.station import at_once, furnish, hold, slot, taken

MOMENT = timedelta(microseconds=1)
S = AppointmentState


@pytest.fixture
def over(now: datetime) -> datetime:
    """When the hold of the first is over."""
    return now + timedelta(minutes=10)


@pytest.fixture
def held(engine: sa.Engine, now: datetime) -> UUID:
    """The hold of the first on the one place there is."""
    furnish(engine, 1)
    with transaction(engine) as session:
        return hold(session, 1, slot(), now).id


def _count(session: Session, *where: sa.ColumnElement[bool]) -> int:
    found = sa.select(sa.func.count()).select_from(AppointmentRow).where(*where)
    return session.scalars(found).one()


def _sold(engine: sa.Engine) -> int:
    with reading(engine) as session:
        return _count(session, AppointmentRow.state == S.BOOKED)


def _row(who: int, now: datetime) -> AppointmentRow:
    there = slot()
    return AppointmentRow(
        id=uuid4(),
        place=there.place,
        starts_at=there.starts_at,
        lane=there.lane,
        minutes=15,
        whose=f"dossier-{who}",
        state=S.BOOKED,
        hold_minutes=10,
        created_at=now,
        changed_at=now,
    )


def test_looking_first_and_writing_later_sells_two_of_one(
    engine: sa.Engine, held: UUID, over: datetime
) -> None:
    """The naive way: the look and the write are two transactions, orders and carts two counts."""
    with reading(engine) as session:
        mine = session.scalars(sa.select(AppointmentRow).where(AppointmentRow.id == held)).one()
        assert mine.hold_until is not None
        assert mine.hold_until > over - MOMENT  # "my cart is good", and then it takes its time
    with reading(engine) as session:
        capacity = session.scalars(sa.select(SlotRow.capacity)).one()
        orders = _count(session, AppointmentRow.state == S.BOOKED)
        carts = _count(session, AppointmentRow.state == S.HELD, AppointmentRow.hold_until > over)
    if orders + carts < capacity:
        with transaction(engine) as session:
            session.add(_row(2, over))
    with transaction(engine) as session:
        session.execute(
            sa.update(AppointmentRow)
            .where(AppointmentRow.id == held)
            .values(state=S.BOOKED, hold_until=None)
        )
    assert _sold(engine) == 2


def _confirm(held: UUID, at: datetime, *, inside: Event, go_on: Event) -> Callable[..., object]:
    """Make the hold certain, and be slow before it is committed."""

    def run(own: sa.Engine) -> Appointment:
        with transaction(own) as session:
            made = booking.confirm(session, held, now=at)
            inside.set()
            go_on.wait(30)
        return made

    return run


def test_a_hold_made_certain_at_its_last_moment_is_sold_to_nobody_else(
    engine: sa.Engine, database_url: str, held: UUID, over: datetime
) -> None:
    inside, go_on = Event(), Event()

    def other(own: sa.Engine) -> object:
        inside.wait(30)
        # The first commits only while we are about to count, or wait for it.
        Timer(0.2, go_on.set).start()
        with transaction(own) as session:
            return hold(session, 2, slot(), over)

    confirm = _confirm(held, over - MOMENT, inside=inside, go_on=go_on)
    first, second = at_once(database_url, confirm, other)
    assert isinstance(first, Appointment)
    assert isinstance(second, SlotFull)
    assert _sold(engine) == 1
    _nothing_is_wrong(engine, held, ["hold", "confirm"])


def test_a_hold_that_ran_out_and_was_taken_is_not_made_certain_by_who_looked_before(
    engine: sa.Engine, database_url: str, held: UUID, over: datetime
) -> None:
    inside, go_on = Event(), Event()

    def other(own: sa.Engine) -> object:
        with transaction(own) as session:
            made = hold(session, 2, slot(), over)
            inside.set()
            go_on.wait(30)
        return made

    def first(own: sa.Engine) -> object:
        inside.wait(30)
        Timer(0.2, go_on.set).start()
        with transaction(own) as session:
            return booking.confirm(session, held, now=over - MOMENT)

    done = at_once(database_url, first, other)
    assert isinstance(done[0], NotNow)
    assert isinstance(done[1], Appointment)
    with reading(engine) as session:
        assert booking.find(session, held).state is S.EXPIRED
        assert taken(session) == [1]
    _nothing_is_wrong(engine, held, ["hold", "expire"])


def test_somebody_who_gives_up_meanwhile_leaves_the_hold_to_its_owner(
    engine: sa.Engine, database_url: str, held: UUID, over: datetime
) -> None:
    inside, go_on = Event(), Event()

    def other(own: sa.Engine) -> None:
        with transaction(own) as session:
            hold(session, 2, slot(), over)
            inside.set()
            go_on.wait(30)
            session.rollback()

    def first(own: sa.Engine) -> object:
        inside.wait(30)
        Timer(0.2, go_on.set).start()
        with transaction(own) as session:
            return booking.confirm(session, held, now=over - MOMENT)

    done = at_once(database_url, first, other)
    assert isinstance(done[0], Appointment)
    assert done[1] is None
    assert _sold(engine) == 1
    _nothing_is_wrong(engine, held, ["hold", "confirm"])


def _nothing_is_wrong(engine: sa.Engine, held: UUID, happened: list[str]) -> None:
    with reading(engine) as session:
        assert ledger.drift(session) == ()
        assert ledger.loose(session) == 0
        assert [entry.event for entry in history.of(session, held)] == happened
        assert history.intact(session, held)
