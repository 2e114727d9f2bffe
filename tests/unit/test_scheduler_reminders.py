"""Reminders: at a decent hour, in time, once, and never of what no longer stands."""

from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from scheduler import booking, reminders
from scheduler.calendar import HERE
from scheduler.database import transaction
from tests.races.station import at_once, booked, furnish, hold, slot

LONG_BEFORE = timedelta(days=10)
HOUR = timedelta(hours=1)


def _due(engine: sa.Engine, now: datetime) -> list[str]:
    with transaction(engine) as session:
        return [found.rule for found in reminders.due(session, now=now)]


@pytest.mark.parametrize(
    ("before", "rule"),
    [(timedelta(days=3), "three_days"), (timedelta(days=1), "one_day")],
)
def test_a_reminder_comes_once_and_not_before_its_moment(
    engine: sa.Engine, before: timedelta, rule: str
) -> None:
    furnish(engine, 1)
    starts_at = slot().starts_at
    with transaction(engine) as session:
        booked(session, 1, slot(), starts_at - LONG_BEFORE)
    assert _due(engine, starts_at - before - timedelta(minutes=1)) == []
    assert _due(engine, starts_at - before) == [rule]
    assert _due(engine, starts_at - before + HOUR) == []


def test_what_falls_in_the_night_is_said_the_evening_before(engine: sa.Engine) -> None:
    """Two hours before eight is six in the morning."""
    furnish(engine, 1)
    starts_at = slot().starts_at
    with transaction(engine) as session:
        booked(session, 1, slot(), starts_at - LONG_BEFORE)
    rule = reminders.rules()[-1]
    said = reminders.moment(rule, starts_at).astimezone(HERE)
    assert (said.date(), said.time()) == (
        starts_at.astimezone(HERE).date() - timedelta(days=1),
        time(20, 30),
    )


def test_at_night_nobody_is_reminded(engine: sa.Engine) -> None:
    furnish(engine, 1)
    starts_at = slot().starts_at  # eight o'clock
    with transaction(engine) as session:
        booked(session, 1, slot(), starts_at - LONG_BEFORE)
    night = starts_at - timedelta(days=2, hours=23)  # nine in the morning three days before
    assert _due(engine, night - timedelta(hours=12)) == []
    assert _due(engine, night) == ["three_days"]


def test_who_has_just_booked_needs_no_reminder_of_it(engine: sa.Engine) -> None:
    furnish(engine, 1)
    starts_at = slot().starts_at
    with transaction(engine) as session:
        booked(session, 1, slot(), starts_at - timedelta(hours=20))
    assert _due(engine, starts_at - timedelta(hours=19)) == []


def test_whoever_cancelled_is_left_alone_and_whoever_moved_is_reminded_anew(
    engine: sa.Engine,
) -> None:
    furnish(engine, 1, 1, 1, 1)
    starts_at = slot().starts_at
    with transaction(engine) as session:
        given_up = booked(session, 1, slot(), starts_at - LONG_BEFORE)
        moved = booked(session, 2, slot(1), starts_at - LONG_BEFORE)
        hold(session, 3, slot(2), starts_at - timedelta(days=3, hours=1), minutes=600)
        booking.cancel(session, given_up, now=starts_at - timedelta(days=4))
    day_before = starts_at - timedelta(days=1)
    assert _due(engine, day_before + HOUR) == ["one_day"]
    with transaction(engine) as session:
        booking.move(session, moved, to=slot(3), now=day_before + 2 * HOUR)
    assert _due(engine, day_before + 3 * HOUR) == []  # they have just read the new time
    soon = reminders.moment(reminders.rules()[-1], slot(3).starts_at)
    assert _due(engine, soon) == ["two_hours"]


def test_a_reminder_that_is_far_too_late_is_not_given(engine: sa.Engine) -> None:
    furnish(engine, 1)
    starts_at = slot().starts_at
    with transaction(engine) as session:
        booked(session, 1, slot(), starts_at - LONG_BEFORE)
    assert _due(engine, starts_at - timedelta(days=2)) == []


def test_two_workers_remind_once(database_url: str, engine: sa.Engine) -> None:
    furnish(engine, 4)
    starts_at = slot().starts_at
    with transaction(engine) as session:
        for who in range(4):
            booked(session, who, slot(), starts_at - LONG_BEFORE)
    now = starts_at - timedelta(days=1) + HOUR
    found = at_once(database_url, *(lambda engine: _due(engine, now) for _ in range(4)))
    assert sum(len(rules) for rules in found if isinstance(rules, list)) == 4


def test_the_night_ends_at_seven() -> None:
    evening = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # ten at night in Vietnam
    assert reminders.decent_from(evening).astimezone(HERE).isoformat() == (
        "2026-11-25T07:00:00+07:00"
    )
    early = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)  # six in the morning of the 25th
    assert reminders.decent_from(early).astimezone(HERE).isoformat() == "2026-11-25T07:00:00+07:00"
    noon = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
    assert reminders.decent_from(noon) == noon


def test_the_moment_never_falls_as_the_appointment_comes_later() -> None:
    begins = datetime(2026, 11, 26, 0, 0, tzinfo=UTC)
    starts = [begins + timedelta(minutes=15 * n) for n in range(200)]
    for rule in reminders.rules():
        moments = [reminders.moment(rule, start) for start in starts]
        assert moments == sorted(moments)
        assert all(reminders.is_decent(moment) for moment in moments)
