"""The scheduler's tables: what the database itself refuses stands here as constraints.

It decides nothing. No exclusion constraints, no partial indexes: any PostgreSQL kin can hold it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
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


class LaneKind(enum.StrEnum):
    """Whom a lane is for."""

    REGULAR = "regular"
    """Everybody."""
    PRIORITY = "priority"
    """Whom the law lets go first: the old, the disabled, pregnant women, small children."""
    MOBILE = "mobile"
    """A team that comes to people who cannot come."""
    STAFF = "staff"
    """Booked by officers only."""


class PlaceRow(Base):
    """Where people may come."""

    __tablename__ = "place"

    code: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    address: Mapped[str] = mapped_column(sa.String(300))
    province: Mapped[str] = mapped_column(sa.String(CODE), index=True)
    ward: Mapped[str] = mapped_column(sa.String(80), default="")
    """The commune's name, as people write it."""
    latitude: Mapped[float | None]
    """Degrees, WGS 84."""
    longitude: Mapped[float | None]
    open: Mapped[bool]
    version: Mapped[int] = mapped_column(default=0)
    """Of its calendar: counted up with every change of rules, lanes and unlike days."""
    opened_version: Mapped[int] = mapped_column(default=-1)
    """Of the calendar its slots were last opened by."""
    opened_calendar: Mapped[str] = mapped_column(sa.String(40), default="")
    """Which edition of the nation's days they were opened by."""
    opened_first: Mapped[date | None]
    opened_through: Mapped[date | None]
    """The last day its slots were opened for."""
    stale_first: Mapped[date | None]
    """The first day that changes since then are about; None: there were none."""
    stale_last: Mapped[date | None]


