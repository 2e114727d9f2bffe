"""Minutiae as everybody in here passes them on.

It finds none (see `extractor`, `extraction`) and matches none.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger import limits

LEADER: Final = "LEADER (afis 1.2.7)"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutiae:
    """What the network saw in one impression.

    Attributes:
        points: n x 4, float32: x to the right and y downwards in pixels at 500 dpi,
            angle in radians counter-clockwise as seen, score 0..1; strongest first.
        endings: n, float32, 0..1: how surely each is where a ridge ends rather than where it
            forks; None where nobody looked.
        extractor: who found them.
    """

    points: NDArray[np.float32]
    endings: NDArray[np.float32] | None = None
    extractor: str = UNKNOWN

    def __post_init__(self) -> None:
        """Refuse what is no list of points.

        Raises:
            ValueError: another shape or type, or a value that is not finite.
        """
        if self.points.dtype != np.float32 or self.points.ndim != 2 or self.points.shape[1] != 4:  # noqa: PLR2004 - rows of four
            raise ValueError("minutiae are n x 4 of float32")
        if not np.isfinite(self.points).all():
            raise ValueError("minutiae are finite")
        if self.endings is not None and self.endings.shape != self.points.shape[:1]:
            raise ValueError("minutiae are as many as their kinds")

    def __len__(self) -> int:
        return len(self.points)

    @property
    def sure(self) -> int:
        """Return how many are minutiae for certain; fainter ones only support a comparison."""
        return int((self.points[:, 3] >= limits.MINUTIA_FROM.value).sum())
