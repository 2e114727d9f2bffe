"""Judging one impression whole: its quality and its minutiae.

It keeps nothing between impressions and decides nothing about positions.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.minutiae import Extractor, Minutiae
from biometrics.finger.nfiq2 import Worker
from biometrics.finger.quality import Quality, assess


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one impression showed."""

    quality: Quality
    minutiae: Minutiae


class Judge(Protocol):
    """Whoever can say what an impression is worth and what it shows."""

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        """Return what the impression showed.

        Raises:
            ImpressionInvalid: see `impression.at_500_dpi`.
        """
        ...


class FingerJudge:
    """The judge in earnest: NFIQ 2 in a worker process, LEADER in this one.

    One for each thread; `close` ends the worker.
    """

    def __init__(self) -> None:
        self._worker = Worker()
        self._worker.start()
        self._extractor = Extractor()

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        """Return what the impression showed; about 0.4 s at 256 x 288 pixels.

        Args:
            pixels: height x width, uint8, dark ridges on light ground.
            dpi: of the reader.

        Raises:
            ImpressionInvalid: see `impression.at_500_dpi`.
        """
        return Seen(
            quality=assess(pixels, dpi, worker=self._worker),
            minutiae=self._extractor.extract(pixels, dpi),
        )

    def close(self) -> None:
        """End the worker process; may be called twice."""
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
