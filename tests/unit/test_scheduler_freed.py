"""Places that come back: kept while nobody else has them, offered in turn, returned at random."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, claims, freed, ledger, offering, wishes
from scheduler.database import reading, transaction
from scheduler.life import AppointmentState
from scheduler.matching import Wanted
from scheduler.slots import Seat, SlotFull
from scheduler.tables import ClaimRow, SlotRow
from scheduler.tables_waiting import FreedRow, WishRow, WishState
from scheduler.wish_life import NotNow
from scheduler.wishes import Companion, Wish
from tests.races.station import (
    CODE,
    EIGHT,
    THURSDAY,
    at_once,
    booked,
    errors,
    furnish,
    hold,
    in_transaction,
    locks_in_order,
    slot,
    taken,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def wish(who: int, people: int = 1, minutes: int = 15, **others: object) -> Wish:
    """Return what the person `who` wants: Thursday, with so many companions."""
    made = Wish(
        whose=f"dossier-{who}",
        person_key=f"person-{who}".encode(),
        purpose="NEW",
        places=(CODE,),
        wanted=Wanted(first_day=THURSDAY, last_day=THURSDAY, people=people, minutes=minutes),
        companions=tuple(
            Companion(
                whose=f"dossier-{who}-{n}",
                person_key=f"person-{who}-{n}".encode(),
                purpose="NEW",
            )
            for n in range(1, people)
        ),
    )
    return replace(made, **others)  # type: ignore[arg-type]


def _thursday(**others: object) -> Wanted:
    one = Wanted(first_day=THURSDAY, last_day=THURSDAY, minutes=15)
    return replace(one, **others)  # type: ignore[arg-type]


def waits(session: Session, who: int, now: datetime, **others: object) -> UUID:
    """Put the person `who` on the waiting list."""
    made = wishes.make(session, wish(who, **others), now=now)  # type: ignore[arg-type]
    assert made.id is not None
    return made.id


def freed_by(engine: sa.Engine, who: int, now: datetime, number: int = 0) -> None:
    """Let somebody book a slot and cancel."""
    with transaction(engine) as session:
        mine = booked(session, who, slot(number), now)
    with transaction(engine) as session:
        booking.cancel(session, mine, now=now)


def states(session: Session, *ids: UUID) -> list[WishState]:
    return [wishes.find(session, one).state for one in ids]


@pytest.fixture(autouse=True)
def _nothing_drifts(engine: sa.Engine) -> object:
    yield
    with reading(engine) as session:
        assert ledger.drift(session) == ()
        assert ledger.loose(session) == 0
        holders = set(
            session.scalars(sa.select(ClaimRow.holder).where(ClaimRow.kind == claims.WISH))
        )
        alive = sa.select(WishRow.id).where(WishRow.state.in_(wishes.ALIVE))
        assert holders == set(session.scalars(alive))


def test_a_full_slots_place_stays_counted_and_nobody_books_it(
    engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1)
    freed_by(engine, 1, now)
    with transaction(engine) as session:
        assert taken(session) == [1]
        with pytest.raises(SlotFull):
            hold(session, 2, slot(), now)


def test_it_comes_back_later_and_then_anybody_may_have_it(engine: sa.Engine, now: datetime) -> None:
    furnish(engine, 1)
    freed_by(engine, 1, now)
    with transaction(engine) as session:
        row = session.scalars(sa.select(FreedRow)).one()
        assert now + timedelta(minutes=30) <= row.returns_at <= now + 6 * HOUR
        assert freed.return_due(session, now=row.returns_at - timedelta(seconds=1)) == 0
        assert freed.return_due(session, now=row.returns_at) == 1
        assert taken(session) == [0]
        assert hold(session, 2, slot(), now).state is AppointmentState.HELD


@pytest.mark.parametrize(
    ("because", "values"),
    [
        ("there is room anyway", {"capacity": 2, "public_capacity": 2}),
        ("it is given by lot", {"by_lot": True}),
        ("the calendar no longer has it", {"offered": False}),
    ],
)
def test_a_place_goes_back_at_once_where(
    engine: sa.Engine, now: datetime, because: str, values: dict[str, object]
) -> None:
    assert because
    furnish(engine, 1)
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        session.execute(sa.update(SlotRow).values(**values))
    with transaction(engine) as session:
        booking.cancel(session, mine, now=now)
        assert taken(session) == [0]


def test_a_near_place_and_an_officers_go_back_at_once(engine: sa.Engine, now: datetime) -> None:
    furnish(engine, 1, 1)
    late = EIGHT - 3 * HOUR
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        session.execute(sa.update(SlotRow).values(taken=1, public_taken=1))
        freed.release(session, {Seat(slot=slot(1), public=True): 1}, now=late)
        booking.cancel(session, mine, now=late)
        assert taken(session) == [0, 0]
        session.execute(sa.update(SlotRow).values(taken=1))
        officers = {Seat(slot=slot(n), public=False): 1 for n in (0, 1)}
        freed.release(session, officers, now=now)
        assert taken(session) == [0, 0]


def test_a_hold_that_is_given_up_goes_straight_back(engine: sa.Engine, now: datetime) -> None:
    furnish(engine, 1)
    with transaction(engine) as session:
        booking.cancel(session, hold(session, 1, slot(), now).id, now=now)
        assert taken(session) == [0]


def test_the_oldest_wish_is_asked_and_accepts_without_the_counter_moving(
    engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1)
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        first = waits(session, 2, now)
        second = waits(session, 3, now + timedelta(minutes=1))
        booking.cancel(session, mine, now=now)
    later = now + timedelta(minutes=2)
    with transaction(engine) as session:
        assert offering.places_waited_for(session, now=later) == (CODE,)
        assert [w.id for w in offering.offer_next(session, CODE, now=later)] == [first]
        assert states(session, first, second) == [WishState.OFFERED, WishState.WAITING]
        assert offering.offer_next(session, CODE, now=later) == ()
        offer = offering.offer_of(session, first)
        assert offer is not None
        assert offer.slot == slot()
    with transaction(engine) as session:
        (made,) = offering.answer(session, first, accept=True, now=later)
        assert (made.state, made.slot, made.whose) == (
            AppointmentState.BOOKED,
            slot(),
            "dossier-2",
        )
        assert taken(session) == [1]
        assert states(session, first) == [WishState.PLACED]
        assert session.scalars(sa.select(FreedRow)).all() == []
        held = session.scalars(sa.select(ClaimRow.kind).where(ClaimRow.holder == first)).all()
        assert held == []


def test_what_is_declined_or_not_answered_goes_to_the_next_and_not_back_to_the_same(
    engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1)
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        first, second = waits(session, 2, now), waits(session, 3, now + timedelta(minutes=1))
        booking.cancel(session, mine, now=now)
        offering.offer_next(session, CODE, now=now)
        assert offering.answer(session, first, accept=False, now=now) == ()
        assert [w.id for w in offering.offer_next(session, CODE, now=now)] == [second]
        offer = offering.offer_of(session, second)
        assert offer is not None
        assert offering.pass_due(session, now=offer.answer_by - timedelta(seconds=1)) == ()
        with pytest.raises(NotNow):
            offering.answer(session, second, accept=True, now=offer.answer_by)
        over = offering.pass_due(session, now=offer.answer_by)
        assert [w.id for w in over] == [second]
        assert offering.offer_next(session, CODE, now=offer.answer_by) == ()
        row = session.scalars(sa.select(FreedRow)).one()
        # Whoever turned it down cannot know when it comes back.
        assert row.returns_at >= offer.answer_by + timedelta(minutes=30)
        assert taken(session) == [1]


def test_somebody_who_never_answers_is_asked_four_times(engine: sa.Engine, now: datetime) -> None:
    furnish(engine, 1, 1, 1, 1, 1)
    with transaction(engine) as session:
        one = waits(session, 2, now)
        at, asked = now, 0
        while offering.offer_next(session, CODE, now=at):
            asked += 1
            offer = offering.offer_of(session, one)
            assert offer is not None
            at = offer.answer_by
            offering.pass_due(session, now=at)
        assert (asked, states(session, one)) == (4, [WishState.LAPSED])


def test_priority_groups_come_first_but_for_wishes_a_day_older(
    engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1, 1)
    yesterday = now - timedelta(hours=25, minutes=1)
    with transaction(engine) as session:
        old = waits(session, 1, yesterday)
        plain = waits(session, 2, now - timedelta(hours=2))
        first = waits(session, 3, now - HOUR, priority=True)
        asked = offering.offer_next(session, CODE, now=now)
        assert [one.id for one in asked] == [old, first]
        assert states(session, plain) == [WishState.WAITING]


def test_two_hundred_who_cannot_be_helped_keep_nothing_from_who_can(
    engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1, 1)
    with transaction(engine) as session:
        for n in range(200):  # all made in the same moment; nobody is here in the afternoon
            waits(session, n, now, wanted=_thursday(from_time=time(13 + n % 3)))
        taker = booked(session, 200, slot(0), now)
        last = waits(session, 201, now + timedelta(seconds=1), wanted=_thursday(to_time=time(8)))
        booked(session, 202, slot(1), now)
        booking.cancel(session, taker, now=now + timedelta(minutes=1))
        assert [one.id for one in offering.offer_next(session, CODE, now=now)] == [last]
        offer = offering.offer_of(session, last)
        assert offer is not None
        assert offer.slot == slot(0)


@pytest.mark.parametrize(
    ("wanted", "others", "kept"),
    [
        ({}, {}, 1),
        ({"weekdays": frozenset({3})}, {}, 1),
        ({"weekdays": frozenset(range(7)) - {3}, "last_day": THURSDAY + DAY}, {}, 0),
        ({"first_day": THURSDAY + DAY, "last_day": THURSDAY + DAY}, {}, 0),
        ({"first_day": THURSDAY - DAY, "last_day": THURSDAY - DAY}, {}, 0),
        ({"from_time": time(8), "to_time": time(8)}, {}, 1),
        ({"from_time": time(8, 1)}, {}, 0),
        ({"to_time": time(7, 59)}, {}, 0),
        ({}, {"priority": True}, 1),
    ],
)
def test_a_place_beside_free_ones_is_kept_only_where_somebody_waits_for_that_time(
    engine: sa.Engine,
    now: datetime,
    wanted: dict[str, object],
    others: dict[str, object],
    kept: int,
) -> None:
    furnish(engine, 2)
    with transaction(engine) as session:
        mine = booked(session, 1, slot(), now)
        waits(session, 2, now, wanted=_thursday(**wanted), **others)
        booking.cancel(session, mine, now=now)
        assert taken(session) == [kept]


def test_a_family_is_offered_places_side_by_side_or_none(engine: sa.Engine, now: datetime) -> None:
    furnish(engine, 2, 0 + 1, 1)
    with transaction(engine) as session:
        mine = [booked(session, n, slot(0), now) for n in (1, 2)]
        for number in (1, 2):
            booked(session, 2 + number, slot(number), now)
        family = waits(session, 9, now, people=3)
        booking.cancel(session, mine[0], now=now)
        assert offering.offer_next(session, CODE, now=now) == ()
        booking.cancel(session, mine[1], now=now)
        assert offering.offer_next(session, CODE, now=now) == ()
        third = booking.live_of(session, "dossier-3")
        assert third is not None
        booking.cancel(session, third.id, now=now)
        assert [one.id for one in offering.offer_next(session, CODE, now=now)] == [family]
        made = offering.answer(session, family, accept=True, now=now)
        assert [one.slot for one in made] == [slot(0), slot(0), slot(1)]
        assert len({one.party for one in made}) == 1
        assert made[0].party is not None
        assert taken(session) == [2, 1, 1]


def test_whoever_needs_long_gets_slots_that_follow_each_other_and_gives_them_all_back(
    engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1, 1, 1)
    with transaction(engine) as session:
        one = waits(session, 1, now, minutes=30)
        offering.offer_next(session, CODE, now=now)
        (made,) = offering.answer(session, one, accept=True, now=now)
        assert (made.slot, made.minutes) == (slot(0), 30)
        assert taken(session) == [1, 1, 0]
    with transaction(engine) as session:
        booking.cancel(session, made.id, now=EIGHT - HOUR)
        assert taken(session) == [0, 0, 0]


def test_what_one_slot_was_enough_for_needs_two_shorter_ones_when_it_is_moved(
    engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1, 1, 1, 1)
    with transaction(engine) as session:
        session.execute(
            sa.update(SlotRow).where(SlotRow.starts_at == slot(0).starts_at).values(minutes=30)
        )
        one = waits(session, 1, now, minutes=25)
        offering.offer_next(session, CODE, now=now)
        (made,) = offering.answer(session, one, accept=True, now=now)
        assert (made.slot, made.minutes) == (slot(0), 30)
        moved = booking.move(session, made.id, to=slot(2), now=now)
        assert (moved.slot, moved.minutes) == (slot(2), 30)
        assert taken(session)[2:] == [1, 1]


def test_an_offer_in_a_slot_that_was_closed_meanwhile_cannot_be_accepted(
    engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1)
    with transaction(engine) as session:
        one = waits(session, 1, now)
        offering.offer_next(session, CODE, now=now)
        session.execute(sa.update(SlotRow).values(offered=False))
    with transaction(engine) as session, pytest.raises(booking.SlotGone):
        offering.answer(session, one, accept=True, now=now)
    with transaction(engine) as session:
        offering.answer(session, one, accept=False, now=now)


def test_two_workers_offer_a_place_to_one_wish_only(
    database_url: str, engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 3)
    with transaction(engine) as session:
        mine = [booked(session, n, slot(), now) for n in (1, 2, 3)]
        ids = [waits(session, 10 + n, now + timedelta(seconds=n)) for n in range(12)]
        for one in mine:
            booking.cancel(session, one, now=now)
    later = now + HOUR
    works = [in_transaction(lambda s: offering.offer_next(s, CODE, now=later))] * 4
    done = at_once(database_url, *works)
    assert errors(done) == []
    with transaction(engine) as session:
        offering.offer_next(session, CODE, now=later)
        assert states(session, *ids).count(WishState.OFFERED) == 3
        rows = session.scalars(sa.select(FreedRow)).all()
        assert len({row.wish for row in rows}) == len(rows) == 3
        assert taken(session) == [3]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_whoever_offers_waits_for_the_first_slot_before_it_locks_a_later_one(
    database_url: str, engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1, 1, 1)
    with transaction(engine) as session:
        waits(session, 1, now, wanted=_thursday(from_time=time(8, 30)))
        waits(session, 2, now + timedelta(seconds=1), wanted=_thursday(to_time=time(8)))
    offers = in_transaction(lambda s: offering.offer_next(s, CODE, now=now + HOUR))
    assert locks_in_order(database_url, engine, offers, first=slot(0), later=slot(2))
    with reading(engine) as session:
        assert taken(session) == [1, 0, 1]


def test_an_answer_and_its_end_race_and_one_of_them_wins(
    database_url: str, engine: sa.Engine, now: datetime
) -> None:
    furnish(engine, 1)
    with transaction(engine) as session:
        one = waits(session, 1, now)
        offering.offer_next(session, CODE, now=now)
        offer = offering.offer_of(session, one)
    assert offer is not None
    just = offer.answer_by - timedelta(seconds=1)
    done = at_once(
        database_url,
        in_transaction(lambda s: len(offering.answer(s, one, accept=True, now=just))),
        in_transaction(lambda s: len(offering.pass_due(s, now=offer.answer_by))),
    )
    with reading(engine) as session:
        placed = states(session, one) == [WishState.PLACED]
        assert (booking.live_of(session, "dossier-1") is not None) == placed
        assert (done[0] == 1) == placed
        assert taken(session) == [1]


def test_a_withdrawn_wish_hands_its_offer_to_the_next(engine: sa.Engine, now: datetime) -> None:
    furnish(engine, 1)
    with transaction(engine) as session:
        first, second = waits(session, 1, now), waits(session, 2, now)
        (asked,) = offering.offer_next(session, CODE, now=now)
        other = second if asked.id == first else first
        assert asked.id is not None
        wishes.withdraw(session, asked.id, now=now)
        assert [one.id for one in offering.offer_next(session, CODE, now=now)] == [other]
        key = claims.of_wish(asked.whose)
        assert session.get(ClaimRow, key) is None
