"""The impressions of one item: which belong together, and which of them goes on record.

It knows no other item and asks nobody anything. Nothing is thrown away while the visit lasts.
"""

from collections.abc import Callable, Sequence

from biometrics.finger import limits
from biometrics.finger.likeness import Likeness
from biometrics.finger.offers import Impression

Like = Callable[[Impression, Impression], float]


def choose(
    impressions: Sequence[Impression], like: Like, floors: Sequence[float] = ()
) -> Impression:
    """Return the impression to record: of those that quality allows, the one most agreed with.

    Quality allows what lies at most `limits.QUALITY_SLACK` under the best and reaches every
    floor that the best reaches. Of equals the better one is taken, of such the earlier one.

    Args:
        impressions: of one finger, at least one.
        like: the score of two impressions.
        floors: qualities that matter, such as that from which a print is taken at once.
    """
    best = max(one.worth for one in impressions)
    lowest = max(
        best - limits.QUALITY_SLACK.value, *(floor for floor in floors if floor <= best), 0.0
    )
    allowed = [one for one in impressions if one.worth >= lowest]
    return max(
        allowed,
        key=lambda one: (
            sum(like(one, other) for other in impressions if other is not one),
            one.worth,
            one.seen.quality.estimate,
        ),
    )


class Attempts:
    """The impressions that were shown for one item.

    Those that clearly contradict each other stand in different groups; the largest leads, the
    earliest of equals. What was put aside by `begin_anew` counts again once the leading group
    proves to be the same finger.

    Args:
        likeness: of the visit.
        floors: see `choose`.
    """

    def __init__(self, likeness: Likeness, floors: Sequence[float]) -> None:
        self._likeness = likeness
        self._floors = tuple(floors)
        self._groups: list[list[Impression]] = []
        self._aside: list[Impression] = []

    @property
    def leading(self) -> tuple[Impression, ...]:
        """Return the impressions of the finger that is meant, as far as one can tell."""
        return tuple(self._leading())

    @property
    def candidates(self) -> tuple[Impression, ...]:
        """Return the leading group, and what was put aside and surely is the same finger."""
        leading = self.leading
        proven = (
            one
            for one in self._aside
            if self._likeness.most(one, leading) >= limits.SAME_FROM.value
        )
        return (*proven, *leading)

    @property
    def best(self) -> Impression | None:
        """Return what goes on record, None before anything could."""
        candidates = self.candidates
        return choose(candidates, self._likeness.of, self._floors) if candidates else None

    @property
    def disputed(self) -> bool:
        """True while two groups are equally large: nobody can say which finger is meant."""
        sizes = sorted((len(group) for group in self._groups), reverse=True)
        return len(sizes) > 1 and sizes[0] == sizes[1]

    def add(self, impression: Impression) -> bool:
        """Take one more impression; return False where it clearly shows another finger."""
        for group in sorted(self._groups, key=len, reverse=True):
            if not differs(impression, group, self._likeness):
                group.append(impression)
                return group is self._leading()
        self._groups.append([impression])
        return len(self._groups) == 1

    def begin_anew(self) -> None:
        """Put everything aside: it may be of another finger."""
        self._aside += [one for group in self._groups for one in group]
        self._groups = []

    def _leading(self) -> list[Impression]:
        return max(self._groups, key=len, default=[])


def differs(one: Impression, others: Sequence[Impression], likeness: Likeness) -> bool:
    """Return True where a clear impression is like none of `others`, one of which is clear too.

    Only clear ones may say so: the poor ones of one finger often look like two.
    """
    clear = one.clear and any(other.clear for other in others)
    return clear and likeness.most(one, others) < limits.OTHER_BELOW.value
