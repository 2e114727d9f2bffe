"""The scheduler's tables: what the database itself refuses stands here as constraints.

It decides nothing. No exclusion constraints, no partial indexes: any PostgreSQL kin can hold it.
"""

import enum
from datetime import date, datetime, time
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.database import Base
from scheduler.life import AppointmentState

CODE = 16
"""Longest code of a place, a province or a lane."""


class Scope(enum.StrEnum):
    """For whom a calendar exception holds; the narrower one wins."""

    NATION = "nation"
    PROVINCE = "province"
    PLACE = "place"


class Kind(enum.StrEnum):
    """What a calendar exception makes of a day."""

    CLOSED = "closed"
    MAKE_UP_DAY = "make_up_day"
    """Open with the hours of another weekday, although the week or the nation says closed."""
    SHORT_DAY = "short_day"
    """Open as usual, but closing early."""


class PlaceRow(Base):
    """Where people may come."""

    __tablename__ = "place"

    code: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    address: Mapped[str] = mapped_column(sa.String(300))
    province: Mapped[str] = mapped_column(sa.String(CODE), index=True)
    open: Mapped[bool]


class RuleRow(Base):
    """Opening hours on some days of the week; rules of one lane add up."""

    __tablename__ = "schedule_rule"
    __table_args__ = (
        sa.CheckConstraint("weekdays BETWEEN 1 AND 127", name="weekdays"),
        sa.CheckConstraint("opens < closes", name="hours"),
        sa.CheckConstraint("step BETWEEN 1 AND 1440", name="step"),
        sa.CheckConstraint("capacity > 0", name="capacity"),
        sa.CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="validity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.ForeignKey("place.code"), index=True)
    weekdays: Mapped[int]
    """Bit 0 is Monday, bit 6 Sunday."""
    opens: Mapped[time]
    closes: Mapped[time]
    step: Mapped[int]
    """Minutes of one slot."""
    capacity: Mapped[int]
    """People a slot."""
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    """The last day; None: until further notice."""


class ExceptionRow(Base):
    """A day that is not as its weekday: a closure, a make-up day, a short day."""

    __tablename__ = "calendar_exception"
    __table_args__ = (
        sa.UniqueConstraint("scope", "code", "day"),
        sa.CheckConstraint("as_weekday BETWEEN 0 AND 6", name="as_weekday"),
        sa.CheckConstraint("(kind = 'make_up_day') = (as_weekday IS NOT NULL)", name="make_up"),
        sa.CheckConstraint("(kind = 'short_day') = (closes IS NOT NULL)", name="short"),
        sa.CheckConstraint("(scope = 'nation') = (code = '')", name="code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[Scope]
    code: Mapped[str] = mapped_column(sa.String(CODE))
    """Of the place or the province; empty for the nation."""
    day: Mapped[date] = mapped_column(index=True)
    kind: Mapped[Kind]
    as_weekday: Mapped[int | None]
    """Whose hours a make-up day has; 0 is Monday."""
    closes: Mapped[time | None]
    """When a short day ends."""
    words: Mapped[str | None] = mapped_column(sa.String(200))
    """Why, in Vietnamese, as citizens read it."""
    words_en: Mapped[str | None] = mapped_column(sa.String(200))
    source: Mapped[str] = mapped_column(sa.String(200))
    """The document that says so."""


class SlotRow(Base):
    """A time at a place with so many places, of which so many are taken."""

    __tablename__ = "slot"
    __table_args__ = (
        sa.CheckConstraint("taken BETWEEN 0 AND capacity", name="never_oversold"),
        sa.CheckConstraint("minutes > 0", name="minutes"),
        # Room on the page keeps counter updates in place (HOT), so that they touch no index.
        {"postgresql_with": {"fillfactor": 70}},
    )

    place: Mapped[str] = mapped_column(sa.ForeignKey("place.code"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    minutes: Mapped[int]
    capacity: Mapped[int]
    taken: Mapped[int]
    offered: Mapped[bool]
    """False: the calendar no longer has it; who is in stays in, nobody else comes."""


class AppointmentRow(Base):
    """A place in a slot, held or taken by somebody; hold and booking are states of one row."""

    __tablename__ = "appointment"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["place", "starts_at", "lane"], ["slot.place", "slot.starts_at", "slot.lane"]
        ),
        sa.Index("ix_appointment_slot", "place", "starts_at", "lane"),
        sa.Index("ix_appointment_due", "state", "starts_at"),
        sa.CheckConstraint("(state = 'held') = (hold_until IS NOT NULL)", name="hold"),
        sa.CheckConstraint("minutes > 0", name="minutes"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.String(CODE))
    starts_at: Mapped[datetime]
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    minutes: Mapped[int]
    whose: Mapped[str] = mapped_column(sa.String(64), index=True)
    state: Mapped[AppointmentState]
    hold_until: Mapped[datetime | None]
    hold_minutes: Mapped[int]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ClaimRow(Base):
    """One live appointment a person and purpose, and one a `whose`."""

    __tablename__ = "claim"

    person_key: Mapped[bytes] = mapped_column(sa.LargeBinary(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    whose: Mapped[str] = mapped_column(sa.String(64), unique=True)
    appointment_id: Mapped[UUID] = mapped_column(unique=True)
    """Written before the appointment is, hence no foreign key; `ledger.loose` compares."""
