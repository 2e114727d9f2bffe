"""The table of people whose time a change of the calendar took away, until somebody settled it.

It decides nothing.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.database import Base
from scheduler.tables import CODE


class StrandedRow(Base):
    """An appointment at a time that is no longer offered; where it stands now is computed."""

    __tablename__ = "stranded"

    appointment_id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    """The time that was taken away; whoever is moved and loses that too has two rows."""
    place: Mapped[str] = mapped_column(sa.String(CODE), index=True)
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    found_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    """When they were sent other times to choose from."""
    unreachable: Mapped[bool]
    """There was no way to send them anything: an officer calls."""
    called_at: Mapped[datetime | None]
    called_by: Mapped[str | None] = mapped_column(sa.String(80))
    settled_at: Mapped[datetime | None] = mapped_column(index=True)
    """When nothing was left to be done; None: somebody still has to be told."""
    settled_by: Mapped[str | None] = mapped_column(sa.String(80))
