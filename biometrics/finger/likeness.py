"""How alike the impressions of one visit are: each pair is compared once.

It decides nothing; `compare` does the comparing.
"""

from collections.abc import Iterable

from biometrics.finger.compare import compare
from biometrics.finger.offers import Impression


class Likeness:
    """The scores of one visit.

    Threads may share it: what two of them compute at once is the same number.
    """

    def __init__(self) -> None:
        self._scores: dict[tuple[bytes, bytes], float] = {}

    def of(self, a: Impression, b: Impression) -> float:
        """Return `compare`'s score; 0 where one of them has no minutiae to compare."""
        if a.seen.minutiae is None or b.seen.minutiae is None:
            return 0.0
        pair = (a.digest, b.digest) if a.digest <= b.digest else (b.digest, a.digest)
        score = self._scores.get(pair)
        if score is None:
            score = self._scores[pair] = compare(a.seen.minutiae, b.seen.minutiae)
        return score

    def most(self, one: Impression, others: Iterable[Impression]) -> float:
        """Return the score of the likest of `others`; 0 where there are none."""
        return max((self.of(one, other) for other in others), default=0.0)
