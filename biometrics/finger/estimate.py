"""Our own estimate of NFIQ 2 for live pictures, from measures that take a few milliseconds.

It is never shown as NFIQ 2, and it knows no limits.
"""

import math

from biometrics.finger.measures import Measures


def estimate(measures: Measures) -> float:
    """Return 0..100, calibrated towards NFIQ 2 (see docs/fingers.md)."""
    value = 0.45 * measures.continuity * measures.area
    return 100 / (1 + math.exp(-(value - 50) / 20))
