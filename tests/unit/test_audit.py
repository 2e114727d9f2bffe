"""The audit chain: what is changed is found, and what is written meanwhile is no break."""

from collections.abc import Callable
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.database import Base, reading, transaction
from server.store import audit
from server.store.tables import Audit, AuditHead


@pytest.fixture
def chain(engine: sa.Engine, now: datetime) -> sa.Engine:
    Base.metadata.create_all(engine)
    with transaction(engine) as session:
        audit.begin(session)
    for number in range(3):
        write(engine, now, number)
    return engine


def write(engine: sa.Engine, now: datetime, number: int) -> None:
    with transaction(engine) as session:
        audit.append(session, at=now, actor="a", action="b", subject=str(number))


def broken(engine: sa.Engine) -> int | None:
    with reading(engine) as session:
        return audit.broken_at(session)


def test_an_entry_written_during_the_check_is_no_break(chain: sa.Engine, now: datetime) -> None:
    told: list[str] = []

    def meanwhile(*event: object) -> None:
        if not told:
            told.append(str(event[2]))
            write(chain, now, 4)

    with reading(chain) as session:
        sa.event.listen(session.connection(), "after_cursor_execute", meanwhile)
        assert audit.broken_at(session) is None
    assert told
    assert broken(chain) is None


def test_an_empty_chain_is_whole_and_one_without_a_head_is_not(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    assert broken(engine) == 1
    with transaction(engine) as session:
        audit.begin(session)
    assert broken(engine) is None


def _edit(session: Session) -> None:
    session.execute(sa.update(Audit).where(Audit.seq == 2).values(subject="another"))


def _drop(session: Session) -> None:
    session.execute(sa.delete(Audit).where(Audit.seq == 2))


def _cut(session: Session) -> None:
    session.execute(sa.delete(Audit).where(Audit.seq > 1))


def _behead(session: Session) -> None:
    session.execute(sa.update(AuditHead).values(seq=2))


def _empty(session: Session) -> None:
    session.execute(sa.delete(Audit))


@pytest.mark.parametrize(
    ("tamper", "found"), [(_edit, 2), (_drop, 2), (_cut, 2), (_behead, 4), (_empty, 1)]
)
def test_what_was_changed_is_found(
    chain: sa.Engine, tamper: Callable[[Session], None], found: int
) -> None:
    with transaction(chain) as session:
        tamper(session)
    assert broken(chain) == found
