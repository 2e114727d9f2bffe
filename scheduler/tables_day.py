"""The tables of a day in the waiting room: who is here, and who serves them where.

It decides nothing.
"""

import enum
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.database import Base
from scheduler.queue_life import QueueState
from scheduler.tables import CODE


class PointKind(enum.StrEnum):
    """What people are called to."""

    KIOSK = "kiosk"
    COUNTER = "counter"


class PointRow(Base):
    """A kiosk or a counter people are called to."""

    __tablename__ = "service_point"
    __table_args__ = (sa.UniqueConstraint("place", "number"),)

    place: Mapped[str] = mapped_column(sa.ForeignKey("place.code"), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    """A kiosk's device name, a counter's number."""
    number: Mapped[int]
    """As it stands above it and is called out."""
    kind: Mapped[PointKind]
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    open: Mapped[bool]


class QueueDayRow(Base):
    """The last number that was handed out at a place on a day."""

    __tablename__ = "queue_day"

    place: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class QueueRow(Base):
    """Somebody in the waiting room, with or without an appointment."""

    __tablename__ = "queue_entry"
    __table_args__ = (
        sa.Index("ix_queue_state", "place", "day", "state"),
        sa.CheckConstraint("priority BETWEEN 0 AND 1", name="priority"),
    )

    place: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    appointment_id: Mapped[UUID | None] = mapped_column(index=True)
    """None: came without one."""
    whose: Mapped[str | None] = mapped_column(sa.String(64))
    priority: Mapped[int]
    minutes: Mapped[int]
    """How long they were planned for."""
    arrived_at: Mapped[datetime]
    """Of a walk-in who was told to come back: when; nobody calls them before."""
    due_at: Mapped[datetime]
    """By which they are put in line."""
    promised_at: Mapped[datetime | None]
    """Until when they will be called, with 80 % probability, as it was told at arrival."""
    state: Mapped[QueueState]
    point: Mapped[str | None] = mapped_column(sa.String(80))
    calls: Mapped[int]
    called_at: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
