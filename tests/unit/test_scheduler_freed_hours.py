"""When places come back and people are asked, and that nothing drifts in whatever order.

One engine does: the races and all else of places that come back run on both.
"""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from scheduler import booking, freed, ledger, offering, waiting_rules, wishes
from scheduler.calendar import HERE
from scheduler.database import Base, connect, transaction
from scheduler.slots import SlotFull
from scheduler.wish_life import NotNow
from tests.races.station import CODE, EIGHT, booked, furnish, slot
from tests.unit.test_scheduler_freed import HOUR, waits


def test_the_hour_of_return_is_spread_and_never_at_night() -> None:
    rng = np.random.default_rng(5)
    starts_at = EIGHT + timedelta(days=10)
    evening = datetime(2026, 11, 24, 18, 0, tzinfo=HERE)
    found = [waiting_rules.returns_at(starts_at, now=evening, rng=rng) for _ in range(400)]
    moments = [moment for moment in found if moment is not None]
    assert len(moments) == 400
    assert all(waiting_rules.decent(moment) for moment in moments)
    # Nobody hits the minute: the fullest five minutes have few of them.
    fives = [int(moment.timestamp() // 300) for moment in moments]
    assert max(fives.count(one) for one in set(fives)) < 30


def test_the_system_draws_the_hour_where_nobody_else_does(now: datetime) -> None:
    moments = {waiting_rules.returns_at(EIGHT + timedelta(days=9), now=now) for _ in range(20)}
    assert len(moments) > 10


@pytest.mark.parametrize(
    ("hour", "left", "minutes"),
    [(9, 72, 120), (9, 20, 60), (9, 5, 30), (9, 2, None), (6, 72, None), (20, 72, None)],
)
def test_the_answers_time_follows_what_is_left_and_ends_before_the_night(
    hour: int, left: int, minutes: int | None
) -> None:
    now = datetime(2026, 11, 24, hour, 0, tzinfo=HERE)
    until = waiting_rules.answer_by(now + timedelta(hours=left), now=now)
    assert until == (None if minutes is None else now + timedelta(minutes=minutes))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["book", "cancel", "wish", "offer", "accept", "decline", "tick", "return"]),
        st.integers(0, 4),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=STEPS)
def test_nothing_drifts_whatever_happens_in_whatever_order(steps: list[tuple[str, int]]) -> None:
    engine = connect("sqlite://")
    Base.metadata.create_all(engine)
    furnish(engine, 2, 1, 1)
    now = datetime(2026, 11, 24, 2, 0, tzinfo=EIGHT.tzinfo)
    rng = np.random.default_rng(1)
    with transaction(engine) as session:
        for what, who in steps:
            now += timedelta(minutes=7)
            _step(session, what, who, now, rng)
            assert ledger.drift(session) == ()
            assert ledger.loose(session) == 0
    engine.dispose()


def _step(session: Session, what: str, who: int, now: datetime, rng: np.random.Generator) -> None:
    refused = (
        SlotFull,
        NotNow,
        booking.NotNow,
        booking.AlreadyBooked,
        wishes.AlreadyWaiting,
    )
    mine = wishes.live_of(session, f"dossier-{who}")
    live = booking.live_of(session, f"dossier-{who}")
    try:
        with session.begin_nested():
            match what:
                case "book":
                    booked(session, who, slot(who % 3), now)
                case "cancel" if live:
                    booking.cancel(session, live.id, now=now)
                case "wish":
                    waits(session, who, now, people=1 + who % 2)
                case "offer":
                    offering.offer_next(session, CODE, now=now, rng=rng)
                case "accept" | "decline" if mine and mine.id:
                    offering.answer(session, mine.id, accept=what == "accept", now=now, rng=rng)
                case "tick":
                    offering.pass_due(session, now=now + timedelta(hours=2), rng=rng)
                    wishes.withdraw_booked(session, now=now)
                case "return":
                    freed.return_due(session, now=now + 7 * HOUR)
                case _:
                    pass
    except refused:
        pass
