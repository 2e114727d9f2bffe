"""Brings a database to the present schema; the only place that changes tables."""

import argparse
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from scheduler import partitions
from scheduler.database import connect, transaction
from server import clock
from server.settings import Settings
from server.store import audit

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"

AHEAD = timedelta(days=92)
"""[D] Months made at once; the worker makes all others in time."""


def config(connection: sa.Connection) -> Config:
    """Return Alembic's configuration for `connection`; there is no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest migration and begin the audit chain."""
    with engine.begin() as connection:
        command.upgrade(config(connection), "head")
    with transaction(engine) as session:
        audit.begin(session)


def _upgrade(_arguments: argparse.Namespace, settings: Settings) -> int:
    engine = connect(settings.database)
    upgrade(engine)
    today = clock.now().astimezone(clock.HERE).date()
    with transaction(engine) as session:  # before the first slots are opened
        partitions.ensure(session, today, today + AHEAD)
    return 0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``database-upgrade``."""
    parser = commands.add_parser("database-upgrade", help="bring the database to this version")
    parser.set_defaults(run=_upgrade)
