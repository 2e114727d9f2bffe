"""Comparing two prints by their minutiae: pairs that keep each other's distance and direction.

It sees no pixels and decides nothing; from `SAME_FROM` on two prints are one finger's.
Method: candidate pairs from local surroundings, pairwise consistency and its principal
eigenvector (Leordeanu and Hebert 2005), then a stretched alignment that gathers the rest.
"""

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from biometrics.finger import limits
from biometrics.finger.alignment import aligned, gathered, laid_over
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.neighbourhood import alike
from biometrics.finger.pairing import (
    NONE,
    Floats,
    Indices,
    Pairs,
    assigned,
    candidates,
    consistency,
    strengthened,
)

SAME_FROM: Final = limits.SAME_FROM.value
_FEWEST: Final = 4
"""Minutiae below which a print says nothing."""
_REACHES: Final = (20.0, 16.0, 14.0)
"""Pixels a pair may be apart in each round of alignment."""


class Step(enum.StrEnum):
    """The steps of a comparison, as a listener is told of them."""

    ORDER = "order"
    SURROUNDINGS = "surroundings"
    CANDIDATES = "candidates"
    SUPPORT = "support"
    SEEDS = "seeds"
    LAID = "laid"
    GATHERED = "gathered"
    SCORE = "score"


Listener = Callable[[Step, object], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which minutiae of two prints are one, and how b lies over a.

    Attributes:
        score: as `compare` gives it.
        pairs: index into a's points, index into b's points, strength 0..1; the strongest first.
        turn: radians counter-clockwise as seen, by which b is turned about its picture's corner.
        shift: pixels to the right and downwards, by which b is then shifted.
    """

    score: float
    pairs: tuple[tuple[int, int, float], ...]
    turn: float
    shift: tuple[float, float]


def compare(a: Minutiae, b: Minutiae, listen: Listener | None = None) -> float:
    """Return how strongly two prints say "one finger": 0 is not at all, no upper end.

    The same for (b, a): the print that comes first in a fixed order is the one that stays.
    """
    return _matched(a, b, listen or _nobody)[0]


def pairing(a: Minutiae, b: Minutiae, listen: Listener | None = None) -> Pairing:
    """Return what `compare` finds, pair by pair."""
    score, left, right, weight = _matched(a, b, listen or _nobody)
    turn, shift = 0.0, 0j
    if len(left):
        here, there = (
            print_.points[index, 0] - 1j * print_.points[index, 1].astype(np.float64)
            for print_, index in ((a, left), (b, right))
        )
        lean, shift = laid_over(here, there, weight)
        turn = float(np.angle(lean))
    order = np.argsort(-weight, kind="stable")
    return Pairing(
        score=score,
        pairs=tuple((int(left[k]), int(right[k]), float(weight[k])) for k in order),
        turn=turn,
        shift=(shift.real, -shift.imag),
    )


def _matched(a: Minutiae, b: Minutiae, listen: Listener) -> tuple[float, Indices, Indices, Floats]:
    """Return the score and the pairs: indices into a's and b's points, and their weight."""
    prints = sorted(
        ((_strongest(a), False), (_strongest(b), True)),
        key=lambda p: (len(p[0][1]), p[0][1].tobytes()),
    )
    ((one, first), swapped), ((other, second), _) = prints
    listen(Step.ORDER, swapped)
    score, pairs = _paired(first, second, listen)
    left, right = one[pairs.left], other[pairs.right]
    return (score, right, left, pairs.weight) if swapped else (score, left, right, pairs.weight)


def _paired(first: Floats, second: Floats, listen: Listener) -> tuple[float, Pairs]:
    if len(first) < _FEWEST:
        return 0.0, NONE
    surroundings = alike(first, second)
    listen(Step.SURROUNDINGS, surroundings)
    found = candidates(surroundings)
    listen(Step.CANDIDATES, found)
    support = strengthened(consistency(first, second, found), found)
    listen(Step.SUPPORT, support)
    pairs = assigned(found, support)
    listen(Step.SEEDS, pairs)
    moved = second
    for reach in _REACHES:
        if len(pairs) < _FEWEST - 1:
            return 0.0, NONE
        moved = aligned(first, second, pairs)
        listen(Step.LAID, moved)
        pairs = gathered(first, moved, surroundings, reach)
        listen(Step.GATHERED, pairs)
    score = _score(first, moved, pairs)
    listen(Step.SCORE, score)
    return score, pairs


def _nobody(step: Step, result: object) -> None:
    del step, result


def _strongest(print_: Minutiae) -> tuple[Indices, Floats]:
    """Return the indices of the strongest minutiae; their x, y (upwards) and angle, as float32."""
    order = np.argsort(-print_.points[:, 3], kind="stable")[: int(limits.MOST_MINUTIAE.value)]
    chosen = print_.points[order, :3] * np.array([1, -1, 1], np.float32)
    return order, np.ascontiguousarray(chosen)


def _score(first: Floats, moved: Floats, pairs: Pairs) -> float:
    """Evidence squared over the minutiae that could have met in the shared area."""
    if len(pairs) < _FEWEST - 1:
        return 0.0
    evidence = float(pairs.weight.sum())
    low = np.maximum(first[:, :2].min(axis=0), moved[:, :2].min(axis=0)) - _BORDER
    high = np.minimum(first[:, :2].max(axis=0), moved[:, :2].max(axis=0)) + _BORDER
    could = [
        int(((points[:, :2] >= low) & (points[:, :2] <= high)).all(axis=1).sum())
        for points in (first, moved)
    ]
    return evidence**2 / max(_FEWEST, math.sqrt(could[0] * could[1]))


_BORDER: Final = 10.0
