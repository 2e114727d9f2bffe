"""The table of what happened at a station on a day, besides what appointments and lines say.

It decides nothing.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.database import Base


class DayEntry(Base):
    """What somebody did or noted at a station on a day; nobody changes or deletes an entry."""

    __tablename__ = "day_entry"
    __table_args__ = (sa.Index("ix_day_entry_day", "station", "day", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    station: Mapped[str] = mapped_column(sa.String(16))
    day: Mapped[date]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(sa.String(80))
    """officer:ID, kiosk:NAME, system."""
    what: Mapped[str] = mapped_column(sa.String(20))
    number: Mapped[int | None]
    """Whose number it was about; None: nobody's."""
    point: Mapped[str | None] = mapped_column(sa.String(80))
    note: Mapped[str | None] = mapped_column(sa.String(300))
