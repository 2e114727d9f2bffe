"""What the planner is told of a station: servers, hours, service times, habits and the promise.

It learns nothing itself; `scheduler.planner.learning` does.
"""

from dataclasses import dataclass, field
from datetime import time

from scheduler import habits
from scheduler.service import normal_points

HALF_DAY_MOST = 480
"""[D] Minutes; longer than any shift without a break."""
MOST_SERVERS = 40
"""[D] More than any hall has in one line; keeps a plan within its time."""
POINTS = 101
"""[D] Of the prior's punctuality: dense enough for its tails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTimes:
    """How long people are served, in minutes: measured times, or mean and variation."""

    samples: tuple[float, ...] = ()
    """Measured, equally likely each; between two neighbours every value is as likely."""
    mean: float | None = None
    cv: float = 0.4
    """Standard deviation over mean, of a gamma distribution; 1 is the exponential one."""

    def __post_init__(self) -> None:
        """Refuse times that say nothing.

        Raises:
            ValueError: neither samples nor a mean, or one that is not positive.
        """
        if not self.samples and not (self.mean and self.mean > 0 and self.cv > 0):
            raise ValueError("service times need samples, or a mean and a variation")
        if self.samples and min(self.samples) <= 0:
            raise ValueError("nobody is served in no time")

    @property
    def average(self) -> float:
        """Mean, minutes."""
        if self.mean is not None:
            return self.mean
        return sum(self.samples) / len(self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is kept to whoever comes and to whoever works there, minutes."""

    wait: float = 20.0
    """[D] So long at most wait 95 of 100 people with an appointment, after their time."""
    overtime: float = 20.0
    """[D] So long at most after closing the last is done, on 9 of 10 half-days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Hours without a break."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        """Refuse hours that are none.

        Raises:
            ValueError: it closes before it opens, or is open for longer than any shift.
        """
        if not 0 < self.minutes <= HALF_DAY_MOST:
            raise ValueError(f"open from {self.opens} to {self.closes}")

    @property
    def minutes(self) -> int:
        """How long it is open."""
        began = self.opens.hour * 60 + self.opens.minute
        return self.closes.hour * 60 + self.closes.minute - began


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a plan is made of."""

    servers: int
    """Kiosks or counters that work at the same time."""
    openings: tuple[Opening, ...]
    """Of one day, the earliest first; each begins with an empty hall."""
    service: ServiceTimes
    length: int = 15
    """Minutes most people are planned for: no slot is shorter."""
    no_show: float = habits.PRIOR_NO_SHOW
    """Share of booked people who do not come."""
    lateness: tuple[float, ...] = field(
        default=tuple(
            float(point)
            for point in normal_points(
                POINTS, mean=habits.PRIOR_EARLY, deviation=habits.PRIOR_DEVIATION
            )
        )
    )
    """Minutes after their time people come, equally likely each, ascending."""
    walk_ins_per_hour: float = 0.0
    """People without an appointment who are let in; their time is kept free by simulating them."""
    priority: float = 0.0
    """Share of people who go first."""
    failure: float = 0.0
    """Chance that a kiosk fails in a half-day."""
    repair: float = 60.0
    """Minutes it is then out."""
    promise: Promise = field(default_factory=Promise)

    def __post_init__(self) -> None:
        """Refuse what no station is like.

        Raises:
            ValueError: a number is out of its range.
        """
        sound = (
            1 <= self.servers <= MOST_SERVERS
            and self.openings
            and 1 <= self.length <= min(opening.minutes for opening in self.openings)
            and 0 <= self.no_show < 1
            and self.walk_ins_per_hour >= 0
            and 0 <= self.priority <= 1
            and 0 <= self.failure <= 1
            and self.repair > 0
            and self.lateness
        )
        if not sound:
            raise ValueError("no station is like that")
