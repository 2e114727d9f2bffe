"""Numbers that are counted up in the database come once each, whoever asks at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import sqlalchemy as sa

from scheduler.database import transaction
from server.store.counters import count_up
from server.store.tables import DossierCounter

DAY = date(2026, 11, 25)


def _number(engine: sa.Engine) -> int:
    with transaction(engine) as session:
        return count_up(session, DossierCounter.last, unit="DEMO.001.026", day=DAY)


def test_the_first_number_is_one_and_each_key_has_its_own_count(engine: sa.Engine) -> None:
    assert [_number(engine) for _ in range(3)] == [1, 2, 3]
    with transaction(engine) as session:
        other = date(2026, 11, 26)
        assert count_up(session, DossierCounter.last, unit="DEMO.001.026", day=other) == 1


def test_many_at_once_from_the_first_on_get_each_number_once(engine: sa.Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: _number(engine), range(40)))
    assert sorted(numbers) == list(range(1, 41))


def test_a_number_taken_back_is_given_again(engine: sa.Engine) -> None:
    with transaction(engine) as session:
        count_up(session, DossierCounter.last, unit="DEMO.001.026", day=DAY)
        session.rollback()
    assert _number(engine) == 1
