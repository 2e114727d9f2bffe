"""One plan tried on many half-days: waits, overtime, who was served, how busy the kiosks were.

It searches nothing. Every plan is tried on the same people (common random numbers): the n-th is
equally late, served equally long and stays away on the same half-days, whatever the pattern.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scheduler import simulation
from scheduler.planner.inputs import Inputs, ServiceTimes
from scheduler.simulation import Days, Minutes

TRIALS = 200
"""[D] Half-days in a search: enough for a 95 % quantile of some 8,000 waits."""
MOST_TRIALS = 2000
FIRST_IN_LINE = -np.inf
"""Rank of a failure: it takes the kiosk as soon as the person there is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What half-days of a plan are like. Waits count from one's own time; all in minutes."""

    places: int
    """People who were booked."""
    served: float
    """Mean number of people, those without an appointment too."""
    walk_ins: float
    """How many of these came without."""
    mean_wait: float
    p50_wait: float
    p95_wait: float
    """Of people with an appointment."""
    p95_walk_in: float | None
    """Of people without; None: there are none."""
    overtime: float
    """90 % quantile of how long after closing the last is done."""
    busy: float
    """Share of the kiosks' time, from opening to the last one's end."""
    idle: float
    """Mean kiosk minutes nobody uses within the hours."""
    cost: float
    """Mean of a half-day: waiting minutes, 5 for an idle kiosk minute, 10 for overtime."""


IDLE_COST, OVERTIME_COST = 5.0, 10.0
"""Weights against one minute of a citizen's wait, as the literature's comparisons have them."""


def _between(points: Sequence[float], u: Minutes) -> Minutes:
    """Return values whose distribution runs straight from each ordered point to the next."""
    ordered = np.sort(np.asarray(points, float))
    at = (np.arange(len(ordered)) + 0.5) / len(ordered)
    found: Minutes = np.interp(u, at, ordered)
    return found


@dataclass(frozen=True, kw_only=True)
class People:
    """Who may come on `trials` half-days of some length: the same for every plan of them."""

    inputs: Inputs
    minutes: int
    """How long the office is open."""
    seed: int
    most: int
    """People who are drawn with an appointment."""
    trials: int = TRIALS

    @cached_property
    def _booked(self) -> tuple[Minutes, Minutes, NDArray[np.bool_]]:
        """Lateness, service times, and who goes first; infinitely late is who stays away."""
        late, served, first = self._rngs[0].spawn(3)
        shape = (self.trials, self.most)
        lateness = _between(self.inputs.lateness, late.random(shape))
        lateness[late.random(shape) < self.inputs.no_show] = np.inf
        times = _durations(self.inputs.service, served, shape)
        return lateness, times, first.random(shape) < self.inputs.priority

    @cached_property
    def _walking(self) -> tuple[Minutes, Minutes, NDArray[np.bool_]]:
        """Arrivals of people without an appointment, service times, and who goes first."""
        rng, served = self._rngs[1].spawn(2)
        mean = self.inputs.walk_ins_per_hour * self.minutes / 60
        count = rng.poisson(mean, self.trials)
        shape = (self.trials, int(count.max(initial=0)))
        arrivals = rng.uniform(0.0, self.minutes, shape)
        arrivals[np.arange(shape[1]) >= count[:, None]] = np.inf
        times = _durations(self.inputs.service, served, shape)
        return arrivals, times, rng.random(shape) < self.inputs.priority

    @cached_property
    def _failing(self) -> Minutes:
        """When kiosks fail; infinite: not on this half-day."""
        rng, shape = self._rngs[2], (self.trials, self.inputs.servers)
        begins = rng.uniform(0.0, self.minutes, shape)
        begins[rng.random(shape) >= self.inputs.failure] = np.inf
        return begins

    @cached_property
    def _rngs(self) -> list[np.random.Generator]:
        return np.random.default_rng(self.seed).spawn(3)

    def days(self, starts: Sequence[int]) -> Days:
        """Return the half-days on which people are asked to come at `starts`.

        Raises:
            ValueError: more people than were drawn.
        """
        count = len(starts)
        if count > self.most:
            raise ValueError(f"{count} of {self.most} people")
        lateness, times, first = (part[:, :count] for part in self._booked)
        walking, walking_times, walking_first = self._walking
        booked = np.tile(np.asarray(starts, float), (self.trials, 1))
        shape = (self.trials, count + walking.shape[1])
        return Days(
            arrivals=np.hstack([booked + lateness, walking]),
            starts=np.hstack([booked, walking]),
            walk_in=np.broadcast_to(np.arange(shape[1]) >= count, shape),
            priority=np.hstack([first, walking_first]),
            durations=np.hstack([times, walking_times]),
        )

    def began(self, days: Days) -> Minutes:
        """Return when each person begins to be served; the kiosks open at 0."""
        ranks = simulation.ranks(days, simulation.Discipline.MERGED)
        arrivals, durations = days.arrivals, days.durations
        if self.inputs.failure:
            # A failure stands in line before everybody and is "served" by the kiosk it stops.
            fails = self._failing
            arrivals = np.hstack([fails, arrivals])
            ranks = np.hstack([np.full_like(fails, FIRST_IN_LINE), ranks])
            durations = np.hstack([np.full_like(fails, self.inputs.repair), durations])
        free_at = np.zeros((self.trials, self.inputs.servers))
        began = simulation.serve(arrivals, ranks, durations, free_at)
        return began[:, began.shape[1] - days.arrivals.shape[1] :]

    def try_out(self, starts: Sequence[int]) -> Outcome:
        """Return what half-days are like on which people are asked to come at `starts`."""
        days = self.days(starts)
        began = self.began(days)
        came = np.isfinite(began)
        waited = simulation.waits(days, began)
        booked, walking = waited[came & ~days.walk_in], waited[came & days.walk_in]
        busy = np.where(came, days.durations, 0.0).sum(axis=1)
        ended = np.where(came, began + days.durations, 0.0).max(axis=1, initial=0.0)
        over = np.maximum(ended - self.minutes, 0.0)
        kiosk_minutes = self.inputs.servers * np.maximum(ended, self.minutes)
        idle = np.maximum(kiosk_minutes - busy, 0.0)
        median, high = np.quantile(booked, (0.5, 0.95)) if len(booked) else (0.0, 0.0)
        total = np.nansum(waited, axis=1) + IDLE_COST * idle + OVERTIME_COST * over
        return Outcome(
            places=len(starts),
            served=float(came.sum(axis=1).mean()),
            walk_ins=float((came & days.walk_in).sum(axis=1).mean()),
            mean_wait=float(booked.mean()) if len(booked) else 0.0,
            p50_wait=float(median),
            p95_wait=float(high),
            p95_walk_in=float(np.quantile(walking, 0.95)) if len(walking) else None,
            overtime=float(np.quantile(over, 0.9)),
            busy=float((busy / kiosk_minutes).mean()),
            idle=float(idle.mean()),
            cost=float(total.mean()),
        )


def _durations(service: ServiceTimes, rng: np.random.Generator, shape: tuple[int, int]) -> Minutes:
    if service.mean is not None:
        return rng.gamma(service.cv**-2, service.mean * service.cv**2, shape)
    drawn = _between(service.samples, rng.random(shape))
    # Cut between the outermost points, the mean would drift.
    found: Minutes = (
        drawn * (service.average / max(float(drawn.mean()), 1e-9)) if drawn.size else drawn
    )
    return found
