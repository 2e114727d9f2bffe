"""One migration head, no drift between tables and migrations, the same on both engines."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from scheduler.database import Base, connect, reading
from server.cli import database
from server.store import audit
from server.store.tables import AuditHead


@pytest.fixture
def empty(database_url: str) -> Iterator[sa.Engine]:
    engine = connect(database_url)
    Base.metadata.drop_all(engine)
    yield engine
    engine.dispose()


def test_there_is_one_head() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(database.config(connection))
        assert len(script.get_heads()) == 1
    engine.dispose()


def test_the_migrations_make_the_tables_and_begin_the_chain(empty: sa.Engine) -> None:
    database.upgrade(empty)
    database.upgrade(empty)
    with empty.begin() as connection:
        command.check(database.config(connection))
    with reading(empty) as session:
        assert session.get_one(AuditHead, 1).seq == 0
        assert audit.broken_at(session) is None


def test_the_migrations_can_be_taken_back(empty: sa.Engine) -> None:
    database.upgrade(empty)
    with empty.begin() as connection:
        command.downgrade(database.config(connection), "base")
    assert set(sa.inspect(empty).get_table_names()) <= {"alembic_version"}
