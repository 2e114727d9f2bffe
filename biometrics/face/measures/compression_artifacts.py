"""CompressionArtifacts: steps at the edges of the blocks in which JPEG stores a picture.

Unit: grey levels, the amplitude of what repeats every 5.2 to 14 pixels across as well as down:
8 for a picture as it was stored, others for one that was resized since.
Source: after Wang, Sheikh and Bovik 2002; ISO/IEC 29794-5 names the component, but OFIQ's network
for it is not reachable.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.mapping import falling
from biometrics.face.measures.measure import Cadence, Measure
from biometrics.face.sight import Sight

_LARGEST: Final = 12.0
"""Grey levels beyond which a step is the picture's own."""
_REACH: Final = 1.6
"""Eye distances around the eyes that are looked at, and within how many pixels."""
_PIXELS: Final = (160, 320)
_FEWEST: Final = 96
"""Pixels a side, a dozen blocks, below which nothing is said."""
_SAMPLES: Final = 4096
"""Length of the transform: fine enough for periods that are no whole number of pixels."""
_BASE: Final = np.arange(_SAMPLES // 14, int(_SAMPLES / 5.2))


def native(sight: Sight) -> float | None:
    """Return the amplitude; None where too few blocks would be seen."""
    reach = round(float(np.clip(_REACH * sight.ied, *_PIXELS)))
    x, y = (round(float(v)) for v in sight.face.between_eyes)
    part = sight.pixels[
        max(y - reach, 0) : max(y + reach, 0), max(x - reach, 0) : max(x + reach, 0)
    ]
    if min(part.shape[:2]) < _FEWEST:
        return None
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_BGR2GRAY), np.float32)
    both = np.minimum(_spectrum(grey), _spectrum(np.ascontiguousarray(grey.T)))
    return float(both.max())


def _spectrum(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the amplitude of each period and its half, of the steps from column to column."""
    steps = np.minimum(np.abs(np.diff(grey, axis=1)), _LARGEST)
    beyond = (steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2).mean(0)
    window = np.hanning(len(beyond))
    waves = np.abs(np.fft.rfft((beyond - beyond.mean()) * window, _SAMPLES)) * 2 / window.sum()
    return np.asarray(waves[_BASE] + waves[2 * _BASE], np.float64)


MEASURE = Measure(
    name="CompressionArtifacts",
    unit="grey levels",
    native=native,
    scale=falling(0.6, 0.1),
    cadence=Cadence.SCENE,
)
