"""Draws by lot as anybody may know them, and which of them are due.

It changes nothing: `scheduler.draws` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.tables_waiting import DrawRow, DrawState
from scheduler.wish_life import NotNow


class DrawUnknown(LookupError):
    """There is no draw of this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A draw as anybody may know it."""

    id: UUID
    place: str
    lane: str
    first_day: date
    last_day: date
    closes_at: datetime
    commitment: str
    """SHA-256 of the seed, in hex."""
    beacon: str
    """Which public number is mixed in; empty: none."""
    beacon_at: datetime | None
    state: DrawState
    frozen: str | None
    """Digest of entries and places, in hex; None: wishes are still taken."""
    entries: int
    """How many take part, once they are frozen."""
    placed: int | None
    """How many of them got places; None: not drawn yet."""
    drawn_at: datetime | None


def of_row(row: DrawRow) -> Draw:
    """Return what anybody may know of a draw."""
    result = row.record.get("result")
    return Draw(
        id=row.id,
        place=row.place,
        lane=row.lane,
        first_day=row.first_day,
        last_day=row.last_day,
        closes_at=row.closes_at,
        commitment=row.commitment.hex(),
        beacon=row.beacon,
        beacon_at=row.beacon_at,
        state=row.state,
        frozen=row.record.get("frozen"),
        entries=len(row.record.get("entries", ())),
        placed=None if result is None else len(result["placed"]),
        drawn_at=row.drawn_at,
    )


def due_to_close(session: Session, *, now: datetime) -> tuple[UUID, ...]:
    """Return the draws whose wishes are to be closed."""
    rows = session.scalars(
        sa.select(DrawRow.id)
        .where(DrawRow.state == DrawState.ANNOUNCED, DrawRow.closes_at <= now)
        .order_by(DrawRow.closes_at)
    )
    return tuple(rows)


def due_to_draw(session: Session) -> tuple[UUID, ...]:
    """Return the closed draws that need no public number."""
    rows = session.scalars(
        sa.select(DrawRow.id)
        .where(DrawRow.state == DrawState.CLOSED, DrawRow.beacon_at.is_(None))
        .order_by(DrawRow.closes_at)
    )
    return tuple(rows)


def giving(session: Session, place: str, *, first: date, last: date) -> tuple[Draw, ...]:
    """Return the draws that give places of some of these days, announced or closed."""
    rows = session.scalars(
        sa.select(DrawRow).where(
            DrawRow.place == place,
            DrawRow.state.in_((DrawState.ANNOUNCED, DrawState.CLOSED)),
            DrawRow.first_day <= last,
            DrawRow.last_day >= first,
        )
    )
    return tuple(of_row(row) for row in rows)


def find(session: Session, draw_id: UUID) -> Draw:
    """Return the draw.

    Raises:
        DrawUnknown: there is none of this id.
    """
    row = session.get(DrawRow, draw_id)
    if row is None:
        raise DrawUnknown(str(draw_id))
    return of_row(row)


def of_place(session: Session, place: str, *, limit: int = 20) -> tuple[Draw, ...]:
    """Return the newest draws of a place."""
    rows = session.scalars(
        sa.select(DrawRow)
        .where(DrawRow.place == place)
        .order_by(DrawRow.created_at.desc())
        .limit(limit)
    )
    return tuple(of_row(row) for row in rows)


def taking_wishes(session: Session, place: str, *, now: datetime) -> tuple[Draw, ...]:
    """Return the draws of a place that take wishes."""
    rows = session.scalars(
        sa.select(DrawRow)
        .where(
            DrawRow.place == place,
            DrawRow.state == DrawState.ANNOUNCED,
            DrawRow.closes_at > now,
        )
        .order_by(DrawRow.first_day)
    )
    return tuple(of_row(row) for row in rows)


def public_record(session: Session, draw_id: UUID) -> Mapping[str, Any]:
    """Return what anybody may read: the seed stands in it once it was drawn.

    Raises:
        DrawUnknown: there is none of this id.
        NotNow: nothing is frozen yet.
    """
    row = session.get(DrawRow, draw_id)
    if row is None:
        raise DrawUnknown(str(draw_id))
    if not row.record:
        raise NotNow("wishes are still taken")
    return row.record
