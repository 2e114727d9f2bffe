"""Minutiae of an impression from worker processes that may fall: LEADER, else NBIS mindtct.

It sees nothing itself and compares nothing; where neither saw the impression the answer is None.
"""

import base64
import binascii
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from biometrics.child import Child
from biometrics.finger import limits
from biometrics.finger.impression import DPI, at_500_dpi, pgm
from biometrics.finger.minutiae import LEADER, Minutiae

MINDTCT: Final = "NBIS mindtct (nbis-py 0.1.3)"
_VALUES: Final = 5
"""Of each minutia in an answer: x, y, angle, score, ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One extractor in a process of its own.

    Attributes:
        extractor: what `Minutiae.extractor` says of its minutiae.
        arguments: what follows the interpreter in its command line.
    """

    extractor: str
    arguments: tuple[str, ...]


PROGRAMS: Final = (
    Program(extractor=LEADER, arguments=("-I", "-m", "biometrics.finger.leader_worker")),
    Program(
        extractor=MINDTCT,
        arguments=("-I", str(Path(__file__).with_name("nbis_worker.py")), "mindtct"),
    ),
)


class MinutiaeWorker:
    """One process for each extractor; may be shared by threads, which then wait for each other.

    Args:
        seconds: for one answer of one extractor, the start of its process included.
        programs: the extractors in the order in which they are asked; a later one is started
            only when an earlier one fell.
    """

    def __init__(
        self,
        *,
        seconds: float = limits.EXTRACTION_SECONDS.value,
        programs: Sequence[Program] = PROGRAMS,
    ) -> None:
        self._lock = threading.Lock()
        self._programs = tuple(
            (program, Child(partial(tuple, program.arguments), seconds)) for program in programs
        )

    @property
    def process_ids(self) -> tuple[int | None, ...]:
        """Return the ids of the extractors' processes, None where none runs."""
        return tuple(child.process_id for _, child in self._programs)

    def start(self) -> None:
        """Start the first extractor, so that the first print need not wait; never fails."""
        with self._lock, suppress(OSError):
            self._programs[0][1].start()

    def extract(self, pixels: NDArray[np.uint8], dpi: int) -> Minutiae | None:
        """Return the minutiae of an impression, None where no extractor could say.

        Args:
            pixels: height x width, uint8, dark ridges on light ground.
            dpi: of the reader.

        Raises:
            ImpressionInvalid: see `impression.at_500_dpi`.
        """
        image = at_500_dpi(pixels, dpi)
        picture = pgm(image)
        with self._lock:
            for program, child in self._programs:
                found = _understood(child.answer(picture))
                if found is not None:
                    fit = DPI / dpi * pixels.shape[0] / image.shape[0]
                    return _minutiae(found, program, fit)
        return None

    def close(self) -> None:
        """End the processes; a later print starts others."""
        with self._lock:
            for _, child in self._programs:
                child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _understood(answer: Any) -> NDArray[np.float32] | None:  # noqa: ANN401 - JSON
    """Return n x 5 as the program wrote them, None where it refused or wrote nonsense."""
    if not isinstance(answer, dict) or not isinstance(answer.get("minutiae"), str):
        return None
    try:
        data = base64.b64decode(answer["minutiae"], validate=True)
        values = np.frombuffer(data, "<f4").reshape(-1, _VALUES)
    except (binascii.Error, ValueError):
        return None
    return values if np.isfinite(values).all() else None


def _minutiae(values: NDArray[np.float32], program: Program, fit: float) -> Minutiae:
    points = (values[:, :4] * np.array([fit, fit, 1, 1])).astype(np.float32)
    order = np.argsort(-points[:, 3], kind="stable")[: int(limits.MOST_FOUND.value)]
    return Minutiae(
        points=points[order],
        endings=np.ascontiguousarray(values[order, 4]),
        extractor=program.extractor,
    )
