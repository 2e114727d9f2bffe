"""Fixtures every test may ask for: a database on both engines, and the loud skips."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import psycopg
import pytest
import sqlalchemy as sa

import scheduler.tables
import scheduler.tables_calendar
import scheduler.tables_day
import scheduler.tables_waiting  # noqa: F401 - fills the metadata
import server.store.tables
import server.store.tables_day  # noqa: F401 - fills the metadata
from scheduler.database import Base, connect
from tests import postgres

IN_CI = bool(os.environ.get("CI"))
SHARED = Path(__file__).resolve().parents[2] / "shared"


def absent(what: str) -> None:
    """Skip loudly; in CI a missing part is a failure."""
    if IN_CI:
        pytest.fail(f"{what}: in CI nothing may be missing")
    pytest.skip(f"LEFT OUT: {what}")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    with postgres.cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database with every table, once on each engine."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/test.db"
    else:
        cluster = cast("str", request.getfixturevalue("postgres_cluster"))
        name = f"t{uuid.uuid4().hex[:12]}"
        admin = cluster.format(name="postgres").replace("+psycopg", "")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = cluster.format(name=name)
    engine = connect(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def now() -> datetime:
    """A Tuesday morning in November 2026, 09:00 in Vietnam."""
    return datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def shared() -> Path:
    """The folder of development data beside the checkout."""
    if not SHARED.is_dir():
        absent("the development data beside the checkout (../shared)")
    return SHARED
