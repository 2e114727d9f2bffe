"""How good an impression is: NFIQ 2 where it can be computed, our estimate always, and one hint.

It keeps nothing between impressions and knows nothing of positions or tries.
"""

import atexit
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import Finding
from biometrics.finger import limits
from biometrics.finger.estimate import estimate
from biometrics.finger.hints import FingerHint
from biometrics.finger.impression import ImpressionInvalid, at_500_dpi
from biometrics.finger.limits import Gate
from biometrics.finger.measures import Measures, measure
from biometrics.finger.nfiq2 import Nfiq2, Worker

__all__ = ["ImpressionInvalid", "Quality", "assess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What one impression is worth.

    Attributes:
        nfiq2: 0..100; None where it could not be computed (no nbis-py, refused, fallen).
        estimate: 0..100, ours; 0 where no finger was seen.
        hint: what to mend first, None where nothing needs mending.
        findings: one for each measure; `passed` None was not assessed.
        finger: False where a check says that this is no print of a finger at all (blank,
            noise, pattern, light ridges); such an impression counts for nothing.
    """

    nfiq2: int | None
    estimate: float
    hint: FingerHint | None
    findings: tuple[Finding, ...]
    finger: bool

    @property
    def worth(self) -> float:
        """Return what to compare by: NFIQ 2, or the estimate where there is none; 0..100."""
        if not self.finger:
            return 0.0
        return self.estimate if self.nfiq2 is None else float(self.nfiq2)


def assess(pixels: NDArray[np.uint8], dpi: int, *, worker: Worker | None = None) -> Quality:
    """Return the quality of an impression.

    Args:
        pixels: height x width, uint8, dark ridges on light ground.
        dpi: of the reader.
        worker: computes NFIQ 2; without one, the worker of this process, started once.

    Raises:
        ImpressionInvalid: see `impression.at_500_dpi`.
    """
    image = at_500_dpi(pixels, dpi)
    seen = measure(image)
    scored = (worker or _worker()).score(image)
    return _quality(image, seen, scored)


def preview(pixels: NDArray[np.uint8], dpi: int) -> Quality:
    """Return the quality without NFIQ 2, in a few milliseconds, for a live picture.

    Raises:
        ImpressionInvalid: see `impression.at_500_dpi`.
    """
    image = at_500_dpi(pixels, dpi)
    return _quality(image, measure(image), None)


def _quality(image: NDArray[np.uint8], seen: Measures | None, scored: Nfiq2 | None) -> Quality:
    nfiq2 = None if scored is None else scored.score
    if seen is None:
        return Quality(
            nfiq2=nfiq2,
            estimate=0.0,
            hint=FingerHint.NOT_A_FINGER,
            findings=tuple(_finding(gate, None) for gate in limits.GATES),
            finger=False,
        )
    findings = tuple(_finding(gate, getattr(seen, gate.measure)) for gate in limits.GATES)
    failed = [
        gate
        for gate, finding in zip(limits.GATES, findings, strict=True)
        if finding.passed is False
    ]
    hints = {FingerHint(finding.hint) for finding in findings if finding.hint}
    finger = not any(gate.refuses for gate in failed)
    return Quality(
        nfiq2=nfiq2,
        estimate=estimate(image) if finger else 0.0,
        hint=next((hint for hint in FingerHint if hint in hints), None),
        findings=findings,
        finger=finger,
    )


def _finding(gate: Gate, native: float | None) -> Finding:
    low = native is not None and gate.lowest is not None and native < gate.lowest
    high = native is not None and gate.highest is not None and native > gate.highest
    hint = gate.below if low else gate.above if high else None
    return Finding(
        name=gate.name,
        native=native,
        unit=gate.unit,
        score=None,
        passed=None if native is None else not (low or high),
        hint=hint,
    )


@cache
def _worker() -> Worker:
    worker = Worker()
    atexit.register(worker.close)
    return worker
