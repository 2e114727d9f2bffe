"""One appointment at a time: what each function does, refuses and leaves as it was."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from scheduler import booking, ledger
from scheduler.booking import (
    AlreadyBooked,
    AppointmentUnknown,
    NotNow,
    SlotFull,
    SlotGone,
)
from scheduler.database import reading, transaction
from scheduler.life import AppointmentState
from scheduler.tables import AppointmentRow, SlotRow
from tests.races.station import CODE, THURSDAY, after_a_while, booked, furnish, hold, slot, taken

TEN = timedelta(minutes=10)
A_MOMENT = timedelta(microseconds=1)
S = AppointmentState


@pytest.fixture(autouse=True)
def slots(engine: sa.Engine) -> None:
    """Four slots: two places, one, one, one."""
    furnish(engine, 2, 1, 1, 1)


@pytest.fixture(autouse=True)
def _nothing_drifts(engine: sa.Engine, slots: None) -> object:
    yield
    with reading(engine) as session:
        assert ledger.drift(session) == ()
        assert ledger.loose(session) == 0


def test_a_held_place_is_counted_and_found(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        held = hold(session, 1, slot(), now)
    with reading(engine) as session:
        assert taken(session) == [1, 0, 0, 0]
        assert booking.find(session, held.id) == held
        assert booking.live_of(session, "dossier-1") == held
        assert booking.live_of(session, "dossier-2") is None
    assert (held.state, held.minutes, held.hold_until) == (S.HELD, 15, now + TEN)
    assert held.slot == slot()


def test_a_full_slot_is_full_and_leaves_no_claim(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        hold(session, 1, slot(1), now)
        with pytest.raises(SlotFull):
            hold(session, 2, slot(1), now)
        # Caught inside the transaction: the person may take another time at once.
        assert hold(session, 2, slot(2), now).state is S.HELD


def test_a_time_that_is_not_there_is_gone(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        with pytest.raises(SlotGone):
            hold(session, 1, slot(9), now)
        session.execute(sa.update(SlotRow).values(offered=False))
        with pytest.raises(SlotGone):
            hold(session, 1, slot(), now)


@pytest.mark.parametrize("late", [timedelta(), TEN])
def test_a_past_slot_cannot_be_held_nor_moved_to(
    engine: sa.Engine, now: datetime, late: timedelta
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(1), now)
        with pytest.raises(SlotGone):
            hold(session, 2, slot(), slot().starts_at + late)
        with pytest.raises(SlotGone):
            booking.move(session, mine, to=slot(), now=slot().starts_at + late)
        assert booking.find(session, mine).slot == slot(1)


def test_a_lane_that_is_not_for_everybody_is_booked_by_who_may(
    engine: sa.Engine, now: datetime
) -> None:
    quiet = slot(0, "priority")
    with transaction(engine) as session:
        session.add(
            SlotRow(
                place=CODE,
                starts_at=quiet.starts_at,
                lane=quiet.lane,
                minutes=15,
                capacity=1,
                public_capacity=1,
                taken=0,
                public_taken=0,
                offered=True,
            )
        )
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        with pytest.raises(SlotGone):
            hold(session, 2, quiet, now)
        with pytest.raises(SlotGone):
            booking.move(session, mine, to=quiet, now=now)
        moved = booking.move(session, mine, to=quiet, now=now, lanes={"priority"})
        assert moved.lane == "priority"


def test_one_person_has_one_live_appointment_a_purpose(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        hold(session, 1, slot(), now)
        with pytest.raises(AlreadyBooked):
            hold(session, 2, slot(1), now, person_key=b"person-1")
        assert taken(session) == [1, 0, 0, 0]


def test_a_hold_that_ran_out_does_not_keep_its_person_from_another(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        old = hold(session, 1, slot(), now)
        with pytest.raises(AlreadyBooked):
            hold(session, 1, slot(1), now + TEN - A_MOMENT)
        hold(session, 1, slot(1), now + TEN)
        assert booking.find(session, old.id).state is S.EXPIRED
        assert taken(session) == [0, 1, 0, 0]


def test_a_hold_that_ran_out_does_not_fill_a_slot(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        old = hold(session, 1, slot(1), now)
        with pytest.raises(SlotFull):
            hold(session, 2, slot(1), now + TEN - A_MOMENT)
        hold(session, 2, slot(1), now + TEN)
        assert booking.find(session, old.id).state is S.EXPIRED
        assert taken(session) == [0, 1, 0, 0]


def test_an_expired_hold_cannot_be_confirmed(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        held = hold(session, 1, slot(), now)
        with pytest.raises(NotNow):
            booking.confirm(session, held.id, now=now + TEN)
        assert booking.expire_due(session, now=now + TEN) == 1
        with pytest.raises(NotNow):
            booking.confirm(session, held.id, now=now)


def test_a_confirmed_place_does_not_expire(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        held = hold(session, 1, slot(), now)
        sure = booking.confirm(session, held.id, now=now + TEN - A_MOMENT)
        assert (sure.state, sure.hold_until) == (S.BOOKED, None)
        assert booking.expire_due(session, now=now + 2 * TEN) == 0
        assert taken(session) == [1, 0, 0, 0]


def test_the_oldest_holds_expire_first_and_no_more_than_asked(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        ids = [hold(session, n, slot(n), now, minutes=10 - n).id for n in range(4)]
        assert booking.expire_due(session, now=now + TEN, limit=3) == 3
        assert booking.find(session, ids[0]).state is S.HELD
        assert booking.expire_due(session, now=now + TEN) == 1
        assert booking.expire_due(session, now=now + TEN) == 0
        assert taken(session) == [0, 0, 0, 0]


def test_a_cancelled_place_is_free_and_its_person_too(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(1), now)
        assert booking.cancel(session, mine, now=now).state is S.CANCELLED
        assert booked(session, 1, slot(2), now) != mine
        # The slot was full: whoever would hand the place to somebody cannot foresee its return.
        with pytest.raises(SlotFull):
            hold(session, 2, slot(1), now)
        assert after_a_while(session) == [0, 0, 1, 0]
        assert hold(session, 2, slot(1), now).state is S.HELD


def test_who_was_served_keeps_the_place_and_may_book_again(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        booking.arrive(session, mine, now=now)
        assert booking.leave(session, mine, now=now).state is S.BOOKED
        booking.arrive(session, mine, now=now)
        assert booking.serve(session, mine, now=now).state is S.SERVED
        assert booking.live_of(session, "dossier-1") is None
        booked(session, 1, slot(1), now)
        assert taken(session) == [1, 1, 0, 0]


def test_nobody_is_missed_before_their_time(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        with pytest.raises(NotNow):
            booking.miss(session, mine, now=now)
        assert booking.miss(session, mine, now=slot().starts_at).state is S.MISSED
        assert taken(session) == [0, 0, 0, 0]


def test_only_who_was_expected_is_missed(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        late, here, later = (booked(session, n, slot(n), now) for n in range(3))
        booking.arrive(session, here, now=now)
        assert booking.miss_due(session, before=slot(2).starts_at, now=now) == 1
        states = [booking.find(session, one).state for one in (late, here, later)]
        assert states == [S.MISSED, S.ARRIVED, S.BOOKED]


def test_a_move_takes_the_new_place_and_gives_the_old_one_back(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(1), now)
        for there, counted in ((2, [0, 0, 1, 0]), (0, [1, 0, 0, 0]), (0, [1, 0, 0, 0])):
            moved = booking.move(session, mine, to=slot(there), now=now, most=None)
            assert (moved.id, moved.slot, moved.state) == (mine, slot(there), S.BOOKED)
            assert after_a_while(session) == counted
        assert booking.live_of(session, "dossier-1") == moved


@pytest.mark.parametrize("mine_at", [0, 2])
def test_a_move_into_a_full_slot_keeps_the_old_place(
    engine: sa.Engine, now: datetime, mine_at: int
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(mine_at), now)
        booked(session, 2, slot(1), now)
        before = booking.find(session, mine)
        with pytest.raises(SlotFull):
            booking.move(session, mine, to=slot(1), now=now)
        assert booking.find(session, mine) == before
        # Caught inside the transaction, and what is committed is as it was.
    with reading(engine) as session:
        assert booking.find(session, mine) == before
        assert sum(taken(session)) == 2


def test_choosing_another_time_renews_the_hold_but_not_for_ever(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        held = hold(session, 1, slot(), now)
        at = now
        for turn in range(1, 13):
            at += timedelta(minutes=9)
            held = booking.move(session, held.id, to=slot(turn % 3), now=at)
            if at + TEN > now + booking.LONGEST_HOLD * TEN:
                break
            assert held.hold_until == at + TEN
        assert held.hold_until == now + booking.LONGEST_HOLD * TEN
        with pytest.raises(NotNow):
            booking.move(session, held.id, to=slot(3), now=now + booking.LONGEST_HOLD * TEN)
        assert held.state is S.HELD


def test_who_has_arrived_is_neither_moved_nor_cancelled(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        booking.arrive(session, mine, now=now)
        with pytest.raises(NotNow):
            booking.move(session, mine, to=slot(1), now=now)
        with pytest.raises(NotNow):
            booking.cancel(session, mine, now=now)


def test_an_appointment_nobody_made_is_unknown(engine: sa.Engine, now: datetime) -> None:
    happenings = (
        booking.confirm,
        booking.cancel,
        booking.arrive,
        booking.leave,
        booking.serve,
        booking.miss,
    )
    with transaction(engine) as session:
        for happen in happenings:
            with pytest.raises(AppointmentUnknown):
                happen(session, uuid4(), now=now)
        with pytest.raises(AppointmentUnknown):
            booking.move(session, uuid4(), to=slot(), now=now)
        with pytest.raises(AppointmentUnknown):
            booking.find(session, uuid4())


def test_the_list_of_a_day_names_who_is_expected_by_time(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        booking.cancel(session, booked(session, 1, slot(0), now), now=now)
        second = booked(session, 2, slot(2), now)
        first = booked(session, 3, slot(0), now)
        hold(session, 4, slot(1), now)
        booking.arrive(session, second, now=now)
        listed = booking.of_day(session, CODE, THURSDAY)
        assert [(one.id, one.state) for one in listed] == [
            (first, S.BOOKED),
            (second, S.ARRIVED),
        ]
        assert booking.of_day(session, CODE, THURSDAY + timedelta(days=1)) == ()
        assert booking.of_day(session, "elsewhere", THURSDAY) == ()


def test_the_database_itself_refuses_to_oversell(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.IntegrityError), transaction(engine) as session:
        session.execute(sa.update(SlotRow).values(taken=SlotRow.capacity + 1))


def test_the_database_refuses_a_hold_without_an_end(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        held = hold(session, 1, slot(), now)
    with pytest.raises(sa.exc.IntegrityError), transaction(engine) as session:
        session.execute(
            sa.update(AppointmentRow).where(AppointmentRow.id == held.id).values(hold_until=None)
        )
