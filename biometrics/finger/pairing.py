"""Which minutia of one print may be which of the other, judged by how pairs support each other.

It moves nothing; see `alignment` for what comes after.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

_CANDIDATES: Final = 80
_ROUNDS: Final = 8
_NEAR: Final = 5.0
_FAR: Final = 0.05
"""Two pairs at distance d may disagree by `_NEAR` + `_FAR` * d pixels."""
_TURN: Final = 16.0
"""Weight of disagreement in turn: about (angle / 0.35 rad)^2 while small."""
_SIGHT: Final = 32.0
"""Weight of disagreement in where one sees the other: about (angle / 0.25 rad)^2."""
_WORST: Final = 12.0
_LEAST: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Minutia `left[k]` of the first print is `right[k]` of the second, as strongly as `weight`."""

    left: Indices
    right: Indices
    weight: Floats

    def __len__(self) -> int:
        return len(self.left)


NONE: Final = Pairs(
    left=np.empty(0, np.intp), right=np.empty(0, np.intp), weight=np.empty(0, np.float32)
)


def candidates(grades: Floats) -> Pairs:
    """Return the best graded pairs; one minutia may stand in several."""
    flat = grades.ravel()
    count = min(_CANDIDATES, flat.size)
    best = np.argpartition(-flat, count - 1)[:count]
    best = best[np.argsort(-flat[best], kind="stable")]
    left, right = np.divmod(best, grades.shape[1])
    return Pairs(left=left, right=right, weight=flat[best])


def consistency(a: Floats, b: Floats, pairs: Pairs) -> Floats:
    """Return m x m, 0..1: how well each two pairs agree in distance, turn and direction."""
    far_a, sight_a, turn_a = (view[np.ix_(pairs.left, pairs.left)] for view in _views(a))
    far_b, sight_b, turn_b = (view[np.ix_(pairs.right, pairs.right)] for view in _views(b))
    off = (far_a - far_b) / (_NEAR + _FAR * np.maximum(far_a, far_b))
    seen = 1 - np.cos(sight_a - sight_b)
    cost = off**2 + _TURN * (1 - np.cos(turn_a - turn_b)) + _SIGHT * (seen + seen.T) / 2
    agreed = np.where(cost < _WORST, np.exp(-0.5 * cost), 0)
    shared = (pairs.left[:, None] == pairs.left) | (pairs.right[:, None] == pairs.right)
    agreed[shared] = 0
    return np.asarray(agreed, np.float32)


def strengthened(agreed: Floats, pairs: Pairs) -> Floats:
    """Return each pair's share in the principal eigenvector, the strongest being 1."""
    support = pairs.weight
    for _ in range(_ROUNDS):
        support = np.float32(0.3) * support + np.float32(0.7) * (agreed @ support)
        most = support.max(initial=0)
        if most <= 0:
            return np.zeros_like(support)
        support = support / most
    return support


def assigned(pairs: Pairs, support: Floats) -> Pairs:
    """Return the pairs that remain when each minutia is taken once, strongest first."""
    order = np.argsort(-support, kind="stable")
    lefts, rights, taken = set[int](), set[int](), list[int]()
    for k in order[support[order] >= _LEAST].tolist():
        left, right = int(pairs.left[k]), int(pairs.right[k])
        if left not in lefts and right not in rights:
            lefts.add(left)
            rights.add(right)
            taken.append(k)
    chosen = np.asarray(taken, np.intp)
    return Pairs(left=pairs.left[chosen], right=pairs.right[chosen], weight=support[chosen])


def _views(points: Floats) -> tuple[Floats, Floats, Floats]:
    """Return n x n: distance to, direction of (in one's own frame), and turn of the other."""
    x, y, angle = points[:, 0], points[:, 1], points[:, 2]
    dx, dy = x[None] - x[:, None], y[None] - y[:, None]
    turn = angle[None] - angle[:, None]
    return np.hypot(dx, dy), np.arctan2(dy, dx) - angle[:, None], turn
