"""How long people are served at a place, learnt from its own days, with a prior where few are.

It simulates nothing: `scheduler.waits` and the planner draw from what stands here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from scheduler.calendar import HERE
from scheduler.places import REGULAR
from scheduler.points import same_line
from scheduler.queue_life import QueueState
from scheduler.tables_day import QueueRow

LOOKS_BACK = timedelta(days=28)
"""[D] Older days were served by other people with other habits."""
MOST = 200
"""[D] Of one length; the latest of them say enough."""
SHORTEST, LONGEST = 1.0, 90.0
"""[D] Minutes; outside, somebody forgot to begin or to end."""
OUTLIER = 4.0
"""[D] Times the median; more is cut off to that: a forgotten end must not move every promise."""
PRIOR_SHARE, PRIOR_CV = 0.8, 0.5
"""Mean, as a share of the planned minutes, and variation before anything was measured: 10 to 15
minutes a person (Hanoi police, VnExpress 2021), who are planned with 15."""
PRIOR_POINTS = 20
"""[D] How many measured people the prior weighs; one is dropped for every `PRIOR_FADES`."""
PRIOR_FADES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Service times of one planned length, in minutes, equally likely each."""

    minutes: tuple[float, ...]
    known: int
    """How many of them were measured; the others are the prior's."""

    @property
    def mean(self) -> float:
        """Mean, minutes."""
        return float(np.mean(self.minutes))

    @property
    def cv(self) -> float:
        """Standard deviation over mean."""
        return float(np.std(self.minutes)) / self.mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Service times at a place by planned length."""

    by_length: Mapping[int, Sample] = field(default_factory=dict)

    def of(self, planned: int) -> Sample:
        """Return the times of people planned for so many minutes."""
        return self.by_length.get(planned) or blended((), planned=planned)


def measured(session: Session, place: str, *, now: datetime, lane: str = REGULAR) -> Service:
    """Return what the last four weeks say of a place, by planned length; the prior where few.

    Kiosks and counters that help take different times: `lane` says whose are meant.
    """
    ranked = (
        sa.select(
            QueueRow.minutes,
            QueueRow.began_at,
            QueueRow.ended_at,
            QueueRow.number,
            sa.func.row_number()
            .over(
                partition_by=QueueRow.minutes,
                order_by=(QueueRow.began_at.desc(), QueueRow.number.desc()),
            )
            .label("nth"),
        )
        .where(
            QueueRow.place == place,
            QueueRow.day >= first_day(now),
            same_line(lane),
            QueueRow.state == QueueState.DONE,
            QueueRow.began_at < now,
        )
        .subquery()
    )
    rows = session.execute(
        sa.select(ranked.c.minutes, ranked.c.began_at, ranked.c.ended_at)
        .where(ranked.c.nth <= MOST)
        .order_by(ranked.c.minutes, ranked.c.began_at, ranked.c.number)
    )
    times: dict[int, list[float]] = {}
    for planned, began, ended in rows:
        times.setdefault(planned, []).append((ended - began) / timedelta(minutes=1))
    return Service(
        by_length={planned: blended(taken, planned=planned) for planned, taken in times.items()}
    )


def first_day(now: datetime) -> date:
    """Return the first day that is looked at."""
    return (now - LOOKS_BACK).astimezone(HERE).date()


def blended(taken: Iterable[float], *, planned: int) -> Sample:
    """Return the measured times with as much of the prior as so few of them need."""
    sound = [minutes for minutes in taken if SHORTEST <= minutes <= LONGEST]
    if sound:
        most = OUTLIER * float(np.median(sound))
        sound = [min(minutes, most) for minutes in sound]
    points = max(PRIOR_POINTS - len(sound) // PRIOR_FADES, 0)
    prior = lognormal_points(points, mean=PRIOR_SHARE * planned, cv=PRIOR_CV)
    return Sample(minutes=(*sound, *(float(p) for p in prior)), known=len(sound))


def lognormal_points(count: int, *, mean: float, cv: float) -> NDArray[np.float64]:
    """Return the midpoints of `count` equally likely slices of a lognormal distribution."""
    sigma = np.sqrt(np.log1p(cv**2))
    points: NDArray[np.float64] = np.exp(
        np.log(mean) - sigma**2 / 2 + sigma * normal_points(count, mean=0.0, deviation=1.0)
    )
    return points


def normal_points(count: int, *, mean: float, deviation: float) -> NDArray[np.float64]:
    """Return the midpoints of `count` equally likely slices of a normal distribution."""
    normal = NormalDist(mean, deviation)
    return np.asarray([normal.inv_cdf((n + 0.5) / count) for n in range(count)], float)
