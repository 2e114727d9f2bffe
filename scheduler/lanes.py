"""The lines people stand in at a place: whom each is for and how many kiosks or counters serve it.

It knows no hours: rules say when a lane is open (`scheduler.places`).
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.tables import LaneKind, LaneRow

__all__ = ["Lane", "LaneKind", "add", "change", "of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A line at a place."""

    code: str
    kind: LaneKind
    servers: int
    """Kiosks or counters that work at the same time."""


def add(session: Session, place: str, *, code: str, kind: LaneKind, servers: int) -> Lane:
    """Add a lane; it offers nothing before it has a rule.

    Raises:
        sqlalchemy.exc.IntegrityError: it is there, the place is not, or nobody serves it.
    """
    session.add(LaneRow(place=place, code=code, kind=kind, servers=servers))
    session.flush()
    return Lane(code=code, kind=kind, servers=servers)


def change(session: Session, place: str, code: str, *, kind: LaneKind, servers: int) -> Lane:
    """Let a lane be for others or be served by more or fewer; nobody's appointment changes.

    Raises:
        LookupError: there is no such lane.
        sqlalchemy.exc.IntegrityError: nobody serves it.
    """
    row = session.get(LaneRow, (place, code))
    if row is None:
        raise LookupError(f"no lane {code} at {place}")
    row.kind, row.servers = kind, servers
    session.flush()
    return Lane(code=code, kind=kind, servers=servers)


def of(session: Session, place: str) -> tuple[Lane, ...]:
    """Return the lanes of a place, the regular one first, then by code."""
    rows = session.scalars(sa.select(LaneRow).where(LaneRow.place == place))
    found = [Lane(code=row.code, kind=row.kind, servers=row.servers) for row in rows]
    return tuple(sorted(found, key=lambda lane: (lane.kind is not LaneKind.REGULAR, lane.code)))
