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
from scheduler import partitions
from scheduler.database import Base, Utc


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:  # noqa: ANN401 - Alembic's
    """A migration stands alone: what it made is not changed by a later change of our types."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Utc) else False


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:  # noqa: ANN401 - Alembic's
    """Pass over monthly partitions: they come and go, and are as their table is."""
    return kind != "table" or name not in PARTS


def _points_to_ours(thing: Any, _name: Any, kind: str, *_: Any) -> bool:  # noqa: ANN401 - Alembic's
    """Pass over what PostgreSQL keeps for each partition of a table that is pointed to."""
    return kind != "foreign_key_constraint" or not any(
        element.target_fullname.split(".")[0] in PARTS for element in thing.elements
    )


connection: sa.Connection = context.config.attributes["connection"]
PARTS = partitions.of(connection)
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=_render,
    include_name=_is_ours,
    include_object=_points_to_ours,
)
with context.begin_transaction():
    context.run_migrations()
