"""Comparing two prints by their minutiae: pairs that keep each other's distance and direction.

It sees no pixels and decides nothing; from `SAME_FROM` on two prints are one finger's.
Method: candidate pairs from local surroundings, pairwise consistency and its principal
eigenvector (Leordeanu and Hebert 2005), then a stretched alignment that gathers the rest.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger import limits
from biometrics.finger.alignment import aligned, gathered
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.neighbourhood import alike
from biometrics.finger.pairing import Pairs, assigned, candidates, consistency, strengthened

Floats = NDArray[np.float32]

SAME_FROM: Final = limits.SAME_FROM.value
_FEWEST: Final = 4
"""Minutiae below which a print says nothing."""
_REACHES: Final = (20.0, 16.0, 14.0)
"""Pixels a pair may be apart in each round of alignment."""


def compare(a: Minutiae, b: Minutiae) -> float:
    """Return how strongly two prints say "one finger": 0 is not at all, no upper end.

    The same for (b, a): the print that comes first in a fixed order is the one that stays.
    """
    first, second = sorted((_strongest(a), _strongest(b)), key=lambda p: (len(p), p.tobytes()))
    if len(first) < _FEWEST:
        return 0.0
    surroundings = alike(first, second)
    found = candidates(surroundings)
    support = strengthened(consistency(first, second, found), found)
    pairs = assigned(found, support)
    moved = second
    for reach in _REACHES:
        if len(pairs) < _FEWEST - 1:
            return 0.0
        moved = aligned(first, second, pairs)
        pairs = gathered(first, moved, surroundings, reach)
    return _score(first, moved, pairs)


def _strongest(print_: Minutiae) -> Floats:
    """Return x, y (upwards) and angle of the strongest minutiae, as float32."""
    points = print_.points[np.argsort(-print_.points[:, 3], kind="stable")]
    chosen = points[: int(limits.MOST_MINUTIAE.value), :3] * np.array([1, -1, 1], np.float32)
    return np.ascontiguousarray(chosen)


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
