"""Minutiae as lines of a drawing: where they lie on a print, and which are one on two prints.

It finds and compares nothing itself. Units of a drawing are pixels at 500 dpi.
"""

import math
from dataclasses import dataclass
from typing import Final

from biometrics.finger.compare import pairing
from biometrics.finger.impression import DPI
from biometrics.finger.minutiae import Minutiae

__all__ = ["DPI", "Drawing", "Half", "Pair", "half", "side_by_side"]

STRONGEST: Final = 12
"""Pairs that are numbered and listed; more numbers hide the print."""
GAP: Final = 24
RADIUS: Final = 3.5
TAIL: Final = 12
MM: Final = 25.4 / DPI


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One print, as large as its picture.

    Attributes:
        picture: id of the picture in the page; None where only its minutiae were kept.
        marks: path of its minutiae: rings with a tail along the ridge.
    """

    picture: str | None
    width: float
    height: float
    marks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A minutia on the left and the same one on the right, from the strongest, 1.

    Attributes:
        left, right: place in the drawing.
        left_mm, right_mm: place on the print, from its upper left corner.
        strength: percent.
    """

    number: int
    left: tuple[float, float]
    right: tuple[float, float]
    left_mm: tuple[float, float]
    right_mm: tuple[float, float]
    strength: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Two prints side by side.

    Attributes:
        aside: how far to the right the right one stands.
        strongest: the pairs that are numbered.
        rest: path of the other pairs' places.
        pairs: how many there are.
        turn: degrees by which the right one is turned clockwise against the left one.
    """

    left: Half
    right: Half
    width: float
    height: float
    aside: float
    strongest: tuple[Pair, ...]
    rest: str
    pairs: int
    turn: int


def half(picture: str | None, width: float, height: float, seen: Minutiae | None) -> Half:
    """Return one print's half of a drawing."""
    rows = [] if seen is None else seen.points[:, :3].tolist()
    marks = "".join(_ring(x, y) + _tail(x, y, angle) for x, y, angle in rows)
    return Half(picture=picture, width=_round(width), height=_round(height), marks=marks)


def without_picture(beside: Half, seen: Minutiae) -> Half:
    """Return minutiae of which no picture was kept, on a ground like the one beside them."""
    width, height = beside.width, beside.height
    if len(seen):
        width = max(width, float(seen.points[:, 0].max()) + TAIL)
        height = max(height, float(seen.points[:, 1].max()) + TAIL)
    return half(None, width, height, seen)


def side_by_side(left: Half, right: Half, one: Minutiae, other: Minutiae) -> tuple[float, Drawing]:
    """Return the score of two prints and how they are paired."""
    found = pairing(one, other)
    aside = left.width + GAP
    pairs = [
        Pair(
            number=number,
            left=here,
            right=(_round(there[0] + aside), there[1]),
            left_mm=_in_mm(here),
            right_mm=_in_mm(there),
            strength=round(100 * strength),
        )
        for number, (a, b, strength) in enumerate(found.pairs, start=1)
        for here, there in ((_place(one, a), _place(other, b)),)
    ]
    rest = "".join(_ring(*at) for pair in pairs[STRONGEST:] for at in (pair.left, pair.right))
    drawn = Drawing(
        left=left,
        right=right,
        width=_round(aside + right.width),
        height=max(left.height, right.height),
        aside=_round(aside),
        strongest=tuple(pairs[:STRONGEST]),
        rest=rest,
        pairs=len(pairs),
        turn=round(math.degrees(found.turn)),
    )
    return found.score, drawn


def _place(seen: Minutiae, index: int) -> tuple[float, float]:
    x, y = seen.points[index, :2].tolist()
    return _round(x), _round(y)


def _in_mm(at: tuple[float, float]) -> tuple[float, float]:
    return _round(at[0] * MM), _round(at[1] * MM)


def _ring(x: float, y: float) -> str:
    start, wide = _round(x - RADIUS), 2 * RADIUS
    arc = f"a{RADIUS} {RADIUS} 0 1 0"
    return f"M{start} {_round(y)}{arc} {wide} 0{arc} -{wide} 0"


def _tail(x: float, y: float, angle: float) -> str:
    """Return the tail from the ring's edge; angles are counter-clockwise, y runs downwards."""
    dx, dy = math.cos(angle), -math.sin(angle)
    start = (_round(x + RADIUS * dx), _round(y + RADIUS * dy))
    return f"M{start[0]} {start[1]}l{_round(TAIL * dx)} {_round(TAIL * dy)}"


def _round(value: float) -> float:
    # Never -0.0.
    return round(value, 1) + 0.0
