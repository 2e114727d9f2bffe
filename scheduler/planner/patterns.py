"""Patterns of appointments: at which times so many people are asked to come.

It simulates nothing and opens nothing. What is laid out here can be entered as weekly hours as it
stands: whole minutes, one rule a row. Times are minutes after opening.
"""

import enum
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass


class Pattern(enum.StrEnum):
    """How people are spread over the hours."""

    STAGGERED = "staggered"
    """One after the other, at equal distances."""
    BAILEY_HALF = "bailey_half"
    """Staggered, but one more for every two kiosks at the opening."""
    BAILEY_WELCH = "bailey_welch"
    """Staggered, but one more for every kiosk at the opening (Bailey and Welch 1952)."""
    DOME = "dome"
    """Closer together in the first and last quarter than between."""
    BLOCKS_15 = "blocks_15"
    BLOCKS_30 = "blocks_30"
    BLOCKS_60 = "blocks_60"
    """Everybody of an hour is asked to come when it begins."""
    AT_ONCE = "at_once"
    """Everybody is asked to come when the office opens."""


DOME_SHARE = 0.27
"""[D] Of the people, in the first and in the last quarter; a quarter would be staggered."""
BLOCK = {Pattern.BLOCKS_15: 15, Pattern.BLOCKS_30: 30, Pattern.BLOCKS_60: 60}
"""Minutes of a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Slots of one length, one after the other."""

    offset: int
    """When the first begins."""
    step: int
    """Minutes of a slot."""
    count: int
    capacity: int
    """People a slot."""

    @property
    def places(self) -> int:
        """How many people come."""
        return self.count * self.capacity

    @property
    def ends(self) -> int:
        """When the last slot ends."""
        return self.offset + self.count * self.step

    def starts(self) -> Iterator[int]:
        """Yield when each person is asked to come."""
        for n in range(self.count):
            for _ in range(self.capacity):
                yield self.offset + n * self.step


Layout = tuple[Row, ...]


def starts(layout: Layout) -> tuple[int, ...]:
    """Return when each person is asked to come, ascending."""
    return tuple(sorted(at for row in layout for at in row.starts()))


def lay_out(pattern: Pattern, places: int, *, minutes: int, servers: int, length: int) -> Layout:
    """Return `places` places as a pattern has them.

    Args:
        pattern: which.
        places: how many people come.
        minutes: how long the office is open.
        servers: kiosks or counters.
        length: minutes most people are planned for; slots are no shorter, so that one of them is
            enough, and shorter than two of them, so that who needs twice as long takes two.

    Raises:
        ValueError: nobody comes, or the office is not open for one appointment.
    """
    if places < 1 or minutes < length:
        raise ValueError(f"{places} places in {minutes} minutes")
    return _LAY_OUT[pattern](places, minutes, servers, length)


def _streams(places: int, minutes: int, length: int, offset: int = 0) -> Layout:
    """Return people at equal distances, as streams of whole steps that begin one after the other.

    Method: of all numbers of streams whose step is at least `length` and less than twice that, the
    one that leaves least time unused at the end; of equal ones the smallest.
    """
    if places == 0:
        return ()
    few = max(math.ceil(length * places / minutes), 1)
    most = max(min((2 * length - 1) * places // minutes, places), few)
    best = max(
        range(few, most + 1), key=lambda streams: (_covered(places, minutes, streams), -streams)
    )
    step = max(min(best * minutes // places, 2 * length - 1), 1)
    first = [offset + round(n * step / best) for n in range(best)]
    each, more = divmod(places, best)
    return tuple(
        Row(offset=at, step=step, count=each + (n < more), capacity=1)
        for n, at in enumerate(first)
        if each + (n < more)
    )


def _covered(places: int, minutes: int, streams: int) -> float:
    return places * (streams * minutes // places) / streams


def _staggered(places: int, minutes: int, servers: int, length: int) -> Layout:
    del servers
    return _streams(places, minutes, length)


def _with_more_at_opening(places: int, minutes: int, length: int, more: int) -> Layout:
    more = min(more, places - 1)
    # The distances stay as they were: whoever comes more at the opening is missing at the end.
    rest = _streams(places - more, minutes * (places - more) // places, length)
    if not more:
        return rest
    return (Row(offset=0, step=rest[0].step, count=1, capacity=more), *rest)


def _bailey_half(places: int, minutes: int, servers: int, length: int) -> Layout:
    return _with_more_at_opening(places, minutes, length, max(servers // 2, 1))


def _bailey_welch(places: int, minutes: int, servers: int, length: int) -> Layout:
    return _with_more_at_opening(places, minutes, length, servers)


def _dome(places: int, minutes: int, servers: int, length: int) -> Layout:
    quarter, ends = minutes // 4, round(DOME_SHARE * places)
    if quarter < length or not ends:
        return _staggered(places, minutes, servers, length)
    return (
        *_streams(ends, quarter, length),
        *_streams(places - 2 * ends, minutes - 2 * quarter, length, quarter),
        *_streams(ends, quarter, length, minutes - quarter),
    )


def _blocks(pattern: Pattern) -> Callable[[int, int, int, int], Layout]:
    def lay(places: int, minutes: int, servers: int, length: int) -> Layout:
        del servers
        step = max(BLOCK[pattern], length)
        each, more = divmod(places, max(minutes // step, 1))
        rows = ((minutes // step, each), (more, 1))
        return tuple(
            Row(offset=0, step=step, count=count, capacity=capacity)
            for count, capacity in rows
            if count and capacity
        )

    return lay


def _at_once(places: int, minutes: int, servers: int, length: int) -> Layout:
    del servers, length
    return (Row(offset=0, step=minutes, count=1, capacity=places),)


_LAY_OUT: dict[Pattern, Callable[[int, int, int, int], Layout]] = {
    Pattern.STAGGERED: _staggered,
    Pattern.BAILEY_HALF: _bailey_half,
    Pattern.BAILEY_WELCH: _bailey_welch,
    Pattern.DOME: _dome,
    **{pattern: _blocks(pattern) for pattern in BLOCK},
    Pattern.AT_ONCE: _at_once,
}
