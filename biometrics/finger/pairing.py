"""Which minutia of one print may be which of the other, judged by how pairs support each other.

It moves nothing; see `alignment` for what comes after.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger import parameters

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Minutia `left[k]` of the first print is `right[k]` of the second, as strongly as `weight`."""

    left: Indices
    right: Indices
    weight: Floats

    def __len__(self) -> int:
        return len(self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far two pairs may disagree.

    Attributes:
        near, far: pixels, and pixels per pixel of distance, that distances may differ by.
        turn, sight: cost of 1 - cos of how the turns, and the directions in which one sees the
            other, differ.
        worst: cost from which on two pairs do not support each other at all.
    """

    near: float
    far: float
    turn: float
    sight: float
    worst: float


NONE: Final = Pairs(
    left=np.empty(0, np.intp), right=np.empty(0, np.intp), weight=np.empty(0, np.float32)
)
CANDIDATES: Final = Tolerance(
    near=parameters.PAIR_NEAR.value,
    far=parameters.PAIR_FAR.value,
    turn=parameters.PAIR_TURN.value,
    sight=parameters.PAIR_SIGHT.value,
    worst=parameters.PAIR_WORST.value,
)
_LOCAL: Final = Tolerance(
    near=parameters.LOCAL_NEAR.value,
    far=parameters.LOCAL_FAR.value,
    turn=parameters.LOCAL_TURN.value,
    sight=parameters.LOCAL_SIGHT.value,
    worst=np.inf,
)
_HELD: Final = np.float32(parameters.HELD.value)
_SMALL: Final = np.float32(1e-3)
"""Pixels: two minutiae of one place have no direction."""


def candidates(grades: Floats) -> Pairs:
    """Return the best graded pairs; one minutia may stand in several."""
    flat = grades.ravel()
    count = min(int(parameters.CANDIDATES.value), flat.size)
    best = np.argpartition(-flat, count - 1)[:count]
    best = best[np.argsort(-flat[best], kind="stable")]
    left, right = np.divmod(best, grades.shape[1])
    return Pairs(left=left, right=right, weight=flat[best])


def consistency(a: Floats, b: Floats, pairs: Pairs, within: Tolerance = CANDIDATES) -> Floats:
    """Return m x m, 0..1: how well each two pairs agree in distance, turn and direction.

    Args:
        a: n x 3 of x, y (upwards), angle.
        b: the same of the other print.
        pairs: m pairs of both.
        within: what is still agreement.
    """
    one, other = _between(a, pairs.left), _between(b, pairs.right)
    # A pair's own turn; that of two pairs agrees, and so does the direction from one to the other.
    turn = np.exp(1j * (a[pairs.left, 2] - b[pairs.right, 2])).astype(np.complex64)
    far, away = abs(one), abs(other)
    off = (far - away) / (within.near + within.far * np.maximum(far, away))
    seen = (one * other.conj() * turn.conj()[:, None]).real / np.maximum(far * away, _SMALL)
    turned = (turn[:, None] * turn.conj()).real
    cost = off * off + within.turn * (1 - turned) + within.sight * (1 - (seen + seen.T) / 2)
    agreed = np.where(cost < within.worst, np.exp(-0.5 * cost), 0)
    agreed[(pairs.left[:, None] == pairs.left) | (pairs.right[:, None] == pairs.right)] = 0
    return np.asarray(agreed, np.float32)


def strengthened(agreed: Floats, pairs: Pairs) -> Floats:
    """Return each pair's share in the principal eigenvector, the strongest being 1."""
    support = pairs.weight
    for _ in range(int(parameters.ROUNDS.value)):
        support = _HELD * support + (1 - _HELD) * (agreed @ support)
        most = support.max(initial=0)
        if most <= 0:
            return np.zeros_like(support)
        support = support / most
    return support


def assigned(pairs: Pairs, support: Floats) -> Pairs:
    """Return the pairs that remain when each minutia is taken once, strongest first."""
    order = np.argsort(-support, kind="stable")
    lefts, rights, taken = set[int](), set[int](), list[int]()
    left, right = pairs.left.tolist(), pairs.right.tolist()
    for k in order[support[order] >= parameters.LEAST.value].tolist():
        if left[k] not in lefts and right[k] not in rights:
            lefts.add(left[k])
            rights.add(right[k])
            taken.append(k)
    chosen = np.asarray(taken, np.intp)
    return Pairs(left=pairs.left[chosen], right=pairs.right[chosen], weight=support[chosen])


def locally(a: Floats, b: Floats, pairs: Pairs) -> Floats:
    """Return for each pair, 0..1, how well it agrees with the pairs nearest to it."""
    agreed = consistency(a, b, pairs, _LOCAL)
    apart = abs(_between(a, pairs.left))
    np.fill_diagonal(apart, np.inf)
    count = min(int(parameters.LOCAL.value), len(pairs) - 1)
    nearest = np.argpartition(apart, count - 1, axis=1)[:, :count]
    return np.asarray(np.take_along_axis(agreed, nearest, axis=1).mean(axis=1), np.float32)


def _between(points: Floats, which: Indices) -> NDArray[np.complex64]:
    """Return m x m: the way from each of these points (rows) to each other, x + iy."""
    places = (points[which, 0] + 1j * points[which, 1]).astype(np.complex64)
    return np.asarray(places[None] - places[:, None], np.complex64)
