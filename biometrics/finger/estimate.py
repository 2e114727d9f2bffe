"""Our own estimate of NFIQ 2 for live pictures, from measures that take two milliseconds.

It is never shown as NFIQ 2, and it knows no limits.

Fitted by smoothed absolute error to NFIQ 2.3 of 224 development impressions and eight
changed copies of each (cropped, 4-bit, blurred, noisy, wet, dry, partial, pale), 1904 in
all, by `benchmarks/finger_estimate.py`; how near it comes, set by set, stands in
docs/fingers.md.
"""

import math
from typing import Final

from biometrics.finger.measures import Measures

_SHARP: Final = 0.64
"""mm: no finger has its ridges farther apart (largest seen 0.60), so what does is blurred."""
_FINGERTIP: Final = 240.0
"""mm2: what is larger was rolled, and NFIQ 2 gives nothing for it (p95 of those seen: 236)."""
_GRAIN: Final = 0.04
"""Share of fine detail in a sharp print without noise; less of it is no merit but blur."""
_FULL: Final = 0.45
"""Share of dark that ridges normally have; less is dry."""

_START: Final = -3.76757
_WEIGHTS: Final = {
    "evidence": 0.0144858,
    "contrast": 0.329335,
    "grey": 0.00594154,
    "fine": -0.860431,
    "thin": -2.84684,
}


def estimate(measures: Measures) -> float:
    """Return 0..100, calibrated towards NFIQ 2."""
    value = _START + sum(_WEIGHTS[name] * term for name, term in terms(measures).items())
    return 100 / (1 + math.exp(-value))


def terms(measures: Measures) -> dict[str, float]:
    """Return what the estimate weighs.

    Evidence is the area in mm2 that agrees in direction, less where ridges are blurred;
    contrast is logarithmic; thin is how much dark is lacking.
    """
    sharp = min(1.0, _SHARP / measures.period) ** 2
    area = min(_FINGERTIP, measures.area)
    return {
        "evidence": measures.coherence * area * sharp,
        "contrast": math.log(max(1.0, measures.contrast)),
        "grey": measures.grey,
        "fine": max(_GRAIN, measures.fine),
        "thin": max(0.0, _FULL - measures.ridges),
    }
