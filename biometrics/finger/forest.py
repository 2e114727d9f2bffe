"""NIST's own forest of NFIQ 2.3: what its trees make of native measures.

It measures nothing; a forest that differs by one bit is refused.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.carried import pinned

_DISTRIBUTION: Final = "afis"
_PATH: Final = "afis/weights/nfiq2/nfiq2_rf.npz"
_SHA256: Final = "7bdf1fffe72801f7a0cac12372cd8486436c32dadb810c4d5bc43c15ca98feab"
_DEEPEST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """One hundred trees in one table of nodes.

    Attributes:
        names: of the measures, in the order of their numbers.
        roots: of each tree, as node numbers.
        measure, limit, left, right: of each node; a leaf has -1 for its sides.
        vote: of each leaf, 0 or 1.
    """

    names: tuple[str, ...]
    roots: NDArray[np.int64]
    measure: NDArray[np.int64]
    limit: NDArray[np.float32]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    vote: NDArray[np.float32]

    def score(self, measures: Mapping[str, float]) -> float:
        """Return how many of the hundred trees call the print a good one, 0..100.

        Raises:
            KeyError: a measure is not there.
        """
        values = np.array([measures[name] for name in self.names], np.float32)
        nodes = self.roots
        for _ in range(_DEEPEST):
            inner = self.left[nodes] >= 0
            if not inner.any():
                break
            goes_left = values[self.measure[nodes]] <= self.limit[nodes]
            nodes = np.where(inner, np.where(goes_left, self.left[nodes], self.right[nodes]), nodes)
        return float(self.vote[nodes].sum())


@cache
def forest() -> Forest:
    """Return the forest, verified.

    Raises:
        ModelMissing: the distribution or the file is not there.
        ModelAltered: the bytes have another SHA-256.
    """
    data = pinned(_DISTRIBUTION, _PATH, _SHA256)
    with np.load(io.BytesIO(data)) as table:
        start = np.repeat(table["tree_off"], table["tree_n"]).astype(np.int64)
        sides = (table[side].astype(np.int64) for side in ("left", "right"))
        left, right = (np.where(side >= 0, side + start, -1) for side in sides)
        return Forest(
            names=tuple(str(name) for name in table["feature_names"]),
            roots=table["tree_off"].astype(np.int64),
            measure=np.maximum(table["var"], 0).astype(np.int64),
            limit=table["thr"],
            left=left,
            right=right,
            vote=table["value"],
        )
