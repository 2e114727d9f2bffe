"""Our own estimate of NFIQ 2 for live pictures, from measures that take two milliseconds.

It is never shown as NFIQ 2, and it knows no limits.

Fitted by smoothed absolute error to NFIQ 2.3 of 224 development impressions and eight
changed copies of each (cropped, 4-bit, blurred, noisy, wet, dry, partial, pale), 1904 in
all; how near it comes, set by set, stands in docs/fingers.md.
"""

import math
from typing import Final

from biometrics.finger.measures import Measures

_EVIDENCE: Final = 0.014455
_CONTRAST: Final = 0.32936
_GREY: Final = 0.0060225
_FINE: Final = -1.30473
_THIN: Final = -2.79596
_START: Final = -3.75544

_SHARP: Final = 0.64
"""mm: no finger has its ridges farther apart (largest seen 0.60), so what does is blurred."""
_FINGERTIP: Final = 240.0
"""mm2: what is larger was rolled, and NFIQ 2 gives nothing for it (p95 of those seen: 236)."""
_GRAIN: Final = 0.04
"""Share of fine detail in a sharp print without noise; less of it is no merit but blur."""
_FULL: Final = 0.45
"""Share of dark that ridges normally have; less is dry."""


def estimate(measures: Measures) -> float:
    """Return 0..100, calibrated towards NFIQ 2."""
    sharp = min(1.0, _SHARP / measures.period) ** 2
    value = (
        _START
        + _EVIDENCE * measures.coherence * min(_FINGERTIP, measures.area) * sharp
        + _CONTRAST * math.log(max(1.0, measures.contrast))
        + _GREY * measures.grey
        + _FINE * max(_GRAIN, measures.fine)
        + _THIN * max(0.0, _FULL - measures.ridges)
    )
    return 100 / (1 + math.exp(-value))
