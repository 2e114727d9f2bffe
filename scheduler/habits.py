"""How people come to a place: how early or late, and how many not at all, learnt from its days.

It judges nobody: what becomes of who is late stands in `scheduler.arrivals`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import service
from scheduler.life import AppointmentState
from scheduler.places import WALK_IN
from scheduler.service import normal_points
from scheduler.tables import AppointmentRow
from scheduler.tables_day import QueueRow

MOST = 400
"""[D] The latest arrivals say enough."""
PRIOR_EARLY, PRIOR_DEVIATION = -6.0, 8.0
"""Minutes after the appointment, mean and standard deviation before anything was measured: the
setting of the simulations in the field's literature that docs/queue.md names."""
PRIOR_NO_SHOW = 0.15
"""Before anything was measured; Berlin had 11 to 17 % (2019-2023)."""
PRIOR_PRIORITY = 0.1
"""[D] Share of priority people before anything was measured."""
PRIOR_WEIGHT = 20
"""[D] How many measured people the prior weighs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How people come to a place."""

    lateness: tuple[float, ...]
    """Minutes after their appointment, equally likely each, ascending; negative: early."""
    no_show: float
    """Share of booked people who do not come."""
    priority: float
    """Share of people who may go first."""


def measured(session: Session, place: str, *, now: datetime) -> Habits:
    """Return how people came to a place in the last four weeks; the prior where few did."""
    since = now - service.LOOKS_BACK
    rows = session.execute(
        sa.select(QueueRow.arrived_at, AppointmentRow.starts_at, QueueRow.priority)
        .join(AppointmentRow, AppointmentRow.id == QueueRow.appointment_id)
        .where(
            QueueRow.place == place,
            QueueRow.day >= service.first_day(now),
            # Of who came on another day's number, or was moved since, nobody knows how late.
            AppointmentRow.starts_at.between(since, now),
        )
        .order_by(AppointmentRow.starts_at.desc())
        .limit(MOST)
    ).all()
    late = [(arrived - starts) / timedelta(minutes=1) for arrived, starts, _ in rows]
    ended = sa.func.count().filter(AppointmentRow.state == AppointmentState.MISSED)
    came = sa.func.count().filter(AppointmentRow.state == AppointmentState.SERVED)
    missed, served = session.execute(
        sa.select(ended, came).where(
            AppointmentRow.place == place,
            AppointmentRow.starts_at.between(since, now),
            AppointmentRow.lane != WALK_IN,  # who is here already cannot fail to come
        )
    ).one()
    return blended(late, missed=missed, served=served, priority=sum(first for _, _, first in rows))


def blended(late: Sequence[float], *, missed: int, served: int, priority: int) -> Habits:
    """Return what was measured with as much of the prior as so few people need."""
    points = max(PRIOR_WEIGHT - len(late) // service.PRIOR_FADES, 0)
    prior = normal_points(points, mean=PRIOR_EARLY, deviation=PRIOR_DEVIATION)
    return Habits(
        lateness=tuple(sorted((*late, *(float(p) for p in prior)))),
        no_show=(missed + PRIOR_NO_SHOW * PRIOR_WEIGHT) / (missed + served + PRIOR_WEIGHT),
        priority=(priority + PRIOR_PRIORITY * PRIOR_WEIGHT) / (len(late) + PRIOR_WEIGHT),
    )
