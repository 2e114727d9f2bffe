"""Opening days: again and again without harm, and never under somebody's feet."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, horizon, ledger, offers, places
from scheduler.booking import SlotFull, SlotGone
from scheduler.database import transaction
from scheduler.horizon import Opened
from scheduler.places import PlaceUnknown, Unlike
from scheduler.tables import Kind, Scope, SlotRow
from tests.races.station import CODE, MORNINGS, THURSDAY, add_place, booked, hold, slot

NOTHING = Opened(opened=0, changed=0, withdrawn=0, stranded=())
CLOSED = Unlike(day=THURSDAY, kind=Kind.CLOSED, words="Mất điện", source="CV 12")


def _open(session: Session, now: datetime) -> Opened:
    last = THURSDAY + timedelta(days=6)
    return horizon.materialise(session, CODE, first=now.date(), last=last, now=now)


@pytest.fixture
def place(engine: sa.Engine, now: datetime) -> int:
    """A place with mornings, opened for a week; gives the number of its rule."""
    with transaction(engine) as session:
        add_place(session)
        number = places.add_rule(session, CODE, MORNINGS)
        assert _open(session, now).opened == 6 * 8
    return number


def _slots(session: Session) -> list[tuple[int, int, bool]]:
    rows = session.execute(
        sa.select(SlotRow.minutes, SlotRow.capacity, SlotRow.offered)
        .where(SlotRow.starts_at.between(slot(0).starts_at, slot(7).starts_at))
        .order_by(SlotRow.starts_at)
    )
    return [(minutes, capacity, offered) for minutes, capacity, offered in rows]


@pytest.mark.usefixtures("place")
def test_opening_again_changes_nothing(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        assert _open(session, now) == NOTHING


@pytest.mark.usefixtures("place")
def test_the_past_is_left_alone(engine: sa.Engine, now: datetime) -> None:
    later = slot(3).starts_at
    with transaction(engine) as session:
        places.close_place(session, CODE)
        assert _open(session, later).withdrawn == 36
        assert [offered for _, _, offered in _slots(session)] == [True] * 4 + [False] * 4


def test_empty_slots_follow_new_hours_and_taken_ones_keep_their_length(
    engine: sa.Engine, now: datetime, place: int
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(0), now)
        places.end_rule(session, place, last=THURSDAY - timedelta(days=1))
        places.add_rule(session, CODE, replace(MORNINGS, step=30, capacity=5))
        done = _open(session, now)
        after_it = _slots(session)
        assert booking.find(session, mine).minutes == 15
        assert _open(session, now) == NOTHING
    assert after_it[:4] == [(15, 5, True), (15, 2, False), (30, 5, True), (15, 2, False)]
    # Wednesday: both rules, four slots grow. The five days from Thursday: the new rule alone.
    assert done == Opened(opened=0, changed=4 + 5 * 4, withdrawn=5 * 4, stranded=())


def test_a_capacity_never_falls_below_who_is_in(
    engine: sa.Engine, now: datetime, place: int
) -> None:
    with transaction(engine) as session:
        for who, where in ((1, 0), (2, 0), (3, 1)):
            booked(session, who, slot(where), now)
        places.end_rule(session, place, last=THURSDAY - timedelta(days=1))
        places.add_rule(session, CODE, replace(MORNINGS, capacity=1, valid_from=THURSDAY))
        assert _open(session, now).stranded == ()
        assert [capacity for _, capacity, _ in _slots(session)] == [2, 1, 1, 1, 1, 1, 1, 1]
        assert _open(session, now) == NOTHING
        with pytest.raises(SlotFull):
            hold(session, 4, slot(1), now)


def test_who_is_in_a_withdrawn_slot_stays_and_is_reported(
    engine: sa.Engine, now: datetime, place: int
) -> None:
    with transaction(engine) as session:
        mine = booked(session, 1, slot(0), now)
        places.add_exception(session, CLOSED, scope=Scope.PLACE, code=CODE)
        done = _open(session, now)
        assert done == Opened(
            opened=0, changed=0, withdrawn=8, stranded=((slot(0).starts_at, "regular"),)
        )
        with pytest.raises(SlotGone):
            hold(session, 2, slot(0), now)
        assert booking.move(session, mine, to=slot(4 * 24), now=now).state == "booked"
        assert ledger.drift(session) == ()


def test_a_day_opened_again_is_offered_again(engine: sa.Engine, now: datetime, place: int) -> None:
    with transaction(engine) as session:
        places.add_exception(session, CLOSED, scope=Scope.PROVINCE, code="01")
        assert _open(session, now).withdrawn == 8
        assert _open(session, now) == NOTHING
        places.remove_exception(session, THURSDAY, scope=Scope.PROVINCE, code="01")
        assert _open(session, now) == replace(NOTHING, changed=8)
        assert hold(session, 1, slot(0), now).minutes == 15


def test_the_place_outweighs_the_province_and_that_the_nation(
    engine: sa.Engine, now: datetime, place: int
) -> None:
    opened = Unlike(day=THURSDAY, kind=Kind.MAKE_UP_DAY, as_weekday=0, source="CV 13")
    with transaction(engine) as session:
        places.add_exception(session, opened, scope=Scope.PLACE, code=CODE)
        places.add_exception(session, CLOSED, scope=Scope.PROVINCE, code="01")
        places.add_exception(session, CLOSED, scope=Scope.NATION)
        assert _open(session, now) == NOTHING
        places.remove_exception(session, THURSDAY, scope=Scope.PLACE, code=CODE)
        assert _open(session, now).withdrawn == 8


@pytest.mark.usefixtures("place")
def test_a_closed_place_offers_nothing_until_it_opens_again(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        places.close_place(session, CODE)
        assert _open(session, now).withdrawn == 48
        assert offers.times(session, CODE, THURSDAY, now=now) == ()
        places.reopen_place(session, CODE)
        assert _open(session, now).changed == 48
        assert len(offers.times(session, CODE, THURSDAY, now=now)) == 8


def test_an_unknown_place_and_a_year_too_many_are_refused(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        with pytest.raises(PlaceUnknown):
            _open(session, now)
        with pytest.raises(ValueError, match="at once"):
            horizon.materialise(
                session, CODE, first=THURSDAY, last=THURSDAY + timedelta(days=401), now=now
            )


NONSENSE = (
    replace(MORNINGS, opens=MORNINGS.closes),
    replace(MORNINGS, step=0),
    replace(MORNINGS, capacity=0),
    replace(MORNINGS, weekdays=frozenset()),
    replace(MORNINGS, valid_to=MORNINGS.valid_from - timedelta(days=1)),
)


def test_the_database_refuses_hours_that_make_no_sense(engine: sa.Engine) -> None:
    with transaction(engine) as session:
        add_place(session)
        for rule in NONSENSE:
            with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
                places.add_rule(session, CODE, rule)
        assert places.rules(session, CODE) == ()


HALF_SAID = (
    (replace(CLOSED, kind=Kind.MAKE_UP_DAY), Scope.PLACE, CODE),  # whose hours?
    (replace(CLOSED, kind=Kind.SHORT_DAY), Scope.PLACE, CODE),  # until when?
    (CLOSED, Scope.PLACE, ""),  # which place?
    (CLOSED, Scope.NATION, CODE),  # all places or one?
)


def test_the_database_refuses_half_said_exceptions(engine: sa.Engine) -> None:
    with transaction(engine) as session:
        for unlike, scope, code in HALF_SAID:
            with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
                places.add_exception(session, unlike, scope=scope, code=code)
