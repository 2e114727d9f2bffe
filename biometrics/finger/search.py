"""One finger among many: a gallery of prints that can be searched, added to and taken from.

It decides nothing: it gives the likest keys and `compare`'s scores, the caller has the limit.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from biometrics.finger.compare import compare
from biometrics.finger.minutiae import Minutiae

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[K]):
    """A key of the gallery and the score of its print."""

    key: K
    score: float


class Gallery(Generic[K]):
    """Prints by key, in memory only."""

    def __init__(self) -> None:
        self._prints = dict[K, Minutiae]()

    def __len__(self) -> int:
        return len(self._prints)

    def add(self, key: K, minutiae: Minutiae) -> None:
        """Take a print; one under the same key is replaced."""
        self._prints[key] = minutiae

    def remove(self, key: K) -> None:
        """Forget a print.

        Raises:
            KeyError: nothing has that key.
        """
        del self._prints[key]

    def search(self, minutiae: Minutiae, most: int = 10) -> tuple[Found[K], ...]:
        """Return the likest prints, best first; of equals the one added first."""
        found = [
            Found(key=key, score=compare(minutiae, print_)) for key, print_ in self._prints.items()
        ]
        return tuple(sorted(found, key=lambda each: -each.score)[:most])
