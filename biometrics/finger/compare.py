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

from biometrics.finger import limits, parameters
from biometrics.finger.alignment import Mask, aligned, gathered, laid_over, overlapping
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
    locally,
    strengthened,
)

SAME_FROM: Final = limits.SAME_FROM.value


class Step(enum.StrEnum):
    """The steps of a comparison, as a listener is told of them."""

    ORDER = "order"
    SURROUNDINGS = "surroundings"
    CANDIDATES = "candidates"
    SUPPORT = "support"
    SEEDS = "seeds"
    LAID = "laid"
    GATHERED = "gathered"
    LOCAL = "local"
    SHARED = "shared"
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
    """Return how strongly two prints say "one finger": 1 is the most that strangers reached.

    From 0, no upper end; what a score means to a caller stands in `limits`.
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
    """The comparison, step by step; both prints are n x 4 of x, y (upwards), angle, weight."""
    if len(first) < parameters.FEWEST.value:
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
    for reach in parameters.REACHES:
        if len(pairs) < parameters.FEWEST.value - 1:
            return 0.0, NONE
        moved = aligned(first, second, pairs)
        listen(Step.LAID, moved)
        pairs = gathered(first, moved, surroundings, reach.value)
        listen(Step.GATHERED, pairs)
    if len(pairs) < parameters.FEWEST.value - 1:
        return 0.0, NONE
    local = locally(first, second, pairs)
    listen(Step.LOCAL, local)
    shared = overlapping(first, moved)
    listen(Step.SHARED, shared)
    score = _score(first[:, 3], second[:, 3], pairs, local, shared)
    listen(Step.SCORE, score)
    return score, pairs


def _score(
    one: Floats, other: Floats, pairs: Pairs, local: Floats, shared: tuple[Mask, Mask]
) -> float:
    """Evidence, twice: all of it and what agrees locally, over what could have met."""
    weight = pairs.weight * np.sqrt(one[pairs.left] * other[pairs.right])
    could = math.sqrt(float(one[shared[0]].sum()) * float(other[shared[1]].sum()))
    evidence = float(weight.sum()) * float((weight * local).sum())
    crowd = math.pow(max(parameters.FEWEST.value, could), parameters.CROWDED.value)
    return evidence / crowd / parameters.UNIT.value


def _nobody(step: Step, result: object) -> None:
    del step, result


def _strongest(print_: Minutiae) -> tuple[Indices, Floats]:
    """Return the indices of the strongest minutiae; their x, y (upwards), angle and weight."""
    order = np.argsort(-print_.points[:, 3], kind="stable")[: int(parameters.MOST.value)]
    chosen = print_.points[order]
    chosen[:, 1] *= -1
    chosen[:, 3] = np.clip(chosen[:, 3] / np.float32(parameters.SURE.value), 0, 1)
    return order, chosen
