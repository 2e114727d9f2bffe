"""Days at a place, simulated: many at once, each person's start computed, none of them stored.

It decides no order: ranks come from `scheduler.line`, as in the live queue. Times are minutes.
"""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.line import RULES, Rules

Minutes = NDArray[np.float64]
BEHIND_EVERYBODY = 1e6
"""Minutes; longer than any day."""


def serve(
    arrivals: Minutes, ranks: Minutes, durations: Minutes, free_at: Minutes, me: int | None = None
) -> Minutes:
    """Return when each person begins to be served; a day is a row.

    Whoever is free first takes, of those who are there, the one of the lowest rank; of equal ranks
    the one who stands first in the row. Nobody stands idle while somebody waits, and nobody is
    interrupted.

    Args:
        arrivals: days x people; infinite: never comes.
        ranks: days x people.
        durations: days x people.
        free_at: days x servers, when each may begin.
        me: only this person's start is wanted; the others' may then stay infinite.

    Returns:
        Days x people; infinite for who never comes.
    """
    waiting, free = arrivals.copy(), free_at.copy()
    starts = np.full(arrivals.shape, np.inf)
    days = np.arange(len(arrivals))
    for _ in range(arrivals.shape[1]):
        server = free[days].argmin(axis=1)
        left = waiting[days]
        at = np.maximum(free[days, server], left.min(axis=1))
        going = np.isfinite(at) if me is None else np.isfinite(at) & np.isfinite(left[:, me])
        if not going.all():
            days, server, left, at = days[going], server[going], left[going], at[going]
        if not len(days):
            break
        chosen = np.where(left <= at[:, None], ranks[days], np.inf).argmin(axis=1)
        starts[days, chosen] = at
        waiting[days, chosen] = np.inf
        free[days, server] = at + durations[days, chosen]
    return starts


class Discipline(enum.StrEnum):
    """In which order people are called."""

    MERGED = "merged"
    """By due time, as the live queue does."""
    ARRIVAL = "arrival"
    """First come, first served."""
    BOOKED_FIRST = "booked_first"
    """Nobody without an appointment while somebody with one waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What days at a place are like."""

    servers: int
    open_minutes: float
    booked: tuple[float, ...]
    """Times of the appointments, minutes after opening."""
    mean: float
    """Of a service, minutes."""
    cv: float
    """Standard deviation of a service over its mean."""
    gamma: bool = False
    """False: service times are lognormal."""
    no_show: float = 0.15
    early: float = 6.0
    """Minutes people come before their time, on average."""
    spread: float = 8.0
    """Standard deviation of that."""
    walk_ins_per_hour: float = 0.0
    priority: float = 0.15
    """Share of all people who may go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Days x people: first who booked, then walk-ins; infinite arrivals never come."""

    arrivals: Minutes
    starts: Minutes
    """Times of the appointments; of a walk-in the arrival."""
    walk_in: NDArray[np.bool_]
    priority: NDArray[np.bool_]
    durations: Minutes

    def since(self) -> Minutes:
        """Return from when on a wait is counted: nobody waits before their own time."""
        return np.maximum(self.arrivals, self.starts)


def evenly(count: int, open_minutes: float) -> tuple[float, ...]:
    """Return the times of so many appointments, one after the other at equal distances."""
    return tuple(n * open_minutes / count for n in range(count))


def draw(setting: Setting, rng: np.random.Generator, days: int) -> Days:
    """Draw so many days."""
    booked = np.tile(setting.booked, (days, 1))
    arrivals = booked + rng.normal(-setting.early, setting.spread, booked.shape)
    arrivals[rng.random(booked.shape) < setting.no_show] = np.inf
    count = rng.poisson(setting.walk_ins_per_hour * setting.open_minutes / 60, days)
    most = int(count.max())
    walking = rng.uniform(0.0, setting.open_minutes, (days, most))
    walking[np.arange(most) >= count[:, None]] = np.inf
    shape = (days, booked.shape[1] + most)
    return Days(
        arrivals=np.hstack([arrivals, walking]),
        starts=np.hstack([booked, walking]),
        walk_in=np.broadcast_to(np.arange(shape[1]) >= booked.shape[1], shape),
        priority=rng.random(shape) < setting.priority,
        durations=_durations(setting, rng, shape),
    )


def _durations(setting: Setting, rng: np.random.Generator, shape: tuple[int, int]) -> Minutes:
    if setting.gamma:
        return rng.gamma(setting.cv**-2, setting.mean * setting.cv**2, shape)
    variance = float(np.log1p(setting.cv**2))
    deviation = float(np.sqrt(variance))
    return rng.lognormal(float(np.log(setting.mean)) - variance / 2, deviation, shape)


def dues(days: Days, rules: Rules = RULES) -> Minutes:
    """Return when everybody is due, as `scheduler.line` says."""
    booked = rules.due_booked(days.starts, days.arrivals)
    return np.where(days.walk_in, rules.due_walk_in(days.arrivals), booked)


def ranks(days: Days, discipline: Discipline, rules: Rules = RULES) -> Minutes:
    """Return everybody's place in line under a discipline."""
    match discipline:
        case Discipline.MERGED:
            return rules.rank(dues(days, rules), days.priority)
        case Discipline.ARRIVAL:
            return days.arrivals
        case Discipline.BOOKED_FIRST:
            return days.starts + np.where(days.walk_in, BEHIND_EVERYBODY, 0.0)


def run(
    setting: Setting, days: Days, discipline: Discipline = Discipline.MERGED, rules: Rules = RULES
) -> Minutes:
    """Return when each person begins to be served; the kiosks and counters open at 0."""
    free_at = np.zeros((len(days.arrivals), setting.servers))
    return serve(days.arrivals, ranks(days, discipline, rules), days.durations, free_at)


def waits(days: Days, starts: Minutes) -> Minutes:
    """Return everybody's wait after their time, minutes; not a number: did not come."""
    came = np.isfinite(starts)
    since = np.where(came, days.since(), np.nan)
    waited: Minutes = np.maximum(np.where(came, starts, np.nan) - since, 0.0)
    return waited
