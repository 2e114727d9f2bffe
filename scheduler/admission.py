"""What to tell a walk-in: come in now, come back at such a time, or book. Nobody is let in here.

The measure is the promise to those who booked; whoever is late beyond likelihood no longer counts,
so that a missed appointment frees its place for a walk-in by itself.
"""

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from scheduler import forecast, waits
from scheduler.forecast import Outlook, Standing
from scheduler.line import RULES
from scheduler.simulation import serve

BOOKED_WAIT, BOOKED_SHARE = 20.0, 0.95
"""[D] So many minutes at most wait so many of those who booked, after their time."""
WALK_IN_WAIT = 45.0
"""[D] Minutes; who would wait longer (8 of 10 less) is better off coming back."""
WINDOW = 60.0
"""[D] Minutes after a walk-in is due within which the wait of those who booked, and are called
after them, is looked at."""
STEP = 10.0
"""[D] Minutes; times to come back at are full tens."""
DRAWS = 200


class Say(enum.StrEnum):
    """What a walk-in is told."""

    NOW = "now"
    COME_BACK = "come_back"
    BOOK = "book"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a walk-in is told."""

    say: Say
    at: datetime | None
    """When to come back."""
    p80_minutes: int | None
    """How long they then wait at most, 8 times of 10."""


def advise(
    session: Session, place: str, *, now: datetime, minutes: int = 15, priority: bool = False
) -> Advice:
    """Return what to tell somebody who has come without an appointment.

    Method: the rest of the day is drawn many times with the person in it, now and at each full ten
    minutes from now on; the first time is told at which 95 % of those who booked still wait at
    most 20 minutes, and the person is done before closing.
    """
    outlook = forecast.look(session, place, now=now)
    for begins, closes in forecast.hours(session, place, now=now):
        opens = max(begins, 0.0)
        for at in _times(opens, closes, now):
            me = Standing(
                due=float(RULES.due_walk_in(at)), priority=priority, planned=minutes, arrives=at
            )
            wait = admits(replace(outlook, opens=opens), me, closes=closes)
            if wait is not None:
                later = None if at == 0.0 else now + timedelta(minutes=at)
                say = Say.NOW if later is None else Say.COME_BACK
                return Advice(say=say, at=later, p80_minutes=wait)
    return Advice(say=Say.BOOK, at=None, p80_minutes=None)


def admits(outlook: Outlook, me: Standing, *, closes: float) -> int | None:
    """Return the wait (minutes, 8 of 10 less) of a walk-in who may come; None: they may not.

    Args:
        outlook: what is known; it opens when the hours begin in which they would come.
        me: the walk-in.
        closes: when these hours end, minutes from now.
    """
    if not outlook.servers:
        return None
    inside = replace(
        outlook,
        here=(*(p for p in outlook.here if p.arrives < closes), me),
        expected=tuple(p for p in outlook.expected if outlook.opens - WINDOW < p.starts < closes),
    )
    mine = len(inside.here) - 1
    drawn = forecast.draw(inside, inside.rng(), draws=DRAWS)
    starts = serve(drawn.arrivals, drawn.ranks, drawn.durations, drawn.free_at)
    wait = float(np.quantile(starts[:, mine] - me.arrives, waits.PROMISED))
    done = float(np.quantile(starts[:, mine] + drawn.durations[:, mine], waits.PROMISED))
    booked = np.asarray([*(p.booked for p in inside.here), *(True for _ in inside.expected)])
    since = np.maximum(drawn.arrivals, drawn.dues)
    after = starts >= starts[:, [mine]]
    near = booked & after & np.isfinite(starts) & (since < me.due + WINDOW)
    theirs = starts[near] - since[near]
    kept = not theirs.size or float(np.quantile(theirs, BOOKED_SHARE)) <= BOOKED_WAIT
    return round(wait) if kept and wait <= WALK_IN_WAIT and done <= closes else None


def _times(opens: float, closes: float, now: datetime) -> list[float]:
    """Return when somebody may come, minutes from now: now, or at full tens of these hours."""
    past_ten = now.minute % STEP + now.second / 60
    first = STEP - past_ten if past_ten else STEP
    times = [first + STEP * n for n in range(int(max(closes - first, 0.0) // STEP) + 1)]
    return [0.0, *(at for at in times if opens <= at < closes)]