class LaneRow(Base):
    """Who stands in one line at a place, and how many kiosks or counters serve it."""

    __tablename__ = "lane"
    __table_args__ = (sa.CheckConstraint("servers > 0", name="servers"),)

    place: Mapped[str] = mapped_column(sa.ForeignKey("place.code"), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    kind: Mapped[LaneKind]
    servers: Mapped[int]
    """Kiosks or counters that work at the same time."""


class RuleRow(Base):
    """Opening hours on some days of the week; rules of one lane add up."""

    __tablename__ = "schedule_rule"
    __table_args__ = (
        sa.CheckConstraint("weekdays BETWEEN 1 AND 127", name="weekdays"),
        sa.CheckConstraint("opens < closes", name="hours"),
        sa.CheckConstraint("step BETWEEN 1 AND 1440", name="step"),
        sa.CheckConstraint("capacity > 0", name="capacity"),
        sa.CheckConstraint("public_capacity BETWEEN 0 AND capacity", name="public_capacity"),
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
    """People a slot, those booked by officers too."""
    public_capacity: Mapped[int]
    """People a slot who book for themselves."""
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
        sa.CheckConstraint("taken BETWEEN public_taken AND capacity", name="never_oversold"),
        sa.CheckConstraint(
            "public_taken BETWEEN 0 AND public_capacity", name="never_publicly_oversold"
        ),
        sa.CheckConstraint("minutes > 0", name="minutes"),
        # Where a place is full for weeks, its first free time is found without walking past them.
        sa.Index("ix_slot_room", "place", "has_room", "starts_at"),
        # On PostgreSQL every month is a table of its own (`scheduler.partitions`).
        {"postgresql_partition_by": "RANGE (starts_at)"},
    )

    place: Mapped[str] = mapped_column(sa.ForeignKey("place.code"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    minutes: Mapped[int]
    capacity: Mapped[int]
    """Everybody's places."""
    public_capacity: Mapped[int]
    """How many of them people book for themselves."""
    taken: Mapped[int]
    """By appointments, by further slots of long ones, and by places kept for somebody."""
    public_taken: Mapped[int]
    offered: Mapped[bool]
    """False: the calendar no longer has it; who is in stays in, nobody else comes."""
    by_lot: Mapped[bool] = mapped_column(default=False)
    """True: its public places are given by lot; nobody books one for themselves meanwhile."""
    has_room: Mapped[bool] = mapped_column(
        sa.Computed(
            "offered AND NOT by_lot AND public_taken < public_capacity AND taken < capacity",
            persisted=True,
        )
    )
    """Whether somebody may book it for themselves now. Indexed, and still most updates of the
    counters touch no index: only the one that fills the slot changes it."""


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
        {"postgresql_partition_by": "RANGE (starts_at)"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.String(CODE))
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    minutes: Mapped[int]
    """Of all its slots."""
    length: Mapped[int | None]
    """Minutes the person needs; None: one slot, however long."""
    public: Mapped[bool] = mapped_column(default=True)
    """Whether its places count as booked by people themselves."""
    whose: Mapped[str] = mapped_column(sa.String(64), index=True)
    party: Mapped[UUID | None] = mapped_column(index=True)
    """A family that was booked together has one; None: alone."""
    state: Mapped[AppointmentState]
    hold_until: Mapped[datetime | None]
    hold_minutes: Mapped[int]
    moved: Mapped[int] = mapped_column(default=0)
    """How often the citizen changed it since it was certain."""
    events: Mapped[int] = mapped_column(default=0)
    """How many entries its history has."""
    head: Mapped[bytes] = mapped_column(sa.LargeBinary(32), default=b"")
    """Digest of the last of them."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class FurtherRow(Base):
    """A further slot of an appointment that is longer than one; there while its place is taken."""

    __tablename__ = "further_slot"

    appointment_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(sa.String(CODE), primary_key=True)
    public: Mapped[bool]


class HistoryRow(Base):
    """What happened to an appointment, in order; nobody changes or deletes an entry."""

    __tablename__ = "appointment_history"
    __table_args__ = ({"postgresql_partition_by": "RANGE (at)"},)

    appointment_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1."""
    at: Mapped[datetime] = mapped_column(primary_key=True)
    by: Mapped[str] = mapped_column(sa.String(80))
    """Who did it: citizen, officer:ID, hotline:ID, kiosk:NAME, system."""
    event: Mapped[str] = mapped_column(sa.String(32))
    place: Mapped[str] = mapped_column(sa.String(CODE))
    starts_at: Mapped[datetime]
    lane: Mapped[str] = mapped_column(sa.String(CODE))
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    """SHA-256 of the digest before it and of this entry."""


class ClaimRow(Base):
    """What there may be only one of while it lives: an appointment a person and purpose, a wish."""

    __tablename__ = "claim"

    key: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    """SHA-256 of what is claimed."""
    holder: Mapped[UUID] = mapped_column(index=True)
    """The appointment or wish. Written before it is, hence no foreign key; `ledger.loose`
    compares."""
    kind: Mapped[str] = mapped_column(sa.String(16))


class RequestRow(Base):
    """A request that was answered: asked again with the same key, it gets the same answer."""

    __tablename__ = "booking_request"

    key: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    appointment_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(index=True)


class ReminderRow(Base):
    """A reminder that was handed on: nobody is reminded twice of the same thing."""

    __tablename__ = "reminder"

    appointment_id: Mapped[UUID] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    """Of the appointment: whoever moves it is reminded anew."""
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitioned:
    """How a table lies in monthly partitions on PostgreSQL."""

    column: str
    """The time by which a row has its month."""
    options: str = ""
    """Storage of each partition; the parent itself stores nothing."""


PARTITIONED: Mapping[str, Partitioned] = {
    # Room on the page keeps counter updates in place (HOT), so that they touch no index.
    "slot": Partitioned(column="starts_at", options=" WITH (fillfactor = 70)"),
    "appointment": Partitioned(column="starts_at"),
    "appointment_history": Partitioned(column="at"),
}
"""In the order in which their partitions are made: an appointment points to its slot."""


def default_partition(name: str) -> str:
    """Return the statement that makes a table's default partition, which is always there."""
    return f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT{PARTITIONED[name].options}"


for _name in PARTITIONED:
    _made = sa.DDL(default_partition(_name))  # type: ignore[no-untyped-call]  # SQLAlchemy's
    sa.event.listen(
        Base.metadata.tables[_name], "after_create", _made.execute_if(dialect="postgresql")
    )
