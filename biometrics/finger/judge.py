"""Judging one impression whole: its quality and its minutiae, both from processes that may fall.

It keeps nothing between impressions and decides nothing about positions.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.extraction import MinutiaeWorker
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.nfiq2 import Worker
from biometrics.finger.quality import Quality, assess


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one impression showed; `minutiae` is None where none could be looked for."""

    quality: Quality
    minutiae: Minutiae | None


class Judge(Protocol):
    """Whoever can say what an impression is worth and what it shows."""

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        """Return what the impression showed.

        Raises:
            ImpressionInvalid: see `impression.at_500_dpi`.
        """
        ...


class FingerJudge:
    """The judge in earnest: NFIQ 2 and minutiae, each from worker processes.

    One for each thread; `close` ends the workers.
    """

    def __init__(self) -> None:
        self._scorer = Worker()
        self._scorer.start()
        self._extractor = MinutiaeWorker()
        self._extractor.start()

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        """Return what the impression showed; about 0.4 s at 256 x 288 pixels.

        Args:
            pixels: height x width, uint8, dark ridges on light ground.
            dpi: of the reader.

        Raises:
            ImpressionInvalid: see `impression.at_500_dpi`.
        """
        return Seen(
            quality=assess(pixels, dpi, worker=self._scorer),
            minutiae=self._extractor.extract(pixels, dpi),
        )

    def close(self) -> None:
        """End the worker processes; may be called twice."""
        self._scorer.close()
        self._extractor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
