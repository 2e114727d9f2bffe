"""The planner's curve as lines of a drawing: wait and overtime over the places that are opened.

It tries no plan itself. Units are those of the drawing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scheduler.planner.inputs import Promise
from scheduler.planner.trial import Outcome

WIDTH: Final = 640.0
HEIGHT: Final = 320.0
LEFT: Final = 48.0
RIGHT: Final = 20.0
TOP: Final = 16.0
BOTTOM: Final = 64.0
CAP: Final = 3.0
"""Times the larger promise: what is worse is cut off at the upper edge."""
TICKS_DOWN: Final = (5, 10, 15, 20, 30, 60, 120)
"""Minutes between the lines of the scale: the first that needs at most six."""
MOST_TICKS: Final = 6
TICKS_ALONG: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark of a scale."""

    at: float
    said: str
    below: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The drawing."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    wait: str
    """Path of the 95 % quantile of the wait."""
    overtime: str
    """Path of the 90 % quantile of the overtime."""
    wait_limit: float
    overtime_limit: float
    planned: float
    down: tuple[Tick, ...]
    along: tuple[Tick, ...]


def draw(curve: Sequence[Outcome], promise: Promise, planned: int) -> Curve:
    """Return the curve of a pattern, with the promise and the planned places."""
    top = CAP * max(promise.wait, promise.overtime, 5.0)
    low, high = curve[0].places, max(curve[-1].places, curve[0].places + 1)

    def x(places: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (places - low) / (high - low), 1)

    def y(minutes: float) -> float:
        share = min(minutes, top) / top
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share, 1)

    def path(values: Sequence[float]) -> str:
        points = [f"{x(one.places)} {y(v)}" for one, v in zip(curve, values, strict=True)]
        return "M" + "L".join(points)

    step = next((n for n in TICKS_DOWN if top / n <= MOST_TICKS), TICKS_DOWN[-1])
    each = max(math.ceil(len(curve) / TICKS_ALONG), 1)
    return Curve(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        wait=path([one.p95_wait for one in curve]),
        overtime=path([one.overtime for one in curve]),
        wait_limit=y(promise.wait),
        overtime_limit=y(promise.overtime),
        planned=x(min(max(planned, low), high)),
        down=tuple(
            Tick(at=y(minutes), said=str(minutes)) for minutes in range(0, int(top) + 1, step)
        ),
        along=tuple(
            Tick(at=x(one.places), said=str(one.places), below=f"{one.served:.0f}")
            for one in curve[::each]
        ),
    )
