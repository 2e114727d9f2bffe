"""What to tell a walk-in: come in now, come back at such a time, or book. Nobody is let in here.

The measure is the promise to those who booked; whoever is late beyond likelihood no longer counts,
so that a missed appointment frees its place for a walk-in by itself.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from scheduler import forecast, waits
from scheduler.forecast import Minutes, Outlook, Standing
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
    found = first_time(
        forecast.look(session, place, now=now),
        forecast.hours(session, place, now=now),
        past_ten=now.minute % STEP + now.second / 60,
        minutes=minutes,
        priority=priority,
    )
    match found:
        case None:
            return Advice(say=Say.BOOK, at=None, p80_minutes=None)
        case (0.0, wait):
            return Advice(say=Say.NOW, at=None, p80_minutes=wait)
        case (at, wait):
            back_at = now + timedelta(minutes=at)
            return Advice(say=Say.COME_BACK, at=back_at, p80_minutes=wait)


def first_time(
    outlook: Outlook,
    hours: Sequence[tuple[float, float]],
    *,
    past_ten: float,
    minutes: int,
    priority: bool,
) -> tuple[float, int] | None:
    """Return when a walk-in may come first, and their wait (8 of 10 less) then; None: not today.

    Args:
        outlook: what is known.
        hours: of today, begin and end, minutes from now.
        past_ten: minutes since the last full ten of the clock.
        minutes: how long the person is planned for.
        priority: whether they may go first.
    """
    for begins, closes in hours:
        known = replace(outlook, opens=max(begins, 0.0))
        booked = _booked(known, closes)
        for at in _times(known.opens, closes, past_ten):
            due = float(RULES.due_walk_in(at))
            if not _kept(booked.waits[(booked.since >= due) & (booked.since < due + WINDOW)]):
                continue  # they wait too long already, without one more
            me = Standing(due=due, priority=priority, planned=minutes, arrives=at)
            wait = admits(known, me, closes=closes)
            if wait is not None:
                return at, wait
    return None


def admits(outlook: Outlook, me: Standing, *, closes: float) -> int | None:
    """Return the wait (minutes, 8 of 10 less) of a walk-in who may come; None: they may not.

    Args:
        outlook: what is known; it opens when the hours begin in which they would come.
        me: the walk-in.
        closes: when these hours end, minutes from now.
    """
    if not outlook.servers:
        return None
    inside = _inside(outlook, closes, me)
    mine = len(inside.here) - 1
    drawn = forecast.draw(inside, inside.rng(), draws=DRAWS)
    starts = serve(drawn.arrivals, drawn.ranks, drawn.durations, drawn.free_at)
    wait = float(np.quantile(starts[:, mine] - me.arrives, waits.PROMISED))
    done = float(np.quantile(starts[:, mine] + drawn.durations[:, mine], waits.PROMISED))
    since = np.maximum(drawn.arrivals, drawn.dues)
    after = starts >= starts[:, [mine]]
    near = _columns_booked(inside) & after & np.isfinite(starts) & (since < me.due + WINDOW)
    kept = _kept(starts[near] - since[near])
    return round(wait) if kept and wait <= WALK_IN_WAIT and done <= closes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Booked:
    """Those who booked, in all draws: since when they wait, and how long."""

    since: Minutes
    waits: Minutes


def _booked(outlook: Outlook, closes: float) -> _Booked:
    """Return how those who booked fare without one more walk-in."""
    if not outlook.servers:
        return _Booked(since=np.empty(0), waits=np.empty(0))
    inside = _inside(outlook, closes)
    drawn = forecast.draw(inside, inside.rng(), draws=DRAWS)
    starts = serve(drawn.arrivals, drawn.ranks, drawn.durations, drawn.free_at)
    theirs = _columns_booked(inside) & np.isfinite(starts)
    since = np.maximum(drawn.arrivals, drawn.dues)[theirs]
    return _Booked(since=since, waits=starts[theirs] - since)


def _inside(outlook: Outlook, closes: float, *more: Standing) -> Outlook:
    """Return what is known of the hours that end at `closes`."""
    return replace(
        outlook,
        here=(*(p for p in outlook.here if p.arrives < closes), *more),
        expected=tuple(p for p in outlook.expected if outlook.opens - WINDOW < p.starts < closes),
    )


def _columns_booked(outlook: Outlook) -> NDArray[np.bool_]:
    return np.asarray([*(p.booked for p in outlook.here), *(True for _ in outlook.expected)], bool)


def _kept(theirs: Minutes) -> bool:
    """Return whether those who booked wait no longer than they may."""
    return not theirs.size or float(np.quantile(theirs, BOOKED_SHARE)) <= BOOKED_WAIT


def _times(opens: float, closes: float, past_ten: float) -> list[float]:
    """Return when somebody may come, minutes from now: now, or at full tens of these hours."""
    first = STEP - past_ten
    tens = [first + STEP * n for n in range(int(max(closes - first, 0.0) // STEP) + 1)]
    return [0.0, *(at for at in tens if opens <= at < closes)]
