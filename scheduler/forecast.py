"""The rest of a day at a place, drawn many times from what is known now: the ground of promises.

It promises nothing itself and changes nothing. Times are minutes from now.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from scheduler import habits, plan, points, service
from scheduler.calendar import HERE
from scheduler.habits import Habits
from scheduler.life import AppointmentState
from scheduler.line import RULES
from scheduler.places import REGULAR, WALK_IN
from scheduler.points import HELP, same_line
from scheduler.queue_life import QueueState
from scheduler.service import Service
from scheduler.tables import AppointmentRow, LaneKind, LaneRow, SlotRow
from scheduler.tables_day import QueueRow

Minutes = NDArray[np.float64]

NOBODY = UUID(int=0)
DRAWS = 400
"""[D] An 80 % quantile of so many draws is off by 2 percentage points at most, 2 times of 3."""
TINY = 1e-9
"""Keeps from dividing nothing by nothing."""
OVERDUE = 0.25
"""[D] Of the mean: what is left on average to who is served longer than anybody was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Somebody at a kiosk or counter that will be free after them."""

    elapsed: float
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Somebody in line, or who will be at a known moment."""

    due: float
    priority: bool
    planned: int
    arrives: float = 0.0
    """Negative: has been here so long."""
    booked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Somebody with an appointment who has not come yet, and may not."""

    starts: float
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known at a place now."""

    servers: int
    """Kiosks and counters that are open."""
    busy: tuple[Busy, ...]
    """At open ones only."""
    here: tuple[Standing, ...]
    expected: tuple[Expected, ...]
    service: Service
    habits: Habits
    opens: float = 0.0
    """When the hours begin in which people are served; 0: they have."""

    def rng(self) -> np.random.Generator:
        """Return the same generator for the same state."""
        known = (self.servers, self.busy, self.here, self.expected, self.opens)
        return np.random.default_rng(
            int.from_bytes(hashlib.sha256(repr(known).encode()).digest()[:8], "big")
        )


def look(
    session: Session,
    place: str,
    *,
    now: datetime,
    without: UUID | None = None,
    lane: str = REGULAR,
) -> Outlook:
    """Return what is known at a place now; the appointment `without` is not one to come.

    Who needs help and who needs a kiosk are two lines: `lane` says whose points are looked at.
    """
    day = now.astimezone(HERE).date()
    rows = session.scalars(
        sa.select(QueueRow)
        .where(QueueRow.place == place, QueueRow.day == day, same_line(lane))
        .where(QueueRow.state.in_((QueueState.WAITING, QueueState.CALLED, QueueState.SERVING)))
        .order_by(QueueRow.number)
    ).all()
    open_ = {point.code for point in points.of(session, place) if point.open and point.serves(lane)}
    begins, ended = plan.bounds(day, day)
    to_come = session.execute(
        sa.select(AppointmentRow.starts_at, AppointmentRow.minutes)
        .where(
            AppointmentRow.place == place,
            AppointmentRow.starts_at >= begins,
            AppointmentRow.starts_at < ended,
            AppointmentRow.state == AppointmentState.BOOKED,
            AppointmentRow.id != (without or NOBODY),
            AppointmentRow.lane.not_in(_not_coming(place)),
            AppointmentRow.lane != WALK_IN,
            sa.literal(lane != HELP),
        )
        .order_by(AppointmentRow.starts_at, AppointmentRow.id)
    )
    return Outlook(
        servers=len(open_),
        busy=tuple(
            Busy(elapsed=-minutes(row.began_at or now, now), planned=row.minutes)
            for row in rows
            if row.state is not QueueState.WAITING and row.point in open_
        ),
        here=tuple(
            Standing(
                due=minutes(row.due_at, now),
                priority=bool(row.priority),
                planned=row.minutes,
                arrives=minutes(row.arrived_at, now),
                booked=row.appointment_id is not None,
            )
            for row in rows
            if row.state is QueueState.WAITING
        ),
        expected=tuple(
            Expected(starts=minutes(starts, now), planned=planned) for starts, planned in to_come
        ),
        service=service.measured(session, place, now=now, lane=lane),
        habits=habits.measured(session, place, now=now),
        opens=max(next((begins for begins, _ in hours(session, place, now=now)), 0.0), 0.0),
    )


