"""The kiosks and counters of a place that people are called to: added, opened, closed.

It calls nobody: `scheduler.queue` does.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.places import REGULAR
from scheduler.tables_day import PointKind, PointRow, QueueRow

HELP = "help"
"""The lane of people who must see an officer before anything else. Only points of this lane call
them, and these call nobody else: a kiosk can do nothing for who has no dossier."""


class PointUnknown(LookupError):
    """There is no such kiosk or counter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A kiosk or a counter people are called to."""

    place: str
    code: str
    number: int
    """As it stands above it and is called out."""
    kind: PointKind
    lane: str
    open: bool

    def serves(self, lane: str) -> bool:
        """Return whether people of a lane may be called here."""
        return (self.lane == HELP) == (lane == HELP)


def same_line(lane: str) -> sa.ColumnElement[bool]:
    """Return which entries are served by the same points as those of `lane`."""
    return QueueRow.lane == HELP if lane == HELP else QueueRow.lane != HELP


def add(
    session: Session,
    place: str,
    *,
    code: str,
    number: int,
    kind: PointKind = PointKind.KIOSK,
    lane: str = REGULAR,
) -> Point:
    """Add an open kiosk or counter.

    Raises:
        sqlalchemy.exc.IntegrityError: the code or the number is taken, or there is no such place.
    """
    row = PointRow(place=place, code=code, number=number, kind=kind, lane=lane, open=True)
    session.add(row)
    session.flush()
    return _point(row)


def open(  # noqa: A001 - read as points.open
    session: Session, place: str, code: str
) -> Point:
    """Let people be called there again.

    Raises:
        PointUnknown: there is no such point.
    """
    return _set(session, place, code, open_=True)


def close(session: Session, place: str, code: str) -> Point:
    """Let nobody be called there; who is there stays until they are done.

    Raises:
        PointUnknown: there is no such point.
    """
    return _set(session, place, code, open_=False)


def find(session: Session, place: str, code: str) -> Point:
    """Return the point.

    Raises:
        PointUnknown: there is no such point.
    """
    return _point(_row(session, place, code))


def of(session: Session, place: str) -> tuple[Point, ...]:
    """Return the points of a place, closed ones too, by number."""
    rows = session.scalars(
        sa.select(PointRow).where(PointRow.place == place).order_by(PointRow.number)
    )
    return tuple(_point(row) for row in rows)


def _row(session: Session, place: str, code: str) -> PointRow:
    row = session.get(PointRow, (place, code))
    if row is None:
        raise PointUnknown(f"{place}: {code}")
    return row


def _set(session: Session, place: str, code: str, *, open_: bool) -> Point:
    row = _row(session, place, code)
    row.open = open_
    session.flush()
    return _point(row)


def _point(row: PointRow) -> Point:
    return Point(
        place=row.place,
        code=row.code,
        number=row.number,
        kind=row.kind,
        lane=row.lane,
        open=row.open,
    )
