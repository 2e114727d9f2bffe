"""Who is called next: everybody is ranked by the moment they are due.

It knows neither tables nor a clock. The live queue and the simulator ask the same functions;
times are minutes since any moment both sides agree on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Minutes = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How the merged line is ordered; all in minutes."""

    grace: float = 15.0
    """[D] Who is at most so late keeps the time they were due."""
    walk_in_offset: float = 7.5
    """How long after arrival somebody without an appointment is due (see docs/queue.md)."""
    head_start: float = 16.0
    """How much earlier a priority person is due (see docs/queue.md)."""

    def due_booked(self, starts: ArrayLike, arrived: ArrayLike) -> Minutes:
        """Return when people with appointments are due: at their time, or on arrival if later."""
        starts, arrived = np.asarray(starts, float), np.asarray(arrived, float)
        return np.where(arrived <= starts + self.grace, starts, arrived)

    def due_walk_in(self, arrived: ArrayLike) -> Minutes:
        """Return when people without appointments are due."""
        return np.asarray(arrived, float) + self.walk_in_offset

    def rank(self, due: ArrayLike, priority: ArrayLike) -> Minutes:
        """Return the places in line: the lowest is called first.

        A rank never changes, and whoever arrives later than a head start and a grace after it has
        a higher one: nobody starves.
        """
        return np.asarray(due, float) - self.head_start * np.asarray(priority, float)


RULES = Rules()
"""What the live queue goes by."""
