"""What happened to each appointment, by whom and when: entries are added, none is ever changed.

Each entry carries a digest of the one before, and the appointment that of its last: whoever
alters, drops or adds one behind our back is found.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import slots
from scheduler.database import table_of
from scheduler.slots import SlotRef
from scheduler.tables import AppointmentRow, HistoryRow

CITIZEN = "citizen"
SYSTEM = "system"
BOOK = "book"
"""Held and made certain in one step."""
HOLD = "hold"
EXTEND = "extend"
MOVE = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened."""

    number: int
    """From 1."""
    at: datetime
    by: str
    """citizen, officer:ID, hotline:ID, partner:ID, kiosk:NAME or system."""
    event: str
    slot: SlotRef
    """Where the appointment began afterwards."""


_WRITE = sa.insert(table_of(HistoryRow))
Known = dict[str, Any]
"""The columns of an entry."""


def _digest(before: bytes, entry: Known) -> bytes:
    told = (
        entry["appointment_id"].hex,
        str(entry["number"]),
        entry["at"].astimezone(UTC).isoformat(),
        entry["by"],
        entry["event"],
        entry["place"],
        entry["starts_at"].astimezone(UTC).isoformat(),
        entry["lane"],
    )
    parts = (before, *(part.encode() for part in told))
    # Lengths keep ("ab", "c") from ("a", "bc").
    return hashlib.sha256(b"".join(len(p).to_bytes(4, "big") + p for p in parts)).digest()


def first(
    appointment_id: UUID, *, event: str, slot: SlotRef, by: str, now: datetime
) -> tuple[Known, bytes]:
    """Return the first entry of an appointment, and its digest."""
    return _entry(appointment_id, 1, b"", event=event, slot=slot, by=by, now=now)


def _entry(
    appointment_id: UUID,
    number: int,
    before: bytes,
    *,
    event: str,
    slot: SlotRef,
    by: str,
    now: datetime,
) -> tuple[Known, bytes]:
    entry: Known = {
        "appointment_id": appointment_id,
        "number": number,
        "at": now,
        "by": by,
        "event": event,
        "place": slot.place,
        "starts_at": slot.starts_at,
        "lane": slot.lane,
    }
    entry["digest"] = _digest(before, entry)
    return entry, entry["digest"]


def goes_on(row: AppointmentRow, *, event: str, by: str, now: datetime) -> Known:
    """Return the next entry of a locked row as it stands now, and count it there."""
    slot = slots.of_row(row)
    row.events += 1
    entry, row.head = _entry(row.id, row.events, row.head, event=event, slot=slot, by=by, now=now)
    return entry


def write(session: Session, entries: Iterable[Known]) -> None:
    """Add entries."""
    rows = list(entries)
    if rows:
        session.execute(_WRITE, rows)


def _rows(session: Session, appointment_id: UUID) -> Sequence[HistoryRow]:
    return session.scalars(
        sa.select(HistoryRow)
        .where(HistoryRow.appointment_id == appointment_id)
        .order_by(HistoryRow.number)
        .execution_options(populate_existing=True)
    ).all()


def of(session: Session, appointment_id: UUID) -> tuple[Entry, ...]:
    """Return everything that happened to an appointment, in order."""
    return tuple(
        Entry(
            number=row.number,
            at=row.at,
            by=row.by,
            event=row.event,
            slot=slots.of_row(row),
        )
        for row in _rows(session, appointment_id)
    )


def intact(session: Session, appointment_id: UUID) -> bool:
    """Return whether the history is whole and unaltered, and ends where the appointment says."""
    digest, count = b"", 0
    for row in _rows(session, appointment_id):
        entry = {column: getattr(row, column) for column in _COLUMNS}
        count += 1
        if row.number != count or _digest(digest, entry) != row.digest:
            return False
        digest = row.digest
    said = session.execute(
        sa.select(AppointmentRow.events, AppointmentRow.head).where(
            AppointmentRow.id == appointment_id
        )
    ).one_or_none()
    return said is not None and tuple(said) == (count, digest)


_COLUMNS = ("appointment_id", "number", "at", "by", "event", "place", "starts_at", "lane")
