"""Days at a place, simulated: many at once, each person's start computed, none of them stored.

It decides no order: ranks come from `scheduler.line`, as in the live queue. It draws no random
numbers either: arrivals and durations are given. Times are minutes.
"""

import numpy as np
from numpy.typing import NDArray

Minutes = NDArray[np.float64]


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
