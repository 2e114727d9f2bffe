"""How often mates are missed and strangers taken at every threshold, with intervals.

It knows nothing of pictures. Terms as in ISO/IEC 19795-1: FNMR, FMR, EER, DET.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.lab.figures import Share

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

REPLICATES: Final = 1000
_SEED: Final = 19795
_TAIL: Final = 2.5
LEVELS: Final = (("FMR100", 0.01), ("FMR1000", 0.001), ("ZeroFMR", 0.0))
"""Names of the field for FNMR at these FMR."""
QUALITY_EDGES: Final = (0, 20, 35, 50, 65, 101)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A share 0..1 and the interval in which 95 % of its replicates lie."""

    value: float
    low: float
    high: float


class Scores:
    """The scores of one set or of several under one threshold.

    Args:
        mates, strangers: scores, larger is liker.
        mate_fingers: n, which finger each pair of mates is of.
        stranger_fingers: m x 2, which fingers; numbers count up from 0 over all sets.
        groups: for each finger its set, within which fingers are drawn anew.
    """

    def __init__(
        self,
        *,
        mates: Floats,
        mate_fingers: Indices,
        strangers: Floats,
        stranger_fingers: Indices,
        groups: Sequence[str],
    ) -> None:
        by_mates, by_strangers = np.argsort(mates), np.argsort(strangers)
        self.mates, self.strangers = mates[by_mates], strangers[by_strangers]
        self._mate_fingers = mate_fingers[by_mates]
        self._stranger_fingers = stranger_fingers[by_strangers]
        self._groups = np.asarray(groups)
        self.thresholds = np.unique(np.concatenate([self.mates, self.strangers, [np.inf]]))
        self._below = (
            np.searchsorted(self.mates, self.thresholds, "left"),
            np.searchsorted(self.strangers, self.thresholds, "left"),
        )

    @property
    def comparable(self) -> bool:
        """Whether there are mates and strangers; where there are not, there are no rates."""
        return bool(len(self.mates) and len(self.strangers))

    @cached_property
    def rates(self) -> tuple[Floats, Floats]:
        """Return FNMR and FMR at each of `thresholds`, at which a pair is taken from on."""
        return self._rates(np.ones(len(self.mates)), np.ones(len(self.strangers)))

    @cached_property
    def figures(self) -> dict[str, Estimate]:
        """Return EER and the FNMR at each of `LEVELS`.

        The interval is a bootstrap over fingers, not over pairs: pairs of one finger are not
        independent (Bolle, Ratha and Pankanti 2004). It is never narrower than Wilson's for as
        many independent mates, because a bootstrap of no errors knows of none.
        """
        generator = np.random.default_rng(_SEED)
        best = _figures(*self.rates)
        replicates = (self._replicate(generator) for _ in range(REPLICATES))
        drawn = [_figures(*rates) for rates in replicates if rates is not None] or [best]
        lows, highs = np.percentile(np.array(drawn), [_TAIL, 100 - _TAIL], axis=0)
        names = ("EER", *(name for name, _ in LEVELS))
        every = zip(names, best, lows, highs, strict=True)
        return {name: self._estimate(value, low, high) for name, value, low, high in every}

    def threshold_at(self, level: float) -> float:
        """Return the lowest threshold at which FMR is at most `level`."""
        _, taken = self.rates
        return float(self.thresholds[np.argmax(taken <= level)])

    def missed(self, threshold: float) -> Share:
        """Return the mates below a threshold."""
        return Share(int((self.mates < threshold).sum()), len(self.mates))

    def _estimate(self, value: float, low: float, high: float) -> Estimate:
        count = len(self.mates)
        least, most = Share(round(value * count), count).interval
        return Estimate(value=value, low=min(float(low), least), high=max(float(high), most))

    def _rates(self, mates: Floats, strangers: Floats) -> tuple[Floats, Floats]:
        missed = np.concatenate([[0.0], np.cumsum(mates)])
        passed = np.concatenate([[0.0], np.cumsum(strangers)])
        return missed[self._below[0]] / missed[-1], 1 - passed[self._below[1]] / passed[-1]

    def _replicate(self, generator: np.random.Generator) -> tuple[Floats, Floats] | None:
        """Return the rates of fingers drawn anew, None where they have no mates or strangers."""
        weight = np.zeros(len(self._groups))
        for group in np.unique(self._groups):
            members = np.flatnonzero(self._groups == group)
            np.add.at(weight, generator.choice(members, len(members)), 1.0)
        mates = weight[self._mate_fingers]
        strangers = weight[self._stranger_fingers].prod(axis=1)
        if not mates.any() or not strangers.any():
            return None
        return self._rates(mates, strangers)


def _figures(missed: Floats, taken: Floats) -> tuple[float, ...]:
    meet = int(np.abs(missed - taken).argmin())
    levels = (float(missed[taken <= level + 1e-12].min()) for _, level in LEVELS)
    return float(missed[meet] + taken[meet]) / 2, *levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The mates whose poorer impression has a quality of `low` up to below `high`."""

    low: int
    high: int
    missed: Share


def by_quality(scores: Floats, quality: Floats, threshold: float) -> tuple[Band, ...]:
    """Return the mates missed at a threshold, by the lower quality of the two; NaN is left out."""
    bands = []
    for low, high in pairwise(QUALITY_EDGES):
        within = (quality >= low) & (quality < high)
        missed = Share(int((scores[within] < threshold).sum()), int(within.sum()))
        bands.append(Band(low=low, high=high, missed=missed))
    return tuple(bands)


def discarding(
    scores: Floats, quality: Floats, threshold: float
) -> tuple[tuple[float, float], ...]:
    """Return (share of mates left out, FNMR of the rest), the poorest left out first.

    Error-versus-discard curve (Grother and Tabassi 2007); up to half is left out.
    """
    known = ~np.isnan(quality)
    order = np.argsort(quality[known], kind="stable")
    missed = (scores[known][order] < threshold).astype(np.float64)
    if not len(missed):
        return ()
    left = np.cumsum(missed[::-1])[::-1] / np.arange(len(missed), 0, -1)
    return tuple((at / len(missed), float(left[at])) for at in range(len(missed) // 2 + 1))
