"""What a waiting room's screen shows: the last calls, who is next, how long newcomers wait.

Numbers, kiosks and counters only: nothing here says who anybody is or what they came for.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler import places, points, queue, waits
from scheduler.queue import Entry, QueueState
from scheduler.tables_day import PointKind
from scheduler.waits import Promise

LAST_CALLS = 6
"""[D] As many as fit a 1080-line screen in digits that are read from 5 m."""
NEXT = 6
"""[D] Three figures each fit in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A number and where it is called."""

    number: int
    kind: PointKind
    point: int
    calls: int
    """How often it was called; each is said aloud."""
    waits: bool
    """Whether they have not come yet."""

    @property
    def name(self) -> str:
        """What makes this call another one than the one before."""
        return f"{self.number}-{self.kind.value}-{self.point}-{self.calls}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What the screen shows."""

    station: str
    calls: tuple[Call, ...]
    """The last first."""
    following: tuple[int, ...]
    """Who is called next, in order; people who need an officer first are in it too."""
    more: int
    """How many wait besides."""
    open: bool
    """Whether anybody is called anywhere."""


def read(session: Session, station: str, *, now: datetime) -> Board:
    """Return what the screen of a station shows now.

    Raises:
        PlaceUnknown: there is no such station.
    """
    place = places.find(session, station)
    day = queue.day_of(now)
    known = {point.code: point for point in points.of(session, station)}
    shown = [
        _call(entry, kind=known[entry.point].kind, point=known[entry.point].number)
        for entry in queue.present(session, station, day)
        if entry.called_at is not None and entry.point in known
    ]
    line = [entry.number for entry in queue.waiting(session, station, day) if _here(entry, now)]
    return Board(
        station=place.name,
        calls=tuple(shown[:LAST_CALLS]),
        following=tuple(line[:NEXT]),
        more=max(len(line) - NEXT, 0),
        open=any(point.open for point in known.values()),
    )


def promise(session: Session, station: str, *, now: datetime) -> Promise | None:
    """Return how long who comes now without an appointment waits; None: nothing is open."""
    return waits.promise(session, station, now=now)


def _here(entry: Entry, now: datetime) -> bool:
    return entry.arrived_at <= now


def _call(entry: Entry, *, kind: PointKind, point: int) -> Call:
    return Call(
        number=entry.number,
        kind=kind,
        point=point,
        calls=entry.calls,
        waits=entry.state is QueueState.CALLED,
    )
