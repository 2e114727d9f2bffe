"""The tables of who waits for a place: wishes, places kept for somebody, draws by lot.

It decides nothing.
"""

import enum
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.database import Base
from scheduler.tables import CODE


class WishState(enum.StrEnum):
    """Where a wish stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    """A place is kept for it until it is answered or the answer's time is over."""
    PLACED = "placed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """Its last day is over."""


class DrawState(enum.StrEnum):
    """Where a draw by lot stands."""

    ANNOUNCED = "announced"
    """Wishes are collected; the commitment to the seed is public."""
    CLOSED = "closed"
    """Entries and places are frozen, and the digest of them is public."""
    DRAWN = "drawn"
    CANCELLED = "cancelled"


class WishRow(Base):
    """Somebody wants a place where and when there is none."""

    __tablename__ = "wish"
    __table_args__ = (
        sa.Index("ix_wish_queue", "state", "queued_at"),
        sa.CheckConstraint("people BETWEEN 1 AND 8", name="people"),
        sa.CheckConstraint("first_day <= last_day", name="days"),
        sa.CheckConstraint("weekdays BETWEEN 1 AND 127", name="weekdays"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    whose: Mapped[str] = mapped_column(sa.String(64), index=True)
    person_key: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    purpose: Mapped[str] = mapped_column(sa.String(32))
    priority: Mapped[bool]
    people: Mapped[int]
    members: Mapped[dict[str, Any]]
    """The others of a family: {"members": [[whose, person_key in hex, purpose], ...]}."""
    minutes: Mapped[int]
    """How long each of them needs."""
    first_day: Mapped[date]
    last_day: Mapped[date]
    weekdays: Mapped[int]
    """Bit 0 is Monday."""
    from_time: Mapped[time]
    to_time: Mapped[time]
    state: Mapped[WishState]
    draw: Mapped[UUID | None] = mapped_column(index=True)
    """The draw it takes part in; None: the waiting list."""
    drawn: Mapped[UUID | None]
    """The draw it took part in."""
    queued_at: Mapped[datetime]
    """Its place in line: when it was made, less the head start of a priority group."""
    passed: Mapped[dict[str, Any]]
    """What it was offered and did not take: {"starts": [[place, start, lane], ...]}."""
    by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class WishPlaceRow(Base):
    """A place somebody would come to."""

    __tablename__ = "wish_place"

    wish: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True, index=True)
    rank: Mapped[int]
    """0 is the dearest."""


class FreedRow(Base):
    """A place that was given back and is still counted: kept for a wish, or returning later."""

    __tablename__ = "freed_place"
    __table_args__ = (
        sa.Index("ix_freed_slot", "place", "starts_at", "lane"),
        sa.CheckConstraint("(wish IS NULL) = (answer_by IS NULL)", name="offer"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.String(CODE))
    starts_at: Mapped[datetime]
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    public: Mapped[bool]
    freed_at: Mapped[datetime]
    returns_at: Mapped[datetime] = mapped_column(index=True)
    """When everybody may book it, if nobody who waits takes it."""
    wish: Mapped[UUID | None] = mapped_column(index=True)
    """Whom it is offered to now."""
    member: Mapped[int | None]
    """For which of the wish's people, from 0; whoever needs long has several."""
    answer_by: Mapped[datetime | None]


class DrawRow(Base):
    """Places of some days at one place that are given by lot."""

    __tablename__ = "draw"
    __table_args__ = (sa.CheckConstraint("first_day <= last_day", name="days"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.String(CODE), index=True)
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    first_day: Mapped[date]
    last_day: Mapped[date]
    closes_at: Mapped[datetime]
    """Until when wishes are taken."""
    commitment: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    """SHA-256 of the seed, public from the beginning."""
    seed: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    """Secret until it is drawn."""
    beacon: Mapped[str] = mapped_column(sa.String(200))
    """Which public number of a later hour is mixed in, as announced; empty: none."""
    beacon_at: Mapped[datetime | None]
    """When that number will be known at the earliest, after wishes are closed."""
    beacon_value: Mapped[str] = mapped_column(sa.String(200), default="")
    state: Mapped[DrawState]
    record: Mapped[dict[str, Any]]
    """What anybody needs to draw again: entries, slots and the result."""
    by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    drawn_at: Mapped[datetime | None]
