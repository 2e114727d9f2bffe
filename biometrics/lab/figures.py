"""Statistics of small samples: shares with intervals, ROC curves, ranks, spreads between groups.

It knows nothing of pictures. All intervals are two-sided, 95 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Values = Sequence[float] | NDArray[np.float64]
Interval = tuple[float, float]

Z: Final = 1.959963984540054
"""97.5 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """0..1, None where there was nothing to count."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> Interval:
        """Return Wilson's score interval (Wilson 1927); 0..1 where there was nothing."""
        if not self.of:
            return 0.0, 1.0
        n, share = self.of, self.count / self.of
        middle = share + Z * Z / (2 * n)
        reach = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
        scale = 1 + Z * Z / n
        return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def difference(one: Share, other: Share) -> Interval:
    """Return the interval of `one` minus `other`, by Newcombe 1998, method 10."""
    a, b = one.value or 0.0, other.value or 0.0
    (a_low, a_high), (b_low, b_high) = one.interval, other.interval
    low = a - b - math.hypot(a - a_low, b_high - b)
    high = a - b + math.hypot(a_high - a, b - b_low)
    return low, high


@dataclass(frozen=True, slots=True)
class Auc:
    """Area under the ROC curve of `worse` against `better`, and its interval."""

    value: float
    interval: Interval
    worse: int
    better: int


def auc(worse: Values, better: Values) -> Auc | None:
    """Return how often a value of `worse` exceeds one of `better`, ties counted half.

    The interval is Newcombe's (2006, part 2, method 5): Hanley and McNeil's variance in score
    form, which unlike the plain one does not shrink to nothing where the two are separate.
    None where one of them is empty.
    """
    bad, good = np.asarray(worse, np.float64), np.asarray(better, np.float64)
    m, n = bad.size, good.size
    if not m or not n:
        return None
    ranks = ranked(np.concatenate([bad, good]))
    area = float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    return Auc(area, (_edge(area, m, n, upper=False), _edge(area, m, n, upper=True)), m, n)


def _edge(area: float, m: int, n: int, *, upper: bool) -> float:
    """Return the area at which the one measured is just 1.96 standard errors away."""
    inner, outer = area, 1.0 if upper else 0.0
    for _ in range(60):
        middle = (inner + outer) / 2
        if (area - middle) ** 2 <= Z * Z * _auc_variance(middle, m, n):
            inner = middle
        else:
            outer = middle
    return (inner + outer) / 2


def _auc_variance(area: float, m: int, n: int) -> float:
    mean = (m + n) / 2 - 1
    spread = 1 + mean * ((1 - area) / (2 - area) + area / (1 + area))
    return area * (1 - area) * spread / (m * n)


def roc(worse: Values, better: Values) -> tuple[tuple[float, float], ...]:
    """Return false alarm and hit shares from (0, 0) to (1, 1), the strictest limit first.

    Both must hold a value: of nothing there are no shares.
    """
    bad, good = np.sort(np.asarray(worse, np.float64)), np.sort(np.asarray(better, np.float64))
    limits = np.unique(np.concatenate([bad, good]))[::-1]
    hits = 1 - np.searchsorted(bad, limits, side="left") / bad.size
    alarms = 1 - np.searchsorted(good, limits, side="left") / good.size
    points = zip(alarms.tolist(), hits.tolist(), strict=True)
    return ((0.0, 0.0), *((float(x), float(y)) for x, y in points))


def ranked(values: Values) -> NDArray[np.float64]:
    """Return each value's rank from 1, ties sharing their mean."""
    _, place, counts = np.unique(
        np.asarray(values, np.float64), return_inverse=True, return_counts=True
    )
    last = np.cumsum(counts)
    means: NDArray[np.float64] = (last - (counts - 1) / 2)[place]
    return means


def spearman(one: Values, other: Values) -> float | None:
    """Return the rank correlation, None below three pairs or where one of them is constant."""
    a, b = ranked(one), ranked(other)
    if a.size < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:  # noqa: PLR2004 - two points always lie on a line
        return None
    return float(np.corrcoef(a, b)[0, 1])


def explained(groups: Sequence[Values]) -> float | None:
    """Return the share of the ranking that the grouping explains, 0..1.

    Epsilon squared of Kruskal and Wallis (Tomczak and Tomczak 2014). Where the grouping means
    nothing its mean is (groups - 1) / (values - 1). None below two groups or three values.
    """
    filled = [np.asarray(group, np.float64) for group in groups if len(group)]
    total = sum(group.size for group in filled)
    if len(filled) < 2 or total < 3:  # noqa: PLR2004 - nothing to compare
        return None
    everything = np.concatenate(filled)
    ranks = ranked(everything)
    spread = float(((ranks - ranks.mean()) ** 2).sum())
    if spread == 0:
        return 0.0
    between, at = 0.0, 0
    for group in filled:
        mean = float(ranks[at : at + group.size].mean())
        between += group.size * (mean - (total + 1) / 2) ** 2
        at += group.size
    return between / spread


def spread(values: Values) -> tuple[float, float, float] | None:
    """Return 5th percentile, median and 95th percentile, None of nothing."""
    if not len(values):
        return None
    low, middle, high = np.percentile(np.asarray(values, np.float64), [5, 50, 95])
    return float(low), float(middle), float(high)
