"""Our own estimate of NFIQ 2 for live pictures: NIST's forest over what takes no minutiae.

It is never shown as NFIQ 2, and it knows no limits. Of the 69 measures that NFIQ 2.3 weighs 65
are measured (`native`); the four that need minutiae stand at what they are in an ordinary print.
How near it comes, set by set, stands in docs/fingers.md (`benchmarks/finger_estimate.py`).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.forest import forest
from biometrics.finger.native import natives

_OF_MINUTIAE: Final = {
    "FingerJetFX_MinCount_COMMinRect200x200": 30.0,
    "FingerJetFX_MinutiaeCount": 42.5,
    "FJFXPos_Mu_MinutiaeQuality_2": 0.4,
    "FJFXPos_OCL_MinutiaeQuality_80": 0.243,
}
"""Medians of the 224 development impressions."""


def estimate(image: NDArray[np.uint8]) -> float:
    """Return 0..100; 0 too where fewer than ten blocks of 1.6 mm hold ridges.

    Args:
        image: height x width at 500 dpi, dark ridges on light ground.

    Raises:
        ModelMissing, ModelAltered: see `biometrics.carried.pinned`.
    """
    found = natives(image)
    return 0.0 if found is None else forest().score({**found, **_OF_MINUTIAE})
