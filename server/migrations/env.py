"""Alembic's entry: runs on the connection it is handed (see `server.cli.database`)."""

import sqlalchemy as sa
from alembic import context

import server.store.tables  # noqa: F401 - fills the metadata
from scheduler.database import Base

connection: sa.Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
