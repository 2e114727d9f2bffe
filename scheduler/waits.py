"""How long somebody will wait, as it is announced: 8 of 10 people wait no longer.

It puts nobody in line; the draws are `scheduler.forecast`'s.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from scheduler import arrivals, forecast
from scheduler.forecast import Outlook, Standing
from scheduler.line import RULES
from scheduler.places import REGULAR
from scheduler.simulation import serve

PROMISED = 0.8
"""[D] Quantile that is announced: an honest figure costs three minutes more than the mean."""
LIKELY = 0.5
MOST_DRAWN = 40_000
"""[D] Services drawn for one answer: of a long line, whose wait is relatively surer, fewer days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """How long somebody will wait."""

    p80_minutes: int
    """8 of 10 people wait no longer."""
    likely_minutes: int
    """Half of the people wait no longer."""


def promise(
    session: Session,
    place: str,
    *,
    now: datetime,
    due_at: datetime | None = None,
    priority: bool = False,
    minutes: int = 15,
    at: datetime | None = None,
    appointment: UUID | None = None,
    lane: str = REGULAR,
) -> Promise | None:
    """Return how long somebody would wait who joined the line; None: nothing is open.

    Args:
        session: a transaction.
        place: where.
        now: the time.
        due_at: by which they would be put in line; None: as a walk-in.
        priority: whether they may go first.
        minutes: how long they are planned for.
        at: when they join it; None: now.
        appointment: theirs, which is then not one to come.
        lane: in which lane.
    """
    joins = now if at is None else at
    due = arrivals.due_walk_in(now=joins) if due_at is None else due_at
    return of(
        forecast.look(session, place, now=now, without=appointment, lane=lane),
        Standing(
            due=forecast.minutes(due, now),
            priority=priority,
            planned=minutes,
            arrives=forecast.minutes(joins, now),
        ),
    )


def of(outlook: Outlook, me: Standing) -> Promise | None:
    """Return how long somebody waits who stands in line behind `outlook.here`; None: no kiosk.

    Only whoever ranks before them counts; the same state gives the same answer.
    """
    if not outlook.servers:
        return None
    mine = float(RULES.rank(me.due, me.priority))
    here = tuple(p for p in outlook.here if RULES.rank(p.due, p.priority) <= mine)
    expected = tuple(p for p in outlook.expected if RULES.rank(p.starts, priority=True) < mine)
    known = replace(outlook, here=(*here, me), expected=expected)
    people = len(here) + 1 + len(expected)
    drawn = forecast.draw(known, known.rng(), draws=min(forecast.DRAWS, MOST_DRAWN // people))
    starts = serve(drawn.arrivals, drawn.ranks, drawn.durations, drawn.free_at, me=len(here))
    waits = starts[:, len(here)] - me.arrives
    likely, promised = np.quantile(waits, (LIKELY, PROMISED))
    return Promise(p80_minutes=round(promised), likely_minutes=round(likely))
