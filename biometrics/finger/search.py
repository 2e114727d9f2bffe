"""One finger among many: a gallery of prints that can be searched, added to and taken from.

It decides nothing: it gives the likest keys and `compare`'s scores, the caller has the limit.
Method: the surroundings of each minutia become one vector whose product with another's is how
alike they are (random Fourier features, Rahimi and Recht 2007); the fingers whose vectors meet
best are then compared in earnest.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from biometrics.finger import parameters
from biometrics.finger.compare import compare
from biometrics.finger.minutiae import Minutiae

Floats = NDArray[np.float32]
K = TypeVar("K", bound=Hashable)

_LENGTH: Final = int(parameters.VECTOR.value)
_DESCRIBED: Final = int(parameters.DESCRIBED.value)
_BLOCK: Final = 256
"""Prints looked at in one product: their likenesses stay in the processor's cache."""
_FIRST: Final = 64
"""Prints there is room for at first; the room doubles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[K]):
    """A key of the gallery and the score of its print."""

    key: K
    score: float


class Gallery(Generic[K]):
    """Prints by key, in memory only: about 9 kB a print; for one thread at a time."""

    def __init__(self) -> None:
        self._vectors = np.zeros((_FIRST, _DESCRIBED, _LENGTH), np.float32)
        self._prints: list[tuple[K, Minutiae] | None] = []
        self._places = dict[K, int]()
        self._free = list[int]()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, key: K, minutiae: Minutiae) -> None:
        """Take a print; one under the same key is replaced."""
        if key in self._places:
            self.remove(key)
        if self._free:
            place = self._free.pop()
        else:
            place = len(self._prints)
            self._prints.append(None)
            if place == len(self._vectors):
                self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        vectors = described(minutiae)
        self._vectors[place, : len(vectors)] = vectors
        self._prints[place] = (key, minutiae)
        self._places[key] = place

    def remove(self, key: K) -> None:
        """Forget a print; what stood for it is overwritten.

        Raises:
            KeyError: nothing has that key.
        """
        place = self._places.pop(key)
        self._vectors[place] = 0
        self._prints[place] = None
        self._free.append(place)

    def search(self, minutiae: Minutiae, most: int = 10) -> tuple[Found[K], ...]:
        """Return the likest prints, best first; of equals the one that stands first.

        Up to `parameters.COMPARED` prints are all compared; among more, those are whose vectors
        meet the searched print's best.
        """
        likest = self._likest(minutiae)
        prints = [print_ for place in likest if (print_ := self._prints[place]) is not None]
        found = [Found(key=key, score=compare(minutiae, print_)) for key, print_ in prints]
        return tuple(sorted(found, key=lambda each: -each.score)[:most])

    def _likest(self, minutiae: Minutiae) -> list[int]:
        """Return the places to compare at, in their order."""
        count = int(parameters.COMPARED.value)
        if len(self._places) <= count:
            return sorted(self._places.values())
        wanted = described(minutiae)
        if not len(wanted):
            return []
        best = min(len(wanted), int(parameters.MEETING.value))
        alike = np.empty(len(self._prints), np.float32)
        for start in range(0, len(alike), _BLOCK):
            there = self._vectors[start : min(start + _BLOCK, len(alike))]
            meet = (there.reshape(-1, _LENGTH) @ wanted.T).reshape(len(there), _DESCRIBED, -1)
            # Each wanted minutia by the likest of the print, the print by its best minutiae.
            nearest = np.partition(meet.max(axis=1), -best, axis=1)[:, -best:]
            alike[start : start + len(there)] = nearest.mean(axis=1)
        chosen = np.argsort(-alike, kind="stable")[:count]
        return sorted(chosen.tolist())


def described(minutiae: Minutiae) -> Floats:
    """Return m x d, each of length 1: the surroundings of the surest minutiae.

    A minutia sees the others from where it lies and points, weighed by how sure they are and how
    near; distances are pressed together as far as skin may stretch them.
    """
    points = minutiae.points[np.argsort(-minutiae.points[:, 3], kind="stable")]
    points = points[: int(parameters.MOST.value)]
    x, y, angle, sure = points[:, 0], -points[:, 1], points[:, 2], points[:, 3]
    seer = min(len(points), _DESCRIBED)
    dx, dy = x[None] - x[:seer, None], y[None] - y[:seer, None]
    far = np.hypot(dx, dy)
    pressed = np.log1p(far * _STRETCH / parameters.NEIGHBOUR_NEAR.value) / _STRETCH
    way = np.arctan2(dy, dx) - angle[:seer, None]
    weight = np.clip(sure / parameters.SURE.value, 0, 1) * np.exp(
        -0.5 * (far / parameters.SEEN.value) ** 2
    )
    weight[far == 0] = 0
    turned = (angle[None] - angle[:seer, None])[..., None] * _HARMONICS
    place = (pressed * np.cos(way))[..., None] * _WAVES[0]
    place += (pressed * np.sin(way))[..., None] * _WAVES[1]
    phase = (place + turned).astype(np.float32)
    share = weight.astype(np.float32)[:, None]
    vectors = np.concatenate([share @ np.cos(phase), share @ np.sin(phase)], axis=2)[:, 0]
    long = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(long, 1e-6), np.float32)


_STRETCH: Final = parameters.NEIGHBOUR_FAR.value


def _drawn() -> tuple[Floats, Floats]:
    """Return the waves (2 x d/2) and harmonics (d/2) whose products are the tolerances."""
    rng = np.random.default_rng(1)
    waves = rng.normal(0, parameters.WAVE.value, (2, _LENGTH // 2))
    turns = np.linspace(-np.pi, np.pi, 720, endpoint=False)
    shape = np.exp(-0.25 * parameters.NEIGHBOUR_TURN.value * (1 - np.cos(turns)))
    orders = np.arange(-6, 7)
    shares = np.maximum((shape * np.cos(orders[:, None] * turns)).mean(axis=1), 0)
    harmonics = rng.choice(orders, _LENGTH // 2, p=shares / shares.sum())
    return waves.astype(np.float32), harmonics.astype(np.float32)


_WAVES, _HARMONICS = _drawn()
