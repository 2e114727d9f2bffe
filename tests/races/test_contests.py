"""The contests the benchmark runs in full, in small: sold exactly, one winner each, nothing left.

`benchmarks.booking_races` runs the same code 20 times, 10,000 times, with 20 kills.
"""

from datetime import datetime

import sqlalchemy as sa

from tests.races.contest import (
    confirm_against_expire,
    kill_workers,
    moves_across,
    rush,
)


def test_64_clients_buy_exactly_600_places(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    came = rush(engine, database_url, now)
    assert came.exact, came


def test_confirm_and_expire_meet_300_times_and_one_wins_each(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    ends = confirm_against_expire(engine, database_url, now, 300)
    assert (ends.both, ends.neither, ends.wrong) == (0, 0, 0)
    assert ends.confirmed + ends.expired == 300
    assert ends.confirmed
    assert ends.expired


def test_two_who_want_each_others_full_slot_keep_theirs(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    assert moves_across(engine, database_url, now, 60) == (0, 0)


def test_workers_killed_amid_the_contention_leave_nothing_half_done(
    engine: sa.Engine, database_url: str, now: datetime
) -> None:
    left = kill_workers(engine, database_url, now, 6)
    assert (left.drift, left.loose) == (0, 0)
    assert left.done > 0
