"""NFIQ 2.3 of an impression, from a worker process that is restarted when it falls.

It judges nothing; where the score could not be computed the answer is None, never 0.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from biometrics.child import Child
from biometrics.finger import limits
from biometrics.finger.impression import pgm

ALGORITHM: Final = "NFIQ 2.3 (nbis-py 0.1.3)"
_LIBRARY: Final = "nbis"
_PROGRAM: Final = Path(__file__).with_name("nbis_worker.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nfiq2:
    """A score and the four values of NFIQ 2 a person can act on.

    Attributes:
        score: 0..100, higher predicts fewer missed matches.
        actionable: UniformImage, EmptyImageOrContrastTooLow,
            FingerprintImageWithMinutiae, SufficientFingerprintForeground.
    """

    score: int
    actionable: Mapping[str, float]


class Worker:
    """One worker process; may be shared by threads, which then wait for each other."""

    def __init__(self, *, seconds: float = limits.WORKER_SECONDS.value) -> None:
        self._lock = threading.Lock()
        self._child = Child(_command, seconds)

    @property
    def process_id(self) -> int | None:
        """Return the id of the running worker process, None where none runs."""
        return self._child.process_id

    def start(self) -> None:
        """Start the process, so that the first score need not wait for it; never fails."""
        if find_spec(_LIBRARY) is not None:
            with self._lock, suppress(OSError):
                self._child.start()

    def score(self, pixels: NDArray[np.uint8]) -> Nfiq2 | None:
        """Return NFIQ 2 of a picture at 500 dpi, None where it could not be computed.

        Args:
            pixels: height x width, uint8, dark ridges, sides 64..1500 px.
        """
        if find_spec(_LIBRARY) is None:
            return None
        with self._lock:
            return _understood(self._child.answer(pgm(pixels)))

    def close(self) -> None:
        """End the worker process; a later score starts another."""
        with self._lock:
            self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _command() -> list[str]:
    return ["-I", str(_PROGRAM), "nfiq2"]


def _understood(answer: Any) -> Nfiq2 | None:  # noqa: ANN401 - JSON
    if not isinstance(answer, dict) or not isinstance(answer.get("score"), int):
        return None
    score = answer["score"]
    if not 0 <= score <= 100:  # noqa: PLR2004 - NFIQ 2 says 255 for "no score"
        return None
    return Nfiq2(score=score, actionable=answer.get("actionable", {}))
