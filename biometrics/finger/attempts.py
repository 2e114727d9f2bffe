"""The impressions of one position: which belong together, and which is the best.

It knows no other position and asks nobody anything.
"""

from dataclasses import dataclass

from biometrics.finger import limits
from biometrics.finger.compare import compare
from biometrics.finger.judge import Seen
from biometrics.finger.minutiae import Minutiae


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """One impression that counts: what it showed, and its picture as PNG."""

    seen: Seen
    image: bytes
    width: int
    height: int
    dpi: int
    reader: str

    @property
    def rank(self) -> tuple[float, float]:
        """Return what to choose by: NFIQ 2 (or what stands for it), then the estimate."""
        return self.seen.quality.worth, self.seen.quality.estimate

    @property
    def clear(self) -> bool:
        """True where the impression is good enough for a mismatch to mean something."""
        return (
            self.seen.quality.worth >= limits.CLEAR_FROM.value
            and len(self.seen.minutiae) >= limits.CLEAR_MINUTIAE.value
        )


class Attempts:
    """The tries at one position.

    Impressions that clearly contradict each other stand in different groups; the largest
    leads, the earliest of equals.
    """

    def __init__(self) -> None:
        self.count = 0
        self._groups: list[list[Impression]] = []

    @property
    def best(self) -> Impression | None:
        """Return the best impression of the leading group, the earliest of equals."""
        leading = self._leading()
        return max(leading, key=lambda impression: impression.rank) if leading else None

    @property
    def disputed(self) -> bool:
        """True while two groups are equally large: nobody can say which finger is meant."""
        sizes = sorted((len(group) for group in self._groups), reverse=True)
        return len(sizes) > 1 and sizes[0] == sizes[1]

    def add(self, impression: Impression) -> bool:
        """Take one more impression; return False where it clearly shows another finger."""
        for group in sorted(self._groups, key=len, reverse=True):
            if not _contradicts(impression, group):
                group.append(impression)
                return group is self._leading()
        self._groups.append([impression])
        return len(self._groups) == 1

    def likeness(self, minutiae: Minutiae) -> float:
        """Return the best score of any impression of the leading group against `minutiae`."""
        return max(
            (compare(impression.seen.minutiae, minutiae) for impression in self._leading()),
            default=0.0,
        )

    def _leading(self) -> list[Impression]:
        return max(self._groups, key=len, default=[])


def _contradicts(impression: Impression, group: list[Impression]) -> bool:
    """True where both are clear and nothing in the group looks like the impression."""
    clear = [other for other in group if other.clear]
    if not impression.clear or not clear:
        return False
    return all(
        compare(impression.seen.minutiae, other.seen.minutiae) < limits.OTHER_BELOW.value
        for other in group
    )
