"""The automatic shutter: fires after some good frames in a row, with the sharpest of them.

It judges nothing itself and holds at most one frame.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biometrics.face.judge import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """The frame that was taken, and what was said of it."""

    pixels: NDArray[np.uint8]
    verdict: Verdict


class Shutter:
    """Counts good frames in a row; one bad frame starts the count, and the choice, anew."""

    def __init__(self, steady: int = 8) -> None:
        if steady < 1:
            raise ValueError("a burst has at least one frame")
        self._steady = steady
        self._count = 0
        self._best: Shot | None = None

    @property
    def steady_share(self) -> float:
        """How far the burst has come, 0..1."""
        return self._count / self._steady

    def feed(self, pixels: NDArray[np.uint8], verdict: Verdict) -> Shot | None:
        """Take one frame in; return the sharpest of the burst when it is full, else None."""
        if not verdict.ok:
            self.reset()
            return None
        self._count += 1
        if self._best is None or verdict.sharpness > self._best.verdict.sharpness:
            self._best = Shot(pixels=pixels.copy(), verdict=verdict)
        if self._count < self._steady:
            return None
        shot = self._best
        self.reset()
        return shot

    def reset(self) -> None:
        """Start anew."""
        self._count = 0
        self._best = None