def hours(session: Session, place: str, *, now: datetime) -> tuple[tuple[float, float], ...]:
    """Return the hours of today that are not over, from the slots: begin and end of each."""
    day = now.astimezone(HERE).date()
    first, ended = plan.bounds(day, day)
    rows = session.execute(
        sa.select(SlotRow.starts_at, SlotRow.minutes)
        .where(SlotRow.place == place, SlotRow.starts_at >= first, SlotRow.starts_at < ended)
        .where(SlotRow.offered, SlotRow.lane != WALK_IN, SlotRow.lane.not_in(_not_coming(place)))
        .order_by(SlotRow.starts_at)
    )
    joined: list[tuple[float, float]] = []
    for starts_at, length in rows:
        begins = minutes(starts_at, now)
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], begins + length))
        else:
            joined.append((begins, begins + length))
    return tuple((begins, ends) for begins, ends in joined if ends > 0)


def _not_coming(place: str) -> sa.Select[str]:
    """Return the lanes of people to whom a team comes."""
    return sa.select(LaneRow.code).where(LaneRow.place == place, LaneRow.kind == LaneKind.MOBILE)


def minutes(moment: datetime, now: datetime) -> float:
    """Return how many minutes after now a moment is."""
    return (moment - now) / timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """So many ways the day may go on: a row each; columns are `here`, then `expected`."""

    arrivals: Minutes
    dues: Minutes
    ranks: Minutes
    durations: Minutes
    free_at: Minutes


def draw(outlook: Outlook, rng: np.random.Generator, *, draws: int = DRAWS) -> Drawn:
    """Draw how the day may go on.

    Method: service times are resampled from the place's own; who is being served is known to have
    taken longer than they have; who has not come is known not to have come yet, so that the later
    they are the less likely they come at all.
    """
    here, expected = outlook.here, outlook.expected
    came = np.tile([p.arrives for p in here], (draws, 1)).astype(float)
    due = np.tile([p.due for p in here], (draws, 1)).astype(float)
    first = np.tile([p.priority for p in here], (draws, 1)).astype(float)
    starts = np.asarray([p.starts for p in expected], float)
    comes = _comes(starts, outlook.habits, rng, draws)
    comes_due = RULES.due_booked(np.broadcast_to(starts, comes.shape), comes)
    comes_first = rng.random(comes.shape) < outlook.habits.priority
    arrivals = np.hstack([came, comes])
    dues = np.hstack([due, comes_due])
    return Drawn(
        arrivals=arrivals,
        dues=dues,
        ranks=RULES.rank(dues, np.hstack([first, comes_first])),
        durations=_durations(outlook, rng, draws),
        free_at=_free_at(outlook, rng, draws),
    )


def _comes(starts: Minutes, habits: Habits, rng: np.random.Generator, draws: int) -> Minutes:
    """Return arrivals of people who have not come yet; infinite: do not come."""
    lateness = np.asarray(habits.lateness, float)
    past = np.searchsorted(lateness, -starts, side="right")
    still = 1.0 - past / len(lateness)
    shows = (1.0 - habits.no_show) * still
    shows = shows / np.maximum(shows + habits.no_show, TINY)
    chosen = past + (rng.random((draws, len(starts))) * (len(lateness) - past)).astype(int)
    comes = starts + lateness[np.minimum(chosen, len(lateness) - 1)]
    return np.where(rng.random(comes.shape) < shows, comes, np.inf)


def _durations(outlook: Outlook, rng: np.random.Generator, draws: int) -> Minutes:
    lengths = np.asarray(
        [*(p.planned for p in outlook.here), *(p.planned for p in outlook.expected)], int
    )
    durations = np.empty((draws, len(lengths)))
    for length in np.unique(lengths):
        columns = np.flatnonzero(lengths == length)
        sample = np.asarray(outlook.service.of(int(length)).minutes, float)
        durations[:, columns] = rng.choice(sample, size=(draws, len(columns)))
    return durations


def _free_at(outlook: Outlook, rng: np.random.Generator, draws: int) -> Minutes:
    free = np.full((draws, outlook.servers), outlook.opens)
    for server, busy in enumerate(outlook.busy[: outlook.servers]):
        sample = np.asarray(outlook.service.of(busy.planned).minutes, float)
        longer = sample[sample > busy.elapsed]
        free[:, server] = (
            rng.choice(longer, size=draws) - busy.elapsed
            if len(longer)
            else rng.exponential(OVERDUE * float(sample.mean()), size=draws)
        )
    return free
