"""Alembic's entry: runs on the connection it is handed (see `server.cli.database`)."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

import scheduler.tables
import scheduler.tables_calendar
import scheduler.tables_day
import scheduler.tables_waiting  # noqa: F401 - fills the metadata
import server.store.tables
import server.store.tables_day  # noqa: F401 - fills the metadata
from scheduler.database import Base, Utc


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:  # noqa: ANN401 - Alembic's
    """A migration stands alone: what it made is not changed by a later change of our types."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Utc) else False


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
